//! The address of the recipient: invalid, suppressed or unsubscribed.

use engagement::{Category, Contact, GuardContext, Notice, NoticeReason, StoredAddress};
use rstest::rstest;

use super::support::{
    SEND, VerdictKind, bounced_contact, evaluate_guards, guard_context, new_contact, notice,
    policy, verdict_for_contact,
};
use crate::support::as_of;

#[rstest]
#[case::erased(None, NoticeReason::MissingAddress)]
#[case::blank(Some(" "), NoticeReason::MissingAddress)]
#[case::not_an_address(Some("marisol at kestrel"), NoticeReason::InvalidAddress)]
fn a_notice_without_a_usable_address_is_skipped(
    #[case] address: Option<&str>,
    #[case] reason: NoticeReason,
) {
    let mut notice = notice();
    notice.recipient.address = StoredAddress::from(address.map(str::to_owned));

    assert_eq!(
        evaluate_guards(&notice, &guard_context(), &policy()),
        VerdictKind::Skip(reason)
    );
}

#[test]
fn notice_to_a_suppressed_address_is_skipped() {
    let complained_contact = Contact {
        complained_at: Some(as_of()),
        ..new_contact()
    };

    for contact in [bounced_contact(), complained_contact] {
        assert_eq!(
            verdict_for_contact(&contact, &policy()),
            VerdictKind::Skip(NoticeReason::Suppressed)
        );
    }
}

#[test]
fn unsubscribing_skips_that_category_or_all_categories() {
    let verdict = |contact: &Contact, category| {
        let notice = Notice {
            category,
            ..notice()
        };
        let context = GuardContext {
            contact: Some(contact),
            ..guard_context()
        };
        evaluate_guards(&notice, &context, &policy())
    };
    let unsubscribed = VerdictKind::Skip(NoticeReason::Unsubscribed);

    let product = Contact {
        unsubscribed_product: Some(as_of()),
        ..new_contact()
    };
    assert_eq!(verdict(&product, Category::Product), unsubscribed);
    assert_eq!(verdict(&product, Category::Onboarding), SEND);
    assert_eq!(verdict(&product, Category::Reengagement), SEND);

    let all = Contact {
        unsubscribed_all: Some(as_of()),
        ..new_contact()
    };
    for category in [
        Category::Onboarding,
        Category::Reengagement,
        Category::Product,
    ] {
        assert_eq!(verdict(&all, category), unsubscribed);
    }
}
