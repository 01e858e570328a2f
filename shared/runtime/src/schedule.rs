//! The event of a scheduled function: `{"time": "2026-03-01T09:00:00Z", "all": true}`. An operator
//! or a replay sends the same event.

use errors::{ClassifiedError, ErrorType};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    clock,
    failure::Failure,
    invocation::{Event, Invocation},
};

/// The parameters of a scheduled run. Both fields are optional in the event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScheduleEvent {
    /// The time that the run is for, in whole seconds. `None` if the event names no time.
    pub time: Option<Timestamp>,
    /// Whether fan-out queues every organization, due or not. Other functions ignore it.
    pub all: bool,
}

impl ScheduleEvent {
    /// The time that a run treats as the current time: the time of the event, or the start of the
    /// invocation if the event names none.
    pub fn as_of(&self, invocation: &Invocation) -> Timestamp {
        self.time.unwrap_or(invocation.started_at)
    }

    /// Reads an event. Unknown fields are ignored, because EventBridge adds its own.
    ///
    /// `time` counts as absent if it is null, empty, or a placeholder that the scheduler did not
    /// replace (`<aws.scheduler.scheduled-time>`). An `Err` names the invalid field and is
    /// permanent.
    fn read(event: &Value) -> Result<Self, ScheduleEventError> {
        match event {
            Value::Null => Ok(Self::default()),
            Value::String(text) if text.is_empty() => Ok(Self::default()),
            Value::Object(fields) => Ok(Self {
                time: parse_time(fields.get("time"))?,
                all: parse_all(fields.get("all"))?,
            }),
            _ => Err(ScheduleEventError::NotAnObject),
        }
    }
}

impl Event for ScheduleEvent {
    fn parse(payload: Value) -> Result<Self, Failure> {
        Ok(Self::read(&payload)?)
    }
}

fn parse_time(field: Option<&Value>) -> Result<Option<Timestamp>, ScheduleEventError> {
    match field {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() || text.starts_with('<') => Ok(None),
        Some(Value::String(text)) => {
            let time = text.parse().map_err(|_| ScheduleEventError::Time)?;
            Ok(Some(clock::truncate_to_seconds(time)))
        }
        Some(_) => Err(ScheduleEventError::Time),
    }
}

fn parse_all(field: Option<&Value>) -> Result<bool, ScheduleEventError> {
    match field {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(all)) => Ok(*all),
        Some(_) => Err(ScheduleEventError::All),
    }
}

/// A scheduled event that cannot be parsed. Permanent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum ScheduleEventError {
    /// The event is neither null, an empty string nor an object.
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
    #[case::offset(
        json!({"time": "2026-03-01T09:00:00+01:00"}),
        Some("2026-03-01T08:00:00Z"),
        false
    )]
    #[case::fraction(
        json!({"time": "2026-03-01T09:00:00.999Z"}),
        Some("2026-03-01T09:00:00Z"),
        false
    )]
    #[case::envelope(
        json!({
            "version": "0",
            "detail": {},
            "resources": [],
            "time": "2026-03-01T09:00:00Z",
            "all": true,
        }),
        Some("2026-03-01T09:00:00Z"),
        true
    )]
    fn an_event_is_read(#[case] event: Value, #[case] time: Option<&str>, #[case] all: bool) {
        let expected = ScheduleEvent {
            time: time.map(|text| text.parse().unwrap()),
            all,
        };

        assert_eq!(ScheduleEvent::read(&event), Ok(expected));
    }

    #[rstest]
    #[case::list(json!([]), ScheduleEventError::NotAnObject)]
    #[case::text(json!("2026-03-01T09:00:00Z"), ScheduleEventError::NotAnObject)]
    #[case::unreadable_time(json!({"time": "yesterday"}), ScheduleEventError::Time)]
    #[case::no_zone(json!({"time": "2026-03-01T09:00:00"}), ScheduleEventError::Time)]
    #[case::number_as_time(json!({"time": 1_772_355_600}), ScheduleEventError::Time)]
    #[case::text_as_all(json!({"all": "true"}), ScheduleEventError::All)]
    fn an_unreadable_field_is_named(#[case] event: Value, #[case] expected: ScheduleEventError) {
        assert_eq!(ScheduleEvent::read(&event), Err(expected));
        assert_eq!(expected.error_type(), ErrorType::EventInvalid);
    }
}
