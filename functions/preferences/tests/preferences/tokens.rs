//! Valid and invalid tokens, and the responses that need no table.

use engagement::{Category, UnsubscribeKeys};
use runtime::{
    Failure,
    http::{HeaderMap, Method, Request, Response, StatusCode, header},
    telemetry,
};
use serde_json::{Value, json};
use test_support::CapturedOutput;

use crate::support::{
    from_event, get, invocation, keys, keys_json, post, private_parts, request, subscription,
    without_table,
};

#[tokio::test]
async fn every_invalid_token_gets_the_same_response_without_a_table_read() {
    let token = token();
    let parts: Vec<&str> = token.split('.').collect();
    let [key, hash, category, mac] = parts[..] else {
        panic!("{token}")
    };
    let others: UnsubscribeKeys =
        serde_json::from_value(json!({ "current": "k1", "k1": "3".repeat(32) })).unwrap();
    let mut bad = vec![
        String::new(),
        ".".to_owned(),
        "...".to_owned(),
        " ".to_owned(),
        "null".to_owned(),
        "🥐.🥐.🥐.🥐".to_owned(),
        "../../etc/passwd".to_owned(),
        "A".repeat(10_000),
        "a.".repeat(5_000),
        format!("{token}."),
        format!("{token}="),
        format!("{token}.{mac}"),
        format!(" {token}"),
        token.to_uppercase(),
        others.sign(&subscription(Category::Product)),
        format!("k2.{hash}.{category}.{mac}"),
        format!("k9.{hash}.{category}.{mac}"),
        format!(".{hash}.{category}.{mac}"),
        format!("{key}.{hash}.onboarding.{mac}"),
        format!("{key}.{hash}.newsletter.{mac}"),
        format!("{key}.{hash}..{mac}"),
        format!("{key}.{hash}.{category}."),
        format!("{key}.{hash}.{category}"),
        format!("{hash}.{category}.{mac}"),
    ];
    bad.extend((0..token.len()).map(|length| token[..length].to_owned()));
    let flipped = (0..token.len()).flat_map(|place| (0..7).map(move |bit| (place, bit)));
    bad.extend(flipped.map(|(place, bit)| {
        let mut bytes = token.clone().into_bytes();
        bytes[place] ^= 1 << bit;
        String::from_utf8(bytes).unwrap()
    }));

    let preferences = without_table(&keys_json("k1")).await;
    let invocation = invocation();
    let expected = visible_parts(&preferences.handle(&get("x"), &invocation).await.unwrap());
    assert_eq!(expected.0, StatusCode::NOT_FOUND);

    let mut requests = 1_u32;
    for bad in &bad {
        for request in [
            get(bad),
            post(bad, "action=leave_all"),
            post(bad, "junk"),
            request("DELETE", bad, None, b""),
        ] {
            let response = preferences.handle(&request, &invocation).await.unwrap();
            assert_eq!(
                visible_parts(&response),
                expected,
                "{} {bad}",
                request.method()
            );
            requests += 1;
        }
    }

    assert_eq!(
        (
            invocation.metrics.total("bad_tokens"),
            invocation.metrics.total("page_views")
        ),
        (f64::from(requests), 0.0)
    );
}

#[tokio::test]
async fn a_missing_token_is_not_found() {
    let event = json!({ "requestContext": { "http": { "method": "GET" } } });
    assert_eq!(
        handle(&from_event(event)).await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_sample_events_are_handled() {
    for event in [
        include_str!("../../../../tests/events/preferences-get.json"),
        include_str!("../../../../tests/events/preferences-one-click.json"),
    ] {
        let event: Value = serde_json::from_str(event).unwrap();
        assert_eq!(
            handle(&from_event(event)).await.unwrap().status(),
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn a_token_signed_with_an_old_key_stays_valid() {
    let old = token();
    for current in ["k1", "k2"] {
        let result = without_table(&keys_json(current))
            .await
            .handle(&get(&old), &invocation())
            .await;
        assert!(
            result.is_err(),
            "a valid token leads to a table read, which fails"
        );
    }

    let without_k1 = json!({ "current": "k2", "k2": "2".repeat(32) });
    let response = without_table(&without_k1)
        .await
        .handle(&get(&old), &invocation())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(
        keys("k2")
            .sign(&subscription(Category::Product))
            .starts_with("k2.")
    );
}

#[tokio::test]
async fn an_unreachable_table_is_a_retryable_failure() {
    for request in [
        get(&token()),
        post(&token(), "List-Unsubscribe=One-Click"),
        post(&token(), "action=come_back"),
    ] {
        let failure = handle(&request)
            .await
            .map(|response| response.status())
            .unwrap_err();
        assert_eq!(failure.error_type.name(), "store_unavailable");
    }
}

#[tokio::test]
async fn an_unknown_action_gets_400_without_a_table_read() {
    let response = handle(&post(&token(), "action=whatever")).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(response.body().contains("nothing was changed"));
}

#[tokio::test]
async fn other_methods_get_405_with_an_allow_header() {
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let response = handle(&request(method.as_str(), &token(), None, b""))
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[header::ALLOW], "GET, HEAD, POST");
    }
}

#[tokio::test]
async fn every_page_has_the_privacy_headers() {
    let preferences = without_table(&keys_json("k1")).await;
    let pages = [
        handle(&get("x")).await.unwrap(),
        handle(&post(&token(), "")).await.unwrap(),
        handle(&request("PUT", &token(), None, b"")).await.unwrap(),
        preferences.error_response(StatusCode::SERVICE_UNAVAILABLE),
    ];

    for page in &pages {
        let headers = page.headers();
        let expected = [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex"),
        ];
        assert!(
            expected
                .iter()
                .all(|(name, value)| headers[*name] == *value),
            "{headers:?}"
        );

        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(
            policy.ends_with("='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn logs_contain_neither_token_nor_recipient() {
    let logs = CapturedOutput::default();
    let _guard = telemetry::init_with_writer("debug", logs.clone());
    let token = token();
    let bad = &token[..token.len() - 1];
    for request in [
        get(&token),
        get(bad),
        post(&token, "action=leave_all"),
        post(&token, "action=marisol"),
    ] {
        drop(handle(&request).await);
    }

    let text = logs.text();
    assert!(
        text.contains("bad_token") && text.contains("bad_request"),
        "{text}"
    );
    let hash = subscription(Category::Product).address_hash;
    for private in private_parts(&token).chain([hash.as_str(), "marisol"]) {
        assert!(!text.contains(private), "{text}");
    }
}

/// Handles a request without a table.
async fn handle(request: &Request) -> Result<Response, Failure> {
    without_table(&keys_json("k1"))
        .await
        .handle(request, &invocation())
        .await
}

fn token() -> String {
    keys("k1").sign(&subscription(Category::Product))
}

/// Everything that a client sees of a response.
fn visible_parts(response: &Response) -> (StatusCode, HeaderMap, String) {
    (
        response.status(),
        response.headers().clone(),
        response.body().to_owned(),
    )
}
