//! Subscriptions to events, against the sandbox.

use bill::{
    BaseUrl, ErrorKind,
    events::{EventType, Notification, SecurityKeys, SubscriptionId, Subscriptions},
};
use sandbox::{EventSwitches, FaultKind, Sandbox, Switches};
use url::Url;
use uuid::Uuid;

use crate::{
    scripted::{Script, reply},
    support::{calls, client, fault, sandbox, soon, status},
};

const NAME: &str = "Customer engagement";

fn subscriptions(sandbox: &Sandbox) -> Subscriptions {
    client(sandbox).subscriptions().unwrap()
}

fn url(version: u32) -> Url {
    format!("https://hooks.northlight-ledger.example/bill?v={version}")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn subscription_is_created_listed_read_and_deleted() {
    let sandbox = sandbox(Switches::default()).await;
    let subscriptions = subscriptions(&sandbox);
    let created = subscriptions
        .create(Uuid::new_v4(), NAME, &EventType::WANTED, &url(1), soon())
        .await
        .unwrap();
    let id = created.subscription.id.clone().unwrap();
    assert!(created.subscription.is_enabled());
    assert_eq!(
        created.subscription.events().collect::<Vec<_>>(),
        EventType::WANTED
    );
    assert!(!format!("{created:?}").contains(created.security_key.expose()));

    let read = subscriptions.get(&id, soon()).await.unwrap().unwrap();
    assert_eq!(read, created.subscription);
    assert_eq!(subscriptions.all(soon()).await.unwrap().rows, [read]);
    assert!(subscriptions.delete(&id, soon()).await.unwrap());
    assert!(!subscriptions.delete(&id, soon()).await.unwrap());
    assert_eq!(subscriptions.get(&id, soon()).await.unwrap(), None);
    assert!(subscriptions.test(&id, soon()).await.unwrap().is_none());
    assert_eq!(sandbox.statistics().partner_logins, 1);
}

#[tokio::test]
async fn unknown_subscription_is_none_and_unsupported_path_is_an_error() {
    let events = EventSwitches {
        unknown_subscription_status: 400,
        ..EventSwitches::default()
    };
    let sandbox = sandbox(Switches {
        events,
        ..Switches::default()
    })
    .await;
    let subscriptions = subscriptions(&sandbox);
    let id: SubscriptionId = "c1f0a5c2-7a6e-4b7e-8f55-0d2b9d1f6a10".parse().unwrap();
    assert_eq!(subscriptions.get(&id, soon()).await.unwrap(), None);
    fault(&sandbox, "getSubscription", status(404, "BDC_1121"), 1);
    assert_eq!(
        subscriptions.get(&id, soon()).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
}

#[tokio::test]
async fn create_is_retried_with_the_same_idempotency_key() {
    let sandbox = sandbox(Switches::default()).await;
    let subscriptions = subscriptions(&sandbox);
    fault(&sandbox, "createSubscription", FaultKind::Truncated, 1);
    let created = subscriptions
        .create(Uuid::new_v4(), NAME, &EventType::WANTED, &url(1), soon())
        .await
        .unwrap();
    assert_eq!(calls(&sandbox, "createSubscription"), 2);
    assert_eq!(
        subscriptions.all(soon()).await.unwrap().rows,
        [created.subscription]
    );
}

#[tokio::test]
async fn duplicate_subscription_is_refused() {
    let sandbox = sandbox(Switches::default()).await;
    let subscriptions = subscriptions(&sandbox);
    let create = async || {
        subscriptions
            .create(Uuid::new_v4(), NAME, &EventType::WANTED, &url(1), soon())
            .await
    };
    create().await.unwrap();
    let refusal = create().await.unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.status()),
        (ErrorKind::Refused, Some(400))
    );
    assert_eq!(calls(&sandbox, "createSubscription"), 2);
}

#[tokio::test]
async fn expired_session_is_renewed() {
    let sandbox = sandbox(Switches::default()).await;
    let subscriptions = subscriptions(&sandbox);
    subscriptions.all(soon()).await.unwrap();
    sandbox.end_sessions();
    subscriptions.all(soon()).await.unwrap();
    assert_eq!(sandbox.statistics().partner_logins, 2);
}

#[tokio::test]
async fn test_event_is_signed_and_returns_the_receivers_status() {
    let sandbox = sandbox(Switches::default()).await;
    let (received, mut bodies) = tokio::sync::mpsc::unbounded_channel();
    let receive = async move |headers: axum::http::HeaderMap, body: axum::body::Bytes| {
        received
            .send((
                headers[bill::events::SIGNATURE_HEADER]
                    .to_str()
                    .unwrap()
                    .to_owned(),
                body,
            ))
            .unwrap();
        axum::http::StatusCode::SERVICE_UNAVAILABLE
    };
    let router = axum::Router::new().route("/bill", axum::routing::post(receive));
    let here: Url = format!("{}/bill", test_support::serve(router).await)
        .parse()
        .unwrap();

    let subscriptions = subscriptions(&sandbox);
    let created = subscriptions
        .create(Uuid::new_v4(), NAME, &EventType::WANTED, &here, soon())
        .await
        .unwrap();
    let test = subscriptions
        .test(created.subscription.id.as_ref().unwrap(), soon())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(test.status_code, Some(503));
    let (signature, body) = bodies.recv().await.unwrap();
    let keys = SecurityKeys {
        current: created.security_key,
        previous: None,
    };
    assert!(keys.verify(&body, &signature));
    assert_eq!(
        Notification::parse(&body).unwrap().event_id,
        test.id.unwrap()
    );
}

#[tokio::test]
async fn create_response_without_security_key_is_an_error() {
    for body in [
        r#"{"id":"c1f0a5c2","securityKey":""}"#,
        r#"{"id":"c1f0a5c2"}"#,
        r#"{"securityKey":"k"}"#,
        r#"["c1f0a5c2","k"]"#,
    ] {
        let script = Script::start([reply(200, body)]).await;
        let subscriptions = script.client().subscriptions().unwrap();
        let outcome = subscriptions
            .create(Uuid::new_v4(), NAME, &EventType::WANTED, &url(1), soon())
            .await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::BadAnswer, "{body}");
        assert_eq!(script.seen()[0].target, "/connect-events/v3/subscriptions");
    }
}

#[test]
fn base_url_without_connect_has_no_events_url() {
    let base: BaseUrl = "https://bill.example/api".parse().unwrap();
    assert_eq!(base.events(), None);
}
