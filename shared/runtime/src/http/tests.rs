use std::io::sink;

use aws_lambda_events::encodings::Body;
use lambda_runtime::Context;
use rstest::rstest;
use serde_json::json;
use test_support::CapturedOutput;

use super::*;
use crate::telemetry;

fn event(body: &Value, is_base64_encoded: bool) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "POST /things/{thing}",
        "rawPath": "/things/t%20secret",
        "rawQueryString": "",
        "headers": { "content-type": "text/plain", "x-odd": "smörgås" },
        "requestContext": {
            "http": { "method": "POST", "path": "/things/t%20secret" },
            "timeEpoch": 0,
        },
        "pathParameters": { "thing": "t secret" },
        "body": body,
        "isBase64Encoded": is_base64_encoded,
    })
}

fn request(body: &Value, is_base64_encoded: bool) -> Request {
    serde_json::from_value::<ApiGatewayV2httpRequest>(event(body, is_base64_encoded))
        .unwrap()
        .into()
}

#[test]
fn a_request_exposes_its_method_path_parameters_and_headers() {
    let request = request(&json!(null), false);

    assert_eq!(request.method(), Method::POST);
    assert_eq!(
        (
            request.path_parameter("thing"),
            request.path_parameter("token")
        ),
        (Some("t secret"), None)
    );
    assert_eq!(
        (
            request.header("Content-Type"),
            request.header(header::CONTENT_TYPE)
        ),
        (Some("text/plain"), Some("text/plain"))
    );
    assert_eq!(
        (request.header("x-odd"), request.header("x-absent")),
        (None, None)
    );
}

#[rstest]
#[case::none(json!(null), false, Ok(&b""[..]))]
#[case::text(json!("12345678"), false, Ok(&b"12345678"[..]))]
#[case::two_byte_characters(json!("ööööö"), false, Err(BodyError::TooLong { limit: 8 }))]
#[case::too_long(json!("123456789"), false, Err(BodyError::TooLong { limit: 8 }))]
#[case::base64(json!("MTIzNDU2Nzg="), true, Ok(&b"12345678"[..]))]
#[case::any_bytes(json!("AP/+DQo="), true, Ok(&b"\0\xff\xfe\r\n"[..]))]
#[case::undeclared_base64_is_not_decoded(json!("AP/+DQo="), false, Ok(&b"AP/+DQo="[..]))]
#[case::one_byte_too_long(json!("MTIzNDU2Nzg5"), true, Err(BodyError::TooLong { limit: 8 }))]
#[case::far_too_long(json!("A".repeat(4_000)), true, Err(BodyError::TooLong { limit: 8 }))]
#[case::not_base64(json!("12=45"), true, Err(BodyError::NotBase64))]
fn a_body_is_the_bytes_that_were_sent(
    #[case] body: Value,
    #[case] is_base64_encoded: bool,
    #[case] expected: Result<&[u8], BodyError>,
) {
    let request = request(&body, is_base64_encoded);

    assert_eq!(request.body(8).as_deref(), expected.as_deref());
}

#[test]
fn a_response_has_the_payload_format_of_api_gateway() {
    let page = Response::html(StatusCode::OK, "<p>Grüezi</p>".to_owned())
        .with_header(header::ETAG, HeaderValue::from_static("\"1\""));
    let to_json = |response: Response| {
        serde_json::to_value(ApiGatewayV2httpResponse::from(response)).unwrap()
    };
    let headers = json!({ "content-type": "text/html; charset=utf-8", "etag": "\"1\"" });
    let expected = json!({
        "statusCode": 200,
        "headers": headers,
        "multiValueHeaders": {},
        "cookies": [],
        "isBase64Encoded": false,
        "body": "<p>Grüezi</p>",
    });
    assert_eq!(to_json(page.clone()), expected);

    let headless = to_json(page.without_body());
    assert_eq!(
        (&headless["headers"], &headless["body"]),
        (&headers, &json!(null))
    );

    let empty = to_json(Response::empty(StatusCode::NO_CONTENT));
    assert_eq!(
        (&empty["statusCode"], &empty["headers"], &empty["body"]),
        (&json!(204), &json!({}), &json!(null))
    );
}

#[test]
fn a_problem_follows_rfc_9457() {
    let problem = Response::problem(StatusCode::CONFLICT, "Read it again.");

    assert_eq!(
        problem.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let body: Value = serde_json::from_str(problem.body()).unwrap();
    assert_eq!(
        body,
        json!({ "title": "Conflict", "status": 409, "detail": "Read it again." })
    );
}

/// The response of a handler that responds, fails or panics, as the body of the request says.
async fn response_to(payload: Value) -> ApiGatewayV2httpResponse {
    let metrics = Metrics::to_writer("preferences", "local", sink());
    let handler = async |request: Request, _: Invocation| match request.body(100).unwrap().as_ref()
    {
        b"panic" => panic!("{:?}", request.path_parameter("thing")),
        b"table" => Err(Failure::new(ErrorType::StoreThrottled, "slow down")),
        b"bug" => Err(Failure::new(ErrorType::Internal, "a bug")),
        _ => Ok(Response::html(
            StatusCode::NOT_FOUND,
            "nothing here".to_owned(),
        )),
    };
    let error_response = |status| Response::html(status, "sorry".to_owned());

    respond(
        &metrics,
        &error_response,
        &handler,
        LambdaEvent::new(payload, Context::default()),
    )
    .await
}

#[rstest]
#[case::response(event(&json!("thing"), false), 404, None, "nothing here")]
#[case::retryable_failure(event(&json!("table"), false), 503, Some("60"), "sorry")]
#[case::defect(event(&json!("bug"), false), 500, None, "sorry")]
#[case::panic(event(&json!("panic"), false), 500, None, "sorry")]
#[case::not_a_request(json!({ "Records": [] }), 400, None, "sorry")]
#[tokio::test]
async fn every_failure_becomes_our_own_error_response(
    #[case] payload: Value,
    #[case] status: i64,
    #[case] retry_after: Option<&str>,
    #[case] body: &str,
) {
    let response = response_to(payload).await;

    assert_eq!(response.status_code, status);
    assert_eq!(
        response
            .headers
            .get(header::RETRY_AFTER)
            .map(|value| value.to_str().unwrap()),
        retry_after
    );
    assert_eq!(response.body, Some(Body::Text(body.to_owned())));
}

#[tokio::test]
async fn neither_path_nor_body_nor_headers_are_logged() {
    let logs = CapturedOutput::default();
    let _guard = telemetry::init_with_writer("info", logs.clone());

    for body in ["thing", "table", "panic"] {
        response_to(event(&json!(body), false)).await;
    }
    let mut broken = event(&json!("thing"), false);
    broken["pathParameters"] = json!(["t secret"]);
    assert_eq!(response_to(broken).await.status_code, 400);

    let text = logs.text();
    assert_eq!(
        logs.json_lines()
            .iter()
            .filter(|line| line["error_type"].is_string())
            .count(),
        3,
        "{text}"
    );
    assert!(
        ["secret", "thing\"", "smörgås", "text/plain"]
            .iter()
            .all(|private| !text.contains(private)),
        "{text}"
    );
}
