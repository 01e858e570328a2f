//! Requests that need no table.

use in_product::{InProduct, error_response};
use rstest::rstest;
use runtime::http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{ORGANIZATION, in_product, invocation, json_of, request};

#[rstest]
#[case("")]
#[case("../../etc/passwd")]
#[case("marisol@kestrel.example")]
#[case("00802 KESTREL")]
#[case("null\0")]
#[case(&"0".repeat(65))]
#[tokio::test]
async fn a_malformed_id_is_rejected_without_a_table_read_or_echo(#[case] id: &str) {
    for (method, message) in [("GET", None), ("POST", Some("dormant_30-20261123T060000Z"))] {
        let invocation = invocation();

        let response = without_tables()
            .handle(&request(method, id, message, &json!({})), &invocation)
            .await
            .unwrap();

        assert_eq!(
            (
                response.status(),
                invocation.metrics.total("requests_refused")
            ),
            (StatusCode::BAD_REQUEST, 1.0)
        );
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(json_of(&response)["status"], 400);
        assert!(
            id.len() < 8 || !response.body().contains(id),
            "{}",
            response.body()
        );
    }
}

#[rstest]
#[case(None, "GET")]
#[case(Some("dormant_30-20261123T060000Z"), "POST")]
#[tokio::test]
async fn other_methods_get_405_with_an_allow_header(
    #[case] message: Option<&str>,
    #[case] allowed: &'static str,
) {
    for method in ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]
        .into_iter()
        .filter(|method| *method != allowed)
    {
        let response = without_tables()
            .handle(
                &request(method, ORGANIZATION, message, &json!({})),
                &invocation(),
            )
            .await
            .unwrap();

        assert_eq!(
            (response.status(), &response.headers()[header::ALLOW]),
            (
                StatusCode::METHOD_NOT_ALLOWED,
                &HeaderValue::from_static(allowed)
            )
        );
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}

#[tokio::test]
async fn unreachable_tables_are_a_server_error() {
    let failure = without_tables()
        .handle(
            &request("GET", ORGANIZATION, None, &json!({})),
            &invocation(),
        )
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(failure.error_type.name(), "store_unavailable");

    let body: Value = json_of(&error_response(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(
        (&body["title"], &body["status"]),
        (&json!("Service Unavailable"), &json!(503))
    );
}

/// The function with tables that cannot be reached: each read fails.
fn without_tables() -> InProduct {
    in_product(
        test_support::table_names(),
        &test_support::sdk_config("http://127.0.0.1:1"),
    )
}
