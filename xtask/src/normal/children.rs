//! Inheritance: a schema with a tag and without branches stands for those that have it as a part of `allOf`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::places;
use crate::document;

/// By reference to the schema: references to those that have it as a part.
pub(super) fn of(whole: &Value) -> BTreeMap<String, Vec<String>> {
    let components = || places::object(whole.pointer("/components/schemas"));
    let is_base = |schema: &Value| {
        schema.pointer("/discriminator/propertyName").is_some()
            && schema.get("oneOf").is_none()
            && schema.get("anyOf").is_none()
    };
    let reference = |name: &str| format!("#/components/schemas/{}", document::escape(name));
    let mut children: BTreeMap<String, Vec<String>> =
        components().filter(|(_, schema)| is_base(schema)).map(|(name, _)| (reference(name), Vec::new())).collect();
    for (name, schema) in components() {
        for base in places::list(schema.get("allOf")).filter_map(|part| part.get("$ref")?.as_str()) {
            if let Some(children) = children.get_mut(base) {
                children.push(reference(name));
            }
        }
    }
    children.retain(|_, children| !children.is_empty());
    children
}

/// The choice between them.
pub(super) fn union(base: &Value, children: &[String]) -> Value {
    let branches: Vec<_> = children.iter().map(|child| json!({"$ref": child})).collect();
    let mut union = json!({"oneOf": branches, "discriminator": base["discriminator"]});
    if let Some(text) = base.get("description") {
        union["description"] = text.clone();
    }
    union
}
