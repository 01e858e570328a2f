use std::time::Duration;

use axum::http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::json;

use super::server::{SecretsManager, text};
use crate::secrets::Secret;

#[tokio::test]
async fn a_value_is_read_once_for_many_callers() {
    let (server, config) = SecretsManager::with_text("first").await;
    let secret = text(&config);

    let values = futures::future::join_all((0..20).map(|_| secret.get())).await;

    assert!(
        values
            .iter()
            .all(|value| value.as_ref().unwrap().expose_secret() == "first")
    );
    assert_eq!(secret.clone().get().await.unwrap().expose_secret(), "first");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn concurrent_callers_share_an_error_and_later_ones_read_again() {
    let (server, config) = SecretsManager::start(
        StatusCode::BAD_REQUEST,
        json!({"__type": "AccessDeniedException"}),
    )
    .await;
    let secret = text(&config);

    let errors = futures::future::join_all((0..20).map(|_| secret.get())).await;
    assert!(errors.iter().all(Result::is_err));
    assert_eq!(server.requests(), 1);

    server.set_response(StatusCode::OK, json!({"SecretString": "now"}));
    assert_eq!(secret.get().await.unwrap().expose_secret(), "now");
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_value_is_cached_for_five_minutes_and_refreshed_at_most_every_thirty_seconds() {
    let (server, config) = SecretsManager::with_text("first").await;
    let secret = text(&config);
    let read = async |age: u64, how: &str| {
        age_by(&secret, age).await;
        let value = if how == "get" {
            secret.get().await
        } else {
            secret.refresh().await
        };
        (value.unwrap().expose_secret().to_owned(), server.requests())
    };

    assert_eq!(read(0, "get").await, ("first".to_owned(), 1));

    server.set_response(StatusCode::OK, json!({"SecretString": "second"}));
    assert_eq!(read(25, "refresh").await, ("first".to_owned(), 1));
    assert_eq!(read(10, "get").await, ("first".to_owned(), 1));
    assert_eq!(read(0, "refresh").await, ("second".to_owned(), 2));

    server.set_response(StatusCode::OK, json!({"SecretString": "third"}));
    assert_eq!(read(290, "get").await, ("second".to_owned(), 2));
    assert_eq!(read(20, "get").await, ("third".to_owned(), 3));
}

/// Makes the cached value older. Advancing tokio's clock instead would trigger the time-outs of the
/// HTTP requests.
async fn age_by<T>(secret: &Secret<T>, seconds: u64) {
    if let Some(cached) = &mut *secret.0.cached.lock().await {
        cached.read_at = cached
            .read_at
            .checked_sub(Duration::from_secs(seconds))
            .unwrap();
    }
}

#[tokio::test]
async fn a_failed_refresh_keeps_the_cached_value() {
    let (server, config) = SecretsManager::with_text("first").await;
    let secret = text(&config);
    secret.get().await.unwrap();
    age_by(&secret, 40).await;
    server.set_response(
        StatusCode::INTERNAL_SERVER_ERROR,
        json!({"__type": "InternalServiceError"}),
    );

    assert!(secret.refresh().await.is_err());
    assert_eq!(secret.get().await.unwrap().expose_secret(), "first");

    age_by(&secret, 300).await;
    assert!(
        secret.get().await.is_err(),
        "a value older than five minutes is not used"
    );
}

#[tokio::test]
async fn concurrent_refreshes_send_one_request() {
    let (server, config) = SecretsManager::with_text("first").await;
    let secret = text(&config);
    secret.get().await.unwrap();
    age_by(&secret, 60).await;

    futures::future::join_all((0..20).map(|_| secret.refresh())).await;
    assert_eq!(server.requests(), 2);
}
