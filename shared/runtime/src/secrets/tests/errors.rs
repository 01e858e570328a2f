use aws_config::retry::RetryConfig;
use axum::http::StatusCode;
use errors::{ClassifiedError, ErrorType};
use rstest::rstest;
use serde_json::{Value, json};

use super::server::{ARN, SHAPE, SecretsManager, credentials, text};
use crate::secrets::Secret;

#[tokio::test]
async fn an_error_names_the_command_that_stores_the_secret() {
    let (_, config) = SecretsManager::start(
        StatusCode::BAD_REQUEST,
        json!({"__type": "ResourceNotFoundException"}),
    )
    .await;
    let secret = text(&config).with_store_command("engage webhooks create");
    let message = secret.get().await.unwrap_err().to_string();

    assert_eq!(
        message,
        format!(
            "the secret {ARN} (token key) has no value yet; store one with `engage webhooks create`"
        )
    );
}

#[rstest]
#[case::never_stored(
    StatusCode::BAD_REQUEST,
    json!({"__type": "ResourceNotFoundException", "message": "no AWSCURRENT"})
)]
#[case::empty(StatusCode::OK, json!({"SecretString": " "}))]
#[case::nothing(StatusCode::OK, json!({}))]
#[tokio::test]
async fn a_missing_value_error_names_the_command_that_stores_it(
    #[case] status: StatusCode,
    #[case] response: Value,
) {
    let (_server, config) = SecretsManager::start(status, response).await;
    let error = credentials(&config).get().await.unwrap_err();

    assert_eq!(error.error_type(), ErrorType::SecretMissing);
    assert!(!error.is_retryable());
    assert_eq!(
        error.to_string(),
        format!(
            "the secret {ARN} (partner credentials) has no value yet; store one with \
             `aws secretsmanager put-secret-value --secret-id {ARN} \
             --secret-string file://secret.json`, the file holding {SHAPE}"
        )
    );
}

#[rstest]
#[case::no_json("hunter2", "it is not JSON (line 1, column 1)")]
#[case::truncated(r#"{"username": "hunter2"#, "it is not JSON (line 1, column 21)")]
#[case::text(r#""hunter2""#, "it is not a JSON object of the expected shape")]
#[case::missing_field(r#"{"username": "hunter2"}"#, "the field `password` is missing")]
#[case::wrong_type(
    r#"{"username": "ada", "password": 424242}"#,
    "the field `password` is not of the expected type"
)]
#[tokio::test]
async fn a_malformed_value_error_does_not_contain_the_value(
    #[case] text: &str,
    #[case] problem: &str,
) {
    let (_server, config) = SecretsManager::with_text(text).await;
    let error = credentials(&config).get().await.unwrap_err();

    assert_eq!(error.error_type(), ErrorType::SecretMalformed);
    assert!(!error.is_retryable());

    let message = error.to_string();
    assert!(
        message.contains(&format!("is malformed: {problem};")),
        "{message}"
    );
    assert!(message.contains(SHAPE), "{message}");
    for shown in [message, format!("{error:?}")] {
        assert!(
            !shown.contains("hunter2") && !shown.contains("424242"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_binary_value_is_malformed() {
    let (_server, config) =
        SecretsManager::start(StatusCode::OK, json!({"SecretBinary": "AAECAw=="})).await;
    assert_eq!(
        text(&config).get().await.unwrap_err().error_type(),
        ErrorType::SecretMalformed
    );
}

#[rstest]
#[case::no_permission(400, "AccessDeniedException", false)]
#[case::no_key(400, "DecryptionFailure", false)]
#[case::throttled(400, "ThrottlingException", true)]
#[case::internal_error(500, "InternalServiceError", true)]
#[tokio::test]
async fn an_unreadable_secret_error_says_whether_it_is_retryable(
    #[case] status: u16,
    #[case] code: &str,
    #[case] is_retryable: bool,
) {
    let response = json!({
        "__type": code,
        "message": "User: arn:aws:sts::000000000000:assumed-role/jane is not authorized",
    });
    let (_server, config) =
        SecretsManager::start(StatusCode::from_u16(status).unwrap(), response).await;
    let error = text(&config).get().await.unwrap_err();

    assert_eq!(error.error_type(), ErrorType::SecretUnreadable);
    assert_eq!(error.is_retryable(), is_retryable);
    assert!(
        error.to_string().contains(code) && !error.to_string().contains("jane"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unreachable_service_is_a_retryable_error() {
    let unreachable = test_support::sdk_config("http://127.0.0.1:1")
        .into_builder()
        .retry_config(RetryConfig::disabled())
        .build();
    let error = text(&unreachable).get().await.unwrap_err();

    assert!(error.is_retryable());
    assert!(
        error
            .to_string()
            .ends_with("Secrets Manager cannot be reached"),
        "{error}"
    );
}

#[tokio::test]
async fn a_custom_parser_names_the_problem() {
    let (_server, config) = SecretsManager::with_text("short").await;
    let key = Secret::with_parser(&config, ARN.to_owned(), "token key", |text| {
        if text.len() < 32 {
            Err("the key has fewer than 32 characters".to_owned())
        } else {
            Ok(text.len())
        }
    });
    assert!(
        key.get()
            .await
            .unwrap_err()
            .to_string()
            .contains("is malformed: the key has fewer than 32 characters;")
    );
}

#[tokio::test]
async fn debug_output_never_contains_a_value() {
    let (_server, config) =
        SecretsManager::with_text(r#"{"username": "ada", "password": "hunter2"}"#).await;
    let secret = credentials(&config);
    let value = secret.get().await.unwrap();

    for shown in [format!("{secret:?}"), format!("{value:?}")] {
        assert!(
            !shown.contains("ada") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
