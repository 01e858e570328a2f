//! `X-Idempotent-Key`: a successful answer is given again for 24 hours.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::answers::{ErrorResponse, UNKNOWN_CODE};

/// The successful answers of the last 24 hours.
#[derive(Default)]
pub(crate) struct IdempotencyCache(HashMap<Uuid, CachedResponse>);

struct CachedResponse {
    request: Value,
    answer: Value,
    at: Timestamp,
    in_flight_until: Instant,
}

/// Reads the header. `Err` is a 400: it is missing, or no UUID of version 4.
pub(crate) fn key(header: Option<&str>) -> Result<Uuid, ErrorResponse> {
    header
        .and_then(|text| Uuid::try_parse(text).ok())
        .filter(|key| key.get_version_num() == 4)
        .ok_or_else(|| {
            ErrorResponse::validation(vec!["X-Idempotent-Key: must be a UUID4".to_owned()])
        })
}

impl IdempotencyCache {
    /// The answer that this key got, if it got one. `Err`: it is still in flight (429), or belongs
    /// to another request (400).
    pub(crate) fn of(
        &mut self,
        key: Uuid,
        request: &Value,
        now: Timestamp,
    ) -> Result<Option<Value>, ErrorResponse> {
        self.0
            .retain(|_, kept| now.duration_since(kept.at) < LIFETIME);
        match self.0.get(&key) {
            None => Ok(None),
            Some(kept) if Instant::now() < kept.in_flight_until => {
                Err(ErrorResponse::with_message(
                    429,
                    UNKNOWN_CODE,
                    "A request with this idempotency key is still running.",
                ))
            }
            Some(kept) if kept.request != *request => Err(ErrorResponse::validation(vec![
                "X-Idempotent-Key: was used for another request".to_owned(),
            ])),
            Some(kept) => Ok(Some(kept.answer.clone())),
        }
    }

    /// Keeps a successful answer that will be sent after `flight`, whether or not anybody waits for
    /// it.
    pub(crate) fn keep(
        &mut self,
        key: Uuid,
        request: &Value,
        answer: &Value,
        now: Timestamp,
        flight: Duration,
    ) {
        let in_flight_until = Instant::now() + flight;
        self.0.insert(
            key,
            CachedResponse {
                request: request.clone(),
                answer: answer.clone(),
                at: now,
                in_flight_until,
            },
        );
    }
}

const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
