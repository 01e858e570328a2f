//! Converts BILL's rows to the types of the engagement rules.

use engagement::{
    BankAccount, BankStatus, ListedOrganization, Name, Payment, Role, Snapshot, User, UserId,
    Verification,
};
use jiff::Timestamp;
use runtime::Metrics;
use secrecy::ExposeSecret;

/// The snapshot of an organization of which only its row in the list is known. `is_row_read`: it was
/// read for this sync.
pub fn listed_snapshot(
    organization: &ListedOrganization,
    listed_at: Option<Timestamp>,
    is_row_read: bool,
) -> Snapshot {
    Snapshot {
        archived: organization.archived,
        name: organization.name.clone(),
        created_at: organization.created_at,
        listed_at,
        is_row_read,
        ..Snapshot::default()
    }
}

/// The users of an organization. A user without a valid id is skipped. A user with an invalid
/// e-mail address is kept without one. Both are counted.
pub fn users(rows: Vec<bill::User>, metrics: &Metrics) -> Vec<User> {
    let (mut without_id, mut bad_addresses) = (0_u32, 0_u32);
    let users = rows.into_iter().filter_map(|row| {
        let Ok(id) = row.id.as_deref().unwrap_or_default().parse::<UserId>() else {
            without_id += 1;
            return None;
        };
        let email = row.email.and_then(|address| {
            address
                .expose_secret()
                .parse()
                .inspect_err(|_| bad_addresses += 1)
                .ok()
        });
        Some(User {
            id,
            archived: row.archived.unwrap_or(false),
            first_name: row.first_name.map(|name| Name::new(name.expose_secret())),
            email,
            role: row.role.and_then(|role| role.kind).as_ref().map(role),
            created_at: row.created_time,
        })
    });
    let users = users.collect();

    if without_id + bad_addresses > 0 {
        metrics.add("users_skipped", u64::from(without_id));
        metrics.add("addresses_invalid", u64::from(bad_addresses));
        tracing::warn!(
            without_id,
            bad_addresses,
            "users without a valid id or e-mail address"
        );
    }
    users
}

/// A bank account.
pub fn bank_account(row: &bill::BankAccount) -> BankAccount {
    use bill::BankAccountStatus as Status;
    let status = match &row.status {
        Some(Status::NotVerified) => BankStatus::NotVerified,
        Some(Status::Verified) => BankStatus::Verified,
        Some(Status::Pending) => BankStatus::Pending,
        Some(Status::Blocked) => BankStatus::Blocked,
        Some(Status::Expired) => BankStatus::Expired,
        Some(Status::Invalid) => BankStatus::Invalid,
        Some(Status::Undefined | Status::Other(_)) | None => BankStatus::Undefined,
    };

    BankAccount {
        archived: row.archived.unwrap_or(false),
        status,
        updated_at: row.updated_time.or(row.created_time),
    }
}

/// A payment.
pub fn payment(row: &bill::Payment) -> Payment {
    Payment {
        created_at: row.created_time,
        cancelled_or_void: matches!(
            &row.status,
            Some(bill::PaymentStatus::Cancelled | bill::PaymentStatus::Void)
        ),
        offline: row.online_payment == Some(false),
        amount: row.funding_amount.or(row.amount),
    }
}

/// The state of the risk verification. Without a decision and a processing status it has not
/// started.
pub fn verification(response: &bill::RiskVerification) -> Verification {
    use bill::RiskDecision;
    match &response.decision {
        Some(RiskDecision::Approve) => Verification::Approve,
        Some(RiskDecision::Review) => Verification::Review,
        Some(RiskDecision::Hold) => Verification::Hold,
        Some(RiskDecision::Decline) => Verification::Decline,
        Some(_) => Verification::InProgress,
        None if response.processing_status.is_some() => Verification::InProgress,
        None => Verification::NotStarted,
    }
}

/// A role, by the name that the audiences of campaigns use.
fn role(role: &bill::RoleType) -> Role {
    use bill::RoleType;
    match role {
        RoleType::Administrator => Role::Administrator,
        RoleType::Clerk => Role::Clerk,
        RoleType::Approver => Role::Approver,
        RoleType::Accountant => Role::Accountant,
        RoleType::Custom => Role::Custom,
        RoleType::Payer => Role::Payer,
        RoleType::Partner => Role::Partner,
        RoleType::Auditor => Role::Auditor,
        RoleType::NoAccess => Role::NoAccess,
        RoleType::Member => Role::Member,
        RoleType::Internal => Role::Internal,
        RoleType::PurchaseRequester => Role::PurchaseRequester,
        RoleType::ConsoleCustom => Role::ConsoleCustom,
        RoleType::Undefined | RoleType::Other(_) => Role::Undefined,
    }
}
