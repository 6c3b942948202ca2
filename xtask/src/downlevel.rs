//! The types of a simplified document as OpenAPI 3.0.3, which is what progenitor reads: null types become `nullable`, id
//! types and components become names, and what the server checks is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::document::{self, Object};
use crate::null::{self, WithoutNull};

/// The extension that says which id type a string is.
pub(crate) const NEWTYPE: &str = "x-rust-newtype";

/// Marks text that is a file of a body in parts.
pub(crate) const FILE: &str = "x-rust-file";

/// The library's type for files.
const UPLOAD: &str = "Upload";

/// The library's type for exact amounts.
pub(crate) const DECIMAL: &str = "Decimal";

/// Whether a schema, without null, is an exact amount, as a number or as text.
pub(crate) fn is_decimal(schema: &Value) -> bool {
    matches!(schema["type"].as_str(), Some("number" | "string")) && schema["format"] == "decimal"
}

/// What progenitor is asked.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    /// A document with one object, which has a property for each type.
    pub(crate) document: Value,
    /// What the object's properties are, in the order of their names.
    pub(crate) expressions: Vec<Value>,
    /// Its components that stand for types of ours, with these types' names.
    pub(crate) opaque: Vec<(String, String)>,
}

/// The object that has them all.
pub(crate) const ALL: &str = "All";

/// Lowers these schemas from 3.1 to 3.0.3. Components are opaque: each has a type of ours.
pub(crate) fn downlevel<'a>(schemas: impl Iterator<Item = &'a Value>) -> Lowered {
    let expressions: BTreeMap<String, Value> =
        schemas.map(expression).map(|lowered| (lowered.to_string(), lowered)).collect();
    let mut names = BTreeSet::new();
    let mut properties = Object::new();
    for (at, lowered) in expressions.values().enumerate() {
        let mut lowered = lowered.clone();
        document::visit_schema(&mut lowered, "", &mut |schema, _| {
            names.extend(document::referenced(schema).map(str::to_owned));
        });
        properties.insert(property(at), lowered);
    }
    let opaque: Vec<_> = names.into_iter().enumerate().map(|(at, name)| (format!("T{at:05}"), name)).collect();
    let by_name: BTreeMap<_, _> = opaque.iter().map(|(stand_in, name)| (name.as_str(), stand_in)).collect();
    for schema in properties.values_mut() {
        document::visit_schema(schema, "", &mut |schema, _| {
            if let Some(stand_in) = document::referenced(schema).and_then(|name| by_name.get(name)) {
                *schema = document::reference(stand_in);
            }
        });
    }
    let mut components: Object =
        opaque.iter().map(|(stand_in, _)| (stand_in.clone(), json!({"type": "string"}))).collect();
    let required: Vec<_> = properties.keys().cloned().collect();
    components.insert(ALL.into(), json!({"type": "object", "properties": properties, "required": required}));
    let document = json!({
        "openapi": "3.0.3", "info": {"title": "", "version": ""}, "paths": {}, "components": {"schemas": components},
    });
    Lowered { document, expressions: expressions.into_values().collect(), opaque }
}

/// The property of a type.
pub(crate) fn property(at: usize) -> String {
    format!("p{at:05}")
}

/// A schema, without null, as 3.0.3 writes it.
pub(crate) fn expression(schema: &Value) -> Value {
    let mut schema = null::without(schema).schema;
    document::visit_schema(&mut schema, "", &mut |schema, _| lower(schema));
    schema
}

fn lower(schema: &mut Value) {
    let WithoutNull { schema: mut rest, nullable } = null::without(schema);
    let newtype = if is_decimal(&rest) {
        Some(DECIMAL)
    } else if rest.get(FILE).is_some() {
        Some(UPLOAD)
    } else {
        rest.get(NEWTYPE).and_then(Value::as_str)
    };
    if let Some(name) = newtype {
        rest = document::reference(name);
    }
    leave_out(&mut rest);
    if nullable && rest.get("$ref").is_some() {
        rest = json!({"allOf": [rest]});
    }
    if nullable {
        rest["nullable"] = true.into();
    }
    *schema = rest;
}

/// The format of whole numbers that may be too large for `i64`.
const UNSIGNED: &str = "uint64";

/// Whether a schema is of whole numbers up to 2^64 - 1.
pub(crate) fn is_unsigned(schema: &Value) -> bool {
    schema["type"] == "integer" && schema["format"] == UNSIGNED
}

/// What decides a type.
const KEPT: [&str; 7] = ["$ref", "type", "format", "items", "additionalProperties", "properties", "required"];

/// Removes what 3.0.3 does not know, and what only the server checks.
fn leave_out(schema: &mut Value) {
    // A format of text says nothing of other types, and progenitor does not read it there.
    let is_time = schema["type"] == "string" && schema["format"] == "date-time";
    let is_kept = is_time || is_unsigned(schema);
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("default");
    object.remove("description");
    if object.contains_key("$ref") {
        object.retain(|key, _| key == "$ref");
    }
    // Whole numbers are `i64`, or `u64` where they may not fit, and others `f64`, however few bits the document has in mind.
    if !is_kept {
        object.remove("format");
    }
    object.retain(|key, _| KEPT.contains(&key.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_what_the_field_says_and_nullable_below_it() {
        assert_eq!(expression(&json!({"type": ["string", "null"]})), json!({"type": "string"}));
        assert_eq!(
            expression(&json!({"type": "array", "items": {"type": ["string", "null"]}})),
            json!({"type": "array", "items": {"type": "string", "nullable": true}})
        );
        assert_eq!(
            expression(&json!({"type": "array", "items": {"oneOf": [document::reference("A"), {"type": "null"}]}})),
            json!({"type": "array", "items": {"allOf": [document::reference("A")], "nullable": true}})
        );
    }

    #[test]
    fn defaults_limits_and_sizes_are_left_to_the_server() {
        for format in ["int32", "uint8"] {
            let schema = json!({"type": "integer", "default": 3, "exclusiveMinimum": 0, "format": format});
            assert_eq!(expression(&schema), json!({"type": "integer"}));
        }
    }

    #[test]
    fn a_format_of_another_type_decides_nothing() {
        for (kind, format, kept) in [
            ("string", "date-time", true),
            ("integer", "uint64", true),
            ("boolean", "date-time", false),
            ("integer", "date-time", false),
            ("array", "date-time", false),
            ("string", "uint64", false),
        ] {
            let lowered = expression(&json!({"type": kind, "format": format}));
            assert_eq!(lowered.get("format").is_some(), kept, "{kind} {format}");
        }
    }

    #[test]
    fn each_type_is_asked_for_once_and_components_are_opaque() {
        let schemas = [
            json!({"type": "string", "x-rust-newtype": "AId"}),
            json!({"type": ["string", "null"], "x-rust-newtype": "AId"}),
            document::reference("a b"),
        ];
        let lowered = downlevel(schemas.iter());
        assert_eq!(lowered.opaque, [("T00000".into(), "AId".into()), ("T00001".into(), "a b".into())]);
        let properties = &lowered.document["components"]["schemas"][ALL]["properties"];
        assert_eq!(
            *properties,
            json!({"p00000": document::reference("T00000"), "p00001": document::reference("T00001")})
        );
        assert_eq!(lowered.expressions[1], document::reference("a b"));
    }
}
