//! What each step does, and what is refused.

use super::*;

fn components(schemas: Value) -> Value {
    json!({"openapi": "3.1.0", "paths": {}, "components": {"schemas": schemas}})
}

#[test]
fn union_branches_become_components_without_their_tag() {
    let document = components(json!({"Cost": {
        "oneOf": [
            {"type": "object", "required": ["amount", "type"], "properties": {"type": {"type": "string", "enum": ["cost"]}, "amount": {"type": "number"}}},
            {"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "enum": ["usage"]}, "tokens": {"type": "integer"}}}
        ],
        "discriminator": {"propertyName": "type"}, "x-rust-variants": {"cost": "Amount"}
    }}));
    let document = simplify(document).unwrap();
    let schemas = document::schemas(&document).unwrap();
    assert_eq!(
        schemas["AmountCost"],
        json!({"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}})
    );
    assert_eq!(schemas["Cost"]["x-rust-variants"]["Usage"], json!({"value": "usage", "type": "UsageCost"}));
}

#[test]
fn a_branch_with_only_its_tag_has_no_component() {
    let document = components(json!({"Schedule": {
        "oneOf": [{"type": "object", "required": ["type"], "properties": {"type": {"type": "string", "enum": ["CALENDAR"]}}}],
        "discriminator": {"propertyName": "type"}
    }}));
    let document = simplify(document).unwrap();
    let schemas = document::schemas(&document).unwrap();
    assert_eq!(schemas.keys().collect::<Vec<_>>(), ["Schedule"]);
    assert_eq!(schemas["Schedule"]["x-rust-variants"], json!({"Calendar": {"value": "CALENDAR"}}));
}

#[test]
fn a_value_without_words_gets_the_name_that_the_overlay_gives_it() {
    let schema = json!({"type": "string", "enum": ["×"], "x-rust-values": {"×": "Times"}});
    simplify(components(json!({"Operator": schema}))).unwrap();
    let error = refusal(components(json!({"Operator": {"type": "string", "enum": ["×"]}})));
    assert!(error.contains("#/components/schemas/Operator/enum: the value `×` gives no variant name"), "{error}");
}

#[test]
fn one_key_objects_become_a_choice() {
    let document = components(json!({
        "ById": {"type": "object", "required": ["aId"], "properties": {"aId": {"type": "string"}}},
        "ByExternalId": {"type": "object", "required": ["externalAId"], "properties": {"externalAId": {"type": "string"}}},
        "A": {"oneOf": [document::reference("ById"), document::reference("ByExternalId")]}
    }));
    let document = simplify(document).unwrap();
    assert_eq!(document["components"]["schemas"]["A"][CHOICE], json!({"Id": "aId", "ExternalId": "externalAId"}));
}

#[test]
fn aliases_are_inlined_with_what_stands_beside_the_reference() {
    let document = components(json!({
        "Currency": {"type": "string"},
        "A": {"type": "object", "properties": {"currency": {"$ref": "#/components/schemas/Currency", "default": "USD"}}}
    }));
    let document = simplify(document).unwrap();
    assert_eq!(
        document["components"]["schemas"]["A"]["properties"]["currency"],
        json!({"type": "string", "default": "USD"})
    );
}

fn refusal(document: Value) -> String {
    simplify(document).unwrap_err().to_string()
}

#[test]
fn unmapped_schemas_are_errors_that_name_the_pointer() {
    let error = refusal(components(json!({
        "A": {"type": "object", "properties": {"a": {"anyOf": []}, "b": {"type": "object", "properties": {"c": {"type": "string"}}}}},
        "B": {"type": "object", "properties": {"fooBar": {"type": "string"}, "foo_bar": {"type": "string"}}},
        "C": {"type": "string", "enum": ["a-b", "a_b", ">"]}
    })));
    for expected in [
        "#/components/schemas/A/properties/a: `anyOf` is not mapped",
        "#/components/schemas/A/properties/b: an inline object has no name",
        "#/components/schemas/B/properties: `fooBar` and `foo_bar` become one field name",
        "#/components/schemas/C/enum: `a-b` and `a_b` become one variant name",
        "#/components/schemas/C/enum: the value `>` gives no variant name",
    ] {
        assert!(error.contains(expected), "{expected} is not in\n{error}");
    }
}

#[test]
fn unmapped_operations_are_errors_that_name_the_pointer() {
    let mut document = components(json!({}));
    document["paths"] = json!({"/a": {"get": {
        "operationId": "a", "parameters": [{"name": "c", "in": "cookie"}, {"name": "d", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}],
        "requestBody": {"content": {"multipart/form-data": {}}},
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "string"}}}}, "204": {"description": ""}}
    }}});
    let error = refusal(document);
    for expected in [
        "#/paths/~1a/get: has no tag",
        "#/paths/~1a/get/parameters/0: a parameter in `cookie`",
        "#/paths/~1a/get/parameters/1: array and object parameters",
        "#/paths/~1a/get/requestBody/content: only application/json",
        "#/paths/~1a/get/responses: 200 and 204 answer with different bodies",
    ] {
        assert!(error.contains(expected), "{expected} is not in\n{error}");
    }
}

#[test]
fn a_constant_is_an_enum_of_one_value() {
    let document = simplify(components(json!({"Kind": {"const": "a"}}))).unwrap();
    assert_eq!(document["components"]["schemas"]["Kind"], json!({"type": "string", "enum": ["a"]}));
}
