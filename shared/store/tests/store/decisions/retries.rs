//! Conflicts with other writers, which MiniStack never reports.

use engagement::Decision;
use store::{StoreErrorKind, WriteOutcome};

use crate::{
    fixtures::{SYNCED_AT, decision, key, written},
    scripted::{
        ScriptedDynamoDb, error_response, internal_server_error, ok_response, transaction_cancelled,
    },
};

#[tokio::test]
async fn a_transaction_conflict_is_retried() {
    let dynamodb = ScriptedDynamoDb::start([
        transaction_cancelled(&["TransactionConflict", "None"]),
        transaction_cancelled(&["None", "ThrottlingError"]),
        ok_response(),
    ])
    .await;

    let outcome = dynamodb
        .decisions()
        .write(&decision(1, 1, SYNCED_AT, &[]), None, &key())
        .await;

    assert_eq!(outcome, Ok(written(0, 0)));
    assert_eq!(dynamodb.calls(), 3);
}

#[tokio::test]
async fn a_lasting_conflict_is_a_retryable_error() {
    let conflict = transaction_cancelled(&["TransactionConflict", "None"]);
    let dynamodb = ScriptedDynamoDb::start(vec![conflict; 6]).await;

    let error = dynamodb
        .decisions()
        .write(&decision(1, 1, SYNCED_AT, &[]), None, &key())
        .await
        .unwrap_err();

    assert_eq!(
        (error.kind(), error.is_retryable(), dynamodb.calls()),
        (StoreErrorKind::Conflict, true, 6)
    );
}

#[tokio::test]
async fn an_existing_notice_is_left_out_when_a_conflict_is_retried() {
    let codes = [
        "TransactionConflict",
        "None",
        "ConditionalCheckFailed",
        "None",
    ];
    let dynamodb = ScriptedDynamoDb::start([transaction_cancelled(&codes), ok_response()]).await;
    let addresses = ["marisol@kestrel.example", "tomas@kestrel.example"];
    let decision = decision(1, 1, SYNCED_AT, &addresses);

    let outcome = dynamodb.decisions().write(&decision, None, &key()).await;

    assert_eq!(outcome, Ok(written(1, 1)));
    let sizes: Vec<usize> = dynamodb
        .requests()
        .iter()
        .map(|request| request["TransactItems"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [4, 3]);
}

/// A sync that changed nothing but facts and times is one put.
#[tokio::test]
async fn a_put_of_the_record_alone_is_retried_on_conflict() {
    let dynamodb = ScriptedDynamoDb::start([
        error_response("TransactionConflictException"),
        ok_response(),
    ])
    .await;

    let outcome = dynamodb.decisions().write(&unchanged(), None, &key()).await;

    assert_eq!(outcome, Ok(written(0, 0)));
    let requests = dynamodb.requests();
    assert!(requests.iter().all(|request| request["Item"].is_object()));
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn a_put_whose_response_was_lost_counts_as_written() {
    let dynamodb = ScriptedDynamoDb::start([ok_response()]).await;
    let writer = dynamodb.decisions();
    writer.write(&unchanged(), None, &key()).await.unwrap();
    let stored = dynamodb.requests()[0]["Item"].clone();
    let mut condition_failed = error_response("ConditionalCheckFailedException");
    condition_failed.1["Item"] = stored;
    let mut other = condition_failed.clone();
    other.1["Item"]["version"]["N"] = "2".into();

    for (current, expected) in [
        (condition_failed, written(0, 0)),
        (other, WriteOutcome::Superseded),
    ] {
        let dynamodb = ScriptedDynamoDb::start([internal_server_error(), current]).await;
        let outcome = dynamodb.decisions().write(&unchanged(), None, &key()).await;
        assert_eq!(outcome, Ok(expected));
    }
}

fn unchanged() -> Decision {
    let mut decision = decision(1, 1, SYNCED_AT, &[]);
    decision.transition = None;
    decision
}
