//! The supplement adds what clients know and the published document lacks. When a document is taken in, each of its
//! parts is still missing there, published as it was known, or published differently. A part is an action, or one key of
//! what it adds.

use std::fmt;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::excerpt;
use crate::overlay::{self, Overlay};

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Missing,
    Identical,
    Different,
}

/// An action of the supplement, or one key of its update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Which action, in the order of the file.
    pub(super) action: usize,
    pub(super) target: String,
    /// A path, a component, a property, a status.
    pub(super) key: Option<String>,
    pub(super) state: State,
    /// Whether it is still there although it is published: others refer to it, or it is not a block of its own.
    pub(super) kept: bool,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "`{key}` of `{}`", self.target),
            None => write!(f, "`{}`", self.target),
        }
    }
}

/// Compares every part with the published document, old and new.
pub(crate) fn compare(text: &str, old: &Value, new: &Value) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    // The document as the actions before leave it, of which those that say nothing new are gone.
    let mut running = new.clone();
    for (index, action) in Overlay::parse(text)?.actions.iter().enumerate() {
        let (before, after) = (overlay::select(old, &action.target)?, overlay::select(new, &action.target)?);
        let part = |key: Option<&String>, state| Part {
            action: index,
            target: action.target.clone(),
            key: key.cloned(),
            state,
            kept: false,
        };
        let at = |key: Option<&String>, update: &Value| {
            let value = |document, pointer: &String| {
                let held: Option<&Value> = Value::pointer(document, pointer);
                match key {
                    Some(key) => held.and_then(|held| held.get(key)),
                    None => held,
                }
            };
            together(after.iter().map(|pointer| compared(value(old, pointer), value(new, pointer), update)))
        };
        match &action.update {
            _ if action.remove => {
                let gone = after.is_empty() && !before.is_empty();
                let identical = gone || is_settled(&running, &action.target, None)?;
                parts.push(part(None, if identical { State::Identical } else { State::Missing }));
            }
            Some(update) if is_settled(&running, &action.target, Some(update))? => {
                parts.push(part(None, State::Identical));
            }
            Some(Value::Object(added)) if adds_keys(&action.target) => {
                parts.extend(added.iter().map(|(key, inner)| part(Some(key), at(Some(key), inner))));
            }
            Some(update) => parts.push(part(None, at(None, update))),
            None => parts.push(part(None, State::Missing)),
        }
        let mut of_action = parts.iter().filter(|part| part.action == index);
        if of_action.any(|part| part.state != State::Identical) {
            action.apply(&mut running)?;
        }
    }
    Ok(parts)
}

/// Whether a target that selects what is to be corrected (`type[?@=='number']`) finds nothing left to correct: the place is there, and
/// what stands there is right.
fn is_settled(document: &Value, target: &str, update: Option<&Value>) -> Result<bool> {
    let Some(place) = target.split_once("[?").map(|(place, _)| place) else { return Ok(false) };
    if !overlay::select(document, target)?.is_empty() {
        return Ok(false);
    }
    let places = overlay::select(document, place)?;
    let is_right = |pointer: &String| match (update, document.pointer(pointer)) {
        (Some(update), Some(value)) => holds(value, update),
        (None, _) => true,
        _ => false,
    };
    Ok(!places.is_empty() && places.iter().all(is_right))
}

/// Targets whose keys are things of their own.
fn adds_keys(target: &str) -> bool {
    ["$.paths", "$.components.schemas"].contains(&target)
        || [".properties", ".responses"].iter().any(|end| target.ends_with(end))
}

/// Annotations and prose are the supplement's own.
fn ours(key: &str) -> bool {
    key.starts_with("x-") || matches!(key, "description" | "summary")
}

fn compared(old: Option<&Value>, new: Option<&Value>, update: &Value) -> State {
    if let Some(facts) = update.as_object() {
        let facts = facts
            .iter()
            .filter(|(key, _)| !ours(key))
            .map(|(key, inner)| compared(old.and_then(|old| old.get(key)), new.and_then(|new| new.get(key)), inner));
        return together(facts);
    }
    match new {
        Some(new) if holds(new, update) => State::Identical,
        // A fact that was corrected and is still as it was needs its correction.
        Some(new) if old != Some(new) => State::Different,
        _ => State::Missing,
    }
}

/// An overlay appends to a list, so one that is published holds what would be appended.
fn holds(published: &Value, fact: &Value) -> bool {
    match (published, fact) {
        (Value::Array(published), Value::Array(facts)) => {
            facts.iter().all(|fact| published.iter().any(|known| contains(known, fact)))
        }
        (Value::Array(published), fact) => published.contains(fact),
        _ => published == fact,
    }
}

/// Whether every fact stands in what is published, annotations and prose left out.
fn contains(published: &Value, fact: &Value) -> bool {
    match fact.as_object() {
        Some(facts) => facts
            .iter()
            .filter(|(key, _)| !ours(key))
            .all(|(key, fact)| published.get(key).is_some_and(|published| contains(published, fact))),
        None => holds(published, fact),
    }
}

/// All missing is missing and all identical is identical; what is published in part is different.
fn together(states: impl Iterator<Item = State>) -> State {
    let states: Vec<_> = states.collect();
    match states.first() {
        Some(first) if states.iter().all(|state| state == first) => *first,
        Some(_) => State::Different,
        // Only prose, or an empty schema.
        None => State::Missing,
    }
}

/// The supplement without the parts that are published as they were known; everything else stays as it is written.
pub(crate) fn without_identical(text: &str, parts: &[Part]) -> Result<String> {
    let identical = |part: &&Part| part.state == State::Identical;
    let mut left = text.to_owned();
    // From the end, so that the numbers of the actions before stay.
    for action in (0..=parts.iter().map(|part| part.action).max().unwrap_or(0)).rev() {
        let of: Vec<_> = parts.iter().filter(|part| part.action == action).collect();
        if !of.is_empty() && of.iter().all(identical) {
            left = excerpt::without_action(&left, action)?;
            continue;
        }
        for key in of.iter().filter(|part| identical(part)).filter_map(|part| part.key.as_deref()) {
            left = excerpt::without_key(&left, action, key)?;
        }
    }
    ensure!(Overlay::parse(&left).is_ok(), "its YAML cannot be shortened");
    Ok(left)
}

/// Marks the parts that are published and could not be taken out.
pub(crate) fn mark_kept(parts: &mut [Part], left: &str) -> Result<()> {
    let left = Overlay::parse(left)?;
    for part in parts.iter_mut().filter(|part| part.state == State::Identical) {
        part.kept = left.actions.iter().filter(|action| action.target == part.target).any(|action| match &part.key {
            Some(key) => action.update.as_ref().is_some_and(|update| update.get(key).is_some()),
            None => true,
        });
    }
    Ok(())
}

/// What a person has to decide if the supplement no longer fits.
pub(crate) fn conflict(parts: &[Part]) -> String {
    let different = parts.iter().filter(|part| part.state == State::Different).map(Part::to_string);
    let different: Vec<_> = different.collect();
    if different.is_empty() {
        return "the document does not generate".to_owned();
    }
    format!("parts of the supplement are published differently (correct or remove them): {}", different.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SUPPLEMENT: &str = "overlay: 1.0.0
info: {title: t, version: '1'}
actions:
  - target: $.paths
    description: New operations.
    update:
      /b: {get: {operationId: get-b, parameters: [{name: q, description: ours}], x-source: a client}}
      /c: {get: {operationId: get-c}}
  - {target: $.components.schemas.A.properties, update: {two: {type: string}}}
  - target: $.components.schemas.A
    update: {required: [two]}
  - target: $.components.schemas.A.properties.one
    update: {type: integer}
  - target: $.components.schemas.B
    remove: true
";

    fn old() -> Value {
        json!({"paths": {"/a": {}}, "components": {"schemas": {
            "A": {"properties": {"one": {"type": "number"}}, "required": ["one"]}, "B": {}
        }}})
    }

    fn states(new: &Value) -> Vec<State> {
        compare(SUPPLEMENT, &old(), new).unwrap().into_iter().map(|part| part.state).collect()
    }

    #[test]
    fn what_is_not_published_is_missing() {
        assert_eq!(states(&old()), [State::Missing; 6]);
    }

    #[test]
    fn what_is_published_as_it_was_known_is_identical() {
        let mut new = old();
        new["paths"]["/b"] = json!({"get": {"operationId": "get-b", "parameters": [{"name": "q"}], "tags": ["more"]}});
        new["paths"]["/c"] = json!({"get": {"operationId": "get-c"}});
        new["components"]["schemas"] = json!({
            "A": {"properties": {"one": {"type": "integer"}, "two": {"type": "string"}}, "required": ["one", "two"]}
        });
        assert_eq!(states(&new), [State::Identical; 6]);
    }

    #[test]
    fn what_is_published_otherwise_is_different_and_each_path_counts_alone() {
        let mut new = old();
        new["paths"]["/b"] = json!({"get": {"operationId": "fetch-b", "parameters": [{"name": "q"}]}});
        new["components"]["schemas"]["A"]["properties"]["two"] = json!({"type": "integer"});
        new["components"]["schemas"]["A"]["properties"]["one"] = json!({"type": "string"});
        use State::{Different, Missing};
        assert_eq!(states(&new), [Different, Missing, Different, Missing, Different, Missing]);
        let parts = compare(SUPPLEMENT, &old(), &new).unwrap();
        assert!(conflict(&parts).contains("`/b` of `$.paths`, `two` of"), "{}", conflict(&parts));
    }

    #[test]
    fn a_correction_with_nothing_left_to_correct_is_identical() {
        let text = "overlay: 1.0.0
info: {title: t, version: '1'}
actions:
  - {target: \"$.components.schemas['A'].properties.one.type[?@=='number']\", update: integer}
  - {target: \"$.components.schemas..properties[?@.format=='double' && @.type[0]=='integer'].format\", remove: true}
";
        let of = |kind: &str, format: bool| {
            let mut one = json!({"type": [kind, "null"]});
            if format {
                one["format"] = "double".into();
            }
            json!({"paths": {}, "components": {"schemas": {"A": {"properties": {"one": one}}}}})
        };
        let states = |new: &Value| -> Vec<State> {
            compare(text, &of("number", true), new).unwrap().into_iter().map(|part| part.state).collect()
        };
        use State::{Identical, Missing};
        assert_eq!(states(&of("number", true)), [Missing, Missing]);
        assert_eq!(states(&of("integer", false)), [Identical, Identical]);
        assert_eq!(states(&of("integer", true)), [Identical, Missing]);
        // What became of it is for a person to decide.
        assert_eq!(states(&of("string", false)), [Missing, Identical]);
        assert_eq!(states(&json!({"paths": {}, "components": {"schemas": {"B": {}}}})), [Missing, Missing]);
    }

    #[test]
    fn only_identical_parts_are_taken_out_of_the_text() {
        let mut parts = compare(SUPPLEMENT, &old(), &old()).unwrap();
        assert_eq!(without_identical(SUPPLEMENT, &parts).unwrap(), SUPPLEMENT);
        for index in [0, 2, 5] {
            parts[index].state = State::Identical;
        }
        let left = without_identical(SUPPLEMENT, &parts).unwrap();
        let targets: Vec<_> = Overlay::parse(&left).unwrap().actions.into_iter().map(|action| action.target).collect();
        assert_eq!(targets, ["$.paths", "$.components.schemas.A", "$.components.schemas.A.properties.one"]);
        assert!(left.contains("get-c") && !left.contains("get-b"), "{left}");
        mark_kept(&mut parts, &left).unwrap();
        assert!(parts.iter().all(|part| !part.kept));
        mark_kept(&mut parts, SUPPLEMENT).unwrap();
        assert_eq!(parts.iter().filter(|part| part.kept).count(), 3);
        parts.iter_mut().for_each(|part| part.state = State::Identical);
        assert!(Overlay::parse(&without_identical(SUPPLEMENT, &parts).unwrap()).unwrap().actions.is_empty());
    }
}
