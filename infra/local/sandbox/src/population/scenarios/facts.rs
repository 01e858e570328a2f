//! The facts of each scenario, relative to the time at which the sandbox started.

use crate::population::{
    names,
    organization::{BankAccount, Organization, User, Verification},
    row_defect::RowDefect,
    scenarios::{
        Scenario, context::ScenarioContext, contract_violations::apply_contract_violations,
        payments::payment_history,
    },
};

/// Generates the organization of a scenario. Facts that the scenario does not name are those of a
/// customer with users and a verified bank account who never paid.
pub(crate) fn build_organization(scenario: Scenario, context: &ScenarioContext) -> Organization {
    let mut organization = Organization {
        id: scenario.has_id().then(|| context.random.bill_id("008")),
        name: Some(names::company(context.random)),
        archived: false,
        created_at: context.created_at,
        scenario: scenario.to_string(),
        users: context.default_users(),
        bank_accounts: vec![BankAccount::new("VERIFIED", context.days_ago(180))],
        payments: payment_history(scenario, context),
        verification: Some(Verification::new("APPROVE")),
        defect: RowDefect::None,
    };
    set_enrollment(scenario, context, &mut organization);
    set_bank_accounts(scenario, context, &mut organization);
    set_users(scenario, context, &mut organization);
    if let Some(name) = unusual_name(scenario) {
        set_name(&mut organization, &name);
    }
    apply_contract_violations(scenario, context, &mut organization);

    organization
}

/// Sets risk verification and removes the bank accounts and users that a customer in enrollment
/// does not have yet.
fn set_enrollment(scenario: Scenario, context: &ScenarioContext, organization: &mut Organization) {
    let decision = match scenario {
        Scenario::Archived => {
            organization.archived = true;
            return;
        }
        Scenario::Declined => Some("DECLINE"),
        Scenario::NoUsers | Scenario::VerificationNotStarted => None,
        Scenario::OnlyArchivedUsers | Scenario::VerificationInProgress => Some("IN_PROGRESS"),
        Scenario::VerificationPending => Some("PENDING"),
        Scenario::VerificationOnHold => Some("HOLD"),
        Scenario::NoBankAccountInReview => Some("REVIEW"),
        Scenario::NoBankAccount => Some("APPROVE"),
        _ => return,
    };

    organization.verification = decision.map(Verification::new);
    organization.bank_accounts.clear();
    match scenario {
        Scenario::NoUsers => organization.users.clear(),
        Scenario::OnlyArchivedUsers => {
            organization.users = vec![User {
                archived: true,
                ..context.user("ADMINISTRATOR", 0)
            }];
        }
        _ => {}
    }
}

fn set_bank_accounts(
    scenario: Scenario,
    context: &ScenarioContext,
    organization: &mut Organization,
) {
    let account = |status: &str, days: i64| BankAccount::new(status, context.days_ago(days));

    organization.bank_accounts = match scenario {
        Scenario::PaidByCardWithoutBank | Scenario::PaidOnceThenLostBank => Vec::new(),
        Scenario::OnlyArchivedVerifiedBank => vec![account("VERIFIED", 10).archived()],
        Scenario::OldArchivedPendingBank => vec![account("PENDING", 40).archived()],
        Scenario::FreshArchivedPendingBank => {
            vec![account("PENDING", context.number_between(1, 20)).archived()]
        }
        Scenario::FreshArchivedBankWithoutUpdatedTime => {
            vec![BankAccount {
                updated_at: None,
                ..account("NOT_VERIFIED", 7).archived()
            }]
        }
        Scenario::PendingBank => vec![account("PENDING", context.number_between(1, 60))],
        Scenario::NotVerifiedBank => vec![account("NOT_VERIFIED", context.number_between(1, 60))],
        Scenario::RejectedBanks => vec![
            account("BLOCKED", 90),
            account("EXPIRED", 60),
            account("INVALID", 30),
        ],
        Scenario::BlockedBesidePendingBank => vec![account("BLOCKED", 90), account("PENDING", 3)],
        Scenario::PaidOnceThenBankRejected => vec![account("INVALID", 90)],
        Scenario::VerifiedBesideBlockedBank => {
            vec![account("BLOCKED", 90), account("VERIFIED", 60)]
        }
        _ => return,
    };
}

fn set_users(scenario: Scenario, context: &ScenarioContext, organization: &mut Organization) {
    let without_address = |user: User| User {
        email: None,
        ..user
    };

    organization.users = match scenario {
        Scenario::UserWithoutAddress => vec![without_address(context.user("ADMINISTRATOR", 0))],
        Scenario::AdministratorWithoutAddress => {
            vec![
                without_address(context.user("ADMINISTRATOR", 0)),
                context.user("PAYER", 1),
            ]
        }
        Scenario::NoAdministrator => vec![context.user("APPROVER", 0), context.user("CLERK", 1)],
        Scenario::ArchivedAdministrator => vec![
            User {
                archived: true,
                ..context.user("ADMINISTRATOR", 0)
            },
            context.user("ACCOUNTANT", 1),
        ],
        Scenario::SameAddressTwice => {
            let first = context.user("ADMINISTRATOR", 0);
            let email = first.email.as_deref().map(str::to_uppercase);
            vec![
                first,
                User {
                    email,
                    ..context.user("ADMINISTRATOR", 1)
                },
                context.user("ADMINISTRATOR", 2),
            ]
        }
        // Newest first, so that the order of the list is not the order of creation.
        Scenario::FiveAdministrators => (0..5)
            .rev()
            .map(|person| context.user("ADMINISTRATOR", person))
            .collect(),
        Scenario::SharedAddressOne | Scenario::SharedAddressTwo => {
            let email = Some("bookkeeper@shared-ledger.example".to_owned());
            vec![User {
                email,
                ..context.user("ADMINISTRATOR", 0)
            }]
        }
        _ => return,
    };
}

/// Uses the name for the organization and for its only user.
fn set_name(organization: &mut Organization, name: &str) {
    organization.users.truncate(1);
    for user in &mut organization.users {
        user.first_name = Some(name.to_owned());
    }
    organization.name = Some(name.to_owned());
}

/// Names that templates, e-mail headers and pages must escape or shorten.
fn unusual_name(scenario: Scenario) -> Option<String> {
    match scenario {
        Scenario::QuotesInName => Some("The \"Copper\" Kettle & O'Brien's <Tea> Room".to_owned()),
        Scenario::EmojiInName => Some("Bäckerei Sonnenschein 🥐🚀 製パン所".to_owned()),
        Scenario::ScriptInName => Some("<script>alert('pay')</script>{{ 7 * 7 }} Ltd".to_owned()),
        Scenario::LongName => Some("Longfellow ".repeat(50).chars().take(500).collect()),
        Scenario::LineBreakInName => {
            Some("Harbor Lights\r\nBcc: everyone@harbor-lights.example".to_owned())
        }
        _ => None,
    }
}
