//! Parses the messages of the sync queue.

use engagement::SyncRequest;
use serde::Deserialize;

/// A message that can be parsed.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A sync request.
    Request(SyncRequest),
    /// A message that a newer release sent.
    Newer,
}

/// Parses a message. An `Err` is permanent and says what is wrong without quoting the message.
pub fn parse(body: &str) -> Result<Message, String> {
    if is_newer(body) {
        return Ok(Message::Newer);
    }

    let request: SyncRequest = serde_json::from_str(body).map_err(|error| {
        format!(
            "not a valid sync request ({:?} at line {}, column {})",
            error.classify(),
            error.line(),
            error.column()
        )
    })?;

    if request.schema_version == SyncRequest::SCHEMA_VERSION {
        Ok(Message::Request(request))
    } else {
        Err(format!(
            "schema_version {} is not {}",
            request.schema_version,
            SyncRequest::SCHEMA_VERSION
        ))
    }
}

/// Whether a newer release sent the message. Only its version is read: the rest may have any shape.
fn is_newer(body: &str) -> bool {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }

    serde_json::from_str::<Version>(body)
        .is_ok_and(|message| message.schema_version > SyncRequest::SCHEMA_VERSION)
}

/// Whether BILL's events caused one of these messages.
pub fn any_of_events<'a>(mut bodies: impl Iterator<Item = &'a str>) -> bool {
    bodies.any(|body| {
        serde_json::from_str::<SyncRequest>(body).is_ok_and(|it| it.events_until.is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_fields_of_a_request_may_be_absent() {
        let full = r#"{
            "schema_version": 1,
            "run_id": "r",
            "organization": {
                "id": "00801A",
                "name": "Kestrel \"B\" 🥐",
                "archived": false,
                "created_at": "2026-08-14T17:05:42Z"
            },
            "as_of": "2026-11-23T09:00:00Z"
        }"#;
        let minimal = r#"{
            "schema_version": 1,
            "run_id": "r",
            "organization": {"id": "00801A"},
            "as_of": "2026-11-23T09:00:00Z"
        }"#;

        let id_of = |body: &str| match parse(body).unwrap() {
            Message::Request(request) => request.organization.id,
            Message::Newer => panic!("not newer"),
        };
        assert_eq!(id_of(full), id_of(minimal));
    }

    #[test]
    fn parse_errors_do_not_quote_the_message() {
        for body in [
            "",
            "marisol@kestrel.example",
            r#"{"schema_version":"marisol"}"#,
            r#"{
                "schema_version": 1,
                "run_id": "r",
                "organization": {"id": "marisol@kestrel.example"},
                "as_of": "2026-11-23T09:00:00Z"
            }"#,
            r#"{
                "schema_version": 1,
                "run_id": "r",
                "organization": {"id": "008"},
                "as_of": "marisol"
            }"#,
        ] {
            let reason = parse(body).unwrap_err();
            assert!(!reason.contains("marisol"), "{reason}");
            assert!(reason.starts_with("not a valid sync request"), "{reason}");
        }

        let unknown = r#"{
            "schema_version": 0,
            "run_id": "r",
            "organization": {"id": "008"},
            "as_of": "2026-11-23T09:00:00Z"
        }"#;
        assert_eq!(parse(unknown).unwrap_err(), "schema_version 0 is not 1");
    }

    #[test]
    fn a_newer_message_is_recognized_whatever_its_shape() {
        for body in [
            r#"{"schema_version": 2}"#,
            r#"{"schema_version": 7, "organizations": ["008"], "as_of": 5}"#,
        ] {
            assert_eq!(parse(body), Ok(Message::Newer), "{body}");
        }
    }
}
