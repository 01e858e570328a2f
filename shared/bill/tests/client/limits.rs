//! At most two requests at once for one organization.

use futures::future::join_all;
use sandbox::Switches;

use crate::support::{any_organization, client, sandbox, soon};

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
    let one = bill.organization(&organization_id, soon());
    let other = bill.organization(&organization_id, soon());
    let (a, b, c) = tokio::join!(one.sign_in(&user_id), other.sign_in(&user_id), one.users());
    a.unwrap();
    b.unwrap();
    c.unwrap();
    let calls = (0..12).map(|turn| {
        let scope = if turn % 3 == 0 {
            other.clone()
        } else {
            one.clone()
        };
        async move {
            if turn % 2 == 0 {
                scope.payments_page(None).await.map(drop)
            } else {
                scope.bank_accounts().await.map(drop)
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
    bill.organizations(None, soon()).await.unwrap();
    let ids: Vec<String> = sandbox
        .population(sandbox.now())
        .into_iter()
        .filter_map(|expectation| expectation.organization_id)
        .collect();
    let started = tokio::time::Instant::now();
    for outcome in join_all(ids.iter().map(|id| {
        let scope = bill.organization(id, soon());
        async move { scope.users().await }
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
    let scope = bill.organization(&organization_id, soon());
    scope.sign_in(&user_id).await.unwrap();
    let (banks, payments) = tokio::join!(scope.bank_accounts(), scope.payments_page(None));
    // The jitter may let both collide more often than the client repeats; then it says so.
    for outcome in [banks.map(drop), payments.map(drop)] {
        if let Err(error) = outcome {
            assert!(error.is_too_many_at_once(), "{error}");
        }
    }
    assert!(sandbox.statistics().errors_by_code["BDC_1322"] >= 1);
    assert!(scope.requests() > 4);
}
