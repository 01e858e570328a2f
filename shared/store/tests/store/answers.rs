//! Answers that MiniStack never gives: conflicts, throttling, half an answer, none at all.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::Client;
use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use engagement::{Notice, NoticeReason};
use serde_json::{Value, json};
use store::{
    BudgetAmount, Checks, Claimed, DecisionTables, Limits, Notices, Organizations, Runs,
    StoreError, WriteOutcome,
};

use crate::fixtures::{MONTH, SYNCED_AT, at, claim, decision, id, key, planned};

const SECRET: &str = "the contents of an item";

#[tokio::test]
async fn a_transaction_conflict_is_retried() {
    let dynamodb = Script::play([
        cancelled(&["TransactionConflict", "None"]),
        cancelled(&["None", "ThrottlingError"]),
        done(),
    ])
    .await;
    let applied = dynamodb
        .checks()
        .apply(&decision(1, 1, SYNCED_AT, &[]), None, &key())
        .await;
    assert_eq!(
        applied,
        Ok(WriteOutcome::Written {
            notices: 0,
            notices_existing: 0
        })
    );
    assert_eq!(dynamodb.calls(), 3);
}

#[tokio::test]
async fn a_lasting_conflict_is_a_retryable_error() {
    let dynamodb = Script::play(vec![cancelled(&["TransactionConflict", "None"]); 6]).await;
    let error = dynamodb
        .checks()
        .apply(&decision(1, 1, SYNCED_AT, &[]), None, &key())
        .await
        .unwrap_err();
    assert_eq!(
        (error.type_name(), error.is_retryable(), dynamodb.calls()),
        ("store_conflict", true, 6)
    );
}

#[tokio::test]
async fn an_existing_notice_is_left_out_when_a_conflict_is_retried() {
    let answers = [
        cancelled(&[
            "TransactionConflict",
            "None",
            "ConditionalCheckFailed",
            "None",
        ]),
        done(),
    ];
    let dynamodb = Script::play(answers).await;
    let decision = decision(
        1,
        1,
        SYNCED_AT,
        &["marisol@kestrel.example", "tomas@kestrel.example"],
    );
    let applied = dynamodb.checks().apply(&decision, None, &key()).await;
    assert_eq!(
        applied,
        Ok(WriteOutcome::Written {
            notices: 1,
            notices_existing: 1
        })
    );
    let sizes: Vec<usize> = dynamodb
        .requests()
        .iter()
        .map(|request| request["TransactItems"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [4, 3]);
}

#[tokio::test]
async fn an_update_that_conflicts_with_a_transaction_is_retried() {
    let dynamodb = Script::play([refused("TransactionConflictException"), done()]).await;
    assert_eq!(
        dynamodb
            .notices()
            .skip(&notice(), NoticeReason::Expired, at(SYNCED_AT))
            .await,
        Ok(true)
    );
}

#[tokio::test]
async fn a_claim_is_recognized_by_its_id_after_a_lost_response() {
    for (holder, claimed) in [("claim-1", Claimed::Yes), ("claim-2", Claimed::NotDue)] {
        let mut refusal = cancelled(&["ConditionalCheckFailed", "ConditionalCheckFailed"]);
        refusal.1["CancellationReasons"][0]["Item"] =
            json!({ "claim_id": { "S": holder }, "status": { "S": "claimed" } });
        let dynamodb = Script::play([fault(), refusal]).await;
        assert_eq!(
            dynamodb
                .notices()
                .claim(&notice(), None, &claim("claim-1"), MONTH)
                .await,
            Ok(claimed)
        );
    }
}

#[tokio::test]
async fn a_claim_is_refused_when_only_the_contact_has_changed() {
    let dynamodb = Script::play([cancelled(&["None", "ConditionalCheckFailed"])]).await;
    assert_eq!(
        dynamodb
            .notices()
            .claim(&notice(), None, &claim("claim-1"), MONTH)
            .await,
        Ok(Claimed::ContactChanged)
    );
}

#[tokio::test]
async fn unprocessed_keys_are_requested_again() {
    let found = |number: usize| json!({ "organization_id": { "S": id(number).as_str() }, "next_check_at": { "S": SYNCED_AT } });
    let key = |number: usize| json!({ "organization_id": { "S": id(number).as_str() } });
    let rest = json!({ "organizations": { "Keys": [key(2), key(3)], "ProjectionExpression": "#a", "ExpressionAttributeNames": { "#a": "a" } } });
    let answers = [
        (
            200,
            json!({ "Responses": { "organizations": [found(1)] }, "UnprocessedKeys": rest }),
        ),
        (
            200,
            json!({ "Responses": { "organizations": [found(2), found(3)] }, "UnprocessedKeys": {} }),
        ),
    ];
    let dynamodb = Script::play(answers).await;
    let next_syncs = dynamodb
        .organizations()
        .next_syncs(&[id(1), id(2), id(3)])
        .await
        .unwrap();
    assert_eq!(next_syncs.len(), 3);
    assert_eq!(
        dynamodb.requests()[1]["RequestItems"]["organizations"]["Keys"],
        json!([key(2), key(3)])
    );
}

#[tokio::test]
async fn keys_left_unprocessed_are_a_throttling_error() {
    let rest =
        json!({ "organizations": { "Keys": [{ "organization_id": { "S": id(1).as_str() } }] } });
    let dynamodb = Script::play(vec![
        (
            200,
            json!({ "Responses": {}, "UnprocessedKeys": rest })
        );
        6
    ])
    .await;
    let error = dynamodb
        .organizations()
        .next_syncs(&[id(1)])
        .await
        .unwrap_err();
    assert_eq!(
        (error.type_name(), error.is_retryable()),
        ("store_throttled", true)
    );
}

#[tokio::test]
async fn make_due_reads_every_page_and_reports_progress_after_each() {
    let found = |number: usize, next_check_at: &str| json!({ "organization_id": { "S": id(number).as_str() }, "next_check_at": { "S": next_check_at } });
    let due = |number| found(number, SYNCED_AT);
    let pages = [
        (
            200,
            json!({ "Items": [due(1), due(2)], "LastEvaluatedKey": { "organization_id": { "S": id(2).as_str() } } }),
        ),
        (
            200,
            json!({ "Items": [], "LastEvaluatedKey": { "organization_id": { "S": id(3).as_str() } } }),
        ),
        (
            200,
            json!({ "Items": [due(4), found(5, "2026-11-24T06:00:00Z")] }),
        ),
        refused("TransactionConflictException"),
        done(),
    ];
    let dynamodb = Script::play(pages).await;
    let mut told = Vec::new();
    let made_due = dynamodb
        .organizations()
        .make_due(at("2026-11-23T12:00:00Z"), |done| {
            told.push((done.organizations, done.made_due));
        })
        .await;
    assert_eq!(
        (made_due.unwrap().made_due, told),
        (1, vec![(2, 0), (2, 0), (4, 1)])
    );
    let requests = dynamodb.requests();
    assert_eq!(
        requests[1]["ExclusiveStartKey"]["organization_id"]["S"],
        id(2).as_str()
    );
    assert_eq!(requests[4]["Key"]["organization_id"]["S"], id(5).as_str());
}

#[tokio::test]
async fn releasing_budget_is_never_retried() {
    let dynamodb = Script::play([done(), fault(), done(), fault(), done()]).await;
    let limits = Limits {
        requests_per_hour: 100,
        sign_ins_per_hour: None,
    };
    let reserve = async || {
        dynamodb
            .runs()
            .reserve(
                at(SYNCED_AT),
                BudgetAmount {
                    requests: 10,
                    sign_ins: 1,
                },
                limits,
            )
            .await
            .unwrap()
            .unwrap()
    };
    let error = dynamodb
        .runs()
        .settle(
            reserve().await,
            BudgetAmount {
                requests: 4,
                sign_ins: 1,
            },
        )
        .await
        .unwrap_err();
    assert_eq!(
        (error.type_name(), dynamodb.calls()),
        ("store_unavailable", 2)
    );
    let more = BudgetAmount {
        requests: 14,
        sign_ins: 1,
    };
    assert_eq!(dynamodb.runs().settle(reserve().await, more).await, Ok(()));
    assert_eq!(
        dynamodb.calls(),
        5,
        "what was used in addition is counted again rather than not at all"
    );
}

#[tokio::test]
async fn errors_are_classified_and_contain_no_item_contents() {
    let kinds = [
        (fault(), "store_unavailable", true),
        (refused("ThrottlingException"), "store_throttled", true),
        (refused("AccessDeniedException"), "store_refused", false),
        (refused("ValidationException"), "store_refused", false),
    ];
    for (answer, type_name, is_retryable) in kinds {
        let error: StoreError = Script::play(vec![answer; 4])
            .await
            .organizations()
            .get(&id(1))
            .await
            .unwrap_err();
        assert_eq!(
            (error.type_name(), error.is_retryable()),
            (type_name, is_retryable)
        );
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
        assert!(error.to_string().contains("request R7"), "{error}");
    }
}

#[tokio::test]
async fn an_unreachable_dynamodb_is_a_retryable_error() {
    let organizations = Organizations::new(
        store::client(&test_support::aws("http://127.0.0.1:1")),
        "organizations".to_owned(),
    );
    let error = organizations.get(&id(1)).await.unwrap_err();
    assert_eq!(
        (error.type_name(), error.is_retryable()),
        ("store_unavailable", true)
    );
}

type Answer = (u16, Value);

fn done() -> Answer {
    (200, json!({}))
}

fn fault() -> Answer {
    (
        500,
        json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": SECRET }),
    )
}

fn refused(code: &str) -> Answer {
    (
        400,
        json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": SECRET }),
    )
}

fn cancelled(codes: &[&str]) -> Answer {
    let reasons: Vec<Value> = codes
        .iter()
        .map(|code| json!({ "Code": code, "Message": SECRET }))
        .collect();
    let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (
        400,
        json!({ "__type": code, "Message": SECRET, "CancellationReasons": reasons }),
    )
}

fn notice() -> Notice {
    Notice::due(planned(1, "marisol@kestrel.example", SYNCED_AT), &key())
}

/// A DynamoDB that gives answers in their order, whatever is asked, and remembers what was.
struct Script {
    client: Client,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Script {
    async fn play(answers: impl Into<VecDeque<Answer>>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into()));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&requests);
        let answer = move |body: String| {
            asked
                .lock()
                .unwrap()
                .push(serde_json::from_str(&body).unwrap());
            let (status, body) = answers
                .lock()
                .unwrap()
                .pop_front()
                .expect("an answer for every request");
            let headers = HeaderMap::from_iter([
                (
                    header::CONTENT_TYPE,
                    "application/x-amz-json-1.0".parse().unwrap(),
                ),
                (
                    header::HeaderName::from_static("x-amzn-requestid"),
                    "R7".parse().unwrap(),
                ),
            ]);
            std::future::ready(
                (
                    StatusCode::from_u16(status).unwrap(),
                    headers,
                    body.to_string(),
                )
                    .into_response(),
            )
        };
        let server = test_support::serve(Router::new().fallback(answer)).await;
        Self {
            client: store::client(&test_support::aws(&server)),
            requests,
        }
    }

    fn calls(&self) -> usize {
        self.requests().len()
    }

    fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }

    fn checks(&self) -> Checks {
        let [organizations, transitions, notices] =
            ["organizations", "transitions", "notices"].map(str::to_owned);
        Checks::new(
            self.client.clone(),
            DecisionTables {
                organizations,
                transitions,
                notices,
            },
        )
    }

    fn organizations(&self) -> Organizations {
        Organizations::new(self.client.clone(), "organizations".to_owned())
    }

    fn notices(&self) -> Notices {
        Notices::new(
            self.client.clone(),
            "notices".to_owned(),
            "contacts".to_owned(),
        )
    }

    fn runs(&self) -> Runs {
        Runs::new(self.client.clone(), "runs".to_owned())
    }
}
