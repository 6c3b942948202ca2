//! Parameters: matched by place and name, those of a path by position.

use std::collections::BTreeMap;

use serde_json::Value;

use super::effect::Effect;
use super::operations::{Operation, change};
use super::report::Level;
use super::schemas;
use super::view::Located;
use super::walk::{At, Subject, Walk};
use crate::document;

/// A parameter of one document.
#[derive(Debug)]
struct Parameter<'a> {
    document: &'a Value,
    name: &'a str,
    place: &'a str,
    pointer: String,
    value: &'a Value,
}

impl<'a> Parameter<'a> {
    fn required(&self) -> bool {
        self.place == "path" || self.value.get("required") == Some(&Value::Bool(true))
    }

    fn deprecated(&self) -> bool {
        self.value.get("deprecated") == Some(&Value::Bool(true))
    }

    fn schema(&self) -> Option<Located<'a>> {
        if let Some(schema) = self.value.get("schema") {
            return Some(Located::new(self.document, format!("{}/schema", self.pointer), schema));
        }
        let (media, entry) = self.value.get("content")?.as_object()?.iter().next()?;
        let pointer = format!("{}/content/{}/schema", self.pointer, document::escape(media));
        Some(Located::new(self.document, pointer, entry.get("schema")?))
    }

    /// How its value is written, with what counts if nothing is said. For one value, `explode` says nothing.
    fn style(&self) -> String {
        if let Some((media, _)) = self.value.get("content").and_then(|content| content.as_object()?.iter().next()) {
            return media.clone();
        }
        let usual = if matches!(self.place, "query" | "cookie") { "form" } else { "simple" };
        let style = self.value.get("style").and_then(Value::as_str).unwrap_or(usual);
        let explode = self.value.get("explode").and_then(Value::as_bool).unwrap_or(style == "form");
        let types = self.schema().map(|schema| schema.view().types()).unwrap_or_default();
        let is_one = !types.is_empty() && !types.contains("array") && !types.contains("object");
        let mut said = style.to_owned();
        for (holds, word) in
            [(explode && !is_one, ", exploded"), (self.is("allowReserved"), ", reserved characters kept")]
        {
            if holds {
                said.push_str(word);
            }
        }
        said
    }

    fn is(&self, key: &str) -> bool {
        self.value.get(key) == Some(&Value::Bool(true))
    }

    fn shown(&self) -> String {
        format!("{} parameter {}", self.place, self.name)
    }
}

/// OpenAPI gives no meaning to parameters of these names: media types and the security schemes say it.
const IGNORED: [&str; 3] = ["accept", "authorization", "content-type"];

fn parameters<'a>(operation: &Operation<'a>) -> BTreeMap<(String, String), Parameter<'a>> {
    let path = operation.pointer.rsplit_once('/').map_or("", |(path, _)| path).to_owned();
    let shared = operation.document.pointer(path.trim_start_matches('#')).and_then(|item| item.get("parameters"));
    let own = operation.value.get("parameters");
    let mut found = BTreeMap::new();
    for (list, pointer) in [(shared, &path), (own, &operation.pointer)] {
        for (index, part) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let pointer = format!("{pointer}/parameters/{index}");
            if let Some(parameter) = parameter(operation.document, pointer, part) {
                let key = match parameter.place {
                    "path" => position(operation.path, parameter.name),
                    "header" => parameter.name.to_lowercase(),
                    _ => parameter.name.to_owned(),
                };
                found.insert((parameter.place.to_owned(), key), parameter);
            }
        }
    }
    found.retain(|(place, name), _| place != "header" || !IGNORED.contains(&name.as_str()));
    found
}

fn parameter<'a>(document: &'a Value, pointer: String, part: &'a Value) -> Option<Parameter<'a>> {
    let (pointer, value) = resolved(document, pointer, part);
    Some(Parameter { document, name: value.get("name")?.as_str()?, place: value.get("in")?.as_str()?, pointer, value })
}

/// What a reference to a shared part leads to, also over several.
pub(super) fn resolved<'a>(document: &'a Value, mut pointer: String, mut part: &'a Value) -> (String, &'a Value) {
    for _ in 0..LONGEST {
        let reference = part.get("$ref").and_then(Value::as_str);
        let Some(next) = reference.and_then(|reference| document::follow(document, reference)) else { break };
        (pointer, part) = next;
    }
    (pointer, part)
}

/// Longer chains of references go in circles.
const LONGEST: usize = 32;

/// Which of the path's parameters this is.
fn position(path: &str, name: &str) -> String {
    let mut marked = path.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
    marked.position(|known| known == name).map_or_else(|| name.to_owned(), |at| format!("#{at}"))
}

/// Compares the parameters of an operation.
pub(super) fn compare(walk: &mut Walk<'_>, old: &Operation<'_>, new: &Operation<'_>) {
    let location = old.name();
    let (before, mut after) = (parameters(old), parameters(new));
    // With the first optional one, the method returns a builder.
    let builder = before.values().any(|parameter| !parameter.required());
    for (key, old) in &before {
        match after.remove(key) {
            Some(new) => both(walk, &location, old, &new),
            None => {
                let what = format!("{} removed", old.shown());
                let change = change("request-parameter-removed", what, Effect::Removes, Level::Breaking);
                walk.note(change, &location, Some(&old.pointer), None);
            }
        }
    }
    for new in after.values() {
        let (kind, effect, rust) = match (new.required(), builder) {
            (true, _) => ("required", Effect::Narrows, Level::Breaking),
            (false, false) => ("optional", Effect::Adds, Level::Breaking),
            (false, true) => ("optional", Effect::Adds, Level::Additive),
        };
        let what = format!("new {kind} {}", new.shown());
        let change = change(&format!("new-{kind}-request-parameter"), what, effect, rust);
        walk.note(change, &location, None, Some(&new.pointer));
    }
}

fn both(walk: &mut Walk<'_>, location: &str, old: &Parameter<'_>, new: &Parameter<'_>) {
    let shown = old.shown();
    let mut note = |check: &str, what: String, effect, rust| {
        walk.note(change(check, what, effect, rust), location, Some(&old.pointer), Some(&new.pointer));
    };
    if old.place == "path" && old.name != new.name {
        let what = format!("path parameter {} is called {}", old.name, new.name);
        note("request-path-parameter-renamed", what, Effect::Same, Level::Documentation);
    }
    if old.required() != new.required() {
        let (kind, effect) = match new.required() {
            true => ("required", Effect::Narrows),
            false => ("optional", Effect::Widens),
        };
        let check = format!("request-parameter-became-{kind}");
        note(&check, format!("{} became {kind}", new.shown()), effect, Level::Breaking);
    }
    if old.deprecated() != new.deprecated() {
        let (check, what) = match new.deprecated() {
            true => ("request-parameter-deprecated", "deprecated"),
            false => ("request-parameter-reactivated", "not deprecated any more"),
        };
        note(check, format!("{} {what}", new.shown()), Effect::Same, Level::Documentation);
    }
    if old.style() != new.style() {
        let what = format!("{} is written {} -> {}", new.shown(), old.style(), new.style());
        note("request-parameter-style-changed", what, Effect::Incomparable, Level::Documentation);
    }
    if let (Some(old), Some(new)) = (old.schema(), new.schema()) {
        let at = At::new(Subject::Parameter, format!("{location} {shown}"));
        schemas::compare(walk, &old, &new, &at);
    }
}
