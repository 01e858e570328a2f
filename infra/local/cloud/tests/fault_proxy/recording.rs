//! What the proxy forwards and records.

use local_cloud::{AwsCall, AwsResponse, CallOutcome};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{ProxyTest, SIGNATURE};

#[tokio::test]
async fn passed_through_traffic_is_unchanged() {
    let test = ProxyTest::start().await;
    let request = test
        .client
        .post(format!("{}/some/path?with=query&a=%20b", test.proxy.url()));
    let request = request
        .header("authorization", SIGNATURE)
        .header("host", "sqs.us-east-1.example")
        .header("content-encoding", "gzip");
    let response = request
        .header("x-twice", "one")
        .header("x-twice", "two")
        .body(binary())
        .send()
        .await
        .unwrap();

    assert_eq!(response.status(), 418);
    let headers = response.headers().clone();

    assert_eq!(headers["echo-line"], "POST /some/path?with=query&a=%20b");
    assert_eq!(headers["echo-authorization"], SIGNATURE);
    assert_eq!(headers["echo-host"], "sqs.us-east-1.example");
    assert_eq!(
        headers.get_all("echo-x-twice").iter().collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(headers["content-encoding"], "gzip");
    assert_eq!(response.bytes().await.unwrap(), binary());
}

#[tokio::test]
async fn calls_are_recorded_in_order_with_their_names_and_bodies() {
    let test = ProxyTest::start().await;
    test.proxy
        .register_function("ASIAEXAMPLE".to_owned(), "NotifyFunction");
    test.dynamodb("GetItem", &json!({"Key": 1}))
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
    let url = test.proxy.url();
    ses(test.client.post(format!("{url}/v2/email/outbound-emails")))
        .body(r#"{"Content":{}}"#)
        .send()
        .await
        .unwrap();
    ses(test.client.get(format!("{url}/v2/email/account")))
        .header("amz-sdk-request", "ttl=1; attempt=3; max=4")
        .send()
        .await
        .unwrap();
    ses(test.client.get(format!("{url}/v2/email/identities")))
        .send()
        .await
        .unwrap();
    test.client
        .get(format!("{url}/elsewhere"))
        .send()
        .await
        .unwrap();
    let calls = test.proxy.calls();
    let recorded: Vec<_> = calls
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

    assert_eq!(recorded, expected);
    let echoed = AwsResponse {
        status: 418,
        body: json!({"Key": 1}),
    };
    let first = AwsCall {
        number: 1,
        function: Some("NotifyFunction".to_owned()),
        access_key: "ASIAEXAMPLE".to_owned(),
        operation: "dynamodb.GetItem".to_owned(),
        attempt: 1,
        request: json!({"Key": 1}),
        outcome: CallOutcome::Responded(echoed.clone()),
        aws_response: Some(echoed),
    };

    assert_eq!(calls[0], first);
    assert_eq!(
        (&calls[2].request, &calls[2].function),
        (&Value::Null, &None)
    );
    assert_eq!(test.proxy.calls_to("ses.SendEmail"), calls[1..2]);
}

/// Bytes of every value that are neither text nor JSON. The first two are the magic number of gzip.
fn binary() -> Vec<u8> {
    [0x1f, 0x8b].into_iter().chain((0..=255).rev()).collect()
}
