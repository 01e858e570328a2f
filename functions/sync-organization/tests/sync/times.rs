//! The time that a sync is requested for.

use jiff::SignedDuration;

use crate::support::{PLENTY_OF_REQUESTS, PLENTY_OF_TIME, TestSync, body, now, request};

#[tokio::test]
async fn only_a_local_stack_syncs_for_a_time_in_the_future() {
    let sync = TestSync::start(10).await;
    let organization = &sync.customers(1)[0];
    let ahead = |minutes| now() + SignedDuration::from_mins(minutes);
    let message = [body(&request(organization, ahead(6)))];

    let mut deployed = sync.config(PLENTY_OF_REQUESTS);
    deployed.environment = "production".to_owned();
    let batch = sync
        .run_with(deployed.clone(), &message, PLENTY_OF_TIME)
        .await
        .unwrap();
    assert_eq!(batch.returned, [0; 0]);
    assert_eq!(sync.dead_letters().await, message);
    assert_eq!(sync.item(organization).await, None);
    assert_eq!(sync.sandbox.statistics().requests, 0);

    let soon = [body(&request(organization, ahead(4)))];
    sync.run_with(deployed, &soon, PLENTY_OF_TIME)
        .await
        .unwrap();
    assert!(sync.record(organization).await.is_some());

    let far = request(organization, ahead(60 * 24 * 365));
    sync.run(&[body(&far)]).await;
    let record = sync.record(organization).await.unwrap();
    assert_eq!(record.checked_at, far.as_of);
}
