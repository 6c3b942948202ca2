//! Changes of one thing, each with all that the diff says of it.

use serde_json::{Value, json};

use super::compare;
use crate::document::{self, reference};

/// A document of one operation, with its parts and components.
fn document(operation: Value, schemas: Value) -> Value {
    let mut operation = operation;
    operation["operationId"] = "a".into();
    json!({"openapi": "3.1.0", "paths": {"/a/{x}.{y}": {"post": operation}}, "components": {"schemas": schemas}})
}

fn sends(schema: Value, schemas: Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    document(json!({"requestBody": {"content": content}, "responses": {"204": {}}}), schemas)
}

fn answers(schema: Value, schemas: Value) -> Value {
    document(json!({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}), schemas)
}

/// What happened, on the wire and in Rust. Every pointer must lead somewhere.
fn found(old: &Value, new: &Value) -> Vec<String> {
    let report = compare(old, new).unwrap();
    for place in report.changes.iter().flat_map(|change| &change.places) {
        for (document, pointer) in [(old, &place.old), (new, &place.new)] {
            let Some(pointer) = pointer else { continue };
            assert!(document.pointer(&pointer[1..]).is_some(), "{pointer} names nothing");
        }
    }
    let shown = |entry: &super::report::Entry| format!("{}: {}, {}", entry.what, entry.wire.name(), entry.rust.name());
    report.changes.iter().map(shown).collect()
}

fn field(name: &str, schema: Value, required: bool) -> Value {
    let required = if required { vec![name] } else { Vec::new() };
    json!({"type": "object", "properties": {name: schema}, "required": required})
}

#[test]
fn a_union_that_holds_itself_is_compared_to_its_end() {
    let value = |number: &str| {
        let branches = json!([{"type": number}, {"type": "array", "items": reference("J")},
            {"type": "object", "additionalProperties": reference("J")}]);
        answers(reference("J"), json!({"J": {"oneOf": branches}}))
    };
    assert!(found(&value("string"), &value("string")).is_empty());
    let changed = found(&value("string"), &value("boolean"));
    assert_eq!(changed, ["branch string removed: additive, breaking", "new branch boolean: breaking, additive"]);

    let tree = |and: &str| {
        let branch = json!({"type": "object", "properties": {"args": {"type": "array", "items": reference("E")}}});
        answers(
            reference("E"),
            json!({"E": {"oneOf": [reference(and), reference("Leaf")]}, and: branch, "Leaf": {"type": "string"}}),
        )
    };
    assert!(found(&tree("And"), &tree("All")).is_empty());
}

#[test]
fn unions_inside_unions_take_no_time_to_speak_of() {
    let mut schemas = json!({"U0": {"type": "string"}});
    for level in 1..12 {
        let inner = reference(&format!("U{}", level - 1));
        let branches = ["a", "b", "c"].map(|name| field(name, inner.clone(), false));
        schemas[format!("U{level}")] = json!({"oneOf": branches});
    }
    let document = answers(reference("U11"), schemas);
    assert!(found(&document, &document).is_empty());
}

#[test]
fn what_an_all_of_changes_of_its_base_is_compared_too() {
    let of = |values: Value| {
        let a = json!({"allOf": [reference("Base"), {"properties": {"id": {"enum": values}}}]});
        let both = json!({"type": "object", "properties": {"a": reference("Base"), "b": reference("A")}});
        answers(both, json!({"Base": field("id", json!({"type": "string"}), true), "A": a}))
    };
    assert_eq!(found(&of(json!(["x", "y"])), &of(json!(["x"]))), ["value y removed: additive, breaking"]);
}

#[test]
fn two_parameters_in_one_step_of_a_path_are_two() {
    let parameter =
        |name: &str, kind: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": kind}});
    let of = |x: &str, y: &str| {
        document(json!({"parameters": [parameter("x", x), parameter("y", y)], "responses": {}}), json!({}))
    };
    assert_eq!(found(&of("string", "string"), &of("integer", "string")), ["string -> integer: breaking, breaking"]);
    let mut more = of("string", "string");
    more["paths"]["/a/{x}"] = more["paths"]["/a/{x}.{y}"].clone();
    assert_eq!(found(&of("string", "string"), &more), ["new operation: additive, additive"]);
}

#[test]
fn what_is_only_received_is_gone_from_requests() {
    let of = |flags: Value, required: bool| {
        let mut schema = json!({"type": "string"});
        schema.as_object_mut().unwrap().extend(flags.as_object().unwrap().clone());
        field("key", schema, required)
    };
    let (plain, only_read, only_written) = (json!({}), json!({"readOnly": true}), json!({"writeOnly": true}));
    for (make, flags, required, expected) in [
        (sends as fn(Value, Value) -> Value, &only_read, true, "readOnly false -> true: breaking, breaking"),
        (sends, &only_written, true, "writeOnly false -> true: documentation, documentation"),
        (answers, &only_read, true, "readOnly false -> true: documentation, documentation"),
        (answers, &only_written, true, "writeOnly false -> true: breaking, breaking"),
    ] {
        let (old, new) = (of(plain.clone(), required), of(flags.clone(), required));
        assert_eq!(found(&make(old, json!({})), &make(new, json!({}))), [expected]);
    }
    let asked = found(&sends(of(only_read.clone(), true), json!({})), &sends(of(plain.clone(), true), json!({})));
    assert_eq!(asked, ["readOnly true -> false: breaking, breaking"]);
    let offered = found(&sends(of(only_read, false), json!({})), &sends(of(plain, false), json!({})));
    assert_eq!(offered, ["readOnly true -> false: additive, additive"]);
}

#[test]
fn a_key_that_is_asked_for_now_breaks_and_one_that_may_be_given_does_not() {
    let of = |security: Value| document(json!({"security": security, "responses": {}}), json!({}));
    let (none, key, either) = (json!([]), json!([{"key": []}]), json!([{}, {"key": []}]));
    for (old, new, expected) in [
        (&none, &key, "security key added: breaking, documentation"),
        (&key, &none, "security key removed: additive, documentation"),
        (&none, &either, "security key added: additive, documentation"),
        (&either, &key, "security became required: breaking, documentation"),
        (&key, &either, "security became optional: additive, documentation"),
    ] {
        assert_eq!(found(&of(old.clone()), &of(new.clone())), [expected], "{old} {new}");
    }
    assert!(found(&of(none), &of(json!([{}]))).is_empty());
}

#[test]
fn one_fact_in_two_spellings_is_no_change() {
    let text = json!({"type": "string"});
    for (old, new) in [
        (json!({"type": "array"}), json!({"type": "array", "items": {}})),
        (json!({"type": "array", "items": {}}), json!({"type": "array", "items": true})),
        (
            json!({"type": "array", "items": text}),
            json!({"type": "array", "items": text, "uniqueItems": false, "minItems": 0}),
        ),
        (json!({"type": "string"}), json!({"type": "string", "minLength": 0})),
        (json!({"anyOf": [text, {"type": "null"}]}), json!({"anyOf": [text, {"const": null}]})),
        (json!({"anyOf": [text, {"type": ["null"]}]}), json!({"type": ["string", "null"]})),
        (json!({"type": "null"}), json!({"const": null})),
        (json!({"type": "string", "format": "byte"}), json!({"type": "string", "contentEncoding": "base64"})),
        (
            json!({"type": "string", "format": "binary"}),
            json!({"type": "string", "contentMediaType": "application/octet-stream"}),
        ),
        (json!({"type": "number", "enum": [1, 2]}), json!({"type": "number", "enum": [1.0, 2.0]})),
        (
            json!({"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
            json!({"oneOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
        ),
    ] {
        for make in [sends, answers] {
            assert_eq!(found(&make(old.clone(), json!({})), &make(new.clone(), json!({}))), [""; 0], "{old} {new}");
        }
    }
    let of = |parameter: Value| {
        document(json!({"parameters": [parameter], "responses": {"200": {}, "x-more": {}}}), json!({}))
    };
    let query = |explode: bool| json!({"name": "q", "in": "query", "schema": {"type": "string"}, "explode": explode});
    assert!(found(&of(query(true)), &of(query(false))).is_empty());
    let media = |name: &str| {
        document(json!({"responses": {"200": {"content": {name: {"schema": {"type": "string"}}}}}}), json!({}))
    };
    assert!(found(&media("application/json"), &media("application/json; charset=utf-8")).is_empty());
}

#[test]
fn references_are_followed_over_several_and_in_every_spelling() {
    let of = |reference: &str, kind: &str| {
        let mut document = document(json!({"parameters": [{"$ref": reference}], "responses": {}}), json!({}));
        let parameter = json!({"name": "q", "in": "query", "schema": {"type": kind}});
        document["components"]["parameters"] = json!({"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/C d"}, "C d": parameter});
        document
    };
    let direct = "#/components/parameters/C%20d";
    assert!(found(&of("#/components/parameters/A", "string"), &of(direct, "string")).is_empty());
    let changed = found(&of("#/components/parameters/A", "string"), &of(direct, "integer"));
    assert_eq!(changed, ["string -> integer: breaking, breaking"]);
    // Extensions and values may hold anything; properties may be called like keywords.
    let mut odd = of(direct, "string");
    odd["paths"]["/a/{x}.{y}"]["post"]["x-note"] = json!({"$ref": "nowhere"});
    odd["components"]["schemas"]["S"] =
        json!({"properties": {"enum": {"type": "string"}}, "example": {"$ref": "nowhere"}});
    assert!(compare(&odd, &odd).is_ok());
    odd["components"]["schemas"]["S"]["properties"]["enum"] = json!({"$ref": "#/components/schemas/T"});
    let error = compare(&odd, &odd).unwrap_err();
    assert!(format!("{error:#}").contains("S/properties/enum: #/components/schemas/T"), "{error:#}");
}

#[test]
fn what_the_generator_makes_another_type_of_breaks() {
    for (old, new, expected) in [
        (json!({"type": "object"}), field("a", json!({}), false), "new property, optional: additive, breaking"),
        (
            json!({"type": "number"}),
            json!({"type": "number", "format": "decimal"}),
            "format none -> decimal: documentation, breaking",
        ),
        (
            json!({"type": "integer"}),
            json!({"type": "integer", "format": "int32"}),
            "format none -> int32: additive, documentation",
        ),
    ] {
        let (old, new) = (field("f", old, true), field("f", new, true));
        assert_eq!(found(&answers(old, json!({})), &answers(new, json!({}))), [expected]);
    }
    let others = |schema: Value| {
        let mut object = field("a", json!({"type": "string"}), true);
        object["additionalProperties"] = schema;
        answers(object, json!({}))
    };
    let typed = found(&others(json!(true)), &others(json!({"type": "string"})));
    assert_eq!(typed, ["other properties: any -> typed: additive, breaking"]);
}

#[test]
fn what_stands_around_the_operations_is_compared_by_its_facts() {
    let plain = document(json!({"responses": {}}), json!({}));
    let with = |pointer: &str, key: &str, value: Value| {
        let mut document = plain.clone();
        document.pointer_mut(pointer).unwrap()[key] = value;
        document
    };
    let hooks = |text: &str| with("", "webhooks", json!({"a": {"post": {"description": text}}}));
    assert_eq!(found(&plain, &hooks("one")), ["webhooks added: additive, documentation"]);
    assert!(found(&hooks("one"), &hooks("two")).is_empty());
    let server = |text: &str| json!([{"url": "https://b.test", "description": text}]);
    let item = with("/paths/~1a~1{x}.{y}", "servers", server("one"));
    assert_eq!(found(&plain, &item), ["servers added: breaking, documentation"]);
    assert!(found(&item, &with("/paths/~1a~1{x}.{y}", "servers", server("two"))).is_empty());
    assert_eq!(
        found(&plain, &with("", "servers", server(""))),
        ["server https://b.test added: additive, documentation"]
    );
}

#[test]
fn what_is_no_document_is_an_error_with_its_place() {
    for (text, place) in [
        (r#"{"openapi":"3.1.0","paths":{"/a":{"get":null}}}"#, "#/paths/~1a/get is not an object"),
        (
            r#"{"openapi":"3.1.0","paths":{"/a":{"get":{"responses":[]}}}}"#,
            "#/paths/~1a/get/responses is not an object",
        ),
        (
            r#"{"openapi":"3.1.0","paths":{"/a":{"get":{"responses":{"200":{"content":{"application/json":{"schema":"string"}}}}}}}}"#,
            "#/paths/~1a/get/responses/200/content/application~1json/schema",
        ),
    ] {
        let document = document::parse(text).unwrap();
        let error = format!("{:#}", compare(&document, &document).unwrap_err());
        assert!(error.contains(place), "{error}");
    }
}

#[test]
fn what_was_found_out_on_the_way_to_one_answer_is_no_answer_to_another() {
    let maybe = |name: &str| json!({"type": "object", "properties": {"a": reference(name)}});
    let branch = |order: [&str; 2], own: &str| {
        let text = json!({"type": "string"});
        json!({"type": "object", "properties": {"m": {"oneOf": order.map(maybe)}, own: text}})
    };
    let of = |first: &str, order: [&str; 2], own: [&str; 2]| {
        let outer = json!({"type": "object", "properties": {"p1": reference(first), "p2": reference("I")}});
        let schemas = json!({
            "C": field("x", json!({"type": "string"}), false), "D": field("x", json!({"type": "integer"}), false),
            "I": {"oneOf": own.map(|own| branch(order, own))},
        });
        answers(json!({"oneOf": [outer, field("z", json!({}), false)]}), schemas)
    };
    let (old, new) = (of("C", ["C", "D"], ["t1", "t2"]), of("D", ["D", "C"], ["t2", "t1"]));
    assert_eq!(found(&old, &new), ["string -> integer: breaking, breaking"]);
}

#[test]
fn two_answers_are_the_same_only_to_who_reads_them() {
    let answer = |status: &str, schema: Value| {
        document(json!({"responses": {status: {"content": {"application/json": {"schema": schema}}}}}), json!({}))
    };
    let mut more = field("name", json!({"type": "string"}), true);
    more["properties"]["id"] = json!({"type": "string", "readOnly": true});
    let plain = field("name", json!({"type": "string"}), true);
    let changed = found(&answer("200", more.clone()), &answer("201", plain.clone()));
    assert_eq!(changed, ["status 200 removed: breaking, breaking", "status 201 added: additive, breaking"]);
    let either = json!({"oneOf": [more, {"type": "string"}]});
    assert_eq!(
        found(&answers(either, json!({})), &answers(plain, json!({}))),
        ["is no union any more: breaking, breaking"]
    );
}

#[test]
fn what_a_side_never_has_is_documentation_to_it() {
    let of = |kind: &str, required: bool| field("id", json!({"type": kind, "readOnly": true}), required);
    let change = |make: fn(Value, Value) -> Value| {
        found(&make(of("string", false), json!({})), &make(of("integer", true), json!({})))
    };
    let ours =
        ["optional -> required: documentation, documentation", "string -> integer: documentation, documentation"];
    assert_eq!(change(sends), ours);
    let theirs = ["optional -> required: additive, breaking", "string -> integer: breaking, breaking"];
    let mut found = change(answers);
    found.sort();
    assert_eq!(found, theirs);
}

#[test]
fn names_of_the_document_are_no_keywords() {
    let mut document = answers(json!({"type": "object", "dependentRequired": {"schema": ["a"]}}), json!({}));
    document["security"] = json!([{"schema": []}]);
    let flow = json!({"tokenUrl": "https://a.test", "scopes": {"schema": "All of it."}});
    document["components"]["securitySchemes"] = json!({"schema": {"type": "oauth2", "flows": {"password": flow}}});
    assert_eq!(found(&document, &document), [""; 0]);
    let hook = |kind: &str| {
        let payload = json!({"content": {"application/json": {"schema": field("title", json!({"type": kind}), true)}}});
        let mut document = document.clone();
        document["webhooks"] = json!({"a": {"post": {"requestBody": payload}}});
        document
    };
    assert_eq!(found(&hook("string"), &hook("integer")), ["webhooks changed: breaking, documentation"]);
}

#[test]
fn several_kinds_of_json_are_several() {
    let of = |plain: &str, charset: Option<&str>| {
        let schema = |kind: &str| json!({"schema": {"type": kind}});
        let mut content = json!({"application/json": schema(plain)});
        if let Some(kind) = charset {
            content["application/json; charset=utf-8"] = schema(kind);
        }
        document(json!({"responses": {"200": {"content": content}}}), json!({}))
    };
    let changed = found(&of("string", Some("string")), &of("integer", Some("string")));
    assert_eq!(changed, ["string -> integer: breaking, breaking"]);
    assert_eq!(found(&of("string", Some("string")), &of("string", None)).len(), 1);
}

#[test]
fn an_operation_that_repeats_the_servers_of_all_changes_nothing() {
    let servers = json!([{"url": "https://a.test"}]);
    let mut old = document(json!({"responses": {}}), json!({}));
    old["servers"] = servers.clone();
    let mut new = old.clone();
    new["paths"]["/a/{x}.{y}"]["post"]["servers"] = servers;
    assert!(found(&old, &new).is_empty());
}

#[test]
fn a_field_that_is_not_sent_hides_no_change_of_one_that_is() {
    for names in [["a", "b"], ["b", "a"]] {
        let of = |kind: &str| {
            let item = json!({"allOf": [reference("Item")], "readOnly": true});
            let body = json!({"type": "object", "properties": {names[0]: item, names[1]: reference("Item")}});
            sends(body, json!({"Item": field("text", json!({"type": kind}), true)}))
        };
        assert_eq!(found(&of("string"), &of("integer")), ["string -> integer: breaking, breaking"], "{names:?}");
    }
}

#[test]
fn what_an_all_of_narrows_counts() {
    let of = |base: Value, own: Value| answers(json!({"allOf": [reference("K"), own]}), json!({"K": base}));
    let values = |own: Value| of(json!({"type": "string", "enum": ["a", "b", "c"]}), json!({"enum": own}));
    assert_eq!(found(&values(json!(["a", "b"])), &values(json!(["a"]))), ["value b removed: additive, breaking"]);
    let length = |own: u32| of(json!({"type": "string", "maxLength": 100}), json!({"maxLength": own}));
    assert_eq!(found(&length(50), &length(10)), ["maxLength 50 -> 10: additive, documentation"]);
}
