//! Answers against `contract/bill-v3.openapi.yaml` and `contract/bill-connect-events.openapi.yaml`.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// The contract as JSON Schema.
pub struct Contract {
    api: Document,
    events: Document,
}

struct Document {
    document: Value,
    /// By schema: making one takes longer than using it.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    pub fn read() -> Self {
        Self { api: Document::read(API), events: Document::read(EVENTS) }
    }

    /// Fails the test when an answer is not as the contract has it, or has fields that it does not know.
    pub fn check(&self, method: &Method, path: &str, status: u16, body: &str) {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        match path.strip_prefix(SUBSCRIPTIONS).map(|rest| rest.split('/').collect::<Vec<_>>()).as_deref() {
            Some([""]) => self.events.check(method, SUBSCRIPTIONS, status, body),
            Some(["", _]) => self.events.check(method, "/v3/subscriptions/{subscriptionId}", status, body),
            Some(["", _, "test"]) => self.events.check(method, "/v3/subscriptions/{subscriptionId}/test", status, body),
            _ => self.api.check(method, path, status, body),
        }
    }

    /// Fails the test when a part of a notification is not as the schema of this name has it.
    pub fn check_notification(&self, schema: &str, part: &Value) {
        self.events.check_schema(&json!({ "$ref": format!("#/components/schemas/{schema}") }), part, schema);
    }
}

impl Document {
    fn read(text: &str) -> Self {
        let mut document: Value = yaml_serde::from_str(text).unwrap();
        translate(&mut document["components"]["schemas"]);
        Self { document, validators: Mutex::default() }
    }

    fn check(&self, method: &Method, path: &str, status: u16, body: &str) {
        let operation = &self.document["paths"][path][method.as_str().to_lowercase()];
        let responses = match operation["responses"].as_object() {
            Some(responses) => responses,
            // A path that the contract does not have is answered as any path may be.
            None => self.document["paths"]["/v3/logout"]["post"]["responses"].as_object().unwrap(),
        };
        let range = format!("{}XX", status / 100);
        let response = responses
            .get(&status.to_string())
            .or_else(|| responses.get(&range))
            .unwrap_or_else(|| panic!("{method} {path} has no answer {status}"));
        let response = match response["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).unwrap(),
            None => response,
        };
        let Some(schema) = response.pointer("/content/application~1json/schema") else {
            assert_eq!(body, "", "{method} {path} {status} has no content");
            return;
        };
        self.check_schema(schema, &serde_json::from_str(body).unwrap(), &format!("{method} {path} {status}"));
    }

    fn check_schema(&self, schema: &Value, body: &Value, what: &str) {
        let validator = self.validator(schema);
        let errors: Vec<String> = validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {errors:#?}\n{body:#}");
        assert_no_null(body);
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let make = || {
            let mut root = schema.as_object().cloned().unwrap_or_default();
            root.insert("components".to_owned(), self.document["components"].clone());
            Arc::new(jsonschema::options().should_validate_formats(true).build(&Value::Object(root)).unwrap())
        };
        Arc::clone(validators.entry(schema.to_string()).or_insert_with(make))
    }
}

/// `OpenAPI` 3.0 to JSON Schema: `nullable` becomes a type, and an object has no fields but its own.
fn translate(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(translate);
            if fields.remove("nullable") == Some(Value::Bool(true)) {
                let kind = fields.get("type").cloned().unwrap_or(Value::Null);
                fields.insert("type".to_owned(), json!([kind, "null"]));
            }
            close(fields);
        }
        Value::Array(items) => items.iter_mut().for_each(translate),
        _ => {}
    }
}

fn close(fields: &mut Map<String, Value>) {
    let is_object = fields.get("type").is_some_and(|kind| kind == "object");
    if is_object && fields.contains_key("properties") {
        fields.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

fn assert_no_null(value: &Value) {
    match value {
        Value::Null => panic!("null instead of an absent field"),
        Value::Array(items) => items.iter().for_each(assert_no_null),
        Value::Object(fields) => fields.values().for_each(assert_no_null),
        _ => {}
    }
}

#[test]
fn an_answer_with_a_field_of_another_type_or_an_unknown_one_is_refused() {
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
fn the_copy_of_the_contract_is_the_original_where_that_is_at_hand() {
    let originals = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract");
    for (name, copy) in [("bill-v3.openapi.yaml", API), ("bill-connect-events.openapi.yaml", EVENTS)] {
        if let Ok(original) = std::fs::read_to_string(originals.join(name)) {
            assert_eq!(copy, original, "{name}");
        }
    }
}

const API: &str = include_str!("../../contract/bill-v3.openapi.yaml");
const EVENTS: &str = include_str!("../../contract/bill-connect-events.openapi.yaml");
const SUBSCRIPTIONS: &str = "/v3/subscriptions";
