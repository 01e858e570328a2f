//! The operations about webhook subscriptions.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::{
    events::{
        domain_event::{DomainEvent, EVENT_VERSION},
        idempotency,
        subscription::{PARTNER_ORGANIZATION_ID, Subscription},
        subscription_request::SubscriptionRequest,
    },
    lists::{page_tokens::PageCursor, query},
    operations::Operation,
    request::ApiRequest,
    responses::{ApiResponse, ErrorResponse, UNKNOWN_CODE, format_timestamp},
    state::SandboxState,
    switches::Switches,
};

/// The query that page tokens of this list are signed for.
const LIST_NAME: &str = "subscriptions";

/// Carries out an operation. The caller has checked keys and session.
pub(super) async fn dispatch(
    state: &Arc<SandboxState>,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<ApiResponse, ErrorResponse> {
    match request.operation {
        Operation::CreateSubscription => create(state, request, switches).await,
        Operation::GetAllSubscriptions => list(state, request),
        Operation::DeleteSubscription => delete(state, request, switches),
        Operation::SendTestEvent => send_test_event(state, request, switches).await,
        _ => get(state, request, switches),
    }
}

async fn create(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<ApiResponse, ErrorResponse> {
    let key = idempotency::parse_key(request.header("X-Idempotent-Key"))?;
    let cached = state
        .events
        .idempotency_cache
        .lock()
        .get(key, &request.body, request.now)?;
    if let Some(response) = cached {
        return Ok(ApiResponse::json(&response));
    }

    let subscription_request = SubscriptionRequest::parse(&request.body, &switches.events)?;
    let response = state
        .events
        .subscriptions
        .lock()
        .create(subscription_request, request.now)?
        .to_json_with_key();
    let creation_latency = Duration::from_millis(switches.events.creation_latency_ms);
    state.events.idempotency_cache.lock().insert(
        key,
        &request.body,
        &response,
        request.now,
        creation_latency,
    );
    sleep(creation_latency).await;

    Ok(ApiResponse::json(&response))
}

fn list(state: &SandboxState, request: &ApiRequest) -> Result<ApiResponse, ErrorResponse> {
    let max = query::parse_max(request.parameter("max"))
        .map_err(|error| ErrorResponse::validation(vec![error]))?;
    let cursor = state
        .page_token_key
        .cursor_or_first_page(request.parameter("page"), LIST_NAME)?;

    let subscriptions = state.events.subscriptions.lock();
    let rows: Vec<Value> = subscriptions
        .all()
        .iter()
        .skip(cursor.offset)
        .take(max)
        .map(Subscription::to_json)
        .collect();
    let next = PageCursor {
        offset: cursor.offset + rows.len(),
        page: cursor.page + 1,
    };
    let mut response = json!({ "results": rows });
    if next.offset < subscriptions.all().len() {
        response["nextPage"] = state.page_token_key.sign(next, LIST_NAME).into();
    }

    Ok(ApiResponse::json(&response))
}

fn get(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<ApiResponse, ErrorResponse> {
    let subscriptions = state.events.subscriptions.lock();
    let subscription = subscriptions
        .get(request.subscription_id())
        .ok_or_else(|| subscription_not_found(switches))?;

    Ok(ApiResponse::json(&subscription.to_json()))
}

fn delete(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<ApiResponse, ErrorResponse> {
    let is_deleted = state
        .events
        .subscriptions
        .lock()
        .delete(request.subscription_id());

    if is_deleted {
        Ok(ApiResponse::empty())
    } else {
        Err(subscription_not_found(switches))
    }
}

/// Sends one fictional notification immediately and without retries, even if the subscription is
/// disabled. The event's organization is the partner's own, which is not a customer. The id that
/// BILL uses is unknown.
async fn send_test_event(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<ApiResponse, ErrorResponse> {
    if !request.body.is_object() {
        return Err(ErrorResponse::validation(vec![
            "body: must be an object".to_owned(),
        ]));
    }
    let subscription = state
        .events
        .subscriptions
        .lock()
        .get(request.subscription_id())
        .cloned()
        .ok_or_else(|| subscription_not_found(switches))?;

    let event = test_event(request, &subscription);
    let status = state
        .events
        .webhook_client
        .send(&subscription, &event, switches.events.format)
        .await;

    Ok(ApiResponse::json(&json!({
        "id": event.id,
        "type": event.event_type,
        "version": EVENT_VERSION,
        "subscriptionId": subscription.id,
        "payload": event.notification(&subscription.id),
        "createdTime": format_timestamp(request.now),
        // BILL does not document the status for a time-out. 504 is assumed.
        "statusCode": status.unwrap_or(504),
    })))
}

/// The event of the requested type, or of the subscription's first type, with the payload from the
/// request's body if it has one.
fn test_event(request: &ApiRequest, subscription: &Subscription) -> DomainEvent {
    let event_type = request
        .body
        .get("eventType")
        .and_then(Value::as_str)
        .unwrap_or_else(|| subscription.first_event_type());
    let subject = event_type.split('.').next().unwrap_or_default();
    let payload = request
        .body
        .get(subject)
        .cloned()
        .unwrap_or_else(|| json!({ "id": format!("test-{subject}-id") }));

    DomainEvent::new(
        event_type,
        PARTNER_ORGANIZATION_ID,
        Map::from_iter([(subject.to_owned(), payload)]),
        request.now,
    )
}

fn subscription_not_found(switches: &Switches) -> ErrorResponse {
    ErrorResponse::with_message(
        switches.events.unknown_subscription_status,
        UNKNOWN_CODE,
        "Subscription not found.",
    )
}
