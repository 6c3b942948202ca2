//! The simplified document as OpenAPI 3.0.3, which is what progenitor reads: null types become `nullable`,
//! id types become components, and what the transport decides (errors, defaults) is left out.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use crate::document;
use crate::null::{self, WithoutNull};
use crate::simplify::VALUES;

/// The extension that says which id type a string is.
pub(crate) const NEWTYPE: &str = "x-rust-newtype";

/// The library's type for exact amounts.
pub(crate) const DECIMAL: &str = "Decimal";

/// Whether a schema, without null, is an exact amount, as a number or as text.
pub(crate) fn is_decimal(schema: &Value) -> bool {
    matches!(schema["type"].as_str(), Some("number" | "string")) && schema["format"] == "decimal"
}

/// Lowers a document from 3.1 to 3.0.3.
pub(crate) fn downlevel(mut document: Value) -> Result<Value> {
    document["openapi"] = "3.0.3".into();
    let mut newtypes = BTreeSet::new();
    document::visit_schemas(&mut document, &mut |schema, _| newtypes.extend(lower(schema)));
    let schemas = document::schemas_mut(&mut document)?;
    for name in newtypes {
        schemas.insert(name, json!({"type": "string"}));
    }
    for operation in document::operations_mut(&mut document) {
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            responses.retain(|status, _| status.starts_with('2'));
        }
        operation.retain(|key, _| !key.starts_with("x-"));
        operation.remove("description");
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(parameter) = parameter.as_object_mut() {
                parameter.remove("description");
            }
        }
        let body = operation.get_mut("requestBody").and_then(Value::as_object_mut);
        if let Some(body) = body {
            body.insert("required".into(), true.into());
        }
    }
    if let Some(root) = document.as_object_mut() {
        root.retain(|key, _| matches!(key.as_str(), "openapi" | "info" | "paths" | "components"));
    }
    Ok(document)
}

/// Returns the name of the library's type that the schema becomes, if it becomes one.
fn lower(schema: &mut Value) -> Option<String> {
    let WithoutNull { schema: mut rest, nullable } = null::without(schema);
    let newtype = if is_decimal(&rest) { Some(DECIMAL) } else { rest.get(NEWTYPE).and_then(Value::as_str) };
    let newtype = newtype.map(str::to_owned);
    if let Some(name) = &newtype {
        rest = document::reference(name);
    }
    name_values(&mut rest);
    leave_out(&mut rest);
    if nullable && rest.get("$ref").is_some() {
        rest = json!({"allOf": [rest]});
    }
    if nullable {
        rest["nullable"] = true.into();
    }
    *schema = rest;
    newtype
}

/// progenitor finds no name for a value such as `×`. Its enum serves nothing but to name a type: `reshape` makes ours.
fn name_values(schema: &mut Value) {
    let Some(names) = schema.get(VALUES).cloned() else { return };
    for value in schema.get_mut("enum").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(name) = value.as_str().and_then(|value| names.get(value)) {
            *value = name.clone();
        }
    }
}

/// Removes what 3.0.3 does not know, and what only the server checks.
fn leave_out(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("default");
    object.remove("description");
    object.remove("discriminator");
    object.retain(|key, _| !key.starts_with("x-"));
    for bound in [
        "exclusiveMinimum",
        "exclusiveMaximum",
        "pattern",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minimum",
        "maximum",
    ] {
        object.remove(bound);
    }
    if matches!(object.get("format").and_then(Value::as_str), Some(format) if !matches!(format, "date-time" | "double" | "float" | "int32" | "int64"))
    {
        object.remove("format");
    }
    if object.contains_key("$ref") {
        object.retain(|key, _| key == "$ref");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered(mut property: Value) -> Value {
        lower(&mut property);
        property
    }

    #[test]
    fn null_types_become_nullable() {
        assert_eq!(lowered(json!({"type": ["string", "null"]})), json!({"type": "string", "nullable": true}));
        assert_eq!(
            lowered(json!({"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]})),
            json!({"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": true})
        );
    }

    #[test]
    fn defaults_and_limits_are_left_to_the_server() {
        assert_eq!(
            lowered(json!({"type": "integer", "default": 3, "exclusiveMinimum": 0})),
            json!({"type": "integer"})
        );
    }

    #[test]
    fn ids_become_references_to_their_type() {
        let document = json!({"openapi": "3.1.0", "paths": {}, "components": {"schemas": {"A": {"type": "object", "properties": {
            "one": {"type": "string", "x-rust-newtype": "AId"}, "two": {"type": ["string", "null"], "x-rust-newtype": "AId"}
        }}}}});
        let document = downlevel(document).unwrap();
        let properties = &document["components"]["schemas"]["A"]["properties"];
        assert_eq!(properties["one"], document::reference("AId"));
        assert_eq!(properties["two"], json!({"nullable": true, "allOf": [document::reference("AId")]}));
        assert_eq!(document["components"]["schemas"]["AId"], json!({"type": "string"}));
    }

    #[test]
    fn only_successes_reach_the_generator() {
        let document = json!({"openapi": "3.1.0", "components": {"schemas": {}}, "paths": {"/a": {"get": {"responses": {"200": {}, "400": {}, "default": {}}}}}});
        let document = downlevel(document).unwrap();
        assert_eq!(document["paths"]["/a"]["get"]["responses"], json!({"200": {}}));
    }
}
