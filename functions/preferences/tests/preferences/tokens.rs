//! Tokens that are ours, and all the others.

use engagement::{Category, UnsubscribeKeys};
use runtime::{
    CapturedOutput, Failure,
    http::{HeaderMap, Method, Request, Response, StatusCode, header},
    telemetry,
};
use serde_json::{Value, json};

use crate::support::{from_event, get, keys, metrics, post, request, subscription, without_table};

fn token() -> String {
    keys("k1").token(&subscription(Category::Product))
}

/// All that a client sees of an answer.
fn shown(response: &Response) -> (StatusCode, HeaderMap, String) {
    (
        response.status(),
        response.headers().clone(),
        response.body().to_owned(),
    )
}

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
        others.token(&subscription(Category::Product)),
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

    let preferences = without_table();
    let (keys, metrics) = (keys("k1"), metrics());
    let expected = shown(
        &preferences
            .answer(&get("x"), &keys, &metrics)
            .await
            .unwrap(),
    );
    assert_eq!(expected.0, StatusCode::NOT_FOUND);
    let mut asked = 1_u32;
    for bad in &bad {
        for request in [
            get(bad),
            post(bad, "action=leave_all"),
            post(bad, "junk"),
            request("DELETE", bad, None, b""),
        ] {
            let response = preferences.answer(&request, &keys, &metrics).await.unwrap();
            assert_eq!(shown(&response), expected, "{} {bad}", request.method());
            asked += 1;
        }
    }
    assert_eq!(
        (metrics.total("bad_tokens"), metrics.total("page_views")),
        (f64::from(asked), 0.0)
    );
}

#[tokio::test]
async fn a_missing_token_is_not_found() {
    let event = json!({ "requestContext": { "http": { "method": "GET" } } });
    assert_eq!(
        answer(&from_event(event)).await.unwrap().status(),
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
            answer(&from_event(event)).await.unwrap().status(),
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn a_token_signed_with_an_old_key_stays_valid() {
    let old = token();
    for current in ["k1", "k2"] {
        let asked = without_table()
            .answer(&get(&old), &keys(current), &metrics())
            .await;
        assert!(
            asked.is_err(),
            "a token that is ours leads to the table, which is not there"
        );
    }
    let without_k1: UnsubscribeKeys =
        serde_json::from_value(json!({ "current": "k2", "k2": "2".repeat(32) })).unwrap();
    let response = without_table()
        .answer(&get(&old), &without_k1, &metrics())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(
        keys("k2")
            .token(&subscription(Category::Product))
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
        let failure = answer(&request)
            .await
            .map(|response| response.status())
            .unwrap_err();
        assert_eq!(failure.error_type.name(), "store_unavailable");
    }
}

#[tokio::test]
async fn an_unknown_action_gets_400_without_a_table_read() {
    let response = answer(&post(&token(), "action=whatever")).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(response.body().contains("nothing was changed"));
}

#[tokio::test]
async fn other_methods_get_405_with_an_allow_header() {
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let response = answer(&request(method.as_str(), &token(), None, b""))
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[header::ALLOW], "GET, HEAD, POST");
    }
}

#[tokio::test]
async fn every_page_has_the_privacy_headers() {
    let preferences = without_table();
    let pages = [
        answer(&get("x")).await.unwrap(),
        answer(&post(&token(), "")).await.unwrap(),
        answer(&request("PUT", &token(), None, b"")).await.unwrap(),
        preferences
            .answers
            .error_response(StatusCode::SERVICE_UNAVAILABLE),
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
        drop(answer(&request).await);
    }
    let text = logs.text();
    assert!(
        text.contains("bad_token") && text.contains("not_understood"),
        "{text}"
    );
    let hash = subscription(Category::Product).address_hash;
    let private = token
        .split('.')
        .filter(|part| part.len() > 10)
        .chain([hash.as_str(), "marisol"]);
    for private in private {
        assert!(!text.contains(private), "{text}");
    }
}

async fn answer(request: &Request) -> Result<Response, Failure> {
    without_table()
        .answer(request, &keys("k1"), &metrics())
        .await
}
