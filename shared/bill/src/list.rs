//! Lists: their pages, the query of a page, and how a page is parsed.

use std::fmt;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    error::{Cause, Error, ErrorKind},
    lenient,
    operation::Operation,
    response::ApiResponse,
};

/// Rows per page. BILL accepts 1 to 100 and uses 20 when the parameter `max` is absent.
pub(crate) const PAGE_SIZE: &str = "100";

/// Pages after which [`read_all`] stops and sets [`ListResult::truncated`].
const MAX_PAGES: u32 = 50;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The parsed rows, in BILL's order.
    pub rows: Vec<T>,
    /// Number of rows that were left out because they are not JSON objects.
    pub skipped: u64,
    /// The token of the next page; `None` on the last page. A page without rows is not necessarily
    /// the last one.
    pub next: Option<PageToken>,
}

/// A list that was read to its end, or to the page limit.
#[derive(Debug, Clone)]
pub struct ListResult<T> {
    /// The parsed rows, in BILL's order.
    pub rows: Vec<T>,
    /// Number of rows that were left out because they are not JSON objects.
    pub skipped: u64,
    /// True when the list has more pages than this client reads (50).
    pub truncated: bool,
    pages: u32,
}

/// BILL's opaque token of a page.
#[derive(Clone, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    /// A token that was stored in an earlier run.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token as BILL returned it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageToken([REDACTED])")
    }
}

/// Reads the pages of a list until its end or the page limit. `read_page` gets `None` for the first
/// page. `Err` is the error of the first page that failed; the rows read before it are dropped.
pub(crate) async fn read_all<T, F>(
    mut read_page: impl FnMut(Option<PageToken>) -> F,
) -> Result<ListResult<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let mut list = ListResult::new();
    let mut token = None;
    loop {
        token = list.add_page(read_page(token).await?);
        if token.is_none() {
            return Ok(list);
        }
    }
}

/// The query of one page. BILL does not document whether a page token includes `max` and `sort`, so
/// they are sent with every page.
pub(crate) fn page_query(
    sort: &'static str,
    page: Option<&PageToken>,
) -> Vec<(&'static str, String)> {
    let mut query = vec![("max", PAGE_SIZE.to_owned()), ("sort", sort.to_owned())];
    query.extend(page.map(|token| ("page", token.0.clone())));
    query
}

/// The query of the row with this id.
pub(crate) fn id_filter_query(id: &str) -> Vec<(&'static str, String)> {
    vec![("filters", format!("id:eq:\"{id}\""))]
}

/// Parses `{results, nextPage}`. Absent results are an empty page. Results that are not an array,
/// or a token that is not a string, are an error: a list that ends too early would make an active
/// customer look inactive.
pub(crate) fn parse_page<T: DeserializeOwned>(response: &ApiResponse) -> Result<Page<T>, Cause> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope<'a> {
        #[serde(borrow)]
        results: Option<Vec<&'a RawValue>>,
        next_page: Option<String>,
    }

    let Envelope { results, next_page } = response.json()?;
    let results = results.unwrap_or_default();
    let rows: Vec<T> = results
        .iter()
        .filter_map(|raw| lenient::parse_object(raw))
        .collect();
    let skipped = (results.len() - rows.len()) as u64;

    Ok(Page {
        rows,
        skipped,
        next: next_page.filter(|token| !token.is_empty()).map(PageToken),
    })
}

impl<T> Page<T> {
    /// `Err` when the token of the next page is the one that this page was requested with.
    pub(crate) fn reject_repeated_token(
        self,
        operation: Operation,
        used: Option<&PageToken>,
    ) -> Result<Self, Error> {
        if self.next.is_some() && self.next.as_ref() == used {
            return Err(Error::with_cause(
                operation,
                ErrorKind::BadAnswer,
                Cause::RepeatedPageToken,
            ));
        }
        Ok(self)
    }
}

impl<T> ListResult<T> {
    fn new() -> Self {
        Self {
            rows: Vec::new(),
            skipped: 0,
            truncated: false,
            pages: 0,
        }
    }

    /// Adds the rows of a page. Returns the token of the page to read next, if any.
    fn add_page(&mut self, page: Page<T>) -> Option<PageToken> {
        self.rows.extend(page.rows);
        self.skipped += page.skipped;
        self.pages += 1;
        self.truncated = page.next.is_some() && self.pages >= MAX_PAGES;
        page.next.filter(|_| !self.truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Payment;

    fn parse(body: &str) -> Result<Page<Payment>, Cause> {
        parse_page(&ApiResponse {
            status: 200,
            body: body.to_owned(),
            retry_after: None,
        })
    }

    #[test]
    fn list_ends_when_the_token_is_absent_null_or_empty() {
        for body in [
            r#"{"results":[]}"#,
            r#"{"results":[],"nextPage":null}"#,
            r#"{"results":[],"nextPage":""}"#,
            "{}",
            r#"{"results":null}"#,
        ] {
            let page = parse(body).unwrap();
            assert!(page.next.is_none() && page.rows.is_empty(), "{body}");
        }
        assert!(
            parse(r#"{"results":[],"nextPage":"2"}"#)
                .unwrap()
                .next
                .is_some()
        );
    }

    #[test]
    fn rows_that_are_not_objects_are_skipped_and_counted() {
        let page =
            parse(r#"{"results":[{"status":"PAID"},null,7,"x",[],{"status":9}],"prevPage":"1"}"#)
                .unwrap();
        assert_eq!((page.rows.len(), page.skipped), (2, 4));
    }

    #[test]
    fn unexpected_bodies_yield_the_matching_cause() {
        assert!(matches!(parse("<html>"), Err(Cause::NotJson)));
        assert!(matches!(parse(""), Err(Cause::IncompleteBody)));
        assert!(matches!(
            parse(r#"{"results":[{"#),
            Err(Cause::IncompleteBody)
        ));
        assert!(matches!(
            parse(r#"{"results":{}}"#),
            Err(Cause::UnexpectedJson)
        ));
        assert!(matches!(
            parse(r#"{"results":[],"nextPage":5}"#),
            Err(Cause::UnexpectedJson)
        ));
        assert!(matches!(parse("7"), Err(Cause::UnexpectedJson)));
    }

    #[test]
    fn endless_list_is_truncated_at_max_pages() {
        let mut list = ListResult::new();
        let mut pages = 0_u32;
        let endless = |page: u32| Page {
            rows: vec![page],
            skipped: 1,
            next: Some(PageToken::new(page.to_string())),
        };

        while list.add_page(endless(pages)).is_some() {
            pages += 1;
        }

        assert!(list.truncated);
        assert_eq!((list.rows.len(), list.skipped), (50, 50));
    }

    #[test]
    fn page_that_repeats_its_own_token_is_an_error() {
        let token = PageToken::new("again");
        let page = Page::<u8> {
            rows: vec![],
            skipped: 0,
            next: Some(token.clone()),
        };

        assert!(
            page.clone()
                .reject_repeated_token(Operation::ListPayments, None)
                .is_ok()
        );
        let error = page
            .reject_repeated_token(Operation::ListPayments, Some(&token))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "listPayments: unexpected response, list repeats its page token"
        );
    }
}
