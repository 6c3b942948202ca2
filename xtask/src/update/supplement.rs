//! The supplement adds what clients know and the published document lacks. When a document is taken in, each of its
//! actions is still missing there, published as it was known, or published differently.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::overlay::{self, Overlay};

/// What became of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Missing,
    Identical,
    Different,
}

/// An action of the supplement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) target: String,
    pub(crate) state: State,
}

/// Compares every action with the published document, old and new.
pub(crate) fn compare(text: &str, old: &Value, new: &Value) -> Result<Vec<Part>> {
    let supplement = Overlay::parse(text)?;
    let part = |action: &overlay::Action| {
        let (before, after) = (overlay::select(old, &action.target)?, overlay::select(new, &action.target)?);
        let state = match &action.update {
            _ if action.remove && after.is_empty() && !before.is_empty() => State::Identical,
            Some(update) if !action.remove && !after.is_empty() => {
                let states = after.iter().map(|pointer| compared(old.pointer(pointer), new.pointer(pointer), update));
                together(states)
            }
            _ => State::Missing,
        };
        Ok(Part { target: action.target.clone(), state })
    };
    supplement.actions.iter().map(part).collect()
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
        (Value::Array(published), Value::Array(facts)) => facts.iter().all(|fact| published.contains(fact)),
        (Value::Array(published), fact) => published.contains(fact),
        _ => published == fact,
    }
}

/// All missing is missing and all identical is identical; what is published in part is different.
fn together(states: impl Iterator<Item = State>) -> State {
    let states: Vec<_> = states.collect();
    match states.first() {
        Some(first) if states.iter().all(|state| state == first) => *first,
        Some(_) => State::Different,
        // Only prose.
        None => State::Missing,
    }
}

/// The supplement without the actions that are published as they were known; everything else stays as it is written.
pub(crate) fn without_identical(text: &str, parts: &[Part]) -> Result<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let start = lines.iter().position(|line| line.starts_with("actions:")).context("no `actions`")? + 1;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let first = lines[start..].iter().find(|line| line.trim_start().starts_with("- "));
    let Some(depth) = first.map(|line| indent(line)) else { return Ok(text.to_owned()) };
    let starts = |line: &str| indent(line) == depth && line.trim_start().starts_with("- ");
    let mut kept: String = lines[..start].concat();
    let mut action = None;
    for line in &lines[start..] {
        // A comment before an action belongs to what follows.
        let comment = line.trim_start().starts_with('#') && indent(line) <= depth;
        if starts(line) {
            action = Some(action.map_or(0, |index: usize| index + 1));
        }
        let dropped = action.and_then(|index| parts.get(index)).is_some_and(|part| part.state == State::Identical);
        if !dropped || (comment && !starts(line)) {
            kept.push_str(line);
        }
    }
    ensure!(action.map_or(0, |index| index + 1) == parts.len(), "its actions are not one list of blocks");
    let left = parts.iter().filter(|part| part.state != State::Identical).count();
    if left == 0 {
        return Ok(lines[..start - 1].concat() + "actions: []\n");
    }
    ensure!(
        Overlay::parse(&kept)?.actions.len() == left,
        "an action cannot be taken out; its YAML is not a plain list"
    );
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SUPPLEMENT: &str = "overlay: 1.0.0
info: {title: t, version: '1'}
actions:
  # Known from one client.
  - target: $.paths
    description: A new operation.
    update:
      /b: {get: {operationId: get-b, x-source: a client}}
  - {target: $.components.schemas.A.properties, update: {two: {type: string}}}
  # Another.
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
        assert_eq!(states(&old()), [State::Missing; 5]);
    }

    #[test]
    fn what_is_published_as_it_was_known_is_identical() {
        let mut new = old();
        new["paths"]["/b"] = json!({"get": {"operationId": "get-b", "tags": ["more"]}});
        new["components"]["schemas"] = json!({
            "A": {"properties": {"one": {"type": "integer"}, "two": {"type": "string"}}, "required": ["one", "two"]}
        });
        assert_eq!(states(&new), [State::Identical; 5]);
    }

    #[test]
    fn what_is_published_otherwise_or_in_part_is_different() {
        let mut new = old();
        new["paths"]["/b"] = json!({"get": {"operationId": "fetch-b"}});
        new["components"]["schemas"]["A"]["properties"]["two"] = json!({"type": "integer"});
        new["components"]["schemas"]["A"]["properties"]["one"] = json!({"type": "string"});
        use State::{Different, Missing};
        assert_eq!(states(&new), [Different, Different, Missing, Different, Missing]);
    }

    #[test]
    fn only_identical_actions_are_taken_out_of_the_text() {
        let mut parts = compare(SUPPLEMENT, &old(), &old()).unwrap();
        assert_eq!(without_identical(SUPPLEMENT, &parts).unwrap(), SUPPLEMENT);
        for index in [0, 1, 4] {
            parts[index].state = State::Identical;
        }
        let left = without_identical(SUPPLEMENT, &parts).unwrap();
        let targets: Vec<_> = Overlay::parse(&left).unwrap().actions.into_iter().map(|action| action.target).collect();
        assert_eq!(targets, ["$.components.schemas.A", "$.components.schemas.A.properties.one"]);
        assert!(left.contains("# Another.") && !left.contains("get-b"), "{left}");
        parts.iter_mut().for_each(|part| part.state = State::Identical);
        assert!(Overlay::parse(&without_identical(SUPPLEMENT, &parts).unwrap()).unwrap().actions.is_empty());
    }
}
