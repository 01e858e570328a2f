//! `filters=field:op:value,...`: a comma means and; text, times and lists stand in double quotes.

use std::{cmp::Ordering, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;
use strum::EnumString;

use crate::lists::fields::{Fields, Kind};

/// One condition on a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) field: String,
    pub(crate) operator: Operator,
    /// One value, or those of a list.
    pub(crate) values: Vec<String>,
}

/// BILL's operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString)]
pub(crate) enum Operator {
    #[strum(serialize = "eq")]
    Equal,
    #[strum(serialize = "ne")]
    NotEqual,
    #[strum(serialize = "gt")]
    Greater,
    #[strum(serialize = "gte")]
    GreaterOrEqual,
    #[strum(serialize = "lt")]
    Less,
    #[strum(serialize = "lte")]
    LessOrEqual,
    #[strum(serialize = "in")]
    In,
    #[strum(serialize = "nin")]
    NotIn,
    #[strum(serialize = "sw")]
    StartsWith,
}

/// Reads all conditions. `Err` says what is wrong with the first bad one.
pub(crate) fn parse(text: &str, fields: &Fields) -> Result<Vec<Filter>, String> {
    split(text, ',')
        .into_iter()
        .map(|item| condition(item, fields))
        .collect()
}

impl Filter {
    /// Whether a row meets the condition. A row without the field meets only the negative ones.
    pub(crate) fn matches(&self, row: &Value) -> bool {
        let field = row.get(&self.field).map(to_text);
        let is = |value: &String| {
            field
                .as_deref()
                .is_some_and(|field| order(field, value).is_eq())
        };
        let first = || Some(order(field.as_deref()?, self.values.first()?));
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

/// Orders two values of a row: numbers and times by size, anything else as text.
pub(crate) fn compare(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => order(&to_text(one), &to_text(other)),
    }
}

fn condition(item: &str, fields: &Fields) -> Result<Filter, String> {
    let mut parts = item.splitn(3, ':');
    let (Some(field), Some(operator), Some(value)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(format!("filters: {item} is not field:op:value"));
    };
    let Some((_, kind, operators)) = fields.filterable.iter().find(|(name, _, _)| *name == field)
    else {
        return Err(format!("filters: cannot filter by {field}"));
    };
    let operator = Operator::from_str(operator)
        .map_err(|_| format!("filters: {operator} is not an operator"))?;
    if !operators.contains(&operator) {
        return Err(format!("filters: {field} does not take this operator"));
    }
    let values = match operator {
        Operator::In | Operator::NotIn => list(value),
        _ => vec![unquote(value)],
    };
    match values.iter().find(|value| !fits(value, *kind)) {
        Some(value) => Err(format!("filters: {value} is no value of {field}")),
        None => Ok(Filter {
            field: field.to_owned(),
            operator,
            values,
        }),
    }
}

/// `"a,b"` and `["a","b"]` are both lists: how BILL writes them is not settled.
fn list(value: &str) -> Vec<String> {
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

fn fits(value: &str, kind: Kind) -> bool {
    match kind {
        Kind::Text => !value.is_empty(),
        Kind::Boolean => matches!(value, "true" | "false"),
        Kind::Time => timestamp(value).is_some(),
    }
}

/// Splits outside double quotes and brackets.
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

fn order(one: &str, other: &str) -> Ordering {
    match (timestamp(one), timestamp(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.cmp(other),
    }
}

/// A time, or the beginning of a day in UTC.
fn timestamp(text: &str) -> Option<Timestamp> {
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
