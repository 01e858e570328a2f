//! Contacts end in the same state for every order and repetition of bounces and complaints.

use engagement::{AddressHash, Suppression};
use futures::future::join_all;

use crate::{
    fixtures::{at, key},
    tables::{Tables, assert_items},
};

const NOW: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T13:00:00Z";

#[tokio::test]
async fn a_contact_keeps_the_earliest_bounce_and_complaint() {
    let tables = &Tables::create().await;
    let (contacts, [early, late]) = (tables.contacts(), [NOW, LATER].map(at));
    let address = marisol();

    assert!(contacts.record_hard_bounce(&address, late).await.unwrap());
    assert!(contacts.record_hard_bounce(&address, early).await.unwrap());
    assert!(contacts.record_complaint(&address, early).await.unwrap());
    for time in [late, early] {
        assert!(!contacts.record_hard_bounce(&address, time).await.unwrap());
        assert!(!contacts.record_complaint(&address, time).await.unwrap());
    }

    let contact = contacts.get(&address).await.unwrap().unwrap();
    assert_eq!(
        (
            contact.hard_bounced_at,
            contact.complained_at,
            contact.version
        ),
        (Some(early), Some(early), 3)
    );
    assert_items!(tables.items("contacts").await, "suppressed_contact");
}

#[tokio::test]
async fn a_repeated_soft_bounce_event_counts_once() {
    let tables = &Tables::create().await;
    let (contacts, address) = (tables.contacts(), marisol());

    let recorded = join_all(
        ["b-1", "b-2", "b-1", "b-2", "b-1"]
            .map(|id| contacts.record_soft_bounce(&address, at(NOW), id)),
    )
    .await;

    let recorded = recorded.into_iter().map(Result::unwrap);
    assert_eq!(recorded.filter(|is_new| *is_new).count(), 2);
    let contact = contacts.get(&address).await.unwrap().unwrap();
    assert_eq!((contact.soft_bounces.len(), contact.version), (2, 2));
    assert_eq!(contact.suppression(), None);
}

#[tokio::test]
async fn three_soft_bounces_suppress_the_address() {
    let tables = &Tables::create().await;
    let (contacts, address) = (tables.contacts(), marisol());

    for (time, id) in [(LATER, "b-3"), (NOW, "b-1"), (NOW, "b-2")] {
        assert!(
            contacts
                .record_soft_bounce(&address, at(time), id)
                .await
                .unwrap()
        );
    }

    let contact = contacts.get(&address).await.unwrap().unwrap();
    assert_eq!(contact.suppression(), Some(Suppression::SoftBounces));
}

fn marisol() -> AddressHash {
    key().hash(&"marisol@kestrel.example".parse().unwrap())
}
