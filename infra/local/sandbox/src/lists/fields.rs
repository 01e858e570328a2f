//! The fields that each list filters and sorts by, as in the contract.

use strum::EnumString;

/// The fields of one list.
pub(crate) struct ListFields {
    pub(crate) list_name: &'static str,
    pub(crate) sortable: &'static [&'static str],
    pub(crate) filterable: &'static [(&'static str, FieldType, &'static [Operator])],
}

/// The type of a field, which a filter's value must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    Text,
    Boolean,
    Time,
}

/// BILL's filter operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString)]
pub(crate) enum Operator {
    #[strum(serialize = "eq")]
    Equal,
    #[strum(serialize = "ne")]
    NotEqual,
    #[strum(serialize = "gt")]
    Greater,
    #[strum(serialize = "gte")]
    GreaterOrEqual,
    #[strum(serialize = "lt")]
    Less,
    #[strum(serialize = "lte")]
    LessOrEqual,
    #[strum(serialize = "in")]
    In,
    #[strum(serialize = "nin")]
    NotIn,
    #[strum(serialize = "sw")]
    StartsWith,
}

/// BILL's documentation names the filter `id`, but not its operators. All text operators are
/// assumed.
pub(crate) const ORGANIZATIONS: ListFields = ListFields {
    list_name: "organizations",
    sortable: &["createdTime", "name", "updatedTime"],
    filterable: &[("id", FieldType::Text, TEXT_OPERATORS)],
};

/// BILL's documentation names the filter `id`, but not its operators. All text operators are
/// assumed.
pub(crate) const USERS: ListFields = ListFields {
    list_name: "users",
    sortable: &[
        "archived",
        "createdTime",
        "firstName",
        "lastName",
        "updatedTime",
    ],
    filterable: &[("id", FieldType::Text, TEXT_OPERATORS)],
};

/// As in BILL's guide.
pub(crate) const BANK_ACCOUNTS: ListFields = ListFields {
    list_name: "banks",
    sortable: &[
        "accessToAdmins",
        "archived",
        "bankName",
        "createdTime",
        "nameOnAccount",
        "updatedTime",
    ],
    filterable: &[
        ("id", FieldType::Text, ID_OPERATORS),
        ("archived", FieldType::Boolean, EQUALITY_OPERATORS),
        (
            "status",
            FieldType::Text,
            &[
                Operator::Equal,
                Operator::NotEqual,
                Operator::In,
                Operator::NotIn,
            ],
        ),
        ("type", FieldType::Text, EQUALITY_OPERATORS),
        ("ownerType", FieldType::Text, EQUALITY_OPERATORS),
        ("accessToAdmins", FieldType::Boolean, EQUALITY_OPERATORS),
        ("createdTime", FieldType::Time, RANGE_OPERATORS),
        ("updatedTime", FieldType::Time, RANGE_OPERATORS),
    ],
};

/// As in BILL's guide. The filters for times are inferred.
pub(crate) const PAYMENTS: ListFields = ListFields {
    list_name: "payments",
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
        ("id", FieldType::Text, ID_OPERATORS),
        ("vendorId", FieldType::Text, ID_OPERATORS),
        ("transactionNumber", FieldType::Text, &[Operator::Equal]),
        ("createdTime", FieldType::Time, RANGE_OPERATORS),
        ("updatedTime", FieldType::Time, RANGE_OPERATORS),
        ("processDate", FieldType::Time, RANGE_OPERATORS),
    ],
};

const ID_OPERATORS: &[Operator] = &[Operator::Equal, Operator::NotEqual, Operator::In];
const EQUALITY_OPERATORS: &[Operator] = &[Operator::Equal, Operator::NotEqual];
const RANGE_OPERATORS: &[Operator] = &[
    Operator::Greater,
    Operator::GreaterOrEqual,
    Operator::Less,
    Operator::LessOrEqual,
];
const TEXT_OPERATORS: &[Operator] = &[
    Operator::Equal,
    Operator::NotEqual,
    Operator::In,
    Operator::NotIn,
    Operator::StartsWith,
];
