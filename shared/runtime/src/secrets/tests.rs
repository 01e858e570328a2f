use std::sync::atomic::AtomicUsize;

use aws_sdk_secretsmanager::config::{Builder, retry::RetryConfig};
use axum::{Json, extract::State, http::StatusCode, routing::post};
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:bill-credentials-a1b2c3";
const SHAPE: &str = r#"{"username","password","appKey","devKey"}"#;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only their names matter here")]
struct BillCredentials {
    username: SecretString,
    password: SecretString,
}

/// Secrets Manager's JSON protocol over HTTP, as far as `GetSecretValue` goes.
#[derive(Clone)]
struct SecretsManager {
    answer: Arc<parking_lot::Mutex<(StatusCode, Value)>>,
    requests: Arc<AtomicUsize>,
}

impl SecretsManager {
    async fn start(status: StatusCode, answer: Value) -> (Self, Client) {
        let this = Self {
            answer: Arc::new(parking_lot::Mutex::new((status, answer))),
            requests: Arc::default(),
        };
        let router = axum::Router::new()
            .route("/", post(Self::get_secret_value))
            .with_state(this.clone());
        let config = Builder::from(&test_support::aws(&test_support::serve(router).await))
            .retry_config(RetryConfig::disabled())
            .build();
        (this, Client::from_conf(config))
    }

    async fn with_text(text: &str) -> (Self, Client) {
        Self::start(StatusCode::OK, json!({ "SecretString": text })).await
    }

    async fn get_secret_value(State(this): State<Self>, body: String) -> (StatusCode, Json<Value>) {
        let request: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(request["SecretId"], ARN);
        this.requests.fetch_add(1, Ordering::SeqCst);
        // Long enough for others to ask meanwhile.
        tokio::task::yield_now().await;
        let (status, answer) = this.answer.lock().clone();
        (status, Json(answer))
    }

    fn now_answers(&self, status: StatusCode, answer: Value) {
        *self.answer.lock() = (status, answer);
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn credentials(client: Client) -> Secret<BillCredentials> {
    Secret::json(client, ARN.to_owned(), "BILL credentials").with_shape(SHAPE)
}

fn text(client: Client) -> Secret<SecretString> {
    Secret::text(client, ARN.to_owned(), "token key")
}

#[tokio::test]
async fn a_value_is_read_once_for_many_callers() {
    let (server, client) = SecretsManager::with_text("first").await;
    let secret = text(client);
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
    let (server, client) = SecretsManager::start(
        StatusCode::BAD_REQUEST,
        json!({"__type": "AccessDeniedException"}),
    )
    .await;
    let secret = text(client);
    let errors = futures::future::join_all((0..20).map(|_| secret.get())).await;
    assert!(errors.iter().all(Result::is_err));
    assert_eq!(server.requests(), 1);

    server.now_answers(StatusCode::OK, json!({"SecretString": "now"}));
    assert_eq!(secret.get().await.unwrap().expose_secret(), "now");
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_value_is_cached_for_five_minutes_and_refreshed_at_most_every_thirty_seconds() {
    let (server, client) = SecretsManager::with_text("first").await;
    let secret = text(client);
    let read = async |age: u64, how: &str| {
        age_by(&secret, age).await;
        let value = if how == "get" {
            secret.get().await
        } else {
            secret.refreshed().await
        };
        (value.unwrap().expose_secret().to_owned(), server.requests())
    };
    assert_eq!(read(0, "get").await, ("first".to_owned(), 1));
    server.now_answers(StatusCode::OK, json!({"SecretString": "second"}));
    assert_eq!(read(25, "refreshed").await, ("first".to_owned(), 1));
    assert_eq!(read(10, "get").await, ("first".to_owned(), 1));
    assert_eq!(read(0, "refreshed").await, ("second".to_owned(), 2));
    server.now_answers(StatusCode::OK, json!({"SecretString": "third"}));
    assert_eq!(read(290, "get").await, ("second".to_owned(), 2));
    assert_eq!(read(20, "get").await, ("third".to_owned(), 3));
}

/// Makes the kept value older; moving tokio's clock instead would end the HTTP requests by their
/// time-outs.
async fn age_by<T>(secret: &Secret<T>, seconds: u64) {
    if let Some(answer) = &mut *secret.0.answer.lock().await {
        answer.at = answer.at.checked_sub(Duration::from_secs(seconds)).unwrap();
    }
}

#[tokio::test]
async fn a_failed_refresh_keeps_the_cached_value() {
    let (server, client) = SecretsManager::with_text("first").await;
    let secret = text(client);
    secret.get().await.unwrap();
    age_by(&secret, 40).await;
    server.now_answers(
        StatusCode::INTERNAL_SERVER_ERROR,
        json!({"__type": "InternalServiceError"}),
    );
    assert!(secret.refreshed().await.is_err());
    assert_eq!(secret.get().await.unwrap().expose_secret(), "first");
    age_by(&secret, 300).await;
    assert!(
        secret.get().await.is_err(),
        "not for longer than five minutes"
    );
}

#[tokio::test]
async fn an_error_names_the_command_that_stores_the_secret() {
    let (_, client) = SecretsManager::start(
        StatusCode::BAD_REQUEST,
        json!({"__type": "ResourceNotFoundException"}),
    )
    .await;
    let secret = text(client).with_store_command("engage webhooks create");
    let message = secret.get().await.unwrap_err().to_string();
    assert_eq!(
        message,
        format!(
            "the secret {ARN} (token key) has no value yet; store one with `engage webhooks create`"
        )
    );
}

#[tokio::test]
async fn concurrent_refreshes_send_one_request() {
    let (server, client) = SecretsManager::with_text("first").await;
    let secret = text(client);
    secret.get().await.unwrap();
    age_by(&secret, 60).await;
    futures::future::join_all((0..20).map(|_| secret.refreshed())).await;
    assert_eq!(server.requests(), 2);
}

#[rstest]
#[case::never_stored(StatusCode::BAD_REQUEST, json!({"__type": "ResourceNotFoundException", "message": "no AWSCURRENT"}))]
#[case::empty(StatusCode::OK, json!({"SecretString": " "}))]
#[case::nothing(StatusCode::OK, json!({}))]
#[tokio::test]
async fn a_missing_value_error_names_the_command_that_stores_it(
    #[case] status: StatusCode,
    #[case] answer: Value,
) {
    let (_server, client) = SecretsManager::start(status, answer).await;
    let error = credentials(client).get().await.unwrap_err();
    assert_eq!(error.error_type(), ErrorType::SecretMissing);
    assert!(!error.is_retryable());
    assert_eq!(
        error.to_string(),
        format!(
            "the secret {ARN} (BILL credentials) has no value yet; store one with `aws secretsmanager put-secret-value --secret-id {ARN} \
             --secret-string file://credentials.json`, the file holding {SHAPE}"
        )
    );
}

#[rstest]
#[case::no_json("hunter2", "it is not JSON (line 1, column 1)")]
#[case::broken_off(r#"{"username": "hunter2"#, "it is not JSON (line 1, column 21)")]
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
    let (_server, client) = SecretsManager::with_text(text).await;
    let error = credentials(client).get().await.unwrap_err();
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
    let (_server, client) =
        SecretsManager::start(StatusCode::OK, json!({"SecretBinary": "AAECAw=="})).await;
    assert_eq!(
        text(client).get().await.unwrap_err().error_type(),
        ErrorType::SecretMalformed
    );
}

#[rstest]
#[case::no_permission(400, "AccessDeniedException", false)]
#[case::no_key(400, "DecryptionFailure", false)]
#[case::throttled(400, "ThrottlingException", true)]
#[case::out_of_order(500, "InternalServiceError", true)]
#[tokio::test]
async fn an_unreadable_secret_error_says_whether_it_is_retryable(
    #[case] status: u16,
    #[case] code: &str,
    #[case] is_retryable: bool,
) {
    let answer = json!({"__type": code, "message": "User: arn:aws:sts::000000000000:assumed-role/jane is not authorized"});
    let (_server, client) =
        SecretsManager::start(StatusCode::from_u16(status).unwrap(), answer).await;
    let error = text(client).get().await.unwrap_err();
    assert_eq!(error.error_type(), ErrorType::SecretUnreadable);
    assert_eq!(error.is_retryable(), is_retryable);
    assert!(
        error.to_string().contains(code) && !error.to_string().contains("jane"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unreachable_service_is_a_retryable_error() {
    let (_server, client) = SecretsManager::with_text("x").await;
    let nobody = client
        .config()
        .to_builder()
        .endpoint_url("http://127.0.0.1:1")
        .build();
    let error = text(Client::from_conf(nobody)).get().await.unwrap_err();
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
    let (_server, client) = SecretsManager::with_text("short").await;
    let key = Secret::parsed(client, ARN.to_owned(), "token key", |text| {
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
    let (_server, client) =
        SecretsManager::with_text(r#"{"username": "ada", "password": "hunter2"}"#).await;
    let secret = credentials(client);
    let value = secret.get().await.unwrap();
    for shown in [format!("{secret:?}"), format!("{value:?}")] {
        assert!(
            !shown.contains("ada") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
