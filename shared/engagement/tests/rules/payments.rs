//! Payments: which of them qualify, the 30-day and 90-day windows, and how many pages are read.

use engagement::{MAX_PAYMENT_PAGES, Payment, PaymentHistory};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use rust_decimal::Decimal;

use crate::support::{NANOSECOND, SECOND, ago, as_of, days, history, history_at, payment};

#[rstest]
#[case::plain(Payment::default(), true)]
#[case::cancelled_or_void(Payment { cancelled_or_void: true, ..Payment::default() }, false)]
#[case::recorded_only(Payment { offline: true, ..Payment::default() }, false)]
#[case::both(Payment { cancelled_or_void: true, offline: true, ..Payment::default() }, false)]
fn a_payment_qualifies_unless_cancelled_void_or_offline(
    #[case] payment: Payment,
    #[case] qualifies: bool,
) {
    assert_eq!(payment.qualifies(), qualifies);

    let history = history_at(
        &[Payment {
            created_at: Some(ago(days(1))),
            ..payment
        }],
        as_of(),
    );

    assert_eq!(history.last_payment_at().is_some(), qualifies);
    assert_eq!(
        (history.payments_30d(), history.payments_90d()),
        (qualifies.into(), qualifies.into())
    );
}

#[rstest]
#[case::now(days(0), 1, 1)]
#[case::in_the_future(-days(365), 1, 1)]
#[case::a_second_short_of_thirty_days(days(30) - SECOND, 1, 1)]
#[case::a_nanosecond_short_of_thirty_days(days(30) - NANOSECOND, 1, 1)]
#[case::thirty_days(days(30), 0, 1)]
#[case::thirty_days_and_a_second(days(30) + SECOND, 0, 1)]
#[case::a_second_short_of_ninety_days(days(90) - SECOND, 0, 1)]
#[case::ninety_days(days(90), 0, 0)]
#[case::ninety_days_and_a_second(days(90) + SECOND, 0, 0)]
fn payment_is_counted_in_each_window_that_contains_it(
    #[case] age: SignedDuration,
    #[case] in_30d: u32,
    #[case] in_90d: u32,
) {
    let amount = Decimal::new(1250, 2);
    let history = history_at(
        &[Payment {
            amount: Some(amount),
            ..payment(ago(age))
        }],
        as_of(),
    );

    assert_eq!(
        (history.payments_30d(), history.payments_90d()),
        (in_30d, in_90d)
    );
    assert_eq!(
        history.amount_30d(),
        if in_30d == 1 { amount } else { Decimal::ZERO }
    );
    assert_eq!(history.last_payment_at(), Some(ago(age)));
}

#[test]
fn counts_and_amounts_add_up_over_pages_without_payments_that_do_not_qualify() {
    let paid = |age, cents| Payment {
        amount: Some(Decimal::new(cents, 2)),
        ..payment(ago(days(age)))
    };
    let mut history = PaymentHistory::default();
    history.add_page(
        &[
            paid(1, 1010),
            Payment {
                cancelled_or_void: true,
                ..paid(2, 99_999)
            },
            payment(ago(days(3))),
        ],
        as_of(),
    );
    history.add_page(
        &[
            paid(29, 2020),
            Payment {
                offline: true,
                ..paid(29, 99_999)
            },
            paid(31, 3030),
            paid(89, 1),
            paid(90, 1),
        ],
        as_of(),
    );

    assert_eq!((history.payments_30d(), history.payments_90d()), (3, 5));
    assert_eq!(history.amount_30d(), Decimal::new(3030, 2));
    assert_eq!(history.last_payment_at(), Some(ago(days(1))));
}

#[test]
fn amount_sum_saturates_at_decimal_max() {
    let huge = Payment {
        amount: Some(Decimal::MAX),
        ..payment(ago(days(1)))
    };
    let history = history_at(&[huge.clone(), huge], as_of());

    assert_eq!(history.amount_30d(), Decimal::MAX);
}

#[test]
fn payment_without_created_time_is_skipped_and_counted_as_undated() {
    let mut history = PaymentHistory::default();
    history.add_page(
        &[
            Payment::default(),
            payment(ago(days(5))),
            Payment::default(),
        ],
        as_of(),
    );
    history.add_page(&[Payment::default()], as_of());

    assert_eq!(history.undated(), 3);
    assert_eq!(history.last_payment_at(), Some(ago(days(5))));
    assert_eq!(history.payments_90d(), 1);
}

#[test]
fn last_payment_is_found_in_any_order() {
    assert_eq!(
        history([ago(days(9)), ago(days(2)), ago(days(5))]).last_payment_at(),
        Some(ago(days(2)))
    );
    assert_eq!(
        history([Timestamp::MIN, Timestamp::MAX]).last_payment_at(),
        Some(Timestamp::MAX)
    );
    assert_eq!(PaymentHistory::default().last_payment_at(), None);
}

#[rstest]
#[case::nothing_read_yet(vec![], true)]
#[case::an_empty_page(vec![vec![]], true)]
#[case::window_not_covered(vec![vec![payment(ago(days(1)))]], true)]
#[case::window_not_covered_by_a_second(
    vec![vec![payment(ago(days(1))), payment(ago(days(90) - SECOND))]],
    true
)]
#[case::window_covered_to_the_second(
    vec![vec![payment(ago(days(1))), payment(ago(days(90)))]],
    false
)]
#[case::one_old_payment(vec![vec![payment(ago(days(120)))]], false)]
#[case::covered_by_a_payment_that_does_not_qualify(
    vec![vec![payment(ago(days(1))), cancelled(days(120))]],
    false
)]
#[case::covered_without_a_qualifying_payment(
    vec![vec![cancelled(days(1)), cancelled(days(120))]],
    true
)]
#[case::newest_found_on_the_second_page(
    vec![vec![cancelled(days(120))], vec![payment(ago(days(150)))]],
    false
)]
#[case::covered_on_the_second_page(
    vec![vec![payment(ago(days(1)))], vec![cancelled(days(95))]],
    false
)]
#[case::undated_rows_cover_nothing(vec![vec![Payment::default(), payment(ago(days(1)))]], true)]
fn next_page_is_needed_until_window_is_covered_and_last_payment_is_known(
    #[case] pages: Vec<Vec<Payment>>,
    #[case] needs_next_page: bool,
) {
    let mut history = PaymentHistory::default();
    for page in pages {
        history.add_page(&page, as_of());
    }

    assert_eq!(history.needs_next_page(), needs_next_page);
}

#[test]
fn at_most_ten_payment_pages_are_read() {
    let mut history = PaymentHistory::default();

    for _ in 0..MAX_PAYMENT_PAGES - 1 {
        history.add_page(&[], as_of());
        assert!(history.needs_next_page());
    }

    history.add_page(&[], as_of());

    assert!(!history.needs_next_page());
    assert_eq!(MAX_PAYMENT_PAGES, 10);
}

fn cancelled(age: SignedDuration) -> Payment {
    Payment {
        cancelled_or_void: true,
        ..payment(ago(age))
    }
}
