//! The log format: one JSON object per line, with the fields of the event and of all spans around
//! it at the top level.

use std::{fmt, io::Stdout, sync::Once};

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{Event, Subscriber, error, subscriber::DefaultGuard, warn};
use tracing_subscriber::{
    EnvFilter, Registry,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    registry::{LookupSpan, Scope},
    util::SubscriberInitExt,
};

/// Filter directives for libraries. Below `warn` the SDK logs requests. The Lambda runtime logs
/// every panic that `serve` has logged already.
const LIBRARY_FILTERS: &str = "aws=warn,h2=warn,hyper=warn,hyper_util=warn,reqwest=warn,\
    rustls=warn,tower=warn,lambda_runtime=warn,lambda_runtime::layers::panic=off";

/// Sends logs to standard output for the rest of the process. Later calls have no effect.
///
/// `level` is a level (`info`) or a list of filter directives (`info,bill=debug`). An invalid value
/// counts as `info`, with a warning. Panics are logged with their location only, because their
/// messages may contain personal data.
pub fn init(level: &str) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let (filter, is_valid) = filter(level);
        if subscriber(filter, std::io::stdout as fn() -> Stdout)
            .try_init()
            .is_err()
        {
            return;
        }
        std::panic::set_hook(Box::new(|panic| {
            let location = panic.location().map(ToString::to_string);
            error!(location, "a panic was raised");
        }));
        if !is_valid {
            warn!("LOG_LEVEL is invalid; the level is info");
        }
    });
}

/// Sends the logs of this thread to `writer` until the guard is dropped, for tests that search the
/// logs of a run.
pub fn init_with_writer<W>(level: &str, writer: W) -> DefaultGuard
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    tracing::subscriber::set_default(subscriber(filter(level).0, writer))
}

fn filter(level: &str) -> (EnvFilter, bool) {
    match EnvFilter::builder().parse(format!("info,{LIBRARY_FILTERS},{level}")) {
        Ok(filter) if !level.trim().is_empty() => (filter, true),
        _ => (EnvFilter::new(format!("info,{LIBRARY_FILTERS}")), false),
    }
}

fn subscriber<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(FlatJson)
        .with_writer(writer);
    Registry::default().with(filter).with(lines)
}

/// One flat JSON object per line. The JSON format of `tracing-subscriber` nests the fields of
/// spans, where log queries and Lambda's log level filter do not find them. `json-subscriber`
/// writes a key twice if an event and its span both have it.
struct FlatJson;

#[derive(Serialize)]
struct LogLine<'event> {
    timestamp: String,
    level: &'static str,
    target: &'event str,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl<S> FormatEvent<S, JsonFields> for FlatJson
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Map::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(span_fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
                merge(&mut fields, &span_fields.fields);
            }
        }

        let mut event_fields = String::new();
        context.format_fields(Writer::new(&mut event_fields), event)?;
        merge(&mut fields, &event_fields);
        for reserved in ["timestamp", "level", "target"] {
            fields.remove(reserved);
        }

        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let metadata = event.metadata();
        let line = LogLine {
            timestamp,
            level: metadata.level().as_str(),
            target: metadata.target(),
            fields,
        };

        let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

/// Adds the fields of `inner`, a JSON object, and replaces those that are present already.
fn merge(fields: &mut Map<String, Value>, inner: &str) {
    if let Ok(inner) = serde_json::from_str::<Map<String, Value>>(inner) {
        fields.extend(inner);
    }
}

#[cfg(test)]
mod tests {
    use test_support::CapturedOutput;
    use tracing::{debug, info, info_span};

    use super::*;

    #[test]
    fn a_line_holds_time_level_message_and_the_fields_of_event_and_spans() {
        let logs = CapturedOutput::default();
        let _guard = init_with_writer("info", logs.clone());
        let invocation = info_span!("invocation", request_id = "8f3c").entered();
        let record = info_span!(
            "record",
            message_id = "m-1",
            organization_id = tracing::field::Empty
        )
        .entered();
        record.record("organization_id", "00801");
        info!(stage = "active", payments = 3, "the organization is synced");
        drop((record, invocation));

        let mut lines = logs.json_lines();
        let timestamp: jiff::Timestamp = lines[0]["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(timestamp > jiff::Timestamp::UNIX_EPOCH);
        lines[0]["timestamp"] = "[time]".into();
        insta::assert_json_snapshot!(lines);
    }

    #[test]
    fn line_breaks_in_fields_do_not_break_the_line() {
        let logs = CapturedOutput::default();
        let _guard = init_with_writer("info", logs.clone());
        info!(reason = "two\nlines", "one\nmessage");
        assert_eq!(logs.json_lines()[0]["reason"], "two\nlines");
        assert_eq!(logs.json_lines().len(), 1);
    }

    #[test]
    fn an_event_field_replaces_the_span_field_of_the_same_name() {
        let logs = CapturedOutput::default();
        let _guard = init_with_writer("info", logs.clone());
        let _outer = info_span!("invocation", organization_id = "outer", level = "loud").entered();
        let _inner = info_span!("record", organization_id = "inner").entered();
        info!("from the span");
        info!(organization_id = "own", "from the event");

        let ids: Vec<_> = logs
            .json_lines()
            .iter()
            .map(|line| line["organization_id"].clone())
            .collect();
        assert_eq!(ids, ["inner", "own"]);
        assert_eq!(logs.text().matches("organization_id").count(), 2);
        assert!(!logs.text().contains("loud"));
    }

    #[test]
    fn libraries_log_from_warn_and_our_code_from_the_given_level() {
        let logs = CapturedOutput::default();
        let _guard = init_with_writer("debug", logs.clone());
        info!(target: "aws_smithy_runtime::client", "request with a session");
        info!(target: "hyper::proto", "bytes");
        error!(target: "lambda_runtime::layers::panic", "logged twice");
        warn!(target: "aws_config::region", "no region");
        debug!("our own detail");

        let messages: Vec<_> = logs
            .json_lines()
            .iter()
            .map(|line| line["message"].clone())
            .collect();
        assert_eq!(messages, ["no region", "our own detail"]);
    }

    #[test]
    fn an_invalid_level_falls_back_to_info() {
        for level in ["", "loud!!=", "info,=,="] {
            let logs = CapturedOutput::default();
            let _guard = init_with_writer(level, logs.clone());
            debug!("detail");
            info!("message");
            assert_eq!(logs.json_lines().len(), 1, "{level}");
        }
    }

    #[test]
    fn initializing_twice_changes_nothing() {
        init("info");
        init("debug");
    }
}
