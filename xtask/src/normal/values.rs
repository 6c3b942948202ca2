//! Enums: texts, whole numbers, and values of other types.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shape::{Name, Shaper, describe};
use crate::document::{self, Object};
use crate::simplify::VALUES;
use crate::words;

impl Shaper<'_> {
    /// What an enum, or a constant, is where it is used.
    pub(super) fn enumeration(
        &mut self,
        schema: &Object,
        values: &[Value],
        types: &[String],
        name: Name<'_>,
        at: &str,
    ) -> Value {
        let mut distinct: Vec<Value> = Vec::new();
        // YAML reads `enum: [1, yes]` of a string as what it is not.
        let as_text = types == ["string"];
        for value in values.iter().filter(|value| !value.is_null()) {
            let value = match value {
                Value::String(_) => value.clone(),
                scalar if as_text && !scalar.is_object() && !scalar.is_array() => scalar.to_string().into(),
                other => other.clone(),
            };
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        if distinct.is_empty() {
            // Null alone.
            return json!({});
        }
        if !types.is_empty() && types != ["string"] && types != ["integer"] && types != ["number"] && types.len() == 1 {
            return self.typed(&types[0], schema, name, at);
        }
        let all = |is: fn(&Value) -> bool| !distinct.is_empty() && distinct.iter().all(is);
        if all(Value::is_string) || all(Value::is_i64) {
            let names = value_names(schema, &distinct);
            let own = self.claim(name);
            let kind = if all(Value::is_string) { "string" } else { "integer" };
            distinct.sort_by_key(ToString::to_string);
            let mut component = json!({"type": kind, "enum": distinct, VALUES: names});
            describe(&mut component, schema);
            self.made.insert(own.clone(), component);
            return document::reference(&own);
        }
        if distinct.iter().any(|value| value.is_u64() && !value.is_i64()) {
            // As a number with a fraction it would be another one.
            self.notes.push(format!("plain JSON: {at}: a value has more than 64 bits with its sign"));
            return json!({});
        }
        let mut kinds: Vec<String> = Vec::new();
        for value in &distinct {
            let kind = match value {
                Value::Bool(_) => "boolean",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                _ => "object",
            };
            if !kinds.iter().any(|known| known == kind) {
                kinds.push(kind.to_owned());
            }
        }
        let mut rest = schema.clone();
        rest.retain(|key, _| !matches!(key.as_str(), "enum" | "const" | "type" | "nullable"));
        match kinds.as_slice() {
            [] => json!({}),
            [one] => self.typed(one, &rest, name, at),
            several => self.several_types(several, &rest, name, at),
        }
    }
}

/// The variant of each value.
fn value_names(schema: &Object, values: &[Value]) -> Value {
    let given: Vec<&str> = ["x-enum-varnames", "x-enumNames"]
        .iter()
        .find_map(|key| schema.get(*key)?.as_array())
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut taken = BTreeSet::from(["Unknown".to_owned(), "Self".to_owned()]);
    let mut names = Object::new();
    for (at, value) in values.iter().enumerate() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let wanted = given.get(at).filter(|_| given.len() == values.len()).copied();
        let signed = text.strip_prefix('-').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
        let name = match (wanted, signed) {
            (Some(name), _) => words::camel(name, "Value"),
            (None, Some(rest)) => format!("Minus{}", words::camel(rest, "")),
            (None, None) => words::camel(&text, "Value"),
        };
        let name = match name.as_str() {
            "Self" => "Self_".to_owned(),
            "Unknown" => "UnknownValue".to_owned(),
            _ => name,
        };
        names.insert(text, words::unique(name, "", &mut taken).into());
    }
    names.into()
}
