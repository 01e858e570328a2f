//! The client sends at most two concurrent requests per organization.

use bill::OrganizationOrder;
use std::time::Duration;

use futures::future::join_all;
use sandbox::{Sandbox, Switches};
use tokio::time::sleep;

use crate::support::{any_organization, client, sandbox, test_deadline};

#[tokio::test]
async fn all_clients_of_one_organization_share_two_permits() {
    let sandbox = sandbox(Switches {
        latency_ms: 40,
        concurrent_limit: 2,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let one = bill.organization(&organization_id, test_deadline());
    let other = bill.organization(&organization_id, test_deadline());
    let (a, b, c) = tokio::join!(one.sign_in(&user_id), other.sign_in(&user_id), one.users());
    a.unwrap();
    b.unwrap();
    c.unwrap();
    let calls = (0..12).map(|index| {
        let organization_client = if index % 3 == 0 {
            other.clone()
        } else {
            one.clone()
        };
        async move {
            if index % 2 == 0 {
                organization_client.payments_page(None).await.map(drop)
            } else {
                organization_client.bank_accounts().await.map(drop)
            }
        }
    });

    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    let statistics = sandbox.statistics();

    assert_eq!(
        statistics.max_concurrent_by_organization[&organization_id],
        2
    );
    assert!(
        statistics.errors_by_code.is_empty(),
        "{:?}",
        statistics.errors_by_code
    );
}

#[tokio::test]
async fn different_organizations_are_requested_concurrently() {
    const LATENCY_MS: u64 = 500;
    let sandbox = sandbox(Switches {
        latency_ms: LATENCY_MS,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
    let ids: Vec<String> = sandbox
        .expectations(sandbox.now())
        .into_iter()
        .filter_map(|expectation| expectation.organization_id)
        .collect();
    let started = tokio::time::Instant::now();

    for outcome in join_all(ids.iter().map(|id| {
        let organization_client = bill.organization(id, test_deadline());
        async move { organization_client.users().await }
    }))
    .await
    {
        outcome.unwrap();
    }

    assert!(
        started.elapsed().as_millis() < u128::from(LATENCY_MS) * ids.len() as u128 / 2,
        "{:?}",
        started.elapsed()
    );
}

/// Other clients of the organization use all of its concurrent requests, and then none.
#[tokio::test]
async fn concurrency_limit_errors_are_retried_until_a_request_is_allowed() {
    let sandbox = sandbox(Switches::default()).await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization_client = bill.organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    let requests_before = organization_client.requests();
    sandbox.set_switches(Switches {
        concurrent_limit: 0,
        ..Switches::default()
    });

    let allow_after_the_first_refusal = async {
        while refusals(&sandbox) == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        sandbox.set_switches(Switches::default());
    };
    let (banks, payments, ()) = tokio::join!(
        organization_client.bank_accounts(),
        organization_client.payments_page(None),
        allow_after_the_first_refusal
    );

    banks.unwrap();
    payments.unwrap();
    assert_eq!(
        organization_client.requests() - requests_before,
        2 + refusals(&sandbox),
        "each refused request is sent once more"
    );
}

/// The number of responses with `BDC_1322`.
fn refusals(sandbox: &Sandbox) -> u64 {
    let codes = sandbox.statistics().errors_by_code;
    codes.get("BDC_1322").copied().unwrap_or_default()
}
