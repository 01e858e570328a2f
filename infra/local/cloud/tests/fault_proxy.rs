//! The proxy between the functions and AWS, in front of a server that answers with what it was
//! sent.
#![expect(clippy::unwrap_used, reason = "a failed step of a test fails the test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, Uri},
    response::{IntoResponse, Response},
};
use futures::future::join_all;
use local_cloud::{Answer, Call, Fault, FaultProxy, Outcome};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Barrier};

const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20260131/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00";

/// Bytes that are neither text nor JSON, with all values; the first two are those of gzip.
fn binary() -> Vec<u8> {
    [0x1f, 0x8b].into_iter().chain((0..=255).rev()).collect()
}

#[tokio::test]
async fn passed_through_traffic_is_unchanged() {
    let stage = Stage::set().await;
    let request = stage
        .client
        .post(format!("{}/some/path?with=query&a=%20b", stage.proxy.url()));
    let request = request
        .header("authorization", SIGNATURE)
        .header("host", "sqs.us-east-1.example")
        .header("content-encoding", "gzip");
    let answer = request
        .header("x-twice", "one")
        .header("x-twice", "two")
        .body(binary())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 418);
    let headers = answer.headers().clone();
    assert_eq!(headers["echo-line"], "POST /some/path?with=query&a=%20b");
    assert_eq!(headers["echo-authorization"], SIGNATURE);
    assert_eq!(headers["echo-host"], "sqs.us-east-1.example");
    assert_eq!(
        headers.get_all("echo-x-twice").iter().collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(headers["content-encoding"], "gzip");
    assert_eq!(answer.bytes().await.unwrap(), binary());
}

#[tokio::test]
async fn calls_are_recorded_in_order_with_their_names_and_bodies() {
    let stage = Stage::set().await;
    stage
        .proxy
        .register_function("ASIAEXAMPLE".to_owned(), "NotifyFunction");
    stage
        .dynamodb("GetItem", &json!({"Key": 1}))
        .send()
        .await
        .unwrap();
    let ses = |request: RequestBuilder| {
        request.header(
            "authorization",
            SIGNATURE
                .replace("dynamodb", "ses")
                .replace("EXAMPLE", "OTHER"),
        )
    };
    let url = stage.proxy.url();
    ses(stage.client.post(format!("{url}/v2/email/outbound-emails")))
        .body(r#"{"Content":{}}"#)
        .send()
        .await
        .unwrap();
    ses(stage.client.get(format!("{url}/v2/email/account")))
        .header("amz-sdk-request", "ttl=1; attempt=3; max=4")
        .send()
        .await
        .unwrap();
    ses(stage.client.get(format!("{url}/v2/email/identities")))
        .send()
        .await
        .unwrap();
    stage
        .client
        .get(format!("{url}/elsewhere"))
        .send()
        .await
        .unwrap();
    let calls = stage.proxy.calls();
    let told: Vec<_> = calls
        .iter()
        .map(|call| {
            (
                call.number,
                call.operation.as_str(),
                call.attempt,
                call.access_key.as_str(),
            )
        })
        .collect();
    let expected = [
        (1, "dynamodb.GetItem", 1, "ASIAEXAMPLE"),
        (2, "ses.SendEmail", 1, "ASIAOTHER"),
        (3, "ses.GetAccount", 3, "ASIAOTHER"),
        (4, "ses.GET /v2/email/identities", 1, "ASIAOTHER"),
        (5, "unsigned.GET /elsewhere", 1, ""),
    ];
    assert_eq!(told, expected);
    let echoed = Answer {
        status: 418,
        body: json!({"Key": 1}),
    };
    let first = Call {
        number: 1,
        function: Some("NotifyFunction".to_owned()),
        access_key: "ASIAEXAMPLE".to_owned(),
        operation: "dynamodb.GetItem".to_owned(),
        attempt: 1,
        request: json!({"Key": 1}),
        outcome: Outcome::Answered(echoed.clone()),
        accepted: Some(echoed),
    };
    assert_eq!(calls[0], first);
    assert_eq!(
        (&calls[2].request, &calls[2].function),
        (&Value::Null, &None)
    );
    assert_eq!(stage.proxy.calls_to("ses.SendEmail"), calls[1..2]);
}

#[tokio::test]
async fn injected_error_is_returned_without_calling_aws() {
    let stage = Stage::set().await;
    stage.proxy.plan(|call| {
        if call.number == 1 {
            Fault::answer(400, "ThrottlingException")
        } else {
            Fault::None
        }
    });
    let answer = stage.dynamodb("PutItem", &json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["x-amzn-errortype"], "ThrottlingException");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["__type"], &body["code"]),
        (&json!("ThrottlingException"), &json!("ThrottlingException"))
    );
    assert_eq!(stage.asked(), 0);
    let calls = stage.proxy.calls();
    assert_eq!(
        (&calls[0].outcome, &calls[0].accepted),
        (&Outcome::Answered(Answer { status: 400, body }), &None)
    );
    stage.dynamodb("PutItem", &json!({})).send().await.unwrap();
    assert_eq!(stage.asked(), 1);
}

#[tokio::test]
async fn dropped_request_never_reaches_aws() {
    let stage = Stage::set().await;
    stage.proxy.plan(|_| Fault::DropRequest);
    let error = stage
        .dynamodb("PutItem", &json!({}))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(stage.asked(), 0);
    let calls = stage.proxy.calls();
    assert_eq!(
        (calls.len(), &calls[0].outcome, &calls[0].accepted),
        (1, &Outcome::Cut, &None)
    );
}

#[tokio::test]
async fn dropped_response_means_aws_was_called_once_and_client_got_nothing() {
    let stage = Stage::set().await;
    stage.dynamodb("GetItem", &json!({})).send().await.unwrap(); // the next one comes over a connection that is already open
    stage.proxy.plan(|_| Fault::DropResponse);
    let error = stage
        .dynamodb("PutItem", &json!({"n": 7}))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(stage.asked(), 2);
    let call = stage.proxy.calls_to("dynamodb.PutItem").pop().unwrap();
    assert_eq!(
        (call.outcome, call.accepted),
        (
            Outcome::Cut,
            Some(Answer {
                status: 418,
                body: json!({"n": 7})
            })
        )
    );
}

#[tokio::test]
async fn delayed_response_is_recorded_as_disconnected_when_the_client_leaves() {
    let stage = Stage::set().await;
    stage.proxy.plan(|_| Fault::Delay(Duration::from_hours(1)));
    let call = stage.dynamodb("PutItem", &json!({}));
    let client_timeout = async {
        while stage
            .proxy
            .calls()
            .iter()
            .all(|call| call.accepted.is_none())
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        answer = call.send() => panic!("the answer was not held back: {answer:?}"),
        () = client_timeout => {}
    }
    while stage.proxy.calls()[0].outcome == Outcome::UnderWay {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(
        (stage.asked(), &stage.proxy.calls()[0].outcome),
        (1, &Outcome::Cut)
    );
    stage.proxy.plan(|_| Fault::Delay(Duration::from_millis(1)));
    assert_eq!(
        stage
            .dynamodb("PutItem", &json!({}))
            .send()
            .await
            .unwrap()
            .status(),
        418
    );
}

#[tokio::test]
async fn unreachable_upstream_closes_the_connection() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let proxy = FaultProxy::start(&nobody.to_string()).await.unwrap();
    let error = client().get(proxy.url()).send().await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    assert_eq!(
        (&proxy.calls()[0].outcome, &proxy.calls()[0].accepted),
        (&Outcome::Cut, &None)
    );
}

#[tokio::test]
async fn calls_run_concurrently_and_the_plan_sees_them_in_order() {
    const CALLS: u64 = 32;
    let stage = Stage::start_with_barrier(usize::try_from(CALLS / 2).unwrap()).await; // each call waits in the server for the others
    let mut last = 0;
    stage.proxy.plan(move |call| {
        assert_eq!(call.number, last + 1);
        last = call.number;
        if call.number % 2 == 0 {
            Fault::DropRequest
        } else {
            Fault::None
        }
    });
    let calls = (0..CALLS).map(|n| stage.dynamodb("PutItem", &json!({"n": n})).send());
    let answers = join_all(calls).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.is_ok()).count() as u64,
        CALLS / 2
    );
    for call in stage.proxy.calls() {
        let passed = Outcome::Answered(Answer {
            status: 418,
            body: call.request.clone(),
        });
        assert_eq!(
            call.outcome,
            if call.number % 2 == 0 {
                Outcome::Cut
            } else {
                passed
            }
        );
    }
}

/// A proxy, a client, and a server that echoes.
struct Stage {
    proxy: FaultProxy,
    client: Client,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Echo {
    asked: Arc<AtomicUsize>,
    barrier: Arc<Barrier>,
}

impl Stage {
    async fn set() -> Self {
        Self::start_with_barrier(1).await
    }

    /// The server answers when this many requests are there.
    async fn start_with_barrier(requests: usize) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let echo = Echo {
            asked: Arc::clone(&asked),
            barrier: Arc::new(Barrier::new(requests)),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(
            axum::serve(listener, Router::new().fallback(answer).with_state(echo)).into_future(),
        );
        Self {
            proxy: FaultProxy::start(&address.to_string()).await.unwrap(),
            client: client(),
            asked,
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn dynamodb(&self, operation: &str, body: &Value) -> RequestBuilder {
        let request = self
            .client
            .post(self.proxy.url())
            .header("authorization", SIGNATURE);
        request
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(body.to_string())
    }
}

/// Answers with the request: its line and headers as `echo-` headers, its body and the encoding of
/// it as they are.
async fn answer(
    State(echo): State<Echo>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    echo.asked.fetch_add(1, Ordering::SeqCst);
    echo.barrier.wait().await;
    let mut answer = (axum::http::StatusCode::IM_A_TEAPOT, body).into_response();
    let line = HeaderValue::from_str(&format!("{method} {uri}")).unwrap();
    answer.headers_mut().insert("echo-line", line);
    for (name, value) in &headers {
        let name: axum::http::HeaderName = format!("echo-{name}").parse().unwrap();
        answer.headers_mut().append(name, value.clone());
    }
    if let Some(encoding) = headers.get("content-encoding") {
        answer
            .headers_mut()
            .insert("content-encoding", encoding.clone());
    }
    answer
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client for the loopback interface alone"
)]
fn client() -> Client {
    Client::new()
}
