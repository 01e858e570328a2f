//! Lists with BILL's `max`, `sort`, `filters` and opaque page tokens, over any [`Rows`].

pub(crate) mod fields;
pub(crate) mod filters;
pub(crate) mod page_tokens;
pub(crate) mod query;
pub(crate) mod rows;
mod selection;

use serde_json::{Map, Value};

use crate::{
    lists::{
        page_tokens::{PageCursor, PageTokenKey},
        query::ListQuery,
        rows::Rows,
        selection::Selection,
    },
    responses::ErrorResponse,
    switches::Switches,
};

/// One page of a list, in BILL's format. With `pages`, a list that is not empty has exactly this
/// many pages; its last row is repeated. `Err` is a 400: the page token is not one of this list.
pub(crate) fn build_page(
    rows: &impl Rows,
    query: &ListQuery,
    pages: Option<usize>,
    switches: &Switches,
    key: &PageTokenKey,
) -> Result<Value, ErrorResponse> {
    let cursor = key.cursor_or_first_page(query.page_token.as_deref(), &query.fingerprint)?;
    let selection = Selection::new(rows, query, switches.list_archived);
    let selected = selection.len(rows);
    let length = match pages {
        Some(pages) if selected > 0 => pages.saturating_mul(query.max),
        _ => selected,
    };
    let every = switches.empty_page_every.filter(|every| *every > 1);
    let is_empty_page = |page: usize| every.is_some_and(|every| (page + 1).is_multiple_of(every));

    let is_empty = is_empty_page(cursor.page) && cursor.offset < length;
    let end = if is_empty {
        cursor.offset
    } else {
        cursor.offset.saturating_add(query.max).min(length)
    };
    let results: Vec<Value> = (cursor.offset..end)
        .map(|offset| rows.row(selection.position(rows, offset.min(selected - 1))))
        .collect();

    let mut page = Map::new();
    if end < length {
        let next = PageCursor {
            offset: end,
            page: cursor.page + 1,
        };
        let token = key.sign(next, &query.fingerprint);
        page.insert("nextPage".to_owned(), token.into());
    } else if switches.empty_last_page_token {
        page.insert("nextPage".to_owned(), "".into());
    }
    if cursor.page > 0 {
        let previous_rows = if is_empty_page(cursor.page - 1) {
            0
        } else {
            query.max
        };
        let previous = PageCursor {
            offset: cursor.offset.saturating_sub(previous_rows),
            page: cursor.page - 1,
        };
        let token = key.sign(previous, &query.fingerprint);
        page.insert("prevPage".to_owned(), token.into());
    }
    page.insert("results".to_owned(), Value::Array(results));

    Ok(Value::Object(page))
}
