//! Lists: `max`, `sort`, `filters` and opaque pages over any rows.

pub(crate) mod fields;
pub(crate) mod filters;
pub(crate) mod tokens;

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::{
    Switches,
    answers::ErrorResponse,
    lists::{
        fields::Fields,
        filters::{Filter, Operator},
        tokens::{PageCursor, PageTokenKey},
    },
};

/// Rows that are made when they are asked for.
pub(crate) trait Rows {
    /// How many there are, archived ones included.
    fn len(&self) -> usize;

    /// One row as BILL writes it.
    fn row(&self, position: usize) -> Value;

    /// Whether this row is archived.
    fn is_archived(&self, position: usize) -> bool;

    /// Whether positions run with `createdTime`, oldest first.
    fn oldest_first(&self) -> bool;

    /// The position of the row with this id, where that is known without looking through all.
    fn position_of(&self, id: &str) -> Option<usize>;
}

/// What a request asks of a list.
pub(crate) struct ListQuery {
    max: usize,
    sort: Vec<(String, bool)>,
    filters: Vec<Filter>,
    page: Option<String>,
    /// What a page token is good for: the same list with the same filters and sort.
    fingerprint: String,
}

impl ListQuery {
    /// Reads the parameters. `Err` is a 400 with one error per field that is wrong.
    pub(crate) fn read(
        query: &[(String, String)],
        fields: &Fields,
        list: &str,
    ) -> Result<Self, ErrorResponse> {
        let value = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        let mut errors = Vec::new();
        let max = value("max").map_or(Ok(20), max).unwrap_or_else(|error| {
            errors.push(error);
            20
        });
        let sort = value("sort").map_or(Ok(Vec::new()), |text| sort(text, fields));
        let filters = value("filters").map_or(Ok(Vec::new()), |text| filters::parse(text, fields));
        match (sort, filters) {
            (Ok(sort), Ok(filters)) if errors.is_empty() => Ok(Self {
                max,
                sort,
                filters,
                page: value("page").map(str::to_owned),
                fingerprint: format!(
                    "{}\n{list}\n{}\n{}",
                    fields.list,
                    value("sort").unwrap_or_default(),
                    value("filters").unwrap_or_default()
                ),
            }),
            (sort, filters) => {
                errors.extend(sort.err());
                errors.extend(filters.err());
                Err(ErrorResponse::validation(errors))
            }
        }
    }

    /// Ids that the filters ask for, when they ask for nothing else.
    fn ids(&self) -> Option<&[String]> {
        match self.filters.as_slice() {
            [
                Filter {
                    field,
                    operator: Operator::Equal | Operator::In,
                    values,
                },
            ] if field == "id" => Some(values),
            _ => None,
        }
    }
}

/// One page of a list, as BILL writes it. `pages` stretches a list that is not empty by repeating
/// its last row.
pub(crate) fn page(
    rows: &impl Rows,
    query: &ListQuery,
    pages: Option<usize>,
    switches: &Switches,
    key: &PageTokenKey,
) -> Result<Value, ErrorResponse> {
    let place = match &query.page {
        Some(token) => key.open(token, &query.fingerprint).ok_or_else(|| {
            ErrorResponse::validation(vec!["page: is not a page of this list".to_owned()])
        })?,
        None => PageCursor::default(),
    };
    let selection = Selection::of(rows, query, switches.list_archived);
    let selected = selection.len(rows);
    let length = match pages {
        Some(pages) if selected > 0 => pages.saturating_mul(query.max),
        _ => selected,
    };
    let every = switches.empty_page_every.filter(|every| *every > 1);
    let is_empty_page = |page: usize| every.is_some_and(|every| (page + 1).is_multiple_of(every));

    let hidden = is_empty_page(place.page) && place.offset < length;
    let end = if hidden {
        place.offset
    } else {
        place.offset.saturating_add(query.max).min(length)
    };
    let results: Vec<Value> = (place.offset..end)
        .map(|offset| rows.row(selection.position(rows, offset.min(selected - 1))))
        .collect();

    let mut answer = Map::new();
    if end < length {
        let next = PageCursor {
            offset: end,
            page: place.page + 1,
        };
        answer.insert(
            "nextPage".to_owned(),
            key.sign(next, &query.fingerprint).into(),
        );
    } else if switches.empty_last_page_token {
        answer.insert("nextPage".to_owned(), "".into());
    }
    if place.page > 0 {
        let back = if is_empty_page(place.page - 1) {
            0
        } else {
            query.max
        };
        let previous = PageCursor {
            offset: place.offset.saturating_sub(back),
            page: place.page - 1,
        };
        answer.insert(
            "prevPage".to_owned(),
            key.sign(previous, &query.fingerprint).into(),
        );
    }
    answer.insert("results".to_owned(), Value::Array(results));
    Ok(Value::Object(answer))
}

/// Which rows a query selects, in its order.
enum Selection {
    Forwards,
    Backwards,
    Positions(Vec<usize>),
}

impl Selection {
    fn of(rows: &impl Rows, query: &ListQuery, list_archived: bool) -> Self {
        let natural = match query.sort.as_slice() {
            [] => Some(Self::Forwards),
            [(field, descending)] if field == "createdTime" && rows.oldest_first() => {
                Some(if *descending {
                    Self::Backwards
                } else {
                    Self::Forwards
                })
            }
            _ => None,
        };
        if let (Some(natural), true, true) = (natural, query.filters.is_empty(), list_archived) {
            return natural;
        }
        let mut matching: Vec<(usize, Value)> = candidates(rows, query)
            .filter(|position| list_archived || !rows.is_archived(*position))
            .map(|position| (position, rows.row(position)))
            .filter(|(_, row)| query.filters.iter().all(|filter| filter.matches(row)))
            .collect();
        matching.sort_by(|(_, one), (_, other)| order(one, other, &query.sort));
        Self::Positions(matching.into_iter().map(|(position, _)| position).collect())
    }

    fn len(&self, rows: &impl Rows) -> usize {
        match self {
            Self::Forwards | Self::Backwards => rows.len(),
            Self::Positions(positions) => positions.len(),
        }
    }

    fn position(&self, rows: &impl Rows, offset: usize) -> usize {
        match self {
            Self::Forwards => offset,
            Self::Backwards => rows.len() - 1 - offset,
            Self::Positions(positions) => positions[offset],
        }
    }
}

fn candidates(rows: &impl Rows, query: &ListQuery) -> Box<dyn Iterator<Item = usize>> {
    let known = query.ids().map(|ids| {
        ids.iter()
            .filter_map(|id| rows.position_of(id))
            .collect::<Vec<_>>()
    });
    match known {
        Some(positions) if !positions.is_empty() => Box::new(positions.into_iter()),
        _ => Box::new(0..rows.len()),
    }
}

/// Rows without the field come last, whatever the direction.
fn order(one: &Value, other: &Value, sort: &[(String, bool)]) -> Ordering {
    sort.iter()
        .map(|(field, descending)| {
            let (one, other) = (one.get(field), other.get(field));
            match (one, other) {
                (Some(one), Some(other)) if *descending => filters::compare(other, one),
                (Some(one), Some(other)) => filters::compare(one, other),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            }
        })
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Reads `max`; `Err` is the message of a 400.
pub(crate) fn max(text: &str) -> Result<usize, String> {
    match text.parse::<i64>() {
        Ok(1..=100) => text.parse().map_err(|_| "max: must be a number".to_owned()),
        Ok(number) if number > 100 => Err("max: must be less than or equal to 100".to_owned()),
        Ok(_) => Err("max: must be greater than or equal to 1".to_owned()),
        Err(_) => Err("max: must be a number".to_owned()),
    }
}

fn sort(text: &str, fields: &Fields) -> Result<Vec<(String, bool)>, String> {
    text.split(',')
        .map(|item| {
            let (field, direction) = item.split_once(':').unwrap_or((item, "asc"));
            if !fields.sortable.contains(&field) {
                return Err(format!("sort: cannot sort by {field}"));
            }
            match direction {
                "asc" => Ok((field.to_owned(), false)),
                "desc" => Ok((field.to_owned(), true)),
                _ => Err(format!("sort: {direction} is neither asc nor desc")),
            }
        })
        .collect()
}
