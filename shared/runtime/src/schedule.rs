//! The event of a scheduled function: `{"time": "2026-03-01T09:00:00Z", "all": true}`.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    clock,
    errors::{ClassifiedError, ErrorType},
};

/// What a schedule, an operator or a replay asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScheduleEvent {
    /// The moment to work for, in whole seconds; absent when the event gives none.
    pub as_of: Option<Timestamp>,
    /// Whether everything is to be looked at, due or not.
    pub all: bool,
}

impl ScheduleEvent {
    /// Reads an event; unknown fields are ignored, as EventBridge envelopes have many.
    ///
    /// No time is given when `time` is absent, null, empty, or a placeholder that the scheduler did
    /// not fill in (`<aws.scheduler.scheduled-time>`). An `Err` names the field that cannot be
    /// read; repeating the event is of no use.
    pub fn parse(event: &Value) -> Result<Self, ScheduleEventError> {
        match event {
            Value::Null => Ok(Self::default()),
            Value::String(text) if text.is_empty() => Ok(Self::default()),
            Value::Object(fields) => Ok(Self {
                as_of: time(fields.get("time"))?,
                all: all(fields.get("all"))?,
            }),
            _ => Err(ScheduleEventError::NotAnObject),
        }
    }

    /// The moment to work for: the event's, else the clock's.
    pub fn as_of_or_now(&self) -> Timestamp {
        self.as_of.unwrap_or_else(clock::now)
    }
}

fn time(field: Option<&Value>) -> Result<Option<Timestamp>, ScheduleEventError> {
    match field {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() || text.starts_with('<') => Ok(None),
        Some(Value::String(text)) => {
            let moment = text.parse().map_err(|_| ScheduleEventError::Time)?;
            Ok(Some(clock::whole_seconds(moment)))
        }
        Some(_) => Err(ScheduleEventError::Time),
    }
}

fn all(field: Option<&Value>) -> Result<bool, ScheduleEventError> {
    match field {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(all)) => Ok(*all),
        Some(_) => Err(ScheduleEventError::All),
    }
}

/// A schedule's event that cannot be read. Permanent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleEventError {
    /// The event is a list, a number or the like.
    #[error("the event is not an object")]
    NotAnObject,
    /// The field `time` is not a time.
    #[error("the event's field `time` is not an RFC 3339 time such as 2026-03-01T09:00:00Z")]
    Time,
    /// The field `all` is neither true nor false.
    #[error("the event's field `all` is neither true nor false")]
    All,
}

impl ClassifiedError for ScheduleEventError {
    fn error_type(&self) -> ErrorType {
        ErrorType::EventInvalid
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::null(json!(null), None, false)]
    #[case::empty_text(json!(""), None, false)]
    #[case::empty_object(json!({}), None, false)]
    #[case::null_fields(json!({"time": null, "all": null}), None, false)]
    #[case::empty_time(json!({"time": ""}), None, false)]
    #[case::unfilled_placeholder(json!({"time": "<aws.scheduler.scheduled-time>"}), None, false)]
    #[case::time(json!({"time": "2026-03-01T09:00:00Z"}), Some("2026-03-01T09:00:00Z"), false)]
    #[case::offset(json!({"time": "2026-03-01T09:00:00+01:00"}), Some("2026-03-01T08:00:00Z"), false)]
    #[case::fraction(json!({"time": "2026-03-01T09:00:00.999Z"}), Some("2026-03-01T09:00:00Z"), false)]
    #[case::envelope(json!({"version": "0", "detail": {}, "resources": [], "time": "2026-03-01T09:00:00Z", "all": true}), Some("2026-03-01T09:00:00Z"), true)]
    fn an_event_is_read(#[case] event: Value, #[case] as_of: Option<&str>, #[case] all: bool) {
        let expected = ScheduleEvent {
            as_of: as_of.map(|text| text.parse().unwrap()),
            all,
        };
        assert_eq!(ScheduleEvent::parse(&event), Ok(expected));
    }

    #[rstest]
    #[case::list(json!([]), ScheduleEventError::NotAnObject)]
    #[case::text(json!("2026-03-01T09:00:00Z"), ScheduleEventError::NotAnObject)]
    #[case::unreadable_time(json!({"time": "yesterday"}), ScheduleEventError::Time)]
    #[case::no_zone(json!({"time": "2026-03-01T09:00:00"}), ScheduleEventError::Time)]
    #[case::number_as_time(json!({"time": 1_772_355_600}), ScheduleEventError::Time)]
    #[case::text_as_all(json!({"all": "true"}), ScheduleEventError::All)]
    fn an_unreadable_field_is_named(#[case] event: Value, #[case] expected: ScheduleEventError) {
        assert_eq!(ScheduleEvent::parse(&event), Err(expected));
        assert_eq!(expected.error_type(), ErrorType::EventInvalid);
    }

    #[test]
    fn as_of_defaults_to_the_clock() {
        let before = clock::now();
        assert!(ScheduleEvent::default().as_of_or_now() >= before);
    }
}
