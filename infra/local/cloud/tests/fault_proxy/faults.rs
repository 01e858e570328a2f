//! Injected faults and broken connections.

use std::time::Duration;

use futures::future::join_all;
use local_cloud::{AwsFault, AwsResponse, CallOutcome, FaultProxy};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{ProxyTest, client};

#[tokio::test]
async fn injected_error_is_returned_without_calling_aws() {
    let test = ProxyTest::start().await;
    test.proxy.set_fault_plan(|call| {
        if call.number == 1 {
            AwsFault::error_response(400, "ThrottlingException")
        } else {
            AwsFault::PassThrough
        }
    });
    let response = test.dynamodb("PutItem", &json!({})).send().await.unwrap();

    assert_eq!(response.status(), 400);
    assert_eq!(
        response.headers()["x-amzn-errortype"],
        "ThrottlingException"
    );
    let body: Value = response.json().await.unwrap();

    assert_eq!(
        (&body["__type"], &body["code"]),
        (&json!("ThrottlingException"), &json!("ThrottlingException"))
    );
    assert_eq!(test.requests_received(), 0);
    let calls = test.proxy.calls();

    assert_eq!(
        (&calls[0].outcome, &calls[0].aws_response),
        (
            &CallOutcome::Responded(AwsResponse { status: 400, body }),
            &None
        )
    );
    test.dynamodb("PutItem", &json!({})).send().await.unwrap();

    assert_eq!(test.requests_received(), 1);
}

#[tokio::test]
async fn dropped_request_never_reaches_aws() {
    let test = ProxyTest::start().await;
    test.proxy.set_fault_plan(|_| AwsFault::DropRequest);
    let error = test
        .dynamodb("PutItem", &json!({}))
        .send()
        .await
        .unwrap_err();

    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(test.requests_received(), 0);
    let calls = test.proxy.calls();

    assert_eq!(
        (calls.len(), &calls[0].outcome, &calls[0].aws_response),
        (1, &CallOutcome::Disconnected, &None)
    );
}

#[tokio::test]
async fn dropped_response_means_aws_was_called_once_and_client_got_nothing() {
    let test = ProxyTest::start().await;
    // Opens the connection that the next call reuses.
    test.dynamodb("GetItem", &json!({})).send().await.unwrap();

    test.proxy.set_fault_plan(|_| AwsFault::DropResponse);
    let error = test
        .dynamodb("PutItem", &json!({"n": 7}))
        .send()
        .await
        .unwrap_err();

    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(test.requests_received(), 2);
    let call = test.proxy.calls_to("dynamodb.PutItem").pop().unwrap();

    assert_eq!(
        (call.outcome, call.aws_response),
        (
            CallOutcome::Disconnected,
            Some(AwsResponse {
                status: 418,
                body: json!({"n": 7})
            })
        )
    );
}

#[tokio::test]
async fn delayed_response_is_recorded_as_disconnected_when_the_client_leaves() {
    let test = ProxyTest::start().await;
    test.proxy
        .set_fault_plan(|_| AwsFault::Delay(Duration::from_hours(1)));
    let call = test.dynamodb("PutItem", &json!({}));
    let client_timeout = async {
        while test
            .proxy
            .calls()
            .iter()
            .all(|call| call.aws_response.is_none())
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        response = call.send() => panic!("the response was not held back: {response:?}"),
        () = client_timeout => {}
    }
    while test.proxy.calls()[0].outcome == CallOutcome::InProgress {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(
        (test.requests_received(), &test.proxy.calls()[0].outcome),
        (1, &CallOutcome::Disconnected)
    );
    test.proxy
        .set_fault_plan(|_| AwsFault::Delay(Duration::from_millis(1)));

    assert_eq!(
        test.dynamodb("PutItem", &json!({}))
            .send()
            .await
            .unwrap()
            .status(),
        418
    );
}

#[tokio::test]
async fn unreachable_upstream_closes_the_connection() {
    let unused_address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let proxy = FaultProxy::start(&unused_address.to_string())
        .await
        .unwrap();
    let error = client().get(proxy.url()).send().await.unwrap_err();

    assert!(error.is_request(), "{error:?}");
    assert_eq!(
        (&proxy.calls()[0].outcome, &proxy.calls()[0].aws_response),
        (&CallOutcome::Disconnected, &None)
    );
}

#[tokio::test]
async fn calls_run_concurrently_and_the_plan_sees_them_in_order() {
    const CALLS: u64 = 32;
    // Each forwarded call waits in the server for the others.
    let test = ProxyTest::start_with_barrier(usize::try_from(CALLS / 2).unwrap()).await;
    let mut last = 0;
    test.proxy.set_fault_plan(move |call| {
        assert_eq!(call.number, last + 1);
        last = call.number;
        if call.number % 2 == 0 {
            AwsFault::DropRequest
        } else {
            AwsFault::PassThrough
        }
    });
    let calls = (0..CALLS).map(|n| test.dynamodb("PutItem", &json!({"n": n})).send());
    let responses = join_all(calls).await;

    assert_eq!(
        responses.iter().filter(|response| response.is_ok()).count() as u64,
        CALLS / 2
    );
    for call in test.proxy.calls() {
        let passed = CallOutcome::Responded(AwsResponse {
            status: 418,
            body: call.request.clone(),
        });
        assert_eq!(
            call.outcome,
            if call.number % 2 == 0 {
                CallOutcome::Disconnected
            } else {
                passed
            }
        );
    }
}
