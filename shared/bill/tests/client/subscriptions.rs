//! Webhook subscriptions.

use std::sync::Arc;

use bill::{
    BaseUrl, ErrorKind,
    events::{EventType, Notification, SecurityKeys, SubscriptionId, SubscriptionsClient},
};
use sandbox::{EventSwitches, FaultKind, Sandbox, Switches};
use url::Url;
use uuid::Uuid;

use crate::{
    scripted_server::{ScriptedServer, reply},
    support::{
        client, client_with, credentials, inject_fault, request_count, sandbox, status_fault,
        test_deadline,
    },
};

const NAME: &str = "Customer engagement";

fn subscriptions(sandbox: &Sandbox) -> SubscriptionsClient {
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
        .create(
            Uuid::new_v4(),
            NAME,
            &EventType::SUBSCRIBED,
            &url(1),
            test_deadline(),
        )
        .await
        .unwrap();
    let id = created.subscription.id.clone().unwrap();

    assert!(created.subscription.is_enabled());
    assert_eq!(
        created.subscription.events().collect::<Vec<_>>(),
        EventType::SUBSCRIBED
    );
    assert!(!format!("{created:?}").contains(created.security_key.expose()));

    let read = subscriptions
        .get(&id, test_deadline())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read, created.subscription);
    assert_eq!(
        subscriptions.list(test_deadline()).await.unwrap().rows,
        [read]
    );
    assert!(subscriptions.delete(&id, test_deadline()).await.unwrap());
    assert!(!subscriptions.delete(&id, test_deadline()).await.unwrap());
    assert_eq!(subscriptions.get(&id, test_deadline()).await.unwrap(), None);
    assert!(
        subscriptions
            .send_test_event(&id, test_deadline())
            .await
            .unwrap()
            .is_none()
    );
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

    assert_eq!(subscriptions.get(&id, test_deadline()).await.unwrap(), None);

    inject_fault(
        &sandbox,
        "getSubscription",
        status_fault(404, "BDC_1121"),
        1,
    );
    assert_eq!(
        subscriptions
            .get(&id, test_deadline())
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Refused
    );
}

#[tokio::test]
async fn create_is_retried_with_the_same_idempotency_key() {
    let sandbox = sandbox(Switches::default()).await;
    let subscriptions = subscriptions(&sandbox);
    inject_fault(&sandbox, "createSubscription", FaultKind::Truncated, 1);
    let created = subscriptions
        .create(
            Uuid::new_v4(),
            NAME,
            &EventType::SUBSCRIBED,
            &url(1),
            test_deadline(),
        )
        .await
        .unwrap();

    assert_eq!(request_count(&sandbox, "createSubscription"), 2);
    assert_eq!(
        subscriptions.list(test_deadline()).await.unwrap().rows,
        [created.subscription]
    );
}

#[tokio::test]
async fn duplicate_subscription_is_refused() {
    let sandbox = sandbox(Switches::default()).await;
    let subscriptions = subscriptions(&sandbox);
    let create = async || {
        subscriptions
            .create(
                Uuid::new_v4(),
                NAME,
                &EventType::SUBSCRIBED,
                &url(1),
                test_deadline(),
            )
            .await
    };
    create().await.unwrap();
    let error = create().await.unwrap_err();

    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Refused, Some(400))
    );
    assert_eq!(request_count(&sandbox, "createSubscription"), 2);
}

#[tokio::test]
async fn expired_session_is_renewed() {
    let sandbox = sandbox(Switches::default()).await;
    let subscriptions = subscriptions(&sandbox);
    subscriptions.list(test_deadline()).await.unwrap();
    sandbox.end_sessions();

    subscriptions.list(test_deadline()).await.unwrap();
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
    let receiver_url: Url = format!("{}/bill", test_support::serve(router).await)
        .parse()
        .unwrap();

    let subscriptions = subscriptions(&sandbox);
    let created = subscriptions
        .create(
            Uuid::new_v4(),
            NAME,
            &EventType::SUBSCRIBED,
            &receiver_url,
            test_deadline(),
        )
        .await
        .unwrap();
    let test = subscriptions
        .send_test_event(created.subscription.id.as_ref().unwrap(), test_deadline())
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
        let server = ScriptedServer::start([reply(200, body)]).await;
        let subscriptions = server.client().subscriptions().unwrap();
        let outcome = subscriptions
            .create(
                Uuid::new_v4(),
                NAME,
                &EventType::SUBSCRIBED,
                &url(1),
                test_deadline(),
            )
            .await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::BadAnswer, "{body}");
        assert_eq!(
            server.requests()[0].target,
            "/connect-events/v3/subscriptions"
        );
    }
}

#[tokio::test]
async fn base_url_without_connect_has_no_subscriptions_client() {
    let sandbox = sandbox(Switches::default()).await;
    let base_url: BaseUrl = "https://bill.example/api".parse().unwrap();
    assert_eq!(base_url.events_base_url(), None);

    let bill = client_with("https://bill.example/api", Arc::new(credentials(&sandbox)));
    assert!(bill.subscriptions().is_none());
}
