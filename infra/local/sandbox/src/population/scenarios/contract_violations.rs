//! The scenarios that violate the contract.

use crate::population::{
    organization::{BankAccount, Organization, User, Verification},
    payment_series::PaymentSeries,
    row_defect::RowDefect,
    scenarios::{Scenario, context::ScenarioContext},
};

/// Changes the organization so that a row violates the contract; nothing for other scenarios.
pub(super) fn apply_contract_violations(
    scenario: Scenario,
    context: &ScenarioContext,
    organization: &mut Organization,
) {
    let paid = |days: i64| PaymentSeries::paid(context.days_ago(days));

    match scenario {
        Scenario::OrganizationWithoutId => organization.defect = RowDefect::WithoutId,
        Scenario::OrganizationNotAnObject => organization.defect = RowDefect::NotAnObject,
        Scenario::OrganizationWithoutName => organization.name = None,
        Scenario::UserNotAnObject => {
            organization.users.push(User {
                defect: RowDefect::NotAnObject,
                ..context.user("ADMINISTRATOR", 8)
            });
        }
        Scenario::UserWithoutId => {
            organization.users.push(User {
                defect: RowDefect::WithoutId,
                email: None,
                ..context.user("CLERK", 8)
            });
        }
        Scenario::UnknownRole => organization.users = vec![context.user("SUPREME_TREASURER", 0)],
        Scenario::BrokenAddress => {
            let email = Some("owner@harbor.example\r\nBcc: everyone@harbor.example".to_owned());
            organization.users.push(User {
                email,
                ..context.user("ADMINISTRATOR", 8)
            });
        }
        Scenario::BankNotAnObject => {
            organization.bank_accounts.push(BankAccount {
                defect: RowDefect::NotAnObject,
                ..BankAccount::new("VERIFIED", context.days_ago(9))
            });
        }
        Scenario::UnknownBankStatus => {
            organization.bank_accounts =
                vec![BankAccount::new("UNDER_THE_MATTRESS", context.days_ago(9))];
        }
        Scenario::UnknownDecision => {
            organization.bank_accounts.clear();
            organization.verification = Some(Verification::new("ASK_AGAIN_LATER"));
        }
        Scenario::PaymentNotAnObject => {
            organization.payments = vec![
                PaymentSeries {
                    defect: RowDefect::NotAnObject,
                    ..paid(1)
                },
                paid(35),
            ];
        }
        Scenario::PaymentWithoutCreatedTime => {
            organization.payments = vec![
                PaymentSeries {
                    defect: RowDefect::WithoutCreatedTime,
                    ..paid(1)
                },
                paid(65),
            ];
        }
        Scenario::PaymentAmountAsText => {
            organization.payments = vec![
                PaymentSeries {
                    defect: RowDefect::AmountAsText,
                    ..paid(3)
                },
                paid(5),
            ];
        }
        Scenario::UnknownPaymentStatus => {
            organization.payments = vec![PaymentSeries::with_status(
                "TELEPORTED",
                context.days_ago(3),
            )];
        }
        _ => {}
    }
}
