use std::fmt;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    answer::{Answer, cause_of_json_error},
    error::{Cause, Error, ErrorKind, Operation},
    lenient,
};

/// Rows per page; BILL allows 1 to 100 and takes 20 when nothing is said.
pub(crate) const MAX: &str = "100";

/// Pages after which reading a whole list stops, and [`Rows::truncated`] says so.
pub(crate) const MAX_PAGES: u32 = 50;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows that could be read, in BILL's order.
    pub rows: Vec<T>,
    /// Rows that are not objects, and so left out.
    pub skipped: u64,
    /// Where to go on; `None` at the end of the list. A page without rows is not the end.
    pub next: Option<PageToken>,
}

/// A list that was read to its end, or to the page limit.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    /// The rows that could be read, in BILL's order.
    pub rows: Vec<T>,
    /// Rows that are not objects, and so left out.
    pub skipped: u64,
    /// True when more pages exist than this client reads (50).
    pub truncated: bool,
    pages: u32,
}

/// BILL's opaque name of a page.
#[derive(Clone, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    /// A token that was kept from an earlier run.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token as BILL gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageToken([REDACTED])")
    }
}

/// The query of one page. Everything but `page` is the same for every page: whether BILL remembers
/// it is unknown.
pub(crate) fn query(sort: &'static str, page: Option<&PageToken>) -> Vec<(&'static str, String)> {
    let mut query = vec![("max", MAX.to_owned()), ("sort", sort.to_owned())];
    query.extend(page.map(|token| ("page", token.0.clone())));
    query
}

/// The query of the rows that have this id, so of one row at most.
pub(crate) fn by_id(id: &str) -> Vec<(&'static str, String)> {
    vec![("filters", format!("id:eq:\"{id}\""))]
}

/// Reads `{results, nextPage}`. Absent results are no rows; results that are no list, or a token
/// that is no text, are an error, since a list that ends early would look like a customer who did
/// nothing.
pub(crate) fn page<T: DeserializeOwned>(answer: &Answer) -> Result<Page<T>, Cause> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope<'a> {
        #[serde(borrow)]
        results: Option<Vec<&'a RawValue>>,
        next_page: Option<String>,
    }

    if !answer.is_success() {
        return Err(Cause::UnexpectedJson);
    }
    let Envelope { results, next_page } =
        serde_json::from_str(&answer.body).map_err(|error| cause_of_json_error(&error))?;
    let results = results.unwrap_or_default();
    let rows: Vec<T> = results
        .iter()
        .filter_map(|raw| lenient::object(raw))
        .collect();
    let skipped = (results.len() - rows.len()) as u64;
    Ok(Page {
        rows,
        skipped,
        next: next_page.filter(|token| !token.is_empty()).map(PageToken),
    })
}

impl<T> Page<T> {
    /// `Err` when the page names itself as the next one.
    pub(crate) fn following(
        self,
        operation: Operation,
        used: Option<&PageToken>,
    ) -> Result<Self, Error> {
        if self.next.is_some() && self.next.as_ref() == used {
            return Err(Error::because(
                operation,
                ErrorKind::BadAnswer,
                Cause::RepeatedPageToken,
            ));
        }
        Ok(self)
    }
}

impl<T> Rows<T> {
    pub(crate) fn none() -> Self {
        Self {
            rows: Vec::new(),
            skipped: 0,
            truncated: false,
            pages: 0,
        }
    }

    /// Takes one page's rows; the page to read next, if any.
    pub(crate) fn take(&mut self, page: Page<T>) -> Option<PageToken> {
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

    fn read(body: &str) -> Result<Page<Payment>, Cause> {
        page(&Answer {
            status: 200,
            body: body.to_owned(),
            retry_after: None,
        })
    }

    #[test]
    fn the_list_ends_when_the_token_is_absent_null_or_empty() {
        for body in [
            r#"{"results":[]}"#,
            r#"{"results":[],"nextPage":null}"#,
            r#"{"results":[],"nextPage":""}"#,
            "{}",
            r#"{"results":null}"#,
        ] {
            let page = read(body).unwrap();
            assert!(page.next.is_none() && page.rows.is_empty(), "{body}");
        }
        assert!(
            read(r#"{"results":[],"nextPage":"2"}"#)
                .unwrap()
                .next
                .is_some()
        );
    }

    #[test]
    fn rows_that_are_not_objects_are_skipped_and_counted() {
        let page =
            read(r#"{"results":[{"status":"PAID"},null,7,"x",[],{"status":9}],"prevPage":"1"}"#)
                .unwrap();
        assert_eq!((page.rows.len(), page.skipped), (2, 4));
    }

    #[test]
    fn unexpected_bodies_yield_the_matching_cause() {
        assert!(matches!(read("<html>"), Err(Cause::NotJson)));
        assert!(matches!(read(""), Err(Cause::IncompleteBody)));
        assert!(matches!(
            read(r#"{"results":[{"#),
            Err(Cause::IncompleteBody)
        ));
        assert!(matches!(
            read(r#"{"results":{}}"#),
            Err(Cause::UnexpectedJson)
        ));
        assert!(matches!(
            read(r#"{"results":[],"nextPage":5}"#),
            Err(Cause::UnexpectedJson)
        ));
        assert!(matches!(read("7"), Err(Cause::UnexpectedJson)));
    }

    #[test]
    fn endless_list_is_truncated_at_max_pages() {
        let mut rows = Rows::none();
        let mut pages = 0_u32;
        let endless = |page: u32| Page {
            rows: vec![page],
            skipped: 1,
            next: Some(PageToken::new(page.to_string())),
        };
        while rows.take(endless(pages)).is_some() {
            pages += 1;
        }
        assert!(rows.truncated);
        assert_eq!((rows.rows.len(), rows.skipped), (50, 50));
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
                .following(Operation::ListPayments, None)
                .is_ok()
        );
        let error = page
            .following(Operation::ListPayments, Some(&token))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "listPayments: answer is unreadable, list repeats its page"
        );
    }
}
