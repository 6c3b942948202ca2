//! What operations tell of the types that they take and answer with: docs for answers that have none, and where a type is used.

use std::collections::BTreeMap;

use super::{Kind, Newtype, Operation, Payload, Resource, Shape, Type};
use crate::document;

/// How many operations a doc names.
const NAMED: usize = 4;

/// Completes the docs of the types.
pub(super) fn complete(types: &mut BTreeMap<String, Type>, resources: &[Resource]) {
    let told: Vec<_> = types.keys().map(|name| (name.clone(), answered(types, resources, name))).collect();
    for (name, answer) in told {
        let Some(known) = types.get_mut(&name) else { continue };
        known.uses = uses(known, resources, &name);
        if !known.sent && known.doc.is_none() {
            known.doc = answer;
        }
    }
}

/// Says of each id type where values come from, and what takes them.
pub(super) fn place(newtypes: &mut BTreeMap<String, Newtype>, types: &BTreeMap<String, Type>, resources: &[Resource]) {
    for (name, newtype) in newtypes {
        let own = types.iter().filter(|(_, known)| known.received).filter_map(|(of, known)| own_id(of, known, name));
        let taken = resources.iter().flat_map(|resource| {
            let takes = |operation: &&Operation| operation.path_parameters.iter().any(|field| is_of(&field.kind, name));
            resource
                .operations
                .iter()
                .filter(takes)
                .map(|operation| format!("`{}::{}`", resource.type_name(), operation.name))
        });
        for (says, places) in [("Answers have it in", own.collect::<Vec<_>>()), ("Taken by", taken.collect())] {
            if let Some(sentence) = sentence(says, "", places) {
                let gap = if newtype.doc.contains('\n') { " " } else { "\n\n" };
                newtype.doc.push_str(&format!("{gap}{sentence}"));
            }
        }
    }
}

fn is_of(kind: &Kind, name: &str) -> bool {
    matches!(kind, Kind::Newtype(newtype) if newtype == name)
}

/// The field of a type that names the thing itself.
fn own_id(of: &str, known: &Type, name: &str) -> Option<String> {
    let Shape::Struct(fields) = &known.shape else { return None };
    let own = ["id", "externalId", "slug", "displayId", "planHash"];
    let field = fields.iter().find(|field| own.contains(&field.wire.as_str()) && is_of(&field.kind, name))?;
    Some(format!("`{of}::{}`", field.ident))
}

/// A sentence that names some places, and how many more there are.
fn sentence(says: &str, of: &str, mut places: Vec<String>) -> Option<String> {
    let more = places.len().saturating_sub(NAMED);
    places.truncate(NAMED);
    let more = if more > 0 { format!(", and {of}{more} more") } else { String::new() };
    let places = match places.as_slice() {
        [first @ .., last] if !first.is_empty() && more.is_empty() => format!("{} and {last}", first.join(", ")),
        all => all.join(", "),
    };
    (!places.is_empty()).then(|| format!("{says} {places}{more}."))
}

/// The doc of an answer: which request it is for, and what it lists.
fn answered(types: &BTreeMap<String, Type>, resources: &[Resource], name: &str) -> Option<String> {
    let operations = resources.iter().flat_map(|resource| &resource.operations);
    let first =
        operations.filter(|operation| is_answer(operation, name)).min_by_key(|operation| operation.path.len())?;
    let is_page = first.query.iter().any(|field| field.wire == "limit");
    let holds = match &types.get(name)?.shape {
        Shape::Struct(fields) => fields.iter().find(|field| field.wire == "data" && field.kind == Kind::Array),
        _ => None,
    };
    let item = holds.and_then(|field| document::referenced(field.schema.get("items")?));
    let what = match item {
        Some(item) if is_page => format!(": one page of the list, with the [`{item}`]s on it"),
        Some(item) => format!(": all of its [`{item}`]s"),
        None => String::new(),
    };
    Some(format!("What `{} {}` answers{what}.", first.http_method, first.path))
}

fn is_answer(operation: &Operation, name: &str) -> bool {
    operation.answer.as_ref().and_then(Payload::component) == Some(name)
}

/// Which operations take the type or answer with it. A link leads to those that are compiled whenever the type is.
fn uses(known: &Type, resources: &[Resource], name: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for (says, of, sent) in [("Sent by", "", true), ("The answer of", "of ", false)] {
        let mut named = Vec::new();
        for resource in resources {
            for operation in &resource.operations {
                let body = operation.body.as_ref().and_then(Payload::component) == Some(name);
                if (sent && body) || (!sent && is_answer(operation, name)) {
                    named.push(method(known, resource, operation));
                }
            }
        }
        sentences.extend(sentence(says, of, named));
    }
    sentences
}

fn method(known: &Type, resource: &Resource, operation: &Operation) -> String {
    let path = format!("{}::{}", resource.type_name(), operation.name);
    let is_there = known.reached_by.only() == Some(&resource.feature)
        && (!operation.is_experimental() || known.reached_by.is_experimental());
    if is_there { format!("[`{path}`](crate::resources::{path})") } else { format!("`{path}`") }
}
