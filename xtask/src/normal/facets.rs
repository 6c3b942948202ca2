//! The keys of a schema: which decide its type, which only describe or limit it, and which nobody can make a type of.

use serde_json::Value;

use super::places::AT;
use crate::document::Object;

/// They say something about a value to people, or to the side that writes it.
pub(super) const ANNOTATIONS: [&str; 12] = [
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "title",
    "example",
    "examples",
    "externalDocs",
    "$comment",
    "xml",
    "nullable",
];

/// Only the server checks them; some are shown in the documentation.
pub(super) const LIMITS: [&str; 9] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
];

const UNSHOWN_LIMITS: [&str; 12] = [
    "uniqueItems",
    "multipleOf",
    "minProperties",
    "maxProperties",
    "contains",
    "minContains",
    "maxContains",
    "propertyNames",
    "dependentRequired",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// They name a schema, or hold others that are only there when referred to.
const STRUCTURE: [&str; 8] =
    ["$id", "$schema", "$anchor", "$defs", "definitions", "$vocabulary", "id", "$dynamicAnchor"];

/// They decide the type.
pub(super) const DECISIVE: [&str; 14] = [
    "$ref",
    "type",
    "format",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "enum",
    "const",
    "oneOf",
    "anyOf",
    "allOf",
    "prefixItems",
    "discriminator",
];

/// No type says what these say.
const REFUSED: [(&str, &str); 9] = [
    ("not", "a type cannot say what a value is not; leave it out, the server checks it"),
    ("if", "a type cannot depend on a condition; write the cases as `oneOf`"),
    ("then", "a type cannot depend on a condition; write the cases as `oneOf`"),
    ("else", "a type cannot depend on a condition; write the cases as `oneOf`"),
    ("patternProperties", "keys by pattern have no type; use `additionalProperties`"),
    ("dependentSchemas", "a type cannot depend on a key; write the cases as `oneOf`"),
    ("$dynamicRef", "dynamic references are not followed; use `$ref`"),
    ("$recursiveRef", "recursive references are not followed; use `$ref`"),
    ("unevaluatedItems", "items beyond the described ones have no type; use `items`"),
];

/// What is wrong with the keys of a schema.
pub(super) fn objections(schema: &Object) -> impl Iterator<Item = (&'static str, String)> {
    REFUSED.iter().filter(|(key, _)| schema.contains_key(*key)).map(|(key, why)| (*key, format!("`{key}`: {why}")))
}

/// Whether a schema says nothing about the type.
pub(super) fn is_only_limits(schema: &Object) -> bool {
    schema.keys().all(|key| {
        let key = key.as_str();
        key == "required"
            || is_annotation(key)
            || LIMITS.contains(&key)
            || UNSHOWN_LIMITS.contains(&key)
            || key == "not"
    })
}

pub(super) fn is_annotation(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || STRUCTURE.contains(&key) || key == AT || key.starts_with("x-")
}

/// What of a schema stands beside its type wherever it is used.
pub(super) fn beside(schema: &Object) -> Object {
    let kept = |key: &str| {
        matches!(key, "description" | "default" | "deprecated" | "readOnly" | "writeOnly")
            || LIMITS.contains(&key)
            || (key.starts_with("x-rust-") && key != AT)
    };
    schema.iter().filter(|(key, _)| kept(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The JSON types that a schema lists, without null, and whether it lists null.
pub(super) fn types(schema: &Object) -> (Vec<String>, bool) {
    let listed: Vec<String> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let has_null = listed.iter().any(|one| one == "null");
    (listed.into_iter().filter(|one| one != "null").collect(), has_null)
}
