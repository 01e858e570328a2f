//! Deserializes JSON that may lack fields, have additional fields, or have fields of other types
//! than BILL documents.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Parses an object whose fields are all lenient; `None` for a JSON value of another type.
pub(crate) fn parse_object<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    // A derived `Deserialize` would accept an array as the fields in order.
    raw.get()
        .starts_with('{')
        .then(|| serde_json::from_str(raw.get()).ok())
        .flatten()
}

/// A field that is null or of the wrong type is `None`; the other fields are parsed as usual.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// A number, or a string that contains one; any other value is `None`. Parsed from the digits in
/// the JSON text, without conversion to a float.
pub(crate) mod decimal {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer};
    use serde_json::value::RawValue;

    pub(crate) fn optional<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let quoted: Option<String> = serde_json::from_str(raw).ok();
        let digits = quoted.as_deref().unwrap_or(raw).trim();
        Ok(digits
            .parse()
            .or_else(|_| Decimal::from_scientific(digits))
            .ok())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rust_decimal::Decimal;
    use serde::Deserialize;

    #[derive(Deserialize, Debug, PartialEq, Default)]
    #[serde(default)]
    struct Row {
        #[serde(deserialize_with = "super::optional")]
        name: Option<String>,
        #[serde(deserialize_with = "super::optional")]
        at: Option<Timestamp>,
        #[serde(deserialize_with = "super::decimal::optional")]
        amount: Option<Decimal>,
    }

    fn row(text: &str) -> Row {
        super::parse_object(&serde_json::value::RawValue::from_string(text.to_owned()).unwrap())
            .unwrap()
    }

    #[test]
    fn field_of_wrong_type_is_none_and_others_are_parsed() {
        let parsed = row(concat!(
            r#"{"extra":{"deep":[1]},"name":{"x":1},"#,
            r#""at":"2025-09-19T16:24:43.000+00:00","amount":[]}"#
        ));
        assert_eq!(
            parsed,
            Row {
                at: "2025-09-19T16:24:43Z".parse().ok(),
                ..Row::default()
            }
        );
        assert_eq!(
            row(r#"{"name":null,"at":null,"amount":null}"#),
            Row::default()
        );
        assert_eq!(
            row(r#"{"name":"\ud83d alone","amount":1}"#),
            Row {
                amount: Some(Decimal::ONE),
                ..Row::default()
            }
        );
        assert_eq!(row("{}"), Row::default());
    }

    #[test]
    fn timestamps_without_offset_are_none() {
        for (text, expected) in [
            ("2025-09-19T16:24:43Z", Some("2025-09-19T16:24:43Z")),
            (
                "2025-09-19T16:24:43.000+00:00",
                Some("2025-09-19T16:24:43Z"),
            ),
            ("2025-09-19T16:24:43-05:00", Some("2025-09-19T21:24:43Z")),
            ("2025-09-19T16:24:43", None),
            ("2025-09-19", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(
                row(&format!(r#"{{"at":"{text}"}}"#)).at,
                expected.map(|time| time.parse().unwrap()),
                "{text}"
            );
        }
        assert_eq!(row(r#"{"at":1758299083}"#).at, None);
    }

    #[test]
    fn amounts_parse_from_numbers_and_strings_without_rounding() {
        for (json, expected) in [
            ("412.5", Some("412.5")),
            ("\"412.50\"", Some("412.50")),
            ("1234567890123456.78", Some("1234567890123456.78")),
            ("-3", Some("-3")),
            ("1e3", Some("1000")),
            ("\" 7 \"", Some("7")),
            ("\"\"", None),
            ("\"12 dollars\"", None),
            ("true", None),
            ("null", None),
            ("1e400", None),
            ("{}", None),
        ] {
            let amount = row(&format!(r#"{{"amount":{json}}}"#)).amount;
            assert_eq!(
                amount,
                expected.map(|digits| digits.parse().unwrap()),
                "{json}"
            );
        }
    }

    #[test]
    fn json_values_other_than_objects_are_rejected() {
        for text in ["[\"a\",null,1]", "null", "7", "\"text\"", "true"] {
            let raw = serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
            assert!(super::parse_object::<Row>(&raw).is_none(), "{text}");
        }
    }
}
