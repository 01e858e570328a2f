//! What recipients see and change, with the table behind it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ReturnValue,
    ScalarAttributeType,
};
use engagement::{Category, Contact};
use preferences::{Answers, Preferences};
use runtime::{
    Metrics,
    http::{Request, Response, StatusCode},
};
use store::Contacts;
use test_support::MiniStack;

use crate::support::{get, keys, metrics, post, request, subscription};

/// Starting MiniStack takes seconds, so one test holds what belongs together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipients_view_and_change_their_preferences() {
    let ministack = MiniStack::start().await;
    let recipient = Recipient::create(&ministack).await;

    println!("looking changes nothing");
    let page = recipient.answers(&get(&recipient.token)).await;
    assert_eq!(offers(&page), ["leave_category", "leave_all"]);
    assert_eq!(recipient.contact().await, None);
    let head = recipient
        .answers(&request("HEAD", &recipient.token, None, b""))
        .await;
    assert_eq!(
        (head.status(), head.headers(), head.body()),
        (page.status(), page.headers(), "")
    );
    assert_eq!(
        (
            recipient.contact().await,
            recipient.metrics.total("page_views")
        ),
        (None, 2.0)
    );

    println!("what is not understood changes nothing");
    for (form, content_type) in [
        ("action=whatever", "application/x-www-form-urlencoded"),
        ("{}", "application/json"),
    ] {
        let request = request(
            "POST",
            &recipient.token,
            Some(content_type),
            form.as_bytes(),
        );
        assert_eq!(
            recipient.answered(&request).await.status(),
            StatusCode::BAD_REQUEST
        );
    }
    assert_eq!(recipient.contact().await, None);

    println!("one click leaves the category, and a second one is welcome");
    let one_click = post(&recipient.token, "List-Unsubscribe=One-Click");
    let page = recipient.answers(&one_click).await;
    assert_eq!(offers(&page), ["come_back", "leave_all"]);
    let left = recipient.contact().await.unwrap();
    assert!(
        left.is_unsubscribed_from(Category::Product)
            && !left.is_unsubscribed_from(Category::Onboarding)
    );
    assert_eq!(recipient.answers(&one_click).await.body(), page.body());
    assert_eq!(
        recipient.contact().await.unwrap().unsubscribed_product,
        left.unsubscribed_product
    );
    assert_eq!(
        (
            recipient.metrics.total("one_click"),
            recipient.metrics.total("unsubscribed_from_category")
        ),
        (2.0, 2.0)
    );

    println!("the page says what was just changed, and later only how it is");
    let later = recipient.answers(&get(&recipient.token)).await;
    assert_eq!(offers(&later), offers(&page));
    assert!(page.body().contains("Done.") && !later.body().contains("Done."));

    println!("coming back, leaving all, and coming back again");
    for (form, expected, metric) in [
        (
            "action=come_back",
            vec!["leave_category", "leave_all"],
            "resubscribed",
        ),
        (
            "action=leave_all",
            vec!["come_back"],
            "unsubscribed_from_all",
        ),
        (
            "action=come_back",
            vec!["leave_category", "leave_all"],
            "resubscribed",
        ),
        (
            "action=leave_category",
            vec!["come_back", "leave_all"],
            "unsubscribed_from_category",
        ),
    ] {
        let before = recipient.metrics.total(metric);
        assert_eq!(
            offers(&recipient.answers(&post(&recipient.token, form)).await),
            expected,
            "{form}"
        );
        assert_eq!(
            offers(&recipient.answers(&get(&recipient.token)).await),
            expected,
            "{form}"
        );
        assert_eq!(
            (
                recipient.metrics.total(metric),
                recipient.metrics.total("one_click")
            ),
            (before + 1.0, 2.0)
        );
    }
    assert_eq!(
        (
            recipient.metrics.total("bad_tokens"),
            recipient.metrics.total("not_understood")
        ),
        (0.0, 2.0)
    );

    println!("who complained is offered nothing, and may leave all the same");
    recipient
        .set(
            "complained_at",
            AttributeValue::S("2026-11-23T09:00:00Z".to_owned()),
        )
        .await;
    assert!(offers(&recipient.answers(&get(&recipient.token)).await).is_empty());
    assert!(
        offers(
            &recipient
                .answers(&post(&recipient.token, "action=leave_all"))
                .await
        )
        .is_empty()
    );
    assert!(
        recipient
            .contact()
            .await
            .unwrap()
            .unsubscribed_all
            .is_some()
    );

    println!("an item that cannot be read is our fault");
    recipient
        .set("mails", AttributeValue::S("many".to_owned()))
        .await;
    let failure = recipient
        .preferences
        .answer(&get(&recipient.token), &keys("k1"), &recipient.metrics)
        .await;
    assert_eq!(
        failure
            .map(|page| page.status())
            .unwrap_err()
            .error_type
            .name(),
        "store_unreadable"
    );
}

struct Recipient {
    token: String,
    preferences: Preferences,
    metrics: Metrics,
    client: aws_sdk_dynamodb::Client,
}

const TABLE: &str = "contacts";

impl Recipient {
    async fn create(ministack: &MiniStack) -> Self {
        let client = store::client(&ministack.config);
        let attribute = AttributeDefinition::builder()
            .attribute_name("address_hash")
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name("address_hash")
            .key_type(KeyType::Hash);
        let table = client
            .create_table()
            .table_name(TABLE)
            .billing_mode(BillingMode::PayPerRequest);
        table
            .attribute_definitions(attribute.build().unwrap())
            .key_schema(key.build().unwrap())
            .send()
            .await
            .unwrap();
        let contacts = Contacts::new(client.clone(), TABLE.to_owned());
        let preferences = Preferences {
            contacts,
            answers: Answers::embedded().unwrap(),
        };
        let token = keys("k1").token(&subscription(Category::Product));
        Self {
            token,
            preferences,
            metrics: metrics(),
            client,
        }
    }

    async fn answered(&self, request: &Request) -> Response {
        self.preferences
            .answer(request, &keys("k2"), &self.metrics)
            .await
            .unwrap()
    }

    async fn answers(&self, request: &Request) -> Response {
        let response = self.answered(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        response
    }

    async fn contact(&self) -> Option<Contact> {
        self.preferences
            .contacts
            .get(&subscription(Category::Product).address_hash)
            .await
            .unwrap()
    }

    async fn set(&self, attribute: &str, value: AttributeValue) {
        let hash = AttributeValue::S(subscription(Category::Product).address_hash.to_string());
        let key = HashMap::from([("address_hash".to_owned(), hash)]);
        let update = self
            .client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(key))
            .return_values(ReturnValue::None);
        let update = update
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute);
        update
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }
}

/// The actions of the page's forms.
fn offers(page: &Response) -> Vec<&str> {
    let values = page.body().split("name=\"action\" value=\"").skip(1);
    values.map(|rest| rest.split('"').next().unwrap()).collect()
}
