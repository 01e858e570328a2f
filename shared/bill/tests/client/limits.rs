//! The client sends at most two concurrent requests per organization.

use bill::ErrorKind;
use futures::future::join_all;
use sandbox::Switches;

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
    bill.organizations_page(None, test_deadline())
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

#[tokio::test]
async fn concurrency_limit_errors_are_retried() {
    let sandbox = sandbox(Switches {
        latency_ms: 150,
        concurrent_limit: 1,
        ..Switches::default()
    })
    .await;
    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization_client = bill.organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    let (banks, payments) = tokio::join!(
        organization_client.bank_accounts(),
        organization_client.payments_page(None)
    );

    // With unlucky jitter both calls can collide on all five attempts.
    for outcome in [banks.map(drop), payments.map(drop)] {
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::TooManyAtOnce, "{error}");
        }
    }

    assert!(sandbox.statistics().errors_by_code["BDC_1322"] >= 1);
    assert!(organization_client.requests() > 4);
}
