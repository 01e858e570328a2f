//! The payments of each scenario.

use jiff::{SignedDuration, Timestamp};

use crate::population::{
    payment_series::PaymentSeries,
    scenarios::{Scenario, context::ScenarioContext},
};

/// The payments of an organization; none for scenarios about something else.
pub(super) fn payment_history(scenario: Scenario, context: &ScenarioContext) -> Vec<PaymentSeries> {
    let days_ago = |days: i64| context.days_ago(days);
    let one_second_after = |days: i64| days_ago(days) + SignedDuration::from_secs(1);
    let dormant = |from_days: i64, to_days: i64| {
        let seconds = context.number_between(from_days * 86_400, to_days * 86_400);
        vec![weekly_payments(context, context.seconds_ago(seconds))]
    };

    match scenario {
        Scenario::Archived | Scenario::PaidRecently | Scenario::ScheduledPayment => {
            let newest_at = context.seconds_ago(context.number_between(600, 29 * 86_400));
            let status = if scenario == Scenario::ScheduledPayment {
                "SCHEDULED"
            } else {
                "PAID"
            };
            vec![PaymentSeries {
                status: Some(status.to_owned()),
                ..weekly_payments(context, newest_at)
            }]
        }
        Scenario::Dormant30 => dormant(30, 60),
        Scenario::Dormant60 => dormant(60, 90),
        Scenario::Dormant90 => dormant(90, 170),
        Scenario::PaidOnceThenLostBank => vec![PaymentSeries::paid(days_ago(45))],
        Scenario::PaidOnceThenBankRejected => vec![PaymentSeries::paid(days_ago(50))],
        Scenario::OnlyCancelledPayments => {
            vec![PaymentSeries::with_status("CANCELLED", days_ago(4)).repeated(3, 86_400)]
        }
        Scenario::OnlyVoidPayments => {
            vec![PaymentSeries::with_status("VOID", days_ago(4)).repeated(2, 86_400)]
        }
        Scenario::OnlyOfflinePayments => {
            vec![PaymentSeries {
                online: Some(false),
                ..PaymentSeries::paid(days_ago(4)).repeated(5, 86_400)
            }]
        }
        Scenario::CancelledBeyondTenPages => {
            vec![
                PaymentSeries::with_status("CANCELLED", days_ago(1)).repeated(1_150, 600),
                PaymentSeries::paid(days_ago(20)),
            ]
        }
        Scenario::FuturePayment => vec![PaymentSeries::with_status(
            "SCHEDULED",
            context.start + SignedDuration::from_hours(48),
        )],
        Scenario::PaidByCardWithoutBank => vec![PaymentSeries {
            by_card: true,
            ..PaymentSeries::paid(days_ago(6))
        }],
        Scenario::CancelledNewestPaidBefore => {
            vec![
                PaymentSeries::with_status("CANCELLED", days_ago(1)),
                PaymentSeries::paid(days_ago(8)),
            ]
        }
        Scenario::CancelledNewestDormantBefore => {
            vec![
                PaymentSeries::with_status("VOID", days_ago(2)),
                PaymentSeries::paid(days_ago(40)),
            ]
        }
        Scenario::ManyPayments => vec![PaymentSeries::paid(days_ago(2)).repeated(260, 6 * 3_600)],
        Scenario::PaymentWithoutStatus => vec![PaymentSeries {
            status: None,
            online: None,
            ..PaymentSeries::paid(days_ago(5))
        }],
        Scenario::Exactly30Days => vec![PaymentSeries::paid(days_ago(30))],
        Scenario::Exactly60Days => vec![PaymentSeries::paid(days_ago(60))],
        Scenario::Exactly90Days => vec![PaymentSeries::paid(days_ago(90))],
        Scenario::SecondYoungerThan30Days => vec![PaymentSeries::paid(one_second_after(30))],
        Scenario::SecondYoungerThan60Days => vec![PaymentSeries::paid(one_second_after(60))],
        Scenario::SecondYoungerThan90Days => vec![PaymentSeries::paid(one_second_after(90))],
        _ => Vec::new(),
    }
}

/// Up to eleven payments, one week apart.
fn weekly_payments(context: &ScenarioContext, newest_at: Timestamp) -> PaymentSeries {
    let count = usize::try_from(context.number_between(1, 12)).unwrap_or(1);

    PaymentSeries {
        amount_cents: context.number_between(1_000, 900_000),
        ..PaymentSeries::paid(newest_at).repeated(count, 7 * 86_400)
    }
}
