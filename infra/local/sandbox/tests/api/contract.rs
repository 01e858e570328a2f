//! The contract that the sandbox's responses are checked against:
//! `contract/bill-v3.openapi.yaml` and `contract/bill-connect-events.openapi.yaml`.

use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use crate::openapi::OpenApiDocument;

const API: &str = include_str!("../../contract/bill-v3.openapi.yaml");
const EVENTS: &str = include_str!("../../contract/bill-connect-events.openapi.yaml");
const SUBSCRIPTIONS_PATH: &str = "/v3/subscriptions";

/// BILL's API and its webhooks.
pub struct Contract {
    api: OpenApiDocument,
    events: OpenApiDocument,
}

impl Contract {
    pub fn read() -> Self {
        Self {
            api: OpenApiDocument::read(API).unwrap(),
            events: OpenApiDocument::read(EVENTS).unwrap(),
        }
    }

    /// Fails the test if a response violates the contract or has fields that it does not define.
    pub fn check(&self, method: &Method, path: &str, status: u16, body: &str) {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let (document, path) = match path
            .strip_prefix(SUBSCRIPTIONS_PATH)
            .map(|rest| rest.split('/').collect::<Vec<_>>())
            .as_deref()
        {
            Some([""]) => (&self.events, SUBSCRIPTIONS_PATH),
            Some(["", _]) => (&self.events, "/v3/subscriptions/{subscriptionId}"),
            Some(["", _, "test"]) => (&self.events, "/v3/subscriptions/{subscriptionId}/test"),
            _ => (&self.api, path),
        };
        // The error for a path outside the contract has the schema of every operation's errors.
        let (method, path) = if document.has(method.as_str(), path) {
            (method.as_str(), path)
        } else {
            ("POST", "/v3/logout")
        };

        document.check(method, path, status, body).unwrap();
    }

    /// Fails the test if a part of a notification violates the schema with this name.
    pub fn check_notification(&self, schema: &str, part: &Value) {
        self.events.check_schema(schema, part).unwrap();
    }
}

#[test]
fn response_with_a_wrong_type_or_unknown_field_fails_the_contract_check() {
    let check = |body: &'static str| {
        std::panic::catch_unwind(move || {
            Contract::read().check(&Method::GET, "/v3/payments", 200, body);
        })
    };

    assert!(check(r#"{"results":[{"amount":1.5,"status":"PAID"}]}"#).is_ok());
    assert!(check(r#"{"results":[{"amount":"1.5"}]}"#).is_err());
    assert!(check(r#"{"results":[{"amount":1.5,"status":"LOST"}]}"#).is_err());
    assert!(check(r#"{"results":[{"amount":1.5,"createdTime":"yesterday"}]}"#).is_err());
    assert!(check(r#"{"results":[{"amount":1.5,"surprise":1}]}"#).is_err());
}

#[test]
fn contract_copy_equals_the_original_if_available() {
    let originals = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/contract");

    for (name, copy) in [
        ("bill-v3.openapi.yaml", API),
        ("bill-connect-events.openapi.yaml", EVENTS),
    ] {
        if let Ok(original) = std::fs::read_to_string(originals.join(name)) {
            assert_eq!(copy, original, "{name}");
        }
    }
}
