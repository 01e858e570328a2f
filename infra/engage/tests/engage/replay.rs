//! `engage replay`, against fakes of a DynamoDB table with two organizations and of fan-out.

use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_sdk_lambda::config::Builder;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use engage::replay::{FanOutResult, Replay};
use parking_lot::Mutex;
use serde_json::{Value, json};
use store::{MakeDueProgress, Organizations};

const NOW: &str = "2026-11-23T12:00:00Z";

#[tokio::test]
async fn replay_makes_every_organization_due_then_starts_fan_out() {
    let aws = FakeAws::default();
    let mut progress = Vec::new();
    let result = aws
        .replay()
        .await
        .run(NOW.parse().unwrap(), |so_far| progress.push(so_far.clone()))
        .await
        .unwrap();

    let made_due = MakeDueProgress {
        organizations: 2,
        made_due: 1,
        unreadable: Vec::new(),
    };
    assert_eq!(progress, std::slice::from_ref(&made_due));
    assert_eq!(result.made_due, made_due);
    assert_eq!(
        result.fan_out,
        FanOutResult {
            outcome: "budget_spent".to_owned(),
            queued: 1
        }
    );
    assert_eq!(*aws.calls.lock(), ["Scan", "UpdateItem", "fan-out {}"]);
}

#[tokio::test]
async fn organizations_stay_due_when_fan_out_cannot_start() {
    for (status, headers) in [(403, HeaderMap::new()), (200, function_error_header())] {
        let aws = FakeAws {
            function_response: Some((StatusCode::from_u16(status).unwrap(), headers)),
            ..FakeAws::default()
        };

        let message = format!(
            "{:#}",
            aws.replay()
                .await
                .run(NOW.parse().unwrap(), |_| {})
                .await
                .unwrap_err()
        );

        assert!(
            message.contains("the 2 organizations are due (1 of them newly)"),
            "{message}"
        );
        assert!(
            message.contains("the next hourly run syncs them")
                && message.contains("the function fan-out"),
            "{message}"
        );
        assert!(aws.calls.lock().iter().any(|call| call == "UpdateItem"));
    }
}

#[tokio::test]
async fn fan_out_is_not_started_when_organizations_cannot_be_made_due() {
    for operation in ["Scan", "UpdateItem"] {
        let aws = FakeAws {
            refused_operation: Some(operation),
            ..FakeAws::default()
        };

        let message = format!(
            "{:#}",
            aws.replay()
                .await
                .run(NOW.parse().unwrap(), |_| {})
                .await
                .unwrap_err()
        );

        assert!(
            message
                .contains("not every organization was made due; run the command again to continue"),
            "{message}"
        );
        assert!(
            message.contains("organizations: DynamoDB refused the call"),
            "{message}"
        );
        assert!(
            !aws.calls
                .lock()
                .iter()
                .any(|call| call.starts_with("fan-out"))
        );
    }
}

/// A fake of DynamoDB and Lambda. Records its calls.
#[derive(Clone, Default)]
struct FakeAws {
    /// The DynamoDB operation that is refused.
    refused_operation: Option<&'static str>,
    /// The response of the function, by default a run that spent its budget.
    function_response: Option<(StatusCode, HeaderMap)>,
    /// Operation names, and name and event of each invocation.
    calls: Arc<Mutex<Vec<String>>>,
}

impl FakeAws {
    async fn replay(&self) -> Replay {
        let routes = Router::new().route("/", post(respond_as_dynamodb)).route(
            "/2015-03-31/functions/{name}/invocations",
            post(respond_as_lambda),
        );
        let config =
            test_support::sdk_config(&test_support::serve(routes.with_state(self.clone())).await);
        let organizations = Organizations::new(store::client(&config), "organizations".to_owned());
        let lambda = aws_sdk_lambda::Client::from_conf(
            Builder::from(&config)
                .retry_config(RetryConfig::disabled())
                .build(),
        );

        Replay::new(organizations, lambda, "fan-out".to_owned())
    }
}

async fn respond_as_dynamodb(
    State(aws): State<FakeAws>,
    headers: HeaderMap,
    _body: String,
) -> (StatusCode, Json<Value>) {
    let operation = headers["x-amz-target"]
        .to_str()
        .unwrap()
        .trim_start_matches("DynamoDB_20120810.")
        .to_owned();
    aws.calls.lock().push(operation.clone());
    if aws.refused_operation == Some(operation.as_str()) {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException" })),
        );
    }

    let item = |number: u32, next_check_at: &str| {
        let organization_id = format!("00802KESTREL{number}");
        json!({
            "organization_id": { "S": organization_id },
            "next_check_at": { "S": next_check_at },
        })
    };

    let items = [
        item(1, "2026-11-23T11:00:00Z"),
        item(2, "2026-11-24T11:00:00Z"),
    ];
    (
        StatusCode::OK,
        Json(if operation == "Scan" {
            json!({ "Items": items })
        } else {
            json!({})
        }),
    )
}

async fn respond_as_lambda(
    State(aws): State<FakeAws>,
    Path(name): Path<String>,
    event: String,
) -> Response {
    aws.calls.lock().push(format!("{name} {event}"));
    if let Some((status, headers)) = aws.function_response {
        return (
            status,
            headers,
            r#"{"errorType":"secret_missing","errorMessage":"the secret is empty"}"#,
        )
            .into_response();
    }

    Json(json!({
        "run_id": "R1",
        "outcome": "budget_spent",
        "organizations": 2,
        "due": 2,
        "queued": 1,
    }))
    .into_response()
}

fn function_error_header() -> HeaderMap {
    HeaderMap::from_iter([(
        "x-amz-function-error".parse().unwrap(),
        "Unhandled".parse().unwrap(),
    )])
}
