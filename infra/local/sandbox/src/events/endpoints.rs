//! What the operations about subscriptions answer.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::{
    VERSION, delivery, happening::DomainEvent, idempotency, subscription::SubscriptionRequest,
};
use crate::{
    SandboxState, Switches,
    answers::{Answer, ErrorResponse, UNKNOWN_CODE, time},
    endpoints::Call,
    lists::{self, tokens::PageCursor},
    operations::Operation,
};

/// Answers a call whose keys and session were checked.
pub(crate) async fn answer(
    shared: &Arc<SandboxState>,
    call: &Call,
    switches: &Switches,
) -> Result<Answer, ErrorResponse> {
    match call.operation {
        Operation::CreateSubscription => create(shared, call, switches).await,
        Operation::GetAllSubscriptions => list(shared, call),
        Operation::DeleteSubscription => {
            let is_deleted = shared
                .events
                .subscriptions
                .lock()
                .delete(call.subscription_id());
            if is_deleted {
                Ok(Answer::empty())
            } else {
                Err(unknown(switches))
            }
        }
        Operation::SendTestEvent => send_test_event(shared, call, switches).await,
        _ => match shared
            .events
            .subscriptions
            .lock()
            .get(call.subscription_id())
        {
            Some(subscription) => Ok(Answer::json(&subscription.row())),
            None => Err(unknown(switches)),
        },
    }
}

async fn create(
    shared: &SandboxState,
    call: &Call,
    switches: &Switches,
) -> Result<Answer, ErrorResponse> {
    let key = idempotency::key(call.header("X-Idempotent-Key"))?;
    if let Some(answer) = shared
        .events
        .idempotency_cache
        .lock()
        .of(key, &call.body, call.now)?
    {
        return Ok(Answer::json(&answer));
    }
    let wanted = SubscriptionRequest::read(&call.body, &switches.events)?;
    let answer = shared
        .events
        .subscriptions
        .lock()
        .create(wanted, call.now)?
        .to_json_with_key();
    let flight = Duration::from_millis(switches.events.creation_latency_ms);
    shared
        .events
        .idempotency_cache
        .lock()
        .keep(key, &call.body, &answer, call.now, flight);
    sleep(flight).await;
    Ok(Answer::json(&answer))
}

fn list(shared: &SandboxState, call: &Call) -> Result<Answer, ErrorResponse> {
    let value = |name: &str| {
        call.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|text| !text.is_empty())
    };
    let max = value("max")
        .map_or(Ok(20), lists::max)
        .map_err(|error| ErrorResponse::validation(vec![error]))?;
    let place = match value("page") {
        Some(token) => {
            let foreign =
                || ErrorResponse::validation(vec!["page: is not a page of this list".to_owned()]);
            shared
                .page_token_key
                .open(token, LIST)
                .ok_or_else(foreign)?
        }
        None => PageCursor::default(),
    };
    let subscriptions = shared.events.subscriptions.lock();
    let rows: Vec<Value> = subscriptions
        .all()
        .iter()
        .skip(place.offset)
        .take(max)
        .map(super::subscription::Subscription::row)
        .collect();
    let next = PageCursor {
        offset: place.offset + rows.len(),
        page: place.page + 1,
    };
    let mut answer = json!({ "results": rows });
    if next.offset < subscriptions.all().len() {
        answer["nextPage"] = shared.page_token_key.sign(next, LIST).into();
    }
    Ok(Answer::json(&answer))
}

/// Sends a made-up notification at once, and once, whether or not the subscription is enabled. Its
/// organization is the partner's own, which is no customer; what BILL takes is unknown.
async fn send_test_event(
    shared: &SandboxState,
    call: &Call,
    switches: &Switches,
) -> Result<Answer, ErrorResponse> {
    if !call.body.is_object() {
        return Err(ErrorResponse::validation(vec![
            "body: must be an object".to_owned(),
        ]));
    }
    let subscription = shared
        .events
        .subscriptions
        .lock()
        .get(call.subscription_id())
        .cloned()
        .ok_or_else(|| unknown(switches))?;
    let event_type = call
        .body
        .get("eventType")
        .and_then(Value::as_str)
        .unwrap_or_else(|| subscription.first_event_type());
    let subject = event_type.split('.').next().unwrap_or_default();
    let made_up = || json!({ "id": format!("test-{subject}-id") });
    let payload = call.body.get(subject).cloned().unwrap_or_else(made_up);
    let happening = DomainEvent::new(
        event_type,
        super::PARTNER_ORGANIZATION_ID,
        Map::from_iter([(subject.to_owned(), payload)]),
        call.now,
    );
    let status = delivery::send(
        &shared.events.http,
        &subscription,
        &happening,
        switches.events.form,
    )
    .await;
    Ok(Answer::json(&json!({
        "id": happening.id,
        "type": event_type,
        "version": VERSION,
        "subscriptionId": subscription.id,
        "payload": happening.notification(&subscription.id),
        "createdTime": time(call.now),
        // Nobody says what an answer that never came counts as.
        "statusCode": status.unwrap_or(504),
    })))
}

fn unknown(switches: &Switches) -> ErrorResponse {
    ErrorResponse::with_message(
        switches.events.unknown_subscription_status,
        UNKNOWN_CODE,
        "Subscription not found.",
    )
}

/// What a page token of this list is good for.
const LIST: &str = "subscriptions";
