//! Names of claims.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// Names claims so that no two ever have the same: by Lambda's request id, for operators; by
/// something that this run alone has, because Lambda may deliver one event twice, under one request
/// id; and by a number, because a run makes many.
#[derive(Debug)]
pub struct ClaimIds {
    run: String,
    made: AtomicU64,
}

impl ClaimIds {
    /// Those of a run that Lambda started with this request id.
    pub fn of_run(request_id: &str) -> Self {
        Self {
            run: format!("{request_id}/{}", Uuid::new_v4().simple()),
            made: AtomicU64::new(0),
        }
    }

    /// The next one.
    pub fn next(&self) -> String {
        format!("{}/{}", self.run, self.made.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_claims_have_the_same_even_when_lambda_delivers_an_event_twice() {
        let runs = [ClaimIds::of_run("request"), ClaimIds::of_run("request")];
        let ids = [
            runs[0].next(),
            runs[0].next(),
            runs[1].next(),
            runs[1].next(),
        ];
        assert_eq!(std::collections::HashSet::from(ids.clone()).len(), 4);
        assert!(ids.iter().all(|id| id.starts_with("request/")));
    }
}
