//! The control API, under `/_sandbox` and `/connect/_sandbox`. Bodies are the JSON of this crate's
//! public types.
//!
//! | Request | Description |
//! |---|---|
//! | `GET population?as_of=RFC3339` | An array of [`Expectation`]; `as_of` defaults to now |
//! | `GET organizations/{id}` | An [`Organization`] |
//! | `PUT organizations/{id}` | Adds or replaces an [`Organization`] |
//! | `PATCH organizations/{id}` | Applies an [`OrganizationPatch`] |
//! | `PUT organizations/{id}/users/{user_id}/role` | Takes `{"role": "NO_ACCESS"}` |
//! | `POST organizations/{id}/verify-bank-account` | Verifies the first unverified bank account |
//! | `POST events` | Sends a [`ManualEvent`] to the subscribers |
//! | `GET`, `DELETE deliveries` | An array of [`DeliveryAttempt`]; removes all |
//! | `GET`, `DELETE statistics` | [`Statistics`]; sets all counts to zero |
//! | `GET`, `PUT clock` | `{"now"}`; takes `{"now": RFC3339}` or `{"advance_seconds": 60}` |
//! | `GET`, `POST`, `DELETE faults` | All faults; adds a [`Fault`]; removes all |
//! | `GET`, `PUT switches` | [`Switches`]; replaces them |

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post, put},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    events::{delivery::DeliveryAttempt, manual_event::ManualEvent},
    faults::Fault,
    oracle::Expectation,
    population::organization::{Organization, OrganizationPatch},
    state::SandboxState,
    statistics::Statistics,
    switches::Switches,
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
        .route(
            "/organizations/{id}/users/{user_id}/role",
            put(set_user_role),
        )
        .route("/events", post(publish_event))
        .route("/deliveries", get(deliveries).delete(clear_deliveries))
        .route("/statistics", get(statistics).delete(reset_statistics))
        .route("/clock", get(clock).put(set_clock))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/switches", get(switches).put(set_switches))
}

#[derive(Deserialize)]
struct PopulationQuery {
    as_of: Option<Timestamp>,
}

async fn population(
    State(state): State<Arc<SandboxState>>,
    Query(query): Query<PopulationQuery>,
) -> Json<Vec<Expectation>> {
    let as_of = query.as_of.unwrap_or_else(|| state.clock.now());

    Json(state.expectations(as_of))
}

async fn organization(
    State(state): State<Arc<SandboxState>>,
    Path(id): Path<String>,
) -> Result<Json<Organization>, StatusCode> {
    let organization = state
        .customers
        .read()
        .by_id(&id)
        .ok_or(StatusCode::NOT_FOUND)?;

    Ok(Json((*organization).clone()))
}

async fn put_organization(
    State(state): State<Arc<SandboxState>>,
    Path(id): Path<String>,
    Json(organization): Json<Organization>,
) -> StatusCode {
    state.put_organization(Organization {
        id: Some(id),
        ..organization
    });

    StatusCode::NO_CONTENT
}

async fn patch_organization(
    State(state): State<Arc<SandboxState>>,
    Path(id): Path<String>,
    Json(patch): Json<OrganizationPatch>,
) -> StatusCode {
    no_content_if(state.patch_organization(&id, patch))
}

/// The body of `PUT organizations/{id}/users/{user_id}/role`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleUpdate {
    role: String,
}

async fn set_user_role(
    State(state): State<Arc<SandboxState>>,
    Path((id, user_id)): Path<(String, String)>,
    Json(RoleUpdate { role }): Json<RoleUpdate>,
) -> StatusCode {
    no_content_if(state.set_user_role(&id, &user_id, &role))
}

async fn verify_bank_account(
    State(state): State<Arc<SandboxState>>,
    Path(id): Path<String>,
) -> StatusCode {
    no_content_if(state.verify_bank_account(&id))
}

async fn publish_event(
    State(state): State<Arc<SandboxState>>,
    Json(event): Json<ManualEvent>,
) -> StatusCode {
    no_content_if(state.publish_manual_event(&event))
}

/// 204 if what the request names was found, else 404.
fn no_content_if(is_found: bool) -> StatusCode {
    if is_found {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn deliveries(State(state): State<Arc<SandboxState>>) -> Json<Vec<DeliveryAttempt>> {
    Json(state.events.delivery_attempts.lock().clone())
}

async fn clear_deliveries(State(state): State<Arc<SandboxState>>) -> StatusCode {
    state.events.delivery_attempts.lock().clear();

    StatusCode::NO_CONTENT
}

async fn statistics(State(state): State<Arc<SandboxState>>) -> Json<Statistics> {
    Json(state.statistics.lock().clone())
}

async fn reset_statistics(State(state): State<Arc<SandboxState>>) -> StatusCode {
    *state.statistics.lock() = Statistics::default();

    StatusCode::NO_CONTENT
}

/// The body of `PUT clock`. With both fields, the time is set before it is advanced.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClockUpdate {
    /// The time to set.
    now: Option<Timestamp>,
    /// Seconds to advance the clock; negative to move it back.
    advance_seconds: Option<i64>,
}

#[derive(Serialize)]
struct ClockResponse {
    /// The sandbox's time.
    now: Timestamp,
}

async fn clock(State(state): State<Arc<SandboxState>>) -> Json<ClockResponse> {
    Json(ClockResponse {
        now: state.clock.now(),
    })
}

async fn set_clock(
    State(state): State<Arc<SandboxState>>,
    Json(update): Json<ClockUpdate>,
) -> Json<ClockResponse> {
    if let Some(now) = update.now {
        state.clock.set(now);
    }
    if let Some(seconds) = update.advance_seconds {
        state.clock.advance(SignedDuration::from_secs(seconds));
    }

    clock(State(state)).await
}

async fn faults(State(state): State<Arc<SandboxState>>) -> Json<Vec<Fault>> {
    Json(state.faults.lock().list().to_vec())
}

async fn add_fault(State(state): State<Arc<SandboxState>>, Json(fault): Json<Fault>) -> StatusCode {
    state.faults.lock().add(fault);

    StatusCode::NO_CONTENT
}

async fn clear_faults(State(state): State<Arc<SandboxState>>) -> StatusCode {
    state.faults.lock().clear();

    StatusCode::NO_CONTENT
}

async fn switches(State(state): State<Arc<SandboxState>>) -> Json<Switches> {
    Json(state.switches.read().clone())
}

async fn set_switches(
    State(state): State<Arc<SandboxState>>,
    Json(switches): Json<Switches>,
) -> StatusCode {
    *state.switches.write() = switches;

    StatusCode::NO_CONTENT
}
