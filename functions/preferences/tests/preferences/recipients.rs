//! What recipients see and change, with the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use engagement::{Category, Contact};
use preferences::Preferences;
use runtime::{
    Invocation,
    http::{Request, Response, StatusCode},
    telemetry,
};
use store::{Contacts, Tables};
use test_support::{CapturedOutput, LocalAws};

use crate::support::{
    FORM, get, invocation, keys, keys_json, post, preferences, private_parts, request, subscription,
};

/// The steps share one contact, and each continues where the one before it ended.
#[tokio::test]
async fn recipients_view_and_change_their_preferences() {
    let logs = CapturedOutput::default();
    let _guard = telemetry::init_with_writer("debug", logs.clone());
    let recipient = Recipient::create(&LocalAws::connect()).await;

    viewing_the_page_changes_nothing(&recipient).await;
    an_invalid_request_changes_nothing(&recipient).await;
    one_click_unsubscribes_from_the_category_and_can_be_repeated(&recipient).await;
    each_action_changes_the_preferences(&recipient).await;
    a_suppressed_recipient_has_no_form_and_can_unsubscribe(&recipient).await;
    an_unreadable_contact_is_a_failure(&recipient).await;
    logs_name_each_outcome_but_neither_token_nor_recipient(&recipient, &logs.text());
}

async fn viewing_the_page_changes_nothing(recipient: &Recipient) {
    let page = recipient.handle_ok(&get(&recipient.token)).await;
    assert_eq!(form_actions(&page), ["leave_category", "leave_all"]);
    assert_eq!(recipient.contact().await, None);

    let head = recipient
        .handle_ok(&request("HEAD", &recipient.token, None, b""))
        .await;
    assert_eq!(
        (head.status(), head.headers(), head.body()),
        (page.status(), page.headers(), "")
    );
    assert_eq!(
        (recipient.contact().await, recipient.total("page_views")),
        (None, 2.0)
    );
}

async fn an_invalid_request_changes_nothing(recipient: &Recipient) {
    for (body, content_type) in [("action=whatever", FORM), ("{}", "application/json")] {
        let request = request(
            "POST",
            &recipient.token,
            Some(content_type),
            body.as_bytes(),
        );
        let response = recipient.handle(&request).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }

    assert_eq!(recipient.contact().await, None);
}

async fn one_click_unsubscribes_from_the_category_and_can_be_repeated(recipient: &Recipient) {
    let one_click = post(&recipient.token, "List-Unsubscribe=One-Click");

    let page = recipient.handle_ok(&one_click).await;
    assert_eq!(form_actions(&page), ["come_back", "leave_all"]);
    let contact = recipient.contact().await.unwrap();
    assert!(
        contact.is_unsubscribed_from(Category::Product)
            && !contact.is_unsubscribed_from(Category::Onboarding)
    );

    assert_eq!(recipient.handle_ok(&one_click).await.body(), page.body());
    assert_eq!(
        recipient.contact().await.unwrap().unsubscribed_product,
        contact.unsubscribed_product
    );
    assert_eq!(
        (
            recipient.total("one_click"),
            recipient.total("unsubscribed_from_category")
        ),
        (2.0, 2.0)
    );

    // Only the response to the change confirms it.
    let later = recipient.handle_ok(&get(&recipient.token)).await;
    assert_eq!(form_actions(&later), form_actions(&page));
    assert!(page.body().contains("Done.") && !later.body().contains("Done."));
}

async fn each_action_changes_the_preferences(recipient: &Recipient) {
    let subscribed = ["leave_category", "leave_all"].as_slice();
    for (form, expected, metric) in [
        ("action=come_back", subscribed, "resubscribed"),
        ("action=leave_all", &["come_back"], "unsubscribed_from_all"),
        ("action=come_back", subscribed, "resubscribed"),
        (
            "action=leave_category",
            &["come_back", "leave_all"],
            "unsubscribed_from_category",
        ),
    ] {
        let before = recipient.total(metric);

        let changed = recipient.handle_ok(&post(&recipient.token, form)).await;
        let later = recipient.handle_ok(&get(&recipient.token)).await;

        assert_eq!(form_actions(&changed), expected, "{form}");
        assert_eq!(form_actions(&later), expected, "{form}");
        assert_eq!(
            (recipient.total(metric), recipient.total("one_click")),
            (before + 1.0, 2.0)
        );
    }

    assert_eq!(
        (
            recipient.total("bad_tokens"),
            recipient.total("bad_request")
        ),
        (0.0, 2.0)
    );
}

async fn a_suppressed_recipient_has_no_form_and_can_unsubscribe(recipient: &Recipient) {
    let complained_at = AttributeValue::S("2026-11-23T09:00:00Z".to_owned());
    recipient.set("complained_at", complained_at).await;

    let page = recipient.handle_ok(&get(&recipient.token)).await;
    assert!(form_actions(&page).is_empty());

    let page = recipient
        .handle_ok(&post(&recipient.token, "action=leave_all"))
        .await;
    assert!(form_actions(&page).is_empty());
    let contact = recipient.contact().await.unwrap();
    assert!(contact.unsubscribed_all.is_some());
}

async fn an_unreadable_contact_is_a_failure(recipient: &Recipient) {
    recipient
        .set("mails", AttributeValue::S("many".to_owned()))
        .await;

    let failure = recipient
        .preferences
        .handle(&get(&recipient.token), &recipient.invocation)
        .await
        .map(|page| page.status())
        .unwrap_err();

    assert_eq!(failure.error_type.name(), "store_unreadable");
}

fn logs_name_each_outcome_but_neither_token_nor_recipient(recipient: &Recipient, logs: &str) {
    for outcome in [
        "shown",
        "unsubscribed_from_category",
        "unsubscribed_from_all",
        "resubscribed",
        "bad_request",
    ] {
        assert!(
            logs.contains(&format!("\"outcome\":\"{outcome}\"")),
            "{outcome} is not in {logs}"
        );
    }

    let hash = subscription(Category::Product).address_hash;
    for private in private_parts(&recipient.token).chain([hash.as_str()]) {
        assert!(!logs.contains(private), "{private} is in {logs}");
    }
}

/// The function with a table, and the token of one recipient.
struct Recipient {
    token: String,
    preferences: Preferences,
    invocation: Invocation,
    contacts: Contacts,
    client: Client,
    table: String,
}

impl Recipient {
    async fn create(aws: &LocalAws) -> Self {
        let (tables, client) = (aws.create_tables().await, Client::new(&aws.config));
        // The token was signed before the key was replaced.
        let secret = keys_json("k2").to_string();
        let secret = aws.create_secret("unsubscribe-keys", &secret).await;

        Self {
            token: keys("k1").sign(&subscription(Category::Product)),
            preferences: preferences(tables.clone(), secret, &aws.config),
            invocation: invocation(),
            contacts: Tables::new(client.clone(), tables.clone()).contacts(),
            table: tables.contacts_table,
            client,
        }
    }

    async fn handle(&self, request: &Request) -> Response {
        self.preferences
            .handle(request, &self.invocation)
            .await
            .unwrap()
    }

    /// The response to a request that must succeed.
    async fn handle_ok(&self, request: &Request) -> Response {
        let response = self.handle(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        response
    }

    async fn contact(&self) -> Option<Contact> {
        self.contacts
            .get(&subscription(Category::Product).address_hash)
            .await
            .unwrap()
    }

    /// The sum of a metric so far.
    fn total(&self, metric: &str) -> f64 {
        self.invocation.metrics.total(metric)
    }

    /// Sets one attribute of the contact.
    async fn set(&self, attribute: &str, value: AttributeValue) {
        let hash = AttributeValue::S(subscription(Category::Product).address_hash.to_string());
        let key = HashMap::from([("address_hash".to_owned(), hash)]);
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }
}

/// The actions of the page's forms.
fn form_actions(page: &Response) -> Vec<&str> {
    let values = page.body().split("name=\"action\" value=\"").skip(1);
    values.map(|rest| rest.split('"').next().unwrap()).collect()
}
