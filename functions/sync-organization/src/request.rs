//! Parses the messages of the sync queue.

use engagement::SyncRequest;
use runtime::sqs::Record;

/// Parses a message. An `Err` is permanent and says what is wrong without quoting the message.
pub fn parse(record: &Record) -> Result<SyncRequest, String> {
    let request: SyncRequest = serde_json::from_str(&record.body).map_err(|error| {
        format!(
            "not a valid sync request ({:?} at line {}, column {})",
            error.classify(),
            error.line(),
            error.column()
        )
    })?;

    if request.schema_version == SyncRequest::SCHEMA_VERSION {
        Ok(request)
    } else {
        Err(format!(
            "schema_version {} is not {}",
            request.schema_version,
            SyncRequest::SCHEMA_VERSION
        ))
    }
}

/// Whether a message must be processed even if no BILL request can be made: its organization may
/// not be due, or the message does not parse.
pub fn requires_processing(body: &str) -> bool {
    serde_json::from_str::<SyncRequest>(body).map_or(true, |request| request.all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(body: &str) -> Record {
        Record {
            message_id: "id".to_owned(),
            body: body.to_owned(),
            receive_count: 1,
        }
    }

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

        assert_eq!(
            parse(&record(full)).unwrap().organization.id,
            parse(&record(minimal)).unwrap().organization.id
        );
    }

    #[test]
    fn only_messages_of_due_organizations_may_be_dropped() {
        let request = |all| {
            format!(
                r#"{{
                    "schema_version": 1,
                    "run_id": "r",
                    "organization": {{"id": "008"}},
                    "as_of": "2026-11-23T09:00:00Z"{all}
                }}"#
            )
        };
        assert!(!requires_processing(&request("")));
        assert!(requires_processing(&request(r#","all":true"#)));
        assert!(requires_processing("invalid"));
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
            let reason = parse(&record(body)).unwrap_err();
            assert!(!reason.contains("marisol"), "{reason}");
            assert!(reason.starts_with("not a valid sync request"), "{reason}");
        }

        let newer = r#"{
            "schema_version": 2,
            "run_id": "r",
            "organization": {"id": "008"},
            "as_of": "2026-11-23T09:00:00Z"
        }"#;
        assert_eq!(
            parse(&record(newer)).unwrap_err(),
            "schema_version 2 is not 1"
        );
    }
}
