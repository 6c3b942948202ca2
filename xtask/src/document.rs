//! An OpenAPI document as JSON: loading, saving in canonical form, and walking its schemas.
//! Knows positions (where a schema may stand), not meanings.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// The extension that says where a fact is known from that Paid's published document does not have.
pub(crate) const SOURCE: &str = "x-source";

/// The size of a file that is not read any more.
const LARGEST: u64 = 50_000_000;
/// How deep YAML may be nested, as deep as JSON.
const DEEPEST: usize = 128;
/// What that takes.
const STACK: usize = 64 << 20;

/// Reads an OpenAPI document, JSON or YAML, whatever the file is called.
pub(crate) fn load(path: &Path) -> Result<Value> {
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    if size >= LARGEST {
        bail!("{} has {size} bytes: a document of {LARGEST} bytes or more is not read", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the document {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not an OpenAPI document", path.display()))
}

/// Parses JSON, or else YAML.
pub(crate) fn parse(text: &str) -> Result<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).context("invalid JSON");
    }
    // A reader of YAML needs more stack for each level than a thread has.
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || yaml(text));
        worker?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// OpenAPI is YAML 1.2, in which `NO` and `y` are text, as is `1_000`.
fn yaml(text: &str) -> Result<Value> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: 5_000_000,
            max_events: 10_000_000,
            max_depth: DEEPEST,
            // One anchor may stand for an answer of every operation.
            enforce_alias_anchor_ratio: false,
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| anyhow::anyhow!("invalid YAML: {error}"))
}

/// The one way a document is written: sorted keys, two spaces, a final newline.
pub(crate) fn to_canonical_json(document: &Value) -> String {
    let mut sorted = document.clone();
    sorted.sort_all_objects();
    let mut text = format!("{sorted:#}");
    text.push('\n');
    text
}

/// The named schemas of a document.
pub(crate) fn schemas(document: &Value) -> Result<&Object> {
    document
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .context("#/components/schemas: the document has no schemas")
}

/// The named schemas of a document, to change.
pub(crate) fn schemas_mut(document: &mut Value) -> Result<&mut Object> {
    document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
        .context("#/components/schemas: the document has no schemas")
}

/// What a reference inside the document leads to, and its JSON pointer: a reference may be percent-encoded, a pointer is not.
pub(crate) fn follow<'a>(document: &'a Value, reference: &str) -> Option<(String, &'a Value)> {
    let pointer = percent_encoding::percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    Some((format!("#{pointer}"), document.pointer(&pointer)?))
}

/// The component a `$ref` names, if it names a component schema.
pub(crate) fn referenced(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

/// A reference to a component.
pub(crate) fn reference(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Escapes one step of a JSON pointer.
pub(crate) fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Calls `visit(path, method, operation, pointer)` for every operation.
pub(crate) fn for_each_operation<'a>(
    document: &'a Value,
    mut visit: impl FnMut(&'a str, &'a str, &'a Value, String) -> Result<()>,
) -> Result<()> {
    let paths = document.get("paths").and_then(Value::as_object).context("#/paths is missing")?;
    for (path, item) in paths {
        let pointer = format!("#/paths/{}", escape(path));
        if path.starts_with("x-") {
            continue;
        }
        let item = item.as_object().with_context(|| format!("{pointer} is not an object"))?;
        for (method, operation) in item {
            if METHODS.contains(&method.as_str()) {
                visit(path, method, operation, format!("{pointer}/{method}"))?;
            } else if !matches!(method.as_str(), "parameters" | "summary" | "description" | "servers")
                && !method.starts_with("x-")
            {
                bail!("{pointer}/{method}: not an HTTP method; remove it with an overlay action");
            }
        }
    }
    Ok(())
}

/// Every operation, to change.
pub(crate) fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Object> {
    document
        .get_mut("paths")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|paths| paths.values_mut())
        .filter_map(Value::as_object_mut)
        .flat_map(|item| item.iter_mut())
        .filter(|(method, _)| METHODS.contains(&method.as_str()))
        .filter_map(|(_, operation)| operation.as_object_mut())
}

/// Visits every schema of the document, inner ones first, with its JSON pointer.
pub(crate) fn visit_schemas(document: &mut Value, visit: &mut impl FnMut(&mut Value, &str)) {
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        for (name, schema) in schemas.iter_mut() {
            visit_schema(schema, &format!("#/components/schemas/{}", escape(name)), visit);
        }
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for (path, item) in paths.iter_mut() {
        let Some(item) = item.as_object_mut() else { continue };
        for (method, operation) in item.iter_mut() {
            let pointer = format!("#/paths/{}/{method}", escape(path));
            visit_operation_schemas(operation, &pointer, visit);
        }
    }
}

fn visit_operation_schemas(operation: &mut Value, pointer: &str, visit: &mut impl FnMut(&mut Value, &str)) {
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        for (index, parameter) in parameters.iter_mut().enumerate() {
            if let Some(schema) = parameter.get_mut("schema") {
                visit_schema(schema, &format!("{pointer}/parameters/{index}/schema"), visit);
            }
        }
    }
    if let Some(body) = operation.get_mut("requestBody") {
        visit_content(body, &format!("{pointer}/requestBody"), visit);
    }
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        for (status, response) in responses.iter_mut() {
            visit_content(response, &format!("{pointer}/responses/{status}"), visit);
        }
    }
}

fn visit_content(holder: &mut Value, pointer: &str, visit: &mut impl FnMut(&mut Value, &str)) {
    for (field, inner) in [("content", "schema"), ("headers", "schema")] {
        let Some(entries) = holder.get_mut(field).and_then(Value::as_object_mut) else { continue };
        for (name, entry) in entries.iter_mut() {
            if let Some(schema) = entry.get_mut(inner) {
                visit_schema(schema, &format!("{pointer}/{field}/{}/{inner}", escape(name)), visit);
            }
        }
    }
}

/// Visits a schema and all schemas inside it, inner ones first.
pub(crate) fn visit_schema(schema: &mut Value, pointer: &str, visit: &mut impl FnMut(&mut Value, &str)) {
    if let Some(object) = schema.as_object_mut() {
        for key in ["properties", "patternProperties", "$defs"] {
            if let Some(inner) = object.get_mut(key).and_then(Value::as_object_mut) {
                for (name, property) in inner.iter_mut() {
                    visit_schema(property, &format!("{pointer}/{key}/{}", escape(name)), visit);
                }
            }
        }
        for key in ["items", "additionalProperties", "not", "propertyNames"] {
            if let Some(inner) = object.get_mut(key).filter(|inner| inner.is_object()) {
                visit_schema(inner, &format!("{pointer}/{key}"), visit);
            }
        }
        for key in ["oneOf", "anyOf", "allOf", "prefixItems"] {
            if let Some(inner) = object.get_mut(key).and_then(Value::as_array_mut) {
                for (index, branch) in inner.iter_mut().enumerate() {
                    visit_schema(branch, &format!("{pointer}/{key}/{index}"), visit);
                }
            }
        }
    }
    visit(schema, pointer);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_property_named_like_a_keyword_is_not_a_schema_position() {
        let mut document = json!({"components": {"schemas": {
            "A": {"type": "object", "properties": {"items": {"type": "string"}, "description": {"type": "string"}}}
        }}});
        let mut seen = Vec::new();
        visit_schemas(&mut document, &mut |_, pointer| seen.push(pointer.to_owned()));
        assert_eq!(
            seen,
            [
                "#/components/schemas/A/properties/description",
                "#/components/schemas/A/properties/items",
                "#/components/schemas/A"
            ]
        );
    }

    #[test]
    fn what_is_too_large_or_too_deep_is_refused_before_it_takes_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LARGEST).unwrap();
        let error = load(file.path()).unwrap_err().to_string();
        assert!(error.contains("50000000 bytes or more is not read"), "{error}");
        for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
            let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            for text in [deep.clone(), format!(" {{\"a\": {deep}}}"), format!("openapi: {deep}")] {
                assert!(parse(&text).is_err());
            }
        }
        let block: String = (0..10_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(parse(&block).is_err());
    }

    #[test]
    fn words_that_are_booleans_in_yaml_1_1_are_text() {
        let read = parse("a: [NO, yes, y, off, true, 1_000, 1.0, 08]").unwrap();
        assert_eq!(read["a"], json!(["NO", "yes", "y", "off", true, "1_000", 1.0, "08"]));
    }

    #[test]
    fn canonical_text_does_not_depend_on_the_order_of_keys() {
        let one = parse(r#"{"b": 1, "a": {"d": 1, "c": 2}}"#).unwrap();
        let two = parse("a:\n  c: 2\n  d: 1\nb: 1\n").unwrap();
        assert_eq!(to_canonical_json(&one), to_canonical_json(&two));
    }
}
