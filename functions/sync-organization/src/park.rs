//! Messages that can never be worked on: set aside at once, with the reason beside them, instead of five times over.

use aws_sdk_sqs::{Client, error::ProvideErrorMetadata, types::MessageAttributeValue};
use engagement::SyncRequest;
use runtime::sqs::{Outcome, Record};

/// Reads a message. The `Err` says what is wrong with it, without quoting it.
pub fn parse(record: &Record) -> Result<SyncRequest, String> {
    let request: SyncRequest = serde_json::from_str(&record.body).map_err(|error| {
        format!("not a request to look at an organization ({:?} at line {}, column {})", error.classify(), error.line(), error.column())
    })?;
    if request.schema_version == SyncRequest::SCHEMA_VERSION {
        Ok(request)
    } else {
        Err(format!("schema_version {} is not {}", request.schema_version, SyncRequest::SCHEMA_VERSION))
    }
}

/// The dead-letter queue of the sync queue.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    client: Client,
    url: String,
}

impl DeadLetters {
    /// A queue at `url`.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Moves a message to the dead letters: sent there first, completed here after. Dying in between leaves it in both, which
    /// costs an operator a second look. When it cannot be sent there it is returned, and SQS moves it after five receipts.
    pub async fn park(&self, record: &Record, reason: String) -> Outcome {
        let attribute = |text: &str| MessageAttributeValue::builder().data_type("String").string_value(text).build();
        let (Ok(why), Ok(from)) = (attribute(&reason), attribute(&record.message_id)) else {
            return Outcome::park(reason);
        };
        let call = self.client.send_message().queue_url(&self.url).message_body(&record.body);
        match call.message_attributes("reason", why).message_attributes("message_id", from).send().await {
            Ok(_) => {
                tracing::error!(error_type = "event_invalid", reason, "the message was moved to the dead letters");
                Outcome::Done
            }
            Err(error) => {
                let code = error.code().unwrap_or("no answer");
                tracing::error!(error_type = "queue_unavailable", code, "the message could not be moved to the dead letters");
                Outcome::park(reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(body: &str) -> Record {
        Record { message_id: "id".to_owned(), body: body.to_owned(), receive_count: 1 }
    }

    #[test]
    fn a_request_is_read_with_and_without_what_may_be_absent() {
        let whole = r#"{"schema_version":1,"run_id":"r","organization":{"id":"00801A","name":"Kestrel \"B\" 🥐","archived":false,"created_at":"2026-08-14T17:05:42Z"},"as_of":"2026-11-23T09:00:00Z"}"#;
        let bare = r#"{"schema_version":1,"run_id":"r","organization":{"id":"00801A"},"as_of":"2026-11-23T09:00:00Z"}"#;
        assert_eq!(parse(&record(whole)).unwrap().organization.id, parse(&record(bare)).unwrap().organization.id);
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        for body in [
            "",
            "marisol@kestrel.example",
            r#"{"schema_version":"marisol"}"#,
            r#"{"schema_version":1,"run_id":"r","organization":{"id":"marisol@kestrel.example"},"as_of":"2026-11-23T09:00:00Z"}"#,
            r#"{"schema_version":1,"run_id":"r","organization":{"id":"008"},"as_of":"marisol"}"#,
        ] {
            let reason = parse(&record(body)).unwrap_err();
            assert!(!reason.contains("marisol"), "{reason}");
            assert!(reason.starts_with("not a request to look at an organization"), "{reason}");
        }
        let newer = r#"{"schema_version":2,"run_id":"r","organization":{"id":"008"},"as_of":"2026-11-23T09:00:00Z"}"#;
        assert_eq!(parse(&record(newer)).unwrap_err(), "schema_version 2 is not 1");
    }
}
