//! What an HTTP API answers, against its `OpenAPI` 3.0 document.

use std::{collections::HashMap, sync::Arc};

use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

/// A document, its schemas as JSON Schema.
pub struct OpenApiDocument {
    document: Value,
    /// By schema: making one takes longer than using it.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl OpenApiDocument {
    /// Reads it from YAML. `Err` says what is wrong with the text.
    pub fn read(yaml: &str) -> Result<Self, String> {
        let mut document: Value = yaml_serde::from_str(yaml).map_err(|error| error.to_string())?;
        to_json_schema(&mut document["components"]["schemas"]);
        Ok(Self {
            document,
            validators: Mutex::default(),
        })
    }

    /// Whether it has this operation.
    pub fn has(&self, method: &str, path: &str) -> bool {
        self.responses(method, path).is_some()
    }

    /// `Err` says where an answer is not as the document has it, or has fields that it does not
    /// know. `path` is the document's.
    pub fn check(&self, method: &str, path: &str, status: u16, body: &str) -> Result<(), String> {
        let what = format!("{method} {path} {status}");
        let responses = self
            .responses(method, path)
            .ok_or_else(|| format!("there is no {method} {path}"))?;
        let range = format!("{}XX", status / 100);
        let response = responses
            .get(&status.to_string())
            .or_else(|| responses.get(&range));
        let response = response.ok_or_else(|| format!("{method} {path} has no answer {status}"))?;
        let response = match response["$ref"].as_str() {
            Some(reference) => self
                .document
                .pointer(&reference[1..])
                .ok_or_else(|| format!("{what}: {reference} leads nowhere"))?,
            None => response,
        };
        let Some(schema) = response.pointer("/content/application~1json/schema") else {
            return if body.is_empty() {
                Ok(())
            } else {
                Err(format!("{what} has no content, but {body:?}"))
            };
        };
        let body: Value =
            serde_json::from_str(body).map_err(|error| format!("{what}: {error}: {body:?}"))?;
        self.check_against(schema, &body)
            .map_err(|error| format!("{what}: {error}"))
    }

    /// `Err` says where a value is not as the schema of this name has it.
    pub fn check_schema(&self, name: &str, value: &Value) -> Result<(), String> {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        self.check_against(&schema, value)
            .map_err(|error| format!("{name}: {error}"))
    }

    fn responses(&self, method: &str, path: &str) -> Option<&Map<String, Value>> {
        self.document["paths"][path][method.to_lowercase()]["responses"].as_object()
    }

    fn check_against(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let validator = self.validator(schema)?;
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if !errors.is_empty() {
            return Err(format!("{errors:#?}\n{value:#}"));
        }
        if has_null(value) {
            Err(format!("null instead of an absent field:\n{value:#}"))
        } else {
            Ok(())
        }
    }

    fn validator(&self, schema: &Value) -> Result<Arc<Validator>, String> {
        let mut validators = self.validators.lock();
        let name = schema.to_string();
        if let Some(known) = validators.get(&name) {
            return Ok(Arc::clone(known));
        }
        let mut root = schema.as_object().cloned().unwrap_or_default();
        root.insert("components".to_owned(), self.document["components"].clone());
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&Value::Object(root))
            .map_err(|error| error.to_string())?;
        Ok(Arc::clone(
            validators
                .entry(name)
                .or_insert_with(|| Arc::new(validator)),
        ))
    }
}

/// `OpenAPI` 3.0 to JSON Schema: `nullable` becomes a type, and an object has no fields but its
/// own.
fn to_json_schema(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(to_json_schema);
            if fields.remove("nullable") == Some(Value::Bool(true)) {
                let kind = fields.get("type").cloned().unwrap_or(Value::Null);
                fields.insert("type".to_owned(), json!([kind, "null"]));
            }
            close(fields);
        }
        Value::Array(items) => items.iter_mut().for_each(to_json_schema),
        _ => {}
    }
}

fn close(fields: &mut Map<String, Value>) {
    let is_object = fields.get("type").is_some_and(|kind| kind == "object");
    if is_object && fields.contains_key("properties") {
        fields.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}
