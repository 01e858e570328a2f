//! The messages of an organization over several episodes, with tables in a local DynamoDB.

use content::Content;
use engagement::Stage;
use runtime::{
    http::{Request, StatusCode, header},
    telemetry,
};
use serde_json::json;
use test_support::{CapturedOutput, LocalAws};

use crate::{
    stack::TestStack,
    support::{ORGANIZATION, dismiss, get, json_of, request},
};

const FIRST_EPISODE: &str = "2026-11-23T06:00:00Z";
const SECOND_EPISODE: &str = "2026-12-24T06:00:00Z";

/// The steps depend on each other and run in this order.
#[tokio::test]
async fn the_current_episodes_message_is_returned_until_dismissed() {
    let logs = CapturedOutput::default();
    let _guard = telemetry::init_with_writer("debug", logs.clone());
    let stack = TestStack::create(LocalAws::connect()).await;

    unknown_organizations_are_not_found(&stack).await;
    each_stage_has_the_message_of_its_campaign(&stack).await;
    let (id, etag) = a_response_is_revalidated_by_its_etag(&stack).await;
    a_dismissed_message_stays_hidden(&stack, &id, &etag).await;
    the_next_episode_has_another_message(&stack, &id).await;
    a_required_message_cannot_be_dismissed(&stack).await;
    an_unreadable_item_is_a_server_error(&stack).await;

    let text = logs.text();
    assert!(text.contains("a message was dismissed"), "{text}");
    assert!(!text.contains("Kestrel"), "{text}");
}

/// An organization without an item, and one whose item has nothing but the error of a sync.
async fn unknown_organizations_are_not_found(stack: &TestStack) {
    println!("unknown organizations are not found");

    stack
        .assert_problem(&get(ORGANIZATION), StatusCode::NOT_FOUND)
        .await;
    stack
        .put(json!({ "organization_id": ORGANIZATION, "sync_error": "bill_unavailable" }))
        .await;
    stack
        .assert_problem(&get(ORGANIZATION), StatusCode::NOT_FOUND)
        .await;
    stack
        .assert_problem(
            &dismiss(ORGANIZATION, "dormant_30-20261123T060000Z"),
            StatusCode::NOT_FOUND,
        )
        .await;
}

async fn each_stage_has_the_message_of_its_campaign(stack: &TestStack) {
    println!("each stage has the message of its campaign, with unchanged texts");

    let content = Content::embedded().unwrap();
    for stage in [
        Stage::Enrolling,
        Stage::NoBankAccount,
        Stage::BankUnverified,
        Stage::AwaitingFirstPayment,
        Stage::Active,
    ] {
        stack.put_stage(stage, FIRST_EPISODE).await;
        let message = stack.message().await.unwrap();

        let content = content.in_product_message(stage).unwrap();
        let expected = serde_json::to_value(content).unwrap();
        assert!(
            expected
                .as_object()
                .unwrap()
                .iter()
                .all(|(field, value)| message[field] == *value),
            "{message}"
        );
        assert_eq!(
            (&message["id"], &message["stage"]),
            (
                &json!(format!("{stage}-20261123T060000Z")),
                &json!(stage.to_string())
            )
        );
    }

    stack.put_stage(Stage::Closed, FIRST_EPISODE).await;
    assert_eq!(stack.message().await, None);
}

/// Returns the id and the `ETag` of the message.
async fn a_response_is_revalidated_by_its_etag(stack: &TestStack) -> (String, String) {
    println!("a response may be cached for a minute and is revalidated by its ETag");

    stack.put_stage(Stage::Dormant30, FIRST_EPISODE).await;
    let response = stack.handle(&get(ORGANIZATION)).await;
    insta::assert_snapshot!(
        "messages",
        serde_json::to_string_pretty(&json_of(&response)).unwrap()
    );
    let etag = response.headers()[header::ETAG].to_str().unwrap();
    assert!(
        etag.len() == 34 && etag.starts_with('"') && etag.ends_with('"'),
        "{etag}"
    );

    let revalidated = stack
        .handle(&conditional_get(&format!("\"other\", {etag}")))
        .await;
    assert_eq!(
        (revalidated.status(), revalidated.body()),
        (StatusCode::NOT_MODIFIED, "")
    );
    for response in [&response, &revalidated] {
        assert_eq!(response.headers()[header::ETAG], etag);
        assert_eq!(
            response.headers()[header::CACHE_CONTROL],
            "private, max-age=60"
        );
    }
    assert!(revalidated.headers().get(header::CONTENT_TYPE).is_none());

    let id = json_of(&response)["messages"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    (id, etag.to_owned())
}

async fn a_dismissed_message_stays_hidden(stack: &TestStack, id: &str, etag: &str) {
    println!("a dismissed message stays hidden, and a second dismissal succeeds");

    for _ in 0..2 {
        let dismissed = stack.handle(&dismiss(ORGANIZATION, id)).await;
        assert_eq!(
            (dismissed.status(), dismissed.body()),
            (StatusCode::NO_CONTENT, "")
        );
        assert_eq!(stack.message().await, None);
    }

    assert_eq!(
        stack.handle(&conditional_get(etag)).await.status(),
        StatusCode::OK,
        "the ETag from before the dismissal still matches"
    );
    assert_eq!(
        (
            stack.message().await,
            stack.invocation.metrics.total("messages_dismissed")
        ),
        (None, 2.0)
    );
}

async fn the_next_episode_has_another_message(stack: &TestStack, previous_id: &str) {
    println!("the next episode has another message, and the previous message is not found");

    stack.put_stage(Stage::Dormant30, SECOND_EPISODE).await;
    assert_eq!(
        stack.message().await.unwrap()["id"],
        "dormant_30-20261224T060000Z"
    );
    stack
        .assert_problem(&dismiss(ORGANIZATION, previous_id), StatusCode::NOT_FOUND)
        .await;
    stack
        .assert_problem(
            &dismiss(ORGANIZATION, "in-product#x"),
            StatusCode::NOT_FOUND,
        )
        .await;
    assert!(stack.message().await.is_some());
}

async fn a_required_message_cannot_be_dismissed(stack: &TestStack) {
    println!("a message about a required action cannot be dismissed");

    stack.put_stage(Stage::BankUnverified, SECOND_EPISODE).await;
    stack
        .assert_problem(
            &dismiss(ORGANIZATION, "bank_unverified-20261224T060000Z"),
            StatusCode::CONFLICT,
        )
        .await;
    assert_eq!(stack.message().await.unwrap()["dismissible"], false);
}

async fn an_unreadable_item_is_a_server_error(stack: &TestStack) {
    println!("an unreadable item is a server error");

    stack
        .put(json!({ "organization_id": ORGANIZATION, "stage": "levitating" }))
        .await;
    let result = stack
        .function
        .handle(&get(ORGANIZATION), &stack.invocation)
        .await;

    assert_eq!(
        result
            .map(|response| response.status())
            .unwrap_err()
            .error_type
            .name(),
        "store_unreadable"
    );
}

fn conditional_get(if_none_match: &str) -> Request {
    let headers = json!({ "if-none-match": if_none_match });
    request("GET", ORGANIZATION, None, &headers)
}
