//! Which signals Paid has seen, with the fields of their data.

use std::collections::BTreeMap;

use paid_catalog::JsonType;
use serde_json::Value;

use super::error::AccountError;
use crate::{Client, Method};

/// Signals that Paid has seen, by event name, each with its fields by name.
pub type Observed = BTreeMap<String, BTreeMap<String, ObservedField>>;

/// A field that Paid has seen in the data of signals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObservedField {
    /// The types of JSON that its values had.
    pub types: Vec<JsonType>,
}

/// Fields that Paid reads itself: roles write them, and no catalogue has them.
const ROLES: [&str; 4] = ["paid", "quantity", "external_user_id", "costData"];

/// Asks Paid which signals it has seen. `None` if this account has no such operation.
///
/// # Errors
///
/// If the request fails for another reason, or the answer cannot be read.
pub async fn observed(client: &Client) -> Result<Option<Observed>, AccountError> {
    let answer = match client.request(Method::GET, "/analytics/signals/metadata").await {
        Ok(answer) => answer,
        Err(error) if error.status().is_some_and(|status| matches!(status.as_u16(), 403 | 404 | 501)) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    read(&answer).map(Some)
}

fn read(answer: &Value) -> Result<Observed, AccountError> {
    let place = "the metadata of signals";
    let signals =
        answer["signals"].as_array().ok_or_else(|| AccountError::unreadable(place, "`signals` is no list"))?;
    let mut observed = Observed::new();
    for signal in signals {
        let name = signal["signalName"].as_str();
        let name = name.ok_or_else(|| AccountError::unreadable(place, "a signal has no `signalName`"))?;
        let fields = observed.entry(name.to_owned()).or_default();
        for path in signal["paths"].as_array().into_iter().flatten() {
            if let Some(field) = path["path"].as_str().and_then(field)
                && !ROLES.contains(&field)
            {
                let types = path["types"].as_array().into_iter().flatten().filter_map(Value::as_str);
                fields.insert(field.to_owned(), ObservedField { types: types_of(types) });
            }
        }
    }
    Ok(observed)
}

/// The field that a path names: `lead_id` and `$.lead_id`, but nothing below a field.
fn field(path: &str) -> Option<&str> {
    let name = path.strip_prefix("$.").or_else(|| path.strip_prefix("data.")).unwrap_or(path);
    (!name.is_empty() && !name.contains(['.', '[', ']', '$'])).then_some(name)
}

/// The types, in the words of JSON Schema: SQL and JavaScript have others.
fn types_of<'a>(words: impl Iterator<Item = &'a str>) -> Vec<JsonType> {
    let mut types: Vec<JsonType> = Vec::new();
    for word in words {
        let word = word.to_ascii_lowercase();
        let known = match word.as_str() {
            "string" | "text" => JsonType::String,
            "integer" | "int" | "int64" => JsonType::Integer,
            "number" | "float" | "double" | "float64" => JsonType::Number,
            "boolean" | "bool" => JsonType::Boolean,
            "array" => JsonType::Array,
            "object" => JsonType::Object,
            "null" => JsonType::Null,
            // A type that this version does not know limits nothing.
            _ => return Vec::new(),
        };
        if !types.contains(&known) {
            types.push(known);
        }
    }
    if types.contains(&JsonType::Number) {
        types.retain(|kind| *kind != JsonType::Integer);
    }
    types
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_read_without_roles_and_what_is_below_a_field() {
        let answer = json!({ "signals": [{ "signalName": "a", "paths": [
            { "path": "lead_id", "types": ["string", "null"] }, { "path": "$.score", "types": ["integer", "number"] },
            { "path": "data.tags", "types": ["array"] }, { "path": "tags[0]", "types": ["string"] },
            { "path": "quantity", "types": ["integer"] }, { "path": "x", "types": ["decimal128"] },
        ] }] });
        let observed = read(&answer).unwrap();
        let types: Vec<_> = observed["a"].iter().map(|(name, field)| (name.as_str(), field.types.as_slice())).collect();
        let expected: [(&str, &[JsonType]); 4] = [
            ("lead_id", &[JsonType::String, JsonType::Null]),
            ("score", &[JsonType::Number]),
            ("tags", &[JsonType::Array]),
            ("x", &[]),
        ];
        assert_eq!(types, expected);
    }
}
