//! The header `X-Idempotent-Key`: a repeated request gets the same response for 24 hours.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::responses::{ErrorResponse, UNKNOWN_CODE};

/// How long a response is kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// Parses the header. `Err` is a 400: it is missing or not a version 4 UUID.
pub(crate) fn parse_key(header: Option<&str>) -> Result<Uuid, ErrorResponse> {
    header
        .and_then(|text| Uuid::try_parse(text).ok())
        .filter(|key| key.get_version_num() == 4)
        .ok_or_else(|| {
            ErrorResponse::validation(vec!["X-Idempotent-Key: must be a UUID4".to_owned()])
        })
}

/// The successful responses of the last 24 hours.
#[derive(Default)]
pub(crate) struct IdempotencyCache(HashMap<Uuid, CachedResponse>);

struct CachedResponse {
    request: Value,
    response: Value,
    stored_at: Timestamp,
    in_flight_until: Instant,
}

impl IdempotencyCache {
    /// The cached response for this key. `Err` means that its request is still in flight (429), or
    /// that the key was used for another request (400).
    pub(crate) fn get(
        &mut self,
        key: Uuid,
        request: &Value,
        now: Timestamp,
    ) -> Result<Option<Value>, ErrorResponse> {
        self.0
            .retain(|_, cached| now.duration_since(cached.stored_at) < RETENTION);

        match self.0.get(&key) {
            None => Ok(None),
            Some(cached) if Instant::now() < cached.in_flight_until => {
                Err(ErrorResponse::with_message(
                    429,
                    UNKNOWN_CODE,
                    "A request with this idempotency key is still running.",
                ))
            }
            Some(cached) if cached.request != *request => Err(ErrorResponse::validation(vec![
                "X-Idempotent-Key: was used for another request".to_owned(),
            ])),
            Some(cached) => Ok(Some(cached.response.clone())),
        }
    }

    /// Stores a successful response that is sent after `creation_latency`. It is kept even if the
    /// client does not receive it.
    pub(crate) fn insert(
        &mut self,
        key: Uuid,
        request: &Value,
        response: &Value,
        now: Timestamp,
        creation_latency: Duration,
    ) {
        let in_flight_until = Instant::now() + creation_latency;

        self.0.insert(
            key,
            CachedResponse {
                request: request.clone(),
                response: response.clone(),
                stored_at: now,
                in_flight_until,
            },
        );
    }
}
