//! Tests that the canonical document and the published one describe the same wire.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::codegen::Overlays;
use crate::document;
use crate::names::{Decisions, NameTable};
use crate::{import, project};

const VARIABLE: &str = "PAID_PUBLISHED_DOCUMENT";

/// The published document, where there is one.
fn published(root: &Path) -> Option<Value> {
    let path = std::env::var_os(VARIABLE).map_or_else(|| root.join("../shared/openapi/paid-v2.json"), PathBuf::from);
    if !path.is_file() {
        eprintln!("SKIPPED: there is no published document at {}; name one with {VARIABLE}", path.display());
        return None;
    }
    Some(document::load(&path).unwrap())
}

const PROSE: [&str; 6] = ["summary", "description", "title", "example", "examples", "externalDocs"];

/// A schema without references and prose, sets in order. A reference back to an outer schema is how far out it is.
fn wire(document: &Value, schema: &Value, outer: &mut Vec<String>) -> Value {
    match schema {
        Value::Object(object) => {
            if let Some(name) = document::referenced(schema) {
                if let Some(at) = outer.iter().rposition(|known| known == name) {
                    return json!({"recursion": outer.len() - at});
                }
                outer.push(name.to_owned());
                let mut inner = wire(document, &document["components"]["schemas"][name], outer);
                outer.pop();
                for (key, value) in object.iter().filter(|(key, _)| *key != "$ref" && !PROSE.contains(&key.as_str())) {
                    inner[key] = wire(document, value, outer);
                }
                return inner;
            }
            let mut plain = serde_json::Map::new();
            for (key, value) in object {
                let value = match key.as_str() {
                    "properties" => {
                        let properties = value.as_object().unwrap().iter();
                        properties.map(|(name, inner)| (name.clone(), wire(document, inner, outer))).collect()
                    }
                    "required" | "enum" if value.is_array() => sorted(value),
                    "default" | "const" => value.clone(),
                    "mapping" => {
                        let targets = value.as_object().unwrap().iter();
                        let target = |name: &Value| wire(document, &json!({ "$ref": name }), outer);
                        let mut target = target;
                        targets.map(|(tag, name)| (tag.clone(), target(name))).collect()
                    }
                    word if PROSE.contains(&word) => continue,
                    _ => wire(document, value, outer),
                };
                plain.insert(key.clone(), value);
            }
            plain.into()
        }
        Value::Array(items) => items.iter().map(|item| wire(document, item, outer)).collect(),
        other => other.clone(),
    }
}

fn sorted(set: &Value) -> Value {
    let mut items = set.as_array().unwrap().clone();
    items.sort_by_key(ToString::to_string);
    items.into()
}

/// Every operation by method and path, with all it says about the wire.
fn operations(document: &Value) -> BTreeMap<String, Value> {
    let mut operations = BTreeMap::new();
    document::for_each_operation(document, |path, method, operation, _| {
        let mut facts = wire(document, operation, &mut Vec::new());
        let mut parameters = facts["parameters"].as_array().cloned().unwrap_or_default();
        parameters.retain(|parameter| parameter["name"] != "Authorization");
        parameters.sort_by_key(|parameter| format!("{} {}", parameter["in"], parameter["name"]));
        facts["parameters"] = parameters.into();
        facts["tags"] = operation["tags"].clone();
        operations.insert(format!("{method} {path}"), facts);
        Ok(())
    })
    .unwrap();
    operations
}

#[test]
fn nothing_is_lost_but_prose_and_the_authorization_parameter() {
    let root = project::root().unwrap();
    let Some(published) = published(&root) else { return };
    let canonical = document::load(&root.join("openapi/paid-v2.json")).unwrap();
    let (before, after) = (operations(&published), operations(&canonical));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (operation, facts) in &before {
        assert_eq!(facts, &after[operation], "{operation}");
    }
    for part in ["servers", "security"] {
        assert_eq!(wire(&published, &published[part], &mut Vec::new()), canonical[part], "{part}");
    }
    let schemes = |document: &Value| wire(document, &document["components"]["securitySchemes"], &mut Vec::new());
    assert_eq!(schemes(&published), schemes(&canonical));
}

#[test]
fn importing_the_published_document_again_changes_nothing() {
    let root = project::root().unwrap();
    let Some(published) = published(&root) else { return };
    let names = NameTable::load(&root.join("openapi/names.yaml")).unwrap();
    let (canonical, report) = import::canonicalise(published, &names, Decisions::Required).unwrap();
    let there = std::fs::read_to_string(root.join("openapi/paid-v2.json")).unwrap();
    assert!(document::to_canonical_json(&canonical) == there, "run `cargo xtask spec import`");
    assert_eq!(report.undecided, Vec::<String>::new());
}

/// What Paid's clients know, as a document, where there is one.
fn known_to_clients(root: &Path) -> Option<Value> {
    let path = root.join("../shared/openapi/paid-v2-next.json");
    if !path.is_file() {
        eprintln!("SKIPPED: there is no document of what Paid's clients know at {}", path.display());
        return None;
    }
    Some(document::load(&path).unwrap())
}

fn without_sources(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove(document::SOURCE);
            object.values_mut().for_each(without_sources);
        }
        Value::Array(items) => items.iter_mut().for_each(without_sources),
        _ => {}
    }
}

#[test]
fn the_supplement_adds_exactly_what_the_clients_know() {
    let root = project::root().unwrap();
    let Some(known) = known_to_clients(&root) else { return };
    let names = NameTable::load(&root.join("openapi/names.yaml")).unwrap();
    let (mut known, report) = import::canonicalise(known, &names, Decisions::Required).unwrap();
    assert_eq!((report.operations, report.undecided), (158, Vec::new()));
    let published = document::load(&root.join("openapi/paid-v2.json")).unwrap();
    known["info"] = published["info"].clone();
    let mut supplemented = Overlays::load(&root).unwrap().supplemented(published, false).unwrap();
    without_sources(&mut supplemented);
    let difference = import::first_difference(&known, &supplemented, "");
    assert_eq!(difference, None);
}
