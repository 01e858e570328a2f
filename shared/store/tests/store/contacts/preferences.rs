//! Unsubscribing and resubscribing.

use std::collections::BTreeSet;

use engagement::{AddressHash, Category, Contact, EmailSubscription, Suppression};
use serde_json::json;
use store::{StoreErrorKind, UnsubscribeScope};

use crate::{
    fixtures::{at, key},
    tables::Tables,
};

const FIRST: &str = "2026-11-23T09:00:00Z";
const LATER: &str = "2026-11-24T09:00:00Z";

#[tokio::test]
async fn unsubscribing_from_a_category_keeps_the_others() {
    let tables = &Tables::create().await;
    for (category, digit) in [
        (Category::Onboarding, 1),
        (Category::Reengagement, 2),
        (Category::Product, 3),
    ] {
        let subscription = subscription(category, digit);
        let contact = tables
            .contacts()
            .unsubscribe(&subscription, UnsubscribeScope::Category, at(FIRST))
            .await
            .unwrap();

        assert_eq!(unsubscribed_categories(&contact), [category].into());
        assert_eq!(contact.unsubscribed_all, None);
        assert_eq!(
            tables
                .contacts()
                .get(&subscription.address_hash)
                .await
                .unwrap(),
            Some(contact)
        );
    }

    let unsubscribe_times = |item: &serde_json::Value| {
        item.as_object()
            .unwrap()
            .keys()
            .filter(|name| name.starts_with("unsubscribed"))
            .count()
    };
    assert!(
        tables
            .items("contacts")
            .await
            .iter()
            .all(|item| item["schema_version"] == json!({ "N": "1" })
                && unsubscribe_times(item) == 1)
    );
}

#[tokio::test]
async fn unsubscribing_from_all_covers_every_category() {
    let tables = &Tables::create().await;
    let contact = tables
        .contacts()
        .unsubscribe(&product(), UnsubscribeScope::All, at(FIRST))
        .await
        .unwrap();

    assert_eq!(contact.unsubscribed_all, Some(at(FIRST)));
    assert_eq!(contact.unsubscribed_product, None);
    assert_eq!(unsubscribed_categories(&contact).len(), 3);
}

#[tokio::test]
async fn the_first_unsubscribe_time_is_kept() {
    let tables = &Tables::create().await;
    for (scope, time) in [
        (UnsubscribeScope::Category, FIRST),
        (UnsubscribeScope::Category, LATER),
        (UnsubscribeScope::All, LATER),
        (UnsubscribeScope::All, FIRST),
    ] {
        tables
            .contacts()
            .unsubscribe(&product(), scope, at(time))
            .await
            .unwrap();
    }

    let contact = tables
        .contacts()
        .get(&product().address_hash)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (contact.unsubscribed_product, contact.unsubscribed_all),
        (Some(at(FIRST)), Some(at(LATER)))
    );
    assert_eq!(contact.version, 4);
}

#[tokio::test]
async fn resubscribing_clears_the_category_and_the_all_attribute() {
    let tables = &Tables::create().await;
    let onboarding = subscription(Category::Onboarding, 1);
    let product = subscription(Category::Product, 1);
    let contacts = tables.contacts();
    contacts
        .unsubscribe(&onboarding, UnsubscribeScope::Category, at(FIRST))
        .await
        .unwrap();
    contacts
        .unsubscribe(&product, UnsubscribeScope::Category, at(FIRST))
        .await
        .unwrap();
    contacts
        .unsubscribe(&product, UnsubscribeScope::All, at(FIRST))
        .await
        .unwrap();

    let contact = contacts.resubscribe(&product).await.unwrap();
    assert_eq!(
        unsubscribed_categories(&contact),
        [Category::Onboarding].into()
    );
    assert_eq!((contact.unsubscribed_all, contact.version), (None, 4));

    let again = contacts.resubscribe(&product).await.unwrap();
    assert_eq!(
        again,
        Contact {
            version: 5,
            ..contact
        }
    );
}

#[tokio::test]
async fn resubscribing_does_not_lift_a_suppression() {
    let tables = &Tables::create().await;
    let subscription = product();
    let complaint = json!({
        "address_hash": subscription.address_hash,
        "complained_at": FIRST,
        "unsubscribed_all": FIRST,
        "version": 7,
        "mails": 3,
    });
    tables.put("contacts", complaint).await;

    let contact = tables.contacts().resubscribe(&subscription).await.unwrap();

    assert_eq!(
        (contact.suppression(), contact.unsubscribed_all),
        (Some(Suppression::Complaint), None)
    );
    assert_eq!((contact.version, contact.mails), (8, 3));
}

#[tokio::test]
async fn resubscribing_without_a_prior_unsubscribe_changes_nothing() {
    let tables = &Tables::create().await;
    let contact = tables.contacts().resubscribe(&product()).await.unwrap();

    assert_eq!(
        contact,
        Contact {
            version: 1,
            ..Contact::new(product().address_hash)
        }
    );
}

#[tokio::test]
async fn concurrent_unsubscribe_and_resubscribe_end_with_the_last_write() {
    let tables = &Tables::create().await;
    let (contacts, subscription) = (tables.contacts(), product());
    for round in 1..=10 {
        let (unsubscribed, resubscribed) = tokio::join!(
            contacts.unsubscribe(&subscription, UnsubscribeScope::Category, at(FIRST)),
            contacts.resubscribe(&subscription)
        );

        let current = contacts
            .get(&subscription.address_hash)
            .await
            .unwrap()
            .unwrap();
        let last = [unsubscribed.unwrap(), resubscribed.unwrap()]
            .into_iter()
            .max_by_key(|contact| contact.version)
            .unwrap();
        assert_eq!(current, last, "the contact of the last write is stored");
        assert_eq!(current.version, 2 * round);
    }
}

#[tokio::test]
async fn unsubscribing_keeps_the_other_attributes() {
    let tables = &Tables::create().await;
    let subscription = product();
    let known = json!({
        "address_hash": subscription.address_hash,
        "mails": 5,
        "hard_bounced_at": FIRST,
        "next_field": "of a newer release",
    });
    tables.put("contacts", known).await;

    let contact = tables
        .contacts()
        .unsubscribe(&subscription, UnsubscribeScope::Category, at(LATER))
        .await
        .unwrap();

    assert_eq!(
        (contact.mails, contact.hard_bounced_at, contact.version),
        (5, Some(at(FIRST)), 1)
    );
    assert_eq!(
        tables.items("contacts").await[0]["next_field"],
        json!({ "S": "of a newer release" })
    );
}

#[tokio::test]
async fn an_unreadable_contact_is_unsubscribed_and_reported() {
    let tables = &Tables::create().await;
    let subscription = product();
    let unreadable = json!({ "address_hash": subscription.address_hash, "mails": "many" });
    tables.put("contacts", unreadable).await;
    let contacts = tables.contacts();

    for error in [
        contacts
            .unsubscribe(&subscription, UnsubscribeScope::Category, at(FIRST))
            .await
            .unwrap_err(),
        contacts.get(&subscription.address_hash).await.unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (StoreErrorKind::Unreadable, false)
        );
        assert!(
            !format!("{error} {error:?}").contains(subscription.address_hash.as_str()),
            "{error:?}"
        );
    }
    assert_eq!(
        tables.items("contacts").await[0]["unsubscribed_product"],
        json!({ "S": FIRST })
    );

    assert_eq!(
        contacts
            .resubscribe(&subscription)
            .await
            .unwrap_err()
            .kind(),
        StoreErrorKind::Unreadable
    );
    assert_eq!(
        tables.items("contacts").await[0]["unsubscribed_product"],
        json!(null)
    );
}

fn product() -> EmailSubscription {
    subscription(Category::Product, 7)
}

fn subscription(category: Category, owner: usize) -> EmailSubscription {
    let address = format!("owner-{owner}@kestrel.example").parse().unwrap();
    let address_hash: AddressHash = key().hash(&address);
    EmailSubscription {
        address_hash,
        category,
    }
}

fn unsubscribed_categories(contact: &Contact) -> BTreeSet<Category> {
    [
        Category::Onboarding,
        Category::Reengagement,
        Category::Product,
    ]
    .into_iter()
    .filter(|category| contact.is_unsubscribed_from(*category))
    .collect()
}
