//! Applies an OpenAPI Overlay 1.0 document: pure, document in, document out.
//! A target that matches nothing is an error, so that an update cannot silently drop a correction. What an action with
//! `x-source` adds is marked with it.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::document;

/// An overlay document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    overlay: String,
    #[allow(dead_code)]
    info: Value,
    #[serde(default)]
    pub(crate) actions: Vec<Action>,
}

/// One change: merge `update` into, or remove, whatever `target` selects.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    pub(crate) target: String,
    #[allow(dead_code)]
    description: Option<String>,
    pub(crate) update: Option<Value>,
    #[serde(default)]
    pub(crate) remove: bool,
    /// Where the fact is known from, if Paid's document does not have it.
    #[serde(rename = "x-source")]
    source: Option<String>,
}

impl Overlay {
    /// Parses an overlay document (YAML or JSON).
    pub(crate) fn parse(text: &str) -> Result<Self> {
        // One anchor may stand for an answer of every operation.
        let options = serde_saphyr::options! { budget: serde_saphyr::budget! { enforce_alias_anchor_ratio: false } };
        let overlay = serde_saphyr::from_str_with_options(text, options);
        let overlay: Self = overlay.map_err(|error| anyhow::anyhow!("{error}"))?;
        if !overlay.overlay.starts_with("1.0") {
            bail!("overlay version {} is not supported: use 1.0.0", overlay.overlay);
        }
        Ok(overlay)
    }

    /// Applies every action in order; the targets that match nothing are an error that names them all.
    pub(crate) fn apply(&self, document: Value) -> Result<Value> {
        let (document, unmatched) = self.run(document)?;
        if !unmatched.is_empty() {
            bail!(
                "overlay targets that match nothing (correct or remove these actions):\n  {}",
                unmatched.join("\n  ")
            );
        }
        Ok(document)
    }

    /// For trying another document: says which targets match nothing and goes on.
    pub(crate) fn apply_where_it_matches(&self, document: Value) -> Result<Value> {
        let (document, unmatched) = self.run(document)?;
        for target in unmatched {
            eprintln!("  this document has nothing for the overlay's {target}");
        }
        Ok(document)
    }

    /// Applies every action; returns the targets that match nothing with the result.
    pub(crate) fn run(&self, document: Value) -> Result<(Value, Vec<&str>)> {
        let (document, unmatched, made) = self.applied(document)?;
        if !made.is_empty() {
            bail!(
                "the overlay describes what the document does not have (correct or remove):\n  {}",
                made.join("\n  ")
            );
        }
        Ok((document, unmatched))
    }

    /// Applies it to an older document than it was written for. What it describes and this document does not have yet is not made.
    pub(crate) fn run_on_older(&self, document: Value) -> Result<Value> {
        let (mut document, _, made) = self.applied(document)?;
        // Inner ones come first.
        for pointer in &made {
            remove(&mut document, pointer.trim_start_matches('#'))?;
        }
        Ok(document)
    }

    /// The result, the targets that match nothing, and what was made by describing what is not there.
    fn applied(&self, mut document: Value) -> Result<(Value, Vec<&str>, Vec<String>)> {
        let mut unmatched = Vec::new();
        let before = schema_pointers(&mut document);
        let operations = operation_pointers(&document);
        for action in &self.actions {
            if !action.apply(&mut document)? {
                unmatched.push(action.target.as_str());
            }
        }
        let made = made_by_prose(&mut document, &before, &operations);
        Ok((document, unmatched, made))
    }
}

impl Action {
    /// Applies it; returns false if its target matches nothing.
    pub(crate) fn apply(&self, document: &mut Value) -> Result<bool> {
        let pointers = select(document, &self.target)?;
        for pointer in pointers.iter().rev() {
            if self.remove {
                remove(document, pointer)?;
            } else if let (Some(update), Some(target)) = (&self.update, document.pointer_mut(pointer)) {
                merge(target, update, pointer, self.source.as_deref());
            }
        }
        Ok(!pointers.is_empty())
    }
}

/// Every operation, and whether it says more than prose.
fn operation_pointers(document: &Value) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    // What is no document has no operations.
    let _ = document::for_each_operation(document, |_, _, operation, pointer| {
        let prose = |key: &String| matches!(key.as_str(), "description" | "summary" | "tags") || key.starts_with("x-");
        let is_known = operation.get(document::SOURCE).is_some();
        let is_more = is_known || operation.as_object().is_none_or(|object| !object.keys().all(prose));
        found.insert(pointer, is_more);
        Ok(())
    });
    found
}

fn schema_pointers(document: &mut Value) -> BTreeSet<String> {
    let mut pointers = BTreeSet::new();
    document::visit_schemas(document, &mut |_, pointer| {
        pointers.insert(pointer.to_owned());
    });
    pointers
}

/// An update that only describes a schema or property must find it in the document: merged in, it would make one.
fn made_by_prose(document: &mut Value, before: &BTreeSet<String>, operations: &BTreeMap<String, bool>) -> Vec<String> {
    let now = operation_pointers(document);
    let phantoms = now.into_iter().filter(|(pointer, is_more)| !is_more && !operations.contains_key(pointer));
    let mut made: Vec<_> = phantoms.map(|(pointer, _)| pointer).collect();
    document::visit_schemas(document, &mut |schema, pointer| {
        // An empty schema admits everything, and what has a source is meant to be new.
        let may_describe = |object: &&document::Object| !object.is_empty() && !object.contains_key(document::SOURCE);
        let only_prose = schema.as_object().filter(may_describe).is_some_and(|object| {
            object.keys().all(|key| key == "description" || key == "properties" || key.starts_with("x-"))
        });
        if only_prose && !before.contains(pointer) {
            made.push(pointer.to_owned());
        }
    });
    made
}

/// The JSON pointers of what a target selects.
pub(crate) fn select(document: &Value, target: &str) -> Result<Vec<String>> {
    let path = JsonPath::parse(target).with_context(|| format!("overlay target `{target}` is not a JSONPath"))?;
    Ok(path.query_located(document).locations().map(|location| location.to_json_pointer()).collect())
}

fn remove(document: &mut Value, pointer: &str) -> Result<()> {
    let (parent, key) = pointer.rsplit_once('/').context("an overlay cannot remove the whole document")?;
    let key = key.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.remove(&key);
        }
        Some(Value::Array(array)) => {
            let index: usize = key.parse().with_context(|| format!("{pointer} is not an index of its array"))?;
            if index < array.len() {
                array.remove(index);
            }
        }
        _ => bail!("{pointer} is gone: an earlier part of this action removed what holds it"),
    }
    Ok(())
}

/// The Overlay rule: objects merge, arrays are appended to, the rest is replaced. What an array has already, it keeps once.
fn merge(target: &mut Value, update: &Value, pointer: &str, source: Option<&str>) {
    match (target, update) {
        (Value::Object(target), Value::Object(update)) => {
            for (key, value) in update {
                let pointer = format!("{pointer}/{}", document::escape(key));
                match target.get_mut(key) {
                    Some(existing) => merge(existing, value, &pointer, source),
                    None => {
                        let mut added = value.clone();
                        if let Some(source) = source {
                            source::mark(&mut added, &pointer, source);
                        }
                        target.insert(key.clone(), added);
                    }
                }
            }
        }
        (Value::Array(target), Value::Array(update)) => {
            let added: Vec<_> = update.iter().filter(|element| !target.contains(element)).cloned().collect();
            target.extend(added);
        }
        (Value::Array(target), update) => target.push(update.clone()),
        (target, update) => *target = update.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn apply(actions: &str, document: Value) -> Result<Value> {
        Overlay::parse(&format!("overlay: 1.0.0\ninfo: {{title: t, version: '1'}}\nactions:\n{actions}"))?
            .apply(document)
    }

    #[test]
    fn updates_merge_into_every_match() {
        let document = json!({"a": {"properties": {"id": {"type": "string"}}}, "b": {"properties": {"id": {}}}});
        let result = apply("- target: $..properties.id\n  update: {x: 1}\n", document).unwrap();
        assert_eq!(
            result,
            json!({"a": {"properties": {"id": {"type": "string", "x": 1}}}, "b": {"properties": {"id": {"x": 1}}}})
        );
    }

    #[test]
    fn what_an_older_document_does_not_have_is_not_made() {
        let text = "overlay: 1.0.0
info: {title: t, version: '1'}
actions:
  - {target: $.components.schemas, update: {New: {description: x, properties: {a: {description: y}}}}}
  - {target: $.components.schemas.Old, update: {properties: {b: {description: z}}}}
  - {target: \"$.paths['/a']\", update: {get: {description: x}}}
";
        let old = json!({"paths": {"/a": {"post": {"responses": {}}}}, "components": {"schemas": {"Old": {"properties": {"c": {}}}}}});
        let overlay = Overlay::parse(text).unwrap();
        assert_eq!(overlay.run_on_older(old.clone()).unwrap(), old);
        let error = overlay.run(old).unwrap_err().to_string();
        for place in ["#/components/schemas/New", "#/components/schemas/Old/properties/b", "#/paths/~1a/get"] {
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn removals_take_every_match_of_an_array() {
        let document = json!({"list": [{"n": 1}, {"n": 2}, {"n": 1}]});
        let result = apply("- target: $.list[?@.n==1]\n  remove: true\n", document).unwrap();
        assert_eq!(result, json!({"list": [{"n": 2}]}));
    }

    #[test]
    fn targets_that_match_nothing_are_all_named() {
        let error = apply("- target: $.x\n  update: {}\n- target: $.y\n  remove: true\n", json!({})).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("$.x") && error.contains("$.y"), "{error}");
    }

    #[test]
    fn prose_about_a_field_that_is_not_there_is_named() {
        let document = json!({"components": {"schemas": {"A": {"properties": {"a": {"type": "string"}}}}}});
        let actions =
            "- target: $.components.schemas.A\n  update: {properties: {a: {description: x}, b: {description: y}}}\n";
        let error = apply(actions, document).unwrap_err().to_string();
        assert!(error.contains("#/components/schemas/A/properties/b"), "{error}");
        assert!(!error.contains("properties/a"), "{error}");
    }

    #[test]
    fn a_target_that_is_no_json_path_is_named() {
        let error = apply("- target: components.schemas\n  update: {}\n", json!({})).unwrap_err().to_string();
        assert!(error.contains("`components.schemas` is not a JSONPath"), "{error}");
    }
}
