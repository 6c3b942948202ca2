//! What is refused, with its places, and what is chosen.

use serde_json::{Value, json};

use super::*;
use crate::document;

fn normal(text: &str) -> Result<Normal> {
    normalise(&document::parse(text).unwrap(), &NameTable::default())
}

fn refusal(text: &str) -> String {
    normal(text).unwrap_err().to_string()
}

/// A document with an answer of this schema.
fn answering(schema: &Value, components: &Value) -> String {
    let answer = json!({"description": "", "content": {"application/json": {"schema": schema}}});
    json!({
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "components": {"schemas": components},
        "paths": {"/a": {"get": {"operationId": "a", "tags": ["t"], "responses": {"200": answer}}}},
    })
    .to_string()
}

#[test]
fn what_has_no_type_is_one_report_of_all_places_as_given() {
    let components = json!({
        "A": {"type": "object", "properties": {
            "not": {"not": {"type": "string"}}, "if": {"if": {}, "then": {}},
            "part": {"allOf": [{"type": "object", "properties": {"deep": {"patternProperties": {"a": {}}}}}, {"required": ["deep"]}]},
            "gone": {"$ref": "#/components/schemas/Gone"}, "far": {"$ref": "other.yaml#/A"},
            "split": {"allOf": [{"type": "string"}, {"type": "integer"}]}, "kind": {"type": "file"},
        }},
        "Unused": {"not": {}},
    });
    let text = refusal(&answering(&json!({"$ref": "#/components/schemas/A"}), &components));
    let at = "#/components/schemas/A/properties";
    for line in [
        format!("{at}/not/not: `not`: "),
        format!("{at}/if/if: `if`: "),
        format!("{at}/if/then: `then`: "),
        format!("{at}/part/allOf/0/properties/deep/patternProperties: `patternProperties`: keys by pattern"),
        format!("{at}/gone: `#/components/schemas/Gone` names nothing in this document"),
        format!("{at}/far: `other.yaml#/A` is outside of this document, and nothing else is read"),
        format!("{at}/split: its parts are of different types"),
        format!("{at}/kind/type: `file` is not a type of JSON"),
        "8 places of this document".to_owned(),
        "`--overlay`".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[test]
fn parameters_and_bodies_that_cannot_be_written_are_named_where_they_stand() {
    let text = refusal(
        r#"
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /things/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: b, in: body, schema: {type: string}}
        - {name: c, in: query, style: matrix, schema: {type: array, items: {type: string}}}
      requestBody: {content: {application/xml: {schema: {type: object}}}}
      responses: {'200': {description: '', content: {text/xml: {schema: {type: object}}}}, '201': {$ref: '#/components/responses/R'}}
    search: {responses: {}}
"#,
    );
    let at = "#/paths/~1things~1{id}";
    for line in [
        format!("{at}/get/parameters/1: a parameter cannot stand in `body`"),
        format!("{at}/get/parameters/2/style: `matrix` is not a style"),
        format!("{at}/get/requestBody/content: XML bodies are not written"),
        format!("{at}/get/responses/200/content: answers in XML are not read"),
        format!("{at}/get/responses/201: `#/components/responses/R` names nothing"),
        format!("{at}/search: is not an HTTP method"),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_schema_that_is_only_itself_is_refused() {
    let loops = json!({"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}});
    let text = refusal(&answering(&json!({"$ref": "#/components/schemas/A"}), &loops));
    assert!(text.contains("#/components/schemas/A: is nothing but a reference to itself"), "{text}");
    let parts =
        json!({"A": {"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object", "properties": {"a": {}}}]}});
    let text = refusal(&answering(&json!({"$ref": "#/components/schemas/A"}), &parts));
    assert!(text.contains("is a part of itself"), "{text}");
}

#[test]
fn a_chain_of_ten_thousand_components_is_read_or_refused_and_takes_no_stack() {
    let chain = |link: fn(String) -> Value| {
        let components: serde_json::Map<String, Value> = (0..10_000)
            .map(|at| (format!("C{at}"), link(format!("#/components/schemas/C{}", (at + 1) % 10_000))))
            .collect();
        normal(&answering(&json!({"$ref": "#/components/schemas/C0"}), &Value::Object(components)))
    };
    let objects = chain(|next| json!({"type": "object", "properties": {"next": {"$ref": next}}})).unwrap();
    assert_eq!(document::schemas(&objects.document).unwrap().len(), 10_000);
    let text = std::thread::Builder::new()
        .stack_size(512 << 20)
        .spawn(move || chain(|next| json!({"type": "array", "items": {"$ref": next}})).unwrap_err().to_string());
    assert!(text.unwrap().join().unwrap().contains("is nested more than"));
}

#[test]
fn names_that_are_chosen_are_counted_and_a_table_renames_them() {
    let inline = json!({"type": "object", "required": ["owner"], "properties": {
        "owner": {"type": "object", "properties": {"state": {"type": "string", "enum": ["a"]}}},
    }});
    let text = answering(&json!({"$ref": "#/components/schemas/Thing"}), &json!({"Thing": inline}));
    let names = |normal: &Normal| document::schemas(&normal.document).unwrap().keys().cloned().collect::<Vec<_>>();
    let plain = normal(&text).unwrap();
    assert_eq!((plain.chosen, names(&plain)), (2, vec!["Thing".into(), "ThingOwner".into(), "ThingOwnerState".into()]));
    let table = NameTable::parse("rename: {Owner: [ThingOwner], State: [ThingOwnerState]}").unwrap();
    let named = normalise(&document::parse(&text).unwrap(), &table).unwrap();
    assert_eq!((named.chosen, names(&named)), (0, vec!["Owner".into(), "State".into(), "Thing".into()]));
    let wrong = NameTable::parse("rename: {Owner: [Nobody]}").unwrap();
    let error = normalise(&document::parse(&text).unwrap(), &wrong).unwrap_err().to_string();
    assert!(error.contains("`Nobody` matches no component"), "{error}");
}

#[test]
fn branches_that_nothing_tells_apart_are_plain_json_and_that_is_said() {
    let same = json!({"oneOf": [
        {"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {"b": {"type": "string"}}},
    ]});
    let outer = json!({"type": "object", "properties": {"v": same}});
    let normal = normal(&answering(&outer, &json!({}))).unwrap();
    let notes = normal.notes.join("\n");
    assert!(
        notes.contains("plain JSON: #/paths/~1a/get/responses/200/content/application~1json/schema/properties/v"),
        "{notes}"
    );
    let component = &normal.document["components"]["schemas"]["AResponse"];
    assert_eq!(component["properties"]["v"], json!({}));
}

#[test]
fn webhooks_callbacks_and_what_a_path_lacks_are_ignored_aloud() {
    let normal = normal(
        r#"
openapi: 3.1.0
info: {title: t, version: '1'}
webhooks: {a: {}, b: {}}
paths:
  /a/{id}:
    get:
      callbacks: {c: {}}
      parameters: [{name: other, in: path, required: true, schema: {type: string}}, {name: Accept, in: header, schema: {type: string}}]
"#,
    )
    .unwrap();
    let notes = normal.notes.join("\n");
    for note in [
        "ignored: 2 webhooks",
        "the callbacks of 1 operations",
        "#/paths/~1a~1{id}/get/parameters/0: `{other}` is not in the path",
    ] {
        assert!(notes.contains(note), "{note} is not in\n{notes}");
    }
    let parameters = &normal.document["paths"]["/a/{id}"]["get"]["parameters"];
    assert_eq!(parameters.as_array().unwrap().len(), 1, "{parameters}");
    assert_eq!(parameters[0]["name"], "id");
}

#[test]
fn a_method_is_called_without_its_resource_in_every_spelling_of_the_id() {
    let names = |tag: &str, ids: &[&str]| {
        let paths: serde_json::Map<String, Value> = ids
            .iter()
            .enumerate()
            .map(|(at, id)| (format!("/p{at}"), json!({"get": {"operationId": id, "tags": [tag], "responses": {}}})))
            .collect();
        let text = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}).to_string();
        let normal = normal(&text).unwrap();
        (0..ids.len())
            .map(|at| normal.document["paths"][format!("/p{at}")]["get"]["x-rust-name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for id in ["fees.list", "fees/list", "Fees_List", "fees:list", "fees-list", "feesList", "fee.list", "listFees"] {
        assert_eq!(names("fees", &[id]), ["list"], "{id}");
        assert_eq!(names("Fees", &[id]), ["list"], "{id}");
    }
    assert_eq!(names("Credit Notes", &["credit_notes.find_all", "creditNote.void"]), ["find_all", "void"]);
    // Two that would be one keep what tells them apart.
    assert_eq!(names("fees", &["fees.list", "listFees"]), ["fees_list", "list_fees"]);
    assert_eq!(names("fees", &["fees.list", "list"]), ["fees_list", "list"]);
    assert_eq!(names("fees", &["fees.list", "fees/list"]), ["fees_list", "fees_list_2"]);
    // What is no name alone, or hides one, is not shortened; nor is another resource.
    for (id, name) in [
        ("fees", "fees"),
        ("fees.move", "fees_move"),
        ("fees.2", "fees_2"),
        ("fees.clone", "fees_clone"),
        ("cloneFees", "clone_fees"),
        ("move-fee", "move_fee"),
        ("feedback.list", "feedback_list"),
        ("feeslist", "feeslist"),
    ] {
        assert_eq!(names("fees", &[id]), [name], "{id}");
    }
}

#[test]
fn what_has_no_letters_of_ascii_is_called_by_its_path_and_a_name_of_ours_is_changed_aloud() {
    let mut document = document::parse(&answering(
        &json!({"$ref": "#/components/schemas/Option"}),
        &json!({"Option": {"type": "object", "properties": {"a": {}}}}),
    ));
    let document = document.as_mut().unwrap();
    document["paths"]["/a"]["get"]["operationId"] = "获取".into();
    let normal = normalise(document, &NameTable::default()).unwrap();
    assert_eq!(normal.document["paths"]["/a"]["get"]["x-rust-name"], "get_a");
    let notes = normal.notes.join("\n");
    assert!(notes.contains("#/components/schemas/Option: `OptionModel`, since "), "{notes}");
    assert_eq!(normal.chosen, 2);
}

#[test]
fn a_whole_number_that_no_type_holds_is_plain_json_and_not_a_float() {
    let outer = json!({"type": "object", "properties": {"v": {"enum": [18_446_744_073_709_551_615_u64, 1]}}});
    let normal = normal(&answering(&outer, &json!({}))).unwrap();
    assert_eq!(normal.document["components"]["schemas"]["AResponse"]["properties"]["v"], json!({}));
    assert!(normal.notes.iter().any(|note| note.starts_with("plain JSON: #/paths/~1a/get")), "{:?}", normal.notes);
}

#[test]
fn parameters_that_cannot_be_sent_are_refused_or_ignored_aloud() {
    let with = |parameters: Value| {
        json!({
            "openapi": "3.1.0", "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"servers": [{"url": "https://b.test"}], "get": {"parameters": parameters, "responses": {}}}},
        })
        .to_string()
    };
    let text = json!({"type": "string"});
    let refused = refusal(&with(json!([
        {"name": "X Y", "in": "header", "schema": text}, {"name": "a=b;c", "in": "cookie", "schema": text},
    ])));
    let at = "#/paths/~1a/get/parameters";
    for line in
        [format!("{at}/0: no header can be called \"X Y\""), format!("{at}/1: no cookie can be called \"a=b;c\"")]
    {
        assert!(refused.contains(&line), "{line} is not in\n{refused}");
    }
    let said = normal(&with(json!([
        {"name": "q", "in": "query", "schema": text}, {"name": "q", "in": "query", "schema": {"type": "integer"}},
        {"name": "Host", "in": "header", "required": true, "schema": text},
    ])))
    .unwrap();
    let notes = said.notes.join("\n");
    for note in [
        format!("ignored: {at}/1: the same parameter is at {at}/0"),
        format!("ignored: {at}/2: the client sets the header `Host` itself"),
        "ignored: the servers of 1 paths or operations".to_owned(),
    ] {
        assert!(notes.contains(&note), "{note} is not in\n{notes}");
    }
}
