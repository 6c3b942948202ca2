//! Parameters: where each stands, what it is called here, and how it is written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shape::{Name, Shaper};
use super::{facets, places};
use crate::simplify::{ENCODING, FIELD};
use crate::words::reserved;
use crate::{null, words};

/// The client sets these itself, as OpenAPI says.
const SET_BY_THE_CLIENT: [&str; 3] = ["accept", "content-type", "authorization"];

/// These, too, though OpenAPI does not say so: a value of one's own would break the connection.
const OF_THE_CONNECTION: [&str; 6] =
    ["connection", "content-encoding", "content-length", "cookie", "host", "transfer-encoding"];

/// Whether a header or a cookie can be called this.
fn is_token(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
    !name.is_empty() && name.chars().all(allowed)
}

/// A parameter as given, and where.
pub(super) type Given<'a> = (&'a Value, String);

/// The parameters of an operation and those of its path that it does not replace.
pub(super) fn all<'a>(
    shaper: &mut Shaper<'a>,
    own: (Option<&'a Value>, String),
    shared: (Option<&'a Value>, String),
) -> Vec<Given<'a>> {
    let mut all: Vec<Given<'a>> = Vec::new();
    for (list, at) in [own, shared] {
        let before = all.len();
        for (index, parameter) in places::list(list).enumerate() {
            let at = format!("{at}/parameters/{index}");
            match places::resolved(shaper.whole, parameter, &at) {
                Ok((parameter, at)) => {
                    let same = |other: &Value| other["name"] == parameter["name"] && other["in"] == parameter["in"];
                    match all.iter().position(|(other, _)| same(other)) {
                        None => all.push((parameter, at)),
                        // What an operation says again replaces what its path says.
                        Some(known) if known < before => {}
                        Some(known) => {
                            let note = format!("ignored: {at}: the same parameter is at {}", all[known].1);
                            shaper.notes.push(note);
                        }
                    }
                }
                Err(problem) => shaper.problems.add(&at, problem),
            }
        }
    }
    all
}

/// Makes the parameters of an operation; a name in the path that is not declared is text.
pub(super) fn read(shaper: &mut Shaper<'_>, given: &[Given<'_>], path: &str, hint: &str, has_body: bool) -> Vec<Value> {
    let mut made = Vec::new();
    let mut taken: BTreeSet<String> = reserved::ARGUMENTS.iter().map(|name| (*name).to_owned()).collect();
    if !has_body {
        taken.remove("request");
    }
    let mut in_path: BTreeSet<&str> = names_in(path).collect();
    for (parameter, at) in given {
        let Some(wire) = parameter["name"].as_str() else {
            shaper.problems.add(at, "a parameter without a name");
            continue;
        };
        let place = parameter["in"].as_str().unwrap_or_default();
        match place {
            "path" if !in_path.remove(wire) => {
                shaper.notes.push(format!("ignored: {at}: `{{{wire}}}` is not in the path {path}"));
                continue;
            }
            "header" if SET_BY_THE_CLIENT.contains(&wire.to_ascii_lowercase().as_str()) => continue,
            "header" if OF_THE_CONNECTION.contains(&wire.to_ascii_lowercase().as_str()) => {
                shaper.notes.push(format!("ignored: {at}: the client sets the header `{wire}` itself"));
                continue;
            }
            "header" | "cookie" if !is_token(wire) => {
                shaper.problems.add(at, format!("no {place} can be called {wire:?}"));
                continue;
            }
            "path" | "query" | "header" | "cookie" => {}
            other => {
                shaper.problems.add(
                    at,
                    format!(
                        "a parameter cannot stand in `{other}`: `path`, `query`, `header` and `cookie` are the places"
                    ),
                );
                continue;
            }
        }
        if let Some(mut entry) = one(shaper, parameter, place, wire, at, hint) {
            let ident = words::snake(wire, "field");
            let ident = if taken.contains(&ident) {
                words::unique(format!("{}_", ident.trim_end_matches('_')), "2", &mut taken)
            } else {
                words::unique(ident, "_", &mut taken)
            };
            entry[FIELD] = ident.into();
            made.push(entry);
        }
    }
    for wire in in_path {
        let ident = words::unique(words::snake(wire, "field"), "_", &mut taken);
        made.push(json!({"name": wire, "in": "path", "required": true, "schema": {"type": "string"}, FIELD: ident}));
    }
    made
}

/// The names in braces.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn one(shaper: &mut Shaper<'_>, parameter: &Value, place: &str, wire: &str, at: &str, hint: &str) -> Option<Value> {
    let content = places::object(parameter.get("content")).next();
    let (schema, schema_at) = match (parameter.get("schema"), content) {
        (Some(schema), _) => (schema.clone(), places::below(at, "schema")),
        (None, Some((media, content))) => (
            content.get("schema").cloned().unwrap_or_else(|| json!({})),
            places::below(&places::below(&places::below(at, "content"), media), "schema"),
        ),
        (None, None) => (json!({"type": "string"}), at.to_owned()),
    };
    let name = format!("{hint}{}", words::camel(wire, "Parameter"));
    let used = shaper.shape(&schema, Name::Hint(&name), &schema_at);
    let used = null::without(&used).schema;
    let is_json = parameter.get("schema").is_none() && content.is_some();
    let default = if matches!(place, "query" | "cookie") { "form" } else { "simple" };
    let style = if is_json { "json" } else { parameter["style"].as_str().unwrap_or(default) };
    let known = match place {
        "path" => ["simple", "label", "matrix", "json"].contains(&style),
        "query" => ["form", "spaceDelimited", "pipeDelimited", "deepObject", "json"].contains(&style),
        "header" => ["simple", "json"].contains(&style),
        _ => ["form", "json"].contains(&style),
    };
    if !known {
        shaper
            .problems
            .add(&places::below(at, "style"), format!("`{style}` is not a style of a parameter in `{place}`"));
        return None;
    }
    let explode = parameter["explode"].as_bool().unwrap_or(style == "form");
    let is_text = matches!(used["type"].as_str(), Some("string" | "integer" | "number" | "boolean"));
    let mut entry = json!({
        "name": wire, "in": place, "required": place == "path" || parameter["required"] == true, "schema": used,
    });
    if !is_text || matches!(style, "label" | "matrix") || is_json {
        entry[ENCODING] = json!({"style": style, "explode": explode});
    }
    for key in ["description", "deprecated"] {
        if let Some(value) = parameter.get(key) {
            entry[key] = value.clone();
        }
    }
    if let Some(beside) = schema.as_object().map(facets::beside) {
        for (key, value) in beside.into_iter().filter(|(key, _)| key == "description") {
            entry.as_object_mut()?.entry(key).or_insert(value);
        }
    }
    Some(entry)
}
