//! The control API, under `/_sandbox` with or without `/connect` before it. Bodies are JSON of this
//! crate's types.
//!
//! | call | does |
//! |---|---|
//! | `GET population?as_of=RFC3339` | array of [`Expectation`]; without `as_of`, at the sandbox's time |
//! | `GET organizations/{id}` | an [`Organization`] |
//! | `PUT organizations/{id}` | adds or replaces an [`Organization`] |
//! | `PATCH organizations/{id}` | applies a [`Change`] |
//! | `POST organizations/{id}/verify-bank-account` | verifies its first bank account that is not verified |
//! | `POST events` | sends an event although nothing changed: an [`ManualEvent`] |
//! | `GET`, `DELETE deliveries` | array of [`Delivery`], one for each attempt to deliver a notification; forgets them |
//! | `GET`, `DELETE statistics` | [`Statistics`]; starts them anew |
//! | `GET`, `PUT clock` | `{"now"}`; `{"now": RFC3339}` or `{"advance_seconds": 60}` |
//! | `GET`, `POST`, `DELETE faults` | all; adds a [`Fault`]; ends all |
//! | `GET`, `PUT switches` | [`Switches`]; replaces them |

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Change, Delivery, Expectation, Fault, ManualEvent, Organization, SandboxState, Statistics,
    Switches,
};

pub(crate) fn router() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/population", get(population))
        .route(
            "/organizations/{id}",
            get(organization)
                .put(put_organization)
                .patch(patch_organization),
        )
        .route(
            "/organizations/{id}/verify-bank-account",
            post(verify_bank_account),
        )
        .route("/events", post(announce))
        .route("/deliveries", get(deliveries).delete(clear_deliveries))
        .route("/statistics", get(statistics).delete(reset_statistics))
        .route("/clock", get(clock).put(set_clock))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/switches", get(switches).put(set_switches))
}

/// The body of `PUT clock`: both may be given, the time is set before it is advanced.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockUpdate {
    /// The time to set.
    pub now: Option<Timestamp>,
    /// How many seconds to go on, or back.
    pub advance_seconds: Option<i64>,
}

/// The answer about the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockResponse {
    /// The sandbox's time.
    pub now: Timestamp,
}

#[derive(Deserialize)]
struct PopulationQuery {
    as_of: Option<Timestamp>,
}

async fn population(
    State(shared): State<Arc<SandboxState>>,
    Query(query): Query<PopulationQuery>,
) -> Json<Vec<Expectation>> {
    Json(shared.expectations(query.as_of.unwrap_or_else(|| shared.clock.now())))
}

async fn organization(
    State(shared): State<Arc<SandboxState>>,
    Path(id): Path<String>,
) -> Result<Json<Organization>, StatusCode> {
    let organization = shared
        .customers
        .read()
        .by_id(&id)
        .ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json((*organization).clone()))
}

async fn put_organization(
    State(shared): State<Arc<SandboxState>>,
    Path(id): Path<String>,
    Json(organization): Json<Organization>,
) -> StatusCode {
    shared.put(Organization {
        id: Some(id),
        ..organization
    });
    StatusCode::NO_CONTENT
}

async fn patch_organization(
    State(shared): State<Arc<SandboxState>>,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> StatusCode {
    if shared.change(&id, change) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn verify_bank_account(
    State(shared): State<Arc<SandboxState>>,
    Path(id): Path<String>,
) -> StatusCode {
    if shared.verify_bank_account(&id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn announce(
    State(shared): State<Arc<SandboxState>>,
    Json(event): Json<ManualEvent>,
) -> StatusCode {
    if shared.publish_manual_event(&event) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn deliveries(State(shared): State<Arc<SandboxState>>) -> Json<Vec<Delivery>> {
    Json(shared.events.deliveries.lock().clone())
}

async fn clear_deliveries(State(shared): State<Arc<SandboxState>>) -> StatusCode {
    shared.events.deliveries.lock().clear();
    StatusCode::NO_CONTENT
}

async fn statistics(State(shared): State<Arc<SandboxState>>) -> Json<Statistics> {
    Json(shared.statistics.lock().clone())
}

async fn reset_statistics(State(shared): State<Arc<SandboxState>>) -> StatusCode {
    *shared.statistics.lock() = Statistics::default();
    StatusCode::NO_CONTENT
}

async fn clock(State(shared): State<Arc<SandboxState>>) -> Json<ClockResponse> {
    Json(ClockResponse {
        now: shared.clock.now(),
    })
}

async fn set_clock(
    State(shared): State<Arc<SandboxState>>,
    Json(change): Json<ClockUpdate>,
) -> Json<ClockResponse> {
    if let Some(now) = change.now {
        shared.clock.set(now);
    }
    if let Some(seconds) = change.advance_seconds {
        shared.clock.advance(SignedDuration::from_secs(seconds));
    }
    clock(State(shared)).await
}

async fn faults(State(shared): State<Arc<SandboxState>>) -> Json<Vec<Fault>> {
    Json(shared.faults.lock().list().to_vec())
}

async fn add_fault(
    State(shared): State<Arc<SandboxState>>,
    Json(fault): Json<Fault>,
) -> StatusCode {
    shared.faults.lock().add(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(shared): State<Arc<SandboxState>>) -> StatusCode {
    shared.faults.lock().clear();
    StatusCode::NO_CONTENT
}

async fn switches(State(shared): State<Arc<SandboxState>>) -> Json<Switches> {
    Json(shared.switches.read().clone())
}

async fn set_switches(
    State(shared): State<Arc<SandboxState>>,
    Json(switches): Json<Switches>,
) -> StatusCode {
    *shared.switches.write() = switches;
    StatusCode::NO_CONTENT
}
