//! Which fields each list filters and sorts by, as the contract lists them.

use crate::lists::filters::Operator;

/// The fields of one list.
pub(crate) struct Fields {
    pub(crate) list: &'static str,
    pub(crate) sortable: &'static [&'static str],
    pub(crate) filterable: &'static [(&'static str, Kind, &'static [Operator])],
}

/// What a field holds, and so what a filter's value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Boolean,
    Time,
}

/// BILL's document shows `id` alone, without its operators.
pub(crate) const ORGANIZATIONS: Fields = Fields {
    list: "organizations",
    sortable: &["createdTime", "name", "updatedTime"],
    filterable: &[("id", Kind::Text, TEXT)],
};

/// BILL's document shows `id` alone, without its operators.
pub(crate) const USERS: Fields = Fields {
    list: "users",
    sortable: &[
        "archived",
        "createdTime",
        "firstName",
        "lastName",
        "updatedTime",
    ],
    filterable: &[("id", Kind::Text, TEXT)],
};

/// As in BILL's guide.
pub(crate) const BANKS: Fields = Fields {
    list: "banks",
    sortable: &[
        "accessToAdmins",
        "archived",
        "bankName",
        "createdTime",
        "nameOnAccount",
        "updatedTime",
    ],
    filterable: &[
        (
            "id",
            Kind::Text,
            &[Operator::Equal, Operator::NotEqual, Operator::In],
        ),
        ("archived", Kind::Boolean, EQUALITY),
        (
            "status",
            Kind::Text,
            &[
                Operator::Equal,
                Operator::NotEqual,
                Operator::In,
                Operator::NotIn,
            ],
        ),
        ("type", Kind::Text, EQUALITY),
        ("ownerType", Kind::Text, EQUALITY),
        ("accessToAdmins", Kind::Boolean, EQUALITY),
        ("createdTime", Kind::Time, RANGE),
        ("updatedTime", Kind::Time, RANGE),
    ],
};

/// As in BILL's guide; that times can be filtered is inferred.
pub(crate) const PAYMENTS: Fields = Fields {
    list: "payments",
    sortable: &[
        "amount",
        "confirmationNumber",
        "createdTime",
        "description",
        "disbursementStatus",
        "onlinePayment",
        "processDate",
        "updatedTime",
    ],
    filterable: &[
        (
            "id",
            Kind::Text,
            &[Operator::Equal, Operator::NotEqual, Operator::In],
        ),
        (
            "vendorId",
            Kind::Text,
            &[Operator::Equal, Operator::NotEqual, Operator::In],
        ),
        ("transactionNumber", Kind::Text, &[Operator::Equal]),
        ("createdTime", Kind::Time, RANGE),
        ("updatedTime", Kind::Time, RANGE),
        ("processDate", Kind::Time, RANGE),
    ],
};

const EQUALITY: &[Operator] = &[Operator::Equal, Operator::NotEqual];
const RANGE: &[Operator] = &[
    Operator::Greater,
    Operator::GreaterOrEqual,
    Operator::Less,
    Operator::LessOrEqual,
];
const TEXT: &[Operator] = &[
    Operator::Equal,
    Operator::NotEqual,
    Operator::In,
    Operator::NotIn,
    Operator::StartsWith,
];
