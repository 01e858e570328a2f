//! Checks of HTTP responses against an `OpenAPI` 3.0 document.

use std::{collections::HashMap, sync::Arc};

use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

/// A document whose schemas are converted to JSON Schema.
pub struct OpenApiDocument {
    document: Value,
    /// By schema, because compiling a validator takes longer than using it.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl OpenApiDocument {
    /// Reads a document from YAML. `Err` describes the syntax error.
    pub fn read(yaml: &str) -> Result<Self, String> {
        let mut document: Value = yaml_serde::from_str(yaml).map_err(|error| error.to_string())?;
        to_json_schema(&mut document["components"]["schemas"]);

        Ok(Self {
            document,
            validators: Mutex::default(),
        })
    }

    /// Whether the document has this operation.
    pub fn has(&self, method: &str, path: &str) -> bool {
        self.responses(method, path).is_some()
    }

    /// Checks a response. `path` is the path as written in the document. `Err` names the operation
    /// and the part of the body that violates its schema or is not in it.
    pub fn check(&self, method: &str, path: &str, status: u16, body: &str) -> Result<(), String> {
        let operation = format!("{method} {path} {status}");
        let response = self.response(method, path, status)?;
        let Some(schema) = response.pointer("/content/application~1json/schema") else {
            return if body.is_empty() {
                Ok(())
            } else {
                Err(format!("{operation}: expected no content, got {body:?}"))
            };
        };
        let body: Value = serde_json::from_str(body)
            .map_err(|error| format!("{operation}: {error}: {body:?}"))?;

        self.check_against(schema, &body)
            .map_err(|error| format!("{operation}: {error}"))
    }

    /// Checks a value against the schema with this name. `Err` names the part that violates it.
    pub fn check_schema(&self, name: &str, value: &Value) -> Result<(), String> {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        self.check_against(&schema, value)
            .map_err(|error| format!("{name}: {error}"))
    }

    fn response(&self, method: &str, path: &str, status: u16) -> Result<&Value, String> {
        let responses = self
            .responses(method, path)
            .ok_or_else(|| format!("{method} {path} is not in the document"))?;
        let range = format!("{}XX", status / 100);
        let response = responses
            .get(&status.to_string())
            .or_else(|| responses.get(&range))
            .ok_or_else(|| format!("{method} {path} has no response {status}"))?;

        match response["$ref"].as_str() {
            Some(reference) => self
                .document
                .pointer(&reference[1..])
                .ok_or_else(|| format!("{method} {path} {status}: {reference} does not exist")),
            None => Ok(response),
        }
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
            Err(format!("a field is null, but must be absent:\n{value:#}"))
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

/// Converts `OpenAPI` 3.0 to JSON Schema: `nullable` becomes a type, and objects do not accept
/// additional fields.
fn to_json_schema(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(to_json_schema);
            if fields.remove("nullable") == Some(Value::Bool(true)) {
                let field_type = fields.get("type").cloned().unwrap_or(Value::Null);
                fields.insert("type".to_owned(), json!([field_type, "null"]));
            }
            forbid_additional_fields(fields);
        }
        Value::Array(items) => items.iter_mut().for_each(to_json_schema),
        _ => {}
    }
}

fn forbid_additional_fields(fields: &mut Map<String, Value>) {
    let is_object = fields
        .get("type")
        .is_some_and(|field_type| field_type == "object");
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
