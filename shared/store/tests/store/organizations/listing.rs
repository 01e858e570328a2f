//! Organizations as BILL lists them, beside their items.

use engagement::{ListedOrganization, Name};
use store::{ListedComparison, ListingChange, StoredOrganization};

use super::syncs::sync;
use crate::{
    fixtures::{SYNCED_AT, at, id},
    tables::Tables,
};

const NOW: &str = "2026-11-23T12:00:00Z";

#[tokio::test]
async fn the_row_of_a_new_organization_is_due_and_never_replaces_an_item() {
    let tables = &Tables::create().await;
    let organizations = tables.organizations();
    sync(tables, 0..1, SYNCED_AT).await;
    let before = organizations.get(&id(0)).await.unwrap();

    for (number, is_new) in [(0, false), (1, true)] {
        let put = organizations
            .put_listing_row(&listed(number), at(NOW))
            .await;
        assert_eq!(put, Ok(is_new));
    }

    assert_eq!(organizations.get(&id(0)).await.unwrap(), before);
    assert_eq!(organizations.get(&id(1)).await.unwrap(), None);
    let StoredOrganization::Known(row) = organizations.get_for_sync(&id(1)).await.unwrap() else {
        panic!("there is a row");
    };
    assert_eq!(
        (row.listing, row.listed_at, row.next_check_at, row.record),
        (Some(listed(1)), Some(at(NOW)), Some(at(NOW)), None)
    );
}

#[tokio::test]
async fn what_changed_at_bill_is_written_and_found_once() {
    let tables = &Tables::create().await;
    let organizations = tables.organizations();
    organizations
        .put_listing_row(&listed(0), at(SYNCED_AT))
        .await
        .unwrap();
    let archived = ListedOrganization {
        archived: true,
        name: Some(Name::new("Kestrel Rooms")),
        ..listed(0)
    };
    let compare = async || {
        let listed = [archived.clone(), listed(1)];
        organizations
            .compare_listed(&listed, at(SYNCED_AT))
            .await
            .unwrap()
    };
    let known = |change| ListedComparison::Known {
        stage: None,
        change,
    };

    let change = ListingChange { makes_due: false };
    assert_eq!(
        compare().await,
        [known(Some(change)), ListedComparison::Unknown],
        "it is due already"
    );
    organizations
        .apply_listing(&archived, change, at(NOW))
        .await
        .unwrap();

    assert_eq!(compare().await, [known(None), ListedComparison::Unknown]);
}

fn listed(number: usize) -> ListedOrganization {
    ListedOrganization {
        id: id(number),
        name: Some(Name::new("Kestrel Bakehouse")),
        archived: false,
        created_at: Some(at("2026-11-23T05:00:00Z")),
    }
}
