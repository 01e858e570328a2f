//! Cancelled transactions, which MiniStack never reports as conflicts.

use store::StoreErrorKind;

use crate::{
    fixtures::{SYNCED_AT, decision, key, written},
    scripted::{ScriptedDynamoDb, ok_response, transaction_cancelled},
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
