//! The parameter `filters=field:op:value,...`. All conditions must hold; text, times and lists are
//! in double quotes.

use std::{cmp::Ordering, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

use crate::lists::fields::{FieldType, ListFields, Operator};

/// One condition on a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) field: String,
    pub(crate) operator: Operator,
    /// One value, or the values of a list.
    pub(crate) values: Vec<String>,
}

/// Parses all conditions; an empty text has none. `Err` is the message of a 400 about the first
/// invalid condition.
pub(crate) fn parse(text: &str, fields: &ListFields) -> Result<Vec<Filter>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }

    split(text, ',')
        .into_iter()
        .map(|item| parse_condition(item, fields))
        .collect()
}

impl Filter {
    /// Whether a row meets the condition. A row without the field meets only `ne` and `nin`.
    pub(crate) fn matches(&self, row: &Value) -> bool {
        let field = row.get(&self.field).map(to_text);
        let is = |value: &String| {
            field
                .as_deref()
                .is_some_and(|field| compare_text(field, value).is_eq())
        };
        let first = || Some(compare_text(field.as_deref()?, self.values.first()?));

        match self.operator {
            Operator::Equal | Operator::In => self.values.iter().any(is),
            Operator::NotEqual | Operator::NotIn => !self.values.iter().any(is),
            Operator::Greater => first().is_some_and(Ordering::is_gt),
            Operator::GreaterOrEqual => first().is_some_and(Ordering::is_ge),
            Operator::Less => first().is_some_and(Ordering::is_lt),
            Operator::LessOrEqual => first().is_some_and(Ordering::is_le),
            Operator::StartsWith => field.is_some_and(|field| {
                self.values
                    .iter()
                    .any(|value| field.starts_with(value.as_str()))
            }),
        }
    }
}

/// Compares two values of a row: numbers and times by value, anything else as text.
pub(crate) fn compare_values(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => compare_text(&to_text(one), &to_text(other)),
    }
}

fn parse_condition(item: &str, fields: &ListFields) -> Result<Filter, String> {
    let mut parts = item.splitn(3, ':');
    let (Some(field), Some(operator), Some(value)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(format!("filters: {item} is not field:op:value"));
    };
    let Some((_, field_type, operators)) =
        fields.filterable.iter().find(|(name, _, _)| *name == field)
    else {
        return Err(format!("filters: cannot filter by {field}"));
    };
    let operator = Operator::from_str(operator)
        .map_err(|_| format!("filters: {operator} is not an operator"))?;
    if !operators.contains(&operator) {
        return Err(format!("filters: {field} does not support this operator"));
    }

    let values = match operator {
        Operator::In | Operator::NotIn => parse_list(value),
        _ => vec![unquote(value)],
    };
    match values
        .iter()
        .find(|value| !is_valid_value(value, *field_type))
    {
        Some(value) => Err(format!("filters: {value} is not a valid {field}")),
        None => Ok(Filter {
            field: field.to_owned(),
            operator,
            values,
        }),
    }
}

/// Accepts `"a,b"` and `["a","b"]`: BILL's documentation does not settle how a list is written.
fn parse_list(value: &str) -> Vec<String> {
    let inner = value
        .strip_prefix('[')
        .and_then(|value| value.strip_suffix(']'))
        .unwrap_or(value);

    split(inner, ',')
        .into_iter()
        .flat_map(|item| {
            split(&unquote(item), ',')
                .into_iter()
                .map(unquote)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn is_valid_value(value: &str, field_type: FieldType) -> bool {
    match field_type {
        FieldType::Text => !value.is_empty(),
        FieldType::Boolean => matches!(value, "true" | "false"),
        FieldType::Time => parse_timestamp(value).is_some(),
    }
}

/// Splits at separators that are outside double quotes and brackets.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_u32);

    text.split(|character| {
        let was_escaped = std::mem::take(&mut escaped);
        match character {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == separator && !quoted && depth == 0
    })
    .collect()
}

fn unquote(value: &str) -> String {
    let value = value.trim();

    match value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    }
}

fn to_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn compare_text(one: &str, other: &str) -> Ordering {
    match (parse_timestamp(one), parse_timestamp(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.cmp(other),
    }
}

/// Parses a time, or a date as the beginning of that day in UTC.
fn parse_timestamp(text: &str) -> Option<Timestamp> {
    if !text.starts_with(|character: char| character.is_ascii_digit())
        || text.as_bytes().get(4) != Some(&b'-')
    {
        return None;
    }

    text.parse().ok().or_else(|| {
        let midnight = text
            .parse::<Date>()
            .ok()?
            .to_zoned_datetime(TimeZone::UTC)
            .ok()?;
        Some(midnight.timestamp())
    })
}
