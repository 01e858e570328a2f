//! The rows that a query selects, in its order.

use std::cmp::Ordering;

use serde_json::Value;

use crate::lists::{filters, query::ListQuery, rows::Rows};

/// The selected positions.
pub(super) enum Selection {
    /// All rows, in the order of their positions.
    Forwards,
    /// All rows, in the reverse order.
    Backwards,
    /// These rows, in this order.
    Positions(Vec<usize>),
}

impl Selection {
    /// Filters and sorts the rows. Does not read any row if the query selects all rows in the order
    /// that they already have.
    pub(super) fn new(rows: &impl Rows, query: &ListQuery, list_archived: bool) -> Self {
        if let (Some(selection), true, true) = (
            Self::without_sorting(rows, query),
            query.filters.is_empty(),
            list_archived,
        ) {
            return selection;
        }

        let mut matching: Vec<(usize, Value)> = candidates(rows, query)
            .filter(|position| list_archived || !rows.is_archived(*position))
            .map(|position| (position, rows.row(position)))
            .filter(|(_, row)| query.filters.iter().all(|filter| filter.matches(row)))
            .collect();
        matching.sort_by(|(_, one), (_, other)| compare_rows(one, other, &query.sort));

        Self::Positions(matching.into_iter().map(|(position, _)| position).collect())
    }

    /// All rows, if the query's order is the order of the positions or its reverse.
    fn without_sorting(rows: &impl Rows, query: &ListQuery) -> Option<Self> {
        match query.sort.as_slice() {
            [] => Some(Self::Forwards),
            [(field, descending)] if field == "createdTime" && rows.oldest_first() => {
                Some(if *descending {
                    Self::Backwards
                } else {
                    Self::Forwards
                })
            }
            _ => None,
        }
    }

    pub(super) fn len(&self, rows: &impl Rows) -> usize {
        match self {
            Self::Forwards | Self::Backwards => rows.len(),
            Self::Positions(positions) => positions.len(),
        }
    }

    /// The position of the selected row with index `offset`, which must be below [`Self::len`].
    pub(super) fn position(&self, rows: &impl Rows, offset: usize) -> usize {
        match self {
            Self::Forwards => offset,
            Self::Backwards => rows.len() - 1 - offset,
            Self::Positions(positions) => positions[offset],
        }
    }
}

/// Positions of all rows that can match: those of the requested ids if they are known, else all.
fn candidates(rows: &impl Rows, query: &ListQuery) -> Box<dyn Iterator<Item = usize>> {
    let known = query.requested_ids().map(|ids| {
        ids.iter()
            .filter_map(|id| rows.position_of(id))
            .collect::<Vec<_>>()
    });

    match known {
        Some(positions) if !positions.is_empty() => Box::new(positions.into_iter()),
        _ => Box::new(0..rows.len()),
    }
}

/// Rows without the field come last in both directions.
fn compare_rows(one: &Value, other: &Value, sort: &[(String, bool)]) -> Ordering {
    sort.iter()
        .map(|(field, descending)| {
            let (one, other) = (one.get(field), other.get(field));
            match (one, other) {
                (Some(one), Some(other)) if *descending => filters::compare_values(other, one),
                (Some(one), Some(other)) => filters::compare_values(one, other),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            }
        })
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}
