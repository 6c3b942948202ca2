//! Marks what an overlay adds with where it is known from: operations, components and properties.

use serde_json::Value;

use crate::document::{Object, SOURCE};

/// Marks a value that was added at this JSON pointer.
pub(super) fn mark(value: &mut Value, pointer: &str, source: &str) {
    let steps: Vec<_> = pointer.split('/').skip(1).collect();
    match steps.as_slice() {
        ["paths", _] => {
            for operation in value.as_object_mut().into_iter().flat_map(Object::values_mut) {
                put(operation, source);
            }
        }
        ["paths", _, _] | ["components", "schemas", _] | ["components", "schemas", .., "properties", _] => {
            put(value, source);
        }
        _ => {}
    }
}

fn put(value: &mut Value, source: &str) {
    if let Some(object) = value.as_object_mut() {
        object.insert(SOURCE.into(), source.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Overlay;

    #[test]
    fn operations_components_and_properties_that_are_added_say_where_they_are_known_from() {
        let document = json!({
            "paths": {"/a": {"get": {}}},
            "components": {"schemas": {"A": {"properties": {"old": {"type": "string"}}}}}
        });
        let actions = r#"
overlay: 1.0.0
info: {title: t, version: '1'}
actions:
- {target: $.paths, x-source: client 1, update: {/a: {post: {}}, /b: {get: {}}}}
- {target: $.components.schemas, x-source: client 2, update: {B: {type: object, properties: {inner: {type: string}}}}}
- {target: $.components.schemas.A.properties, x-source: client 2, update: {new: {type: string}, old: {format: uuid}}}
- {target: $.components.schemas.A, update: {properties: {own: {type: string}}}}
"#;
        let document = Overlay::parse(actions).unwrap().apply(document).unwrap();
        let source = |pointer: &str| document.pointer(pointer).unwrap().get("x-source").and_then(Value::as_str);
        for (pointer, expected) in [
            ("/paths/~1a/get", None),
            ("/paths/~1a/post", Some("client 1")),
            ("/paths/~1b/get", Some("client 1")),
            ("/components/schemas/B", Some("client 2")),
            ("/components/schemas/B/properties/inner", None),
            ("/components/schemas/A/properties/new", Some("client 2")),
            ("/components/schemas/A/properties/old", None),
            ("/components/schemas/A/properties/own", None),
        ] {
            assert_eq!(source(pointer), expected, "{pointer}");
        }
    }
}
