//! What an organization's users see from one episode to the next, with the tables behind it.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
        ScalarAttributeType,
    },
};
use engagement::Stage;
use in_product::InProduct;
use runtime::{
    CapturedOutput, Metrics,
    http::{Request, Response, StatusCode, header},
    telemetry,
};
use serde_json::{Value, json};
use test_support::MiniStack;

use crate::support::{
    ORGANIZATION, dismiss, get, in_product, json_of, metrics, organization, request,
};

const FIRST: &str = "2026-11-23T06:00:00Z";
const SECOND: &str = "2026-12-24T06:00:00Z";

/// Starting MiniStack takes seconds, so one test holds what belongs together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_current_episodes_message_is_returned_until_dismissed() {
    let logs = CapturedOutput::default();
    let _guard = telemetry::init_with_writer("debug", logs.clone());
    let ministack = MiniStack::start().await;
    let product = Product::create(&ministack).await;

    println!(
        "an unknown organization is a problem, and so is one of which only a failed check is known"
    );
    product
        .refuses(&get(ORGANIZATION), StatusCode::NOT_FOUND)
        .await;
    product
        .put(json!({ "organization_id": ORGANIZATION, "sync_error": "bill_unavailable" }))
        .await;
    product
        .refuses(&get(ORGANIZATION), StatusCode::NOT_FOUND)
        .await;
    product
        .refuses(
            &dismiss(ORGANIZATION, "dormant_30-20261123T060000Z"),
            StatusCode::NOT_FOUND,
        )
        .await;

    println!("each stage that has a campaign has a message, word for word that of the campaign");
    for stage in [
        Stage::Enrolling,
        Stage::NoBankAccount,
        Stage::BankUnverified,
        Stage::AwaitingFirstPayment,
        Stage::Active,
    ] {
        product.enters(stage, FIRST).await;
        let message = product.message().await.unwrap();
        let expected =
            serde_json::to_value(product.function.content.in_product(stage).unwrap()).unwrap();
        assert!(
            expected
                .as_object()
                .unwrap()
                .iter()
                .all(|(field, value)| message[field] == *value),
            "{message}"
        );
        assert_eq!(
            (&message["id"], &message["stage"]),
            (
                &json!(format!("{stage}-20261123T060000Z")),
                &json!(stage.to_string())
            )
        );
    }
    product.enters(Stage::Closed, FIRST).await;
    assert_eq!(product.message().await, None);

    println!("an answer is fresh for a minute, and then asked for by its tag");
    product.enters(Stage::Dormant30, FIRST).await;
    let answer = product.answer(&get(ORGANIZATION)).await;
    insta::assert_snapshot!(
        "messages",
        serde_json::to_string_pretty(&json_of(&answer)).unwrap()
    );
    let tag = answer.headers()[header::ETAG].to_str().unwrap();
    assert!(
        tag.len() == 34 && tag.starts_with('"') && tag.ends_with('"'),
        "{tag}"
    );
    let again = product.answer(&known(&format!("\"other\", {tag}"))).await;
    assert_eq!(
        (again.status(), again.body()),
        (StatusCode::NOT_MODIFIED, "")
    );
    for answer in [&answer, &again] {
        assert_eq!(answer.headers()[header::ETAG], tag);
        assert_eq!(
            answer.headers()[header::CACHE_CONTROL],
            "private, max-age=60"
        );
    }
    assert!(again.headers().get(header::CONTENT_TYPE).is_none());

    println!("a message that is closed stays closed, and closing it twice is welcome");
    let id = json_of(&answer)["messages"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for _ in 0..2 {
        let dismissed = product.answer(&dismiss(ORGANIZATION, &id)).await;
        assert_eq!(
            (dismissed.status(), dismissed.body()),
            (StatusCode::NO_CONTENT, "")
        );
        assert_eq!(product.message().await, None);
    }
    assert_eq!(
        product.answer(&known(tag)).await.status(),
        StatusCode::OK,
        "what was closed is news to who has the old answer"
    );
    assert_eq!(
        (
            product.message().await,
            product.metrics.total("messages_dismissed")
        ),
        (None, 2.0)
    );

    println!("the next episode has a message of its own, and that of the last one is gone");
    product.enters(Stage::Dormant30, SECOND).await;
    assert_eq!(
        product.message().await.unwrap()["id"],
        "dormant_30-20261224T060000Z"
    );
    product
        .refuses(&dismiss(ORGANIZATION, &id), StatusCode::NOT_FOUND)
        .await;
    product
        .refuses(
            &dismiss(ORGANIZATION, "in-product#x"),
            StatusCode::NOT_FOUND,
        )
        .await;
    assert!(product.message().await.is_some());

    println!("what must be done cannot be closed");
    product.enters(Stage::BankUnverified, SECOND).await;
    product
        .refuses(
            &dismiss(ORGANIZATION, "bank_unverified-20261224T060000Z"),
            StatusCode::CONFLICT,
        )
        .await;
    assert_eq!(product.message().await.unwrap()["dismissible"], false);

    println!("an item that cannot be read is our fault");
    product
        .put(json!({ "organization_id": ORGANIZATION, "stage": "levitating" }))
        .await;
    let failure = product
        .function
        .answer(&get(ORGANIZATION), &product.metrics)
        .await;
    assert_eq!(
        failure
            .map(|answer| answer.status())
            .unwrap_err()
            .error_type
            .name(),
        "store_unreadable"
    );

    let text = logs.text();
    assert!(text.contains("a message was dismissed"), "{text}");
    assert!(!text.contains("Kestrel"), "{text}");
}

fn known(tags: &str) -> Request {
    request("GET", ORGANIZATION, None, &json!({ "if-none-match": tags }))
}

struct Product {
    function: InProduct,
    metrics: Metrics,
    client: Client,
}

impl Product {
    async fn create(ministack: &MiniStack) -> Self {
        let client = store::client(&ministack.config);
        create_table(
            &client,
            "organizations",
            &[("organization_id", KeyType::Hash)],
        )
        .await;
        create_table(
            &client,
            "notices",
            &[
                ("organization_id", KeyType::Hash),
                ("notice", KeyType::Range),
            ],
        )
        .await;
        Self {
            function: in_product(&client),
            metrics: metrics(),
            client,
        }
    }

    async fn put(&self, item: Value) {
        let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(item).unwrap();
        self.client
            .put_item()
            .table_name("organizations")
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    async fn enters(&self, stage: Stage, since: &str) {
        self.put(organization(&stage.to_string(), "none_connected", since))
            .await;
    }

    async fn answer(&self, request: &Request) -> Response {
        self.function.answer(request, &self.metrics).await.unwrap()
    }

    /// The one message, or none.
    async fn message(&self) -> Option<Value> {
        let answer = self.answer(&get(ORGANIZATION)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let messages = json_of(&answer)["messages"].as_array().unwrap().clone();
        assert!(messages.len() < 2, "{messages:?}");
        messages.into_iter().next()
    }

    async fn refuses(&self, request: &Request, status: StatusCode) {
        let answer = self.answer(request).await;
        assert_eq!(
            (answer.status(), &json_of(&answer)["status"]),
            (status, &json!(status.as_u16()))
        );
        assert_eq!(
            answer.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    }
}

async fn create_table(client: &Client, name: &str, key: &[(&str, KeyType)]) {
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind) in key {
        let definition = AttributeDefinition::builder()
            .attribute_name(*attribute)
            .attribute_type(ScalarAttributeType::S);
        let element = KeySchemaElement::builder()
            .attribute_name(*attribute)
            .key_type(kind.clone());
        request = request
            .attribute_definitions(definition.build().unwrap())
            .key_schema(element.build().unwrap());
    }
    request.send().await.unwrap();
}
