//! The rows of BILL's lists, including the private fields that a client must not store.

pub(crate) mod bank_accounts;
pub(crate) mod organizations;
pub(crate) mod payments;
pub(crate) mod users;

use serde_json::{Map, Value};

use crate::population::row_defect::RowDefect;

/// Removes null fields, which BILL does not send, and applies the row's defect.
fn with_defect(row: Value, defect: RowDefect) -> Value {
    let Value::Object(mut fields) = row else {
        return row;
    };

    remove_nulls(&mut fields);
    match defect {
        RowDefect::None => {}
        RowDefect::WithoutId => drop(fields.remove("id")),
        RowDefect::WithoutCreatedTime => drop(fields.remove("createdTime")),
        RowDefect::AmountAsText => {
            let amount = fields
                .get("amount")
                .map(Value::to_string)
                .unwrap_or_default();
            fields.insert("amount".to_owned(), amount.into());
        }
        RowDefect::NotAnObject => return Value::String("a row that is not an object".to_owned()),
    }

    Value::Object(fields)
}

fn remove_nulls(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
    for value in fields.values_mut() {
        if let Value::Object(fields) = value {
            remove_nulls(fields);
        }
    }
}
