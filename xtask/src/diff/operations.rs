//! Operations: matched by method and path, whatever the path's parameters are called.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use serde_json::Value;

use super::effect::{Effect, Side};
use super::report::Level;
use super::walk::{Change, Record, Walk};
use super::{constraints, parameters, payloads};
use crate::document;

/// An operation of one document.
#[derive(Debug, Clone)]
pub(crate) struct Operation<'a> {
    pub(crate) document: &'a Value,
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) pointer: String,
    pub(crate) value: &'a Value,
}

impl Operation<'_> {
    /// Such as `GET /customers/{id}`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.value.get(key).and_then(Value::as_str)
    }

    /// What the operation says, or else its path for all of its operations.
    fn own_or_shared(&self, key: &str) -> Option<&Value> {
        let path = self.pointer.rsplit_once('/').map_or("", |(path, _)| path).trim_start_matches('#');
        self.value.get(key).or_else(|| self.document.pointer(path)?.get(key))
    }

    fn deprecated(&self) -> bool {
        self.value.get("deprecated") == Some(&Value::Bool(true))
    }
}

/// Compares everything.
pub(crate) fn compare(old: &Value, new: &Value, record: &mut Record) -> Result<()> {
    whole(old, new, record);
    let (old, mut new) = (operations(old)?, operations(new)?);
    for (key, before) in &old {
        match new.remove(key) {
            Some(after) => operation(before, &after, record),
            None => removed(before, record),
        }
    }
    for added in new.values() {
        let change = change("endpoint-added", "new operation", Effect::Adds, Level::Additive);
        let mut walk = Walk::new(&added.name(), Side::Request, record);
        walk.note(change, &added.name(), None, Some(&added.pointer));
    }
    Ok(())
}

pub(crate) fn change(check: &str, what: impl Into<String>, effect: Effect, rust: Level) -> Change {
    Change { check: check.to_owned(), what: what.into(), effect, rust }
}

fn operations(document: &Value) -> Result<BTreeMap<(String, &str), Operation<'_>>> {
    let mut found = BTreeMap::new();
    document::for_each_operation(document, |path, method, value, pointer| {
        ensure!(value.is_object(), "{pointer} is not an object");
        let answers = value.get("responses");
        ensure!(answers.is_none_or(Value::is_object), "{pointer}/responses is not an object");
        let operation = Operation { document, path, method, pointer, value };
        found.insert((template(path), method), operation);
        Ok(())
    })?;
    Ok(found)
}

/// The path without the names of its parameters.
fn template(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| match part.split_once('}') {
        Some((_, rest)) => format!("{path}{{}}{rest}"),
        None => format!("{path}{{{part}"),
    })
}

fn removed(operation: &Operation<'_>, record: &mut Record) {
    let check = if operation.deprecated() { "api-removed-with-deprecation" } else { "api-removed-without-deprecation" };
    let change = change(check, "operation removed", Effect::Removes, Level::Breaking);
    let mut walk = Walk::new(&operation.name(), Side::Request, record);
    walk.note(change, &operation.name(), Some(&operation.pointer), None);
}

fn operation(old: &Operation<'_>, new: &Operation<'_>, record: &mut Record) {
    let name = old.name();
    names(&mut Walk::new(&name, Side::Request, record), old, new);
    security(record, &name, old, new);
    parameters::compare(&mut Walk::new(&name, Side::Request, record), old, new);
    payloads::bodies(&mut Walk::new(&name, Side::Request, record), old, new);
    payloads::answers(record, old, new);
    for key in ["servers", "callbacks"] {
        if [old, new].iter().all(|operation| operation.own_or_shared(key).is_none()) {
            continue;
        }
        let of_all =
            |operation: &Operation<'_>| operation.document.get("servers").filter(|_| key == "servers").cloned();
        let facts = |operation: &Operation<'_>| {
            operation.own_or_shared(key).cloned().or_else(|| of_all(operation)).as_ref().map(constraints::without_prose)
        };
        let Some((how, effect)) = changed(facts(old), facts(new)) else { continue };
        // With servers of its own, an operation is somewhere else.
        let effect = if key == "servers" { Effect::Incomparable } else { effect };
        let change = change(&format!("api-{key}-{how}"), format!("{key} {how}"), effect, Level::Documentation);
        Walk::new(&name, Side::Request, record).note(change, &name, Some(&old.pointer), Some(&new.pointer));
    }
}

/// What happened to something that is compared as a whole.
fn changed(old: Option<Value>, new: Option<Value>) -> Option<(&'static str, Effect)> {
    match (old, new) {
        (None, Some(_)) => Some(("added", Effect::Adds)),
        (Some(_), None) => Some(("removed", Effect::Removes)),
        (old, new) if old != new => Some(("changed", Effect::Incomparable)),
        _ => None,
    }
}

/// What an operation is called, and where users find it.
fn names(walk: &mut Walk<'_>, old: &Operation<'_>, new: &Operation<'_>) {
    let location = old.name();
    let mut note = |change: Change, key: &str| {
        let pointer =
            |operation: &Operation<'_>| operation.value.get(key).map(|_| format!("{}/{key}", operation.pointer));
        walk.note(change, &location, pointer(old).as_deref(), pointer(new).as_deref());
    };
    let (id, new_id) = (old.text("operationId"), new.text("operationId"));
    if id != new_id {
        let check = if new_id.is_some() { "api-operation-id-added" } else { "api-operation-id-removed" };
        let what = format!("operationId {} -> {}", id.unwrap_or("none"), new_id.unwrap_or("none"));
        note(change(check, what, Effect::Same, Level::Breaking), "operationId");
    }
    tags(old, new, &mut note);
    if old.deprecated() != new.deprecated() {
        let (check, what) = match new.deprecated() {
            true => ("endpoint-deprecated", "deprecated"),
            false => ("endpoint-reactivated", "not deprecated any more"),
        };
        note(change(check, what, Effect::Same, Level::Additive), "deprecated");
    }
}

/// The first tag is the module and the feature; the others are only listed.
fn tags(old: &Operation<'_>, new: &Operation<'_>, note: &mut impl FnMut(Change, &str)) {
    let listed = |operation: &Operation<'_>| -> Vec<String> {
        let tags = operation.value.get("tags").and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (old, new) = (listed(old), listed(new));
    let first = |tags: &[String]| tags.first().cloned().unwrap_or_else(|| "none".to_owned());
    if first(&old) != first(&new) {
        let what = format!("tag {} -> {}", first(&old), first(&new));
        return note(change("api-tag-added", what, Effect::Same, Level::Breaking), "tags");
    }
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (old.iter().collect(), new.iter().collect());
    for tag in new.difference(&old) {
        note(change("api-tag-added", format!("tag {tag} added"), Effect::Same, Level::Documentation), "tags");
    }
    for tag in old.difference(&new) {
        note(change("api-tag-removed", format!("tag {tag} removed"), Effect::Same, Level::Documentation), "tags");
    }
}

/// Each way to authorise a request: its schemes with their scopes, as text. No scheme is a way, too.
fn ways(operation: &Operation<'_>) -> BTreeSet<String> {
    let own = operation.value.get("security").or_else(|| operation.document.get("security"));
    let ways: BTreeSet<_> = own.and_then(Value::as_array).into_iter().flatten().map(way).collect();
    if ways.is_empty() { [String::new()].into() } else { ways }
}

fn way(schemes: &Value) -> String {
    let scheme = |(name, scopes): (&String, &Value)| {
        let scopes: BTreeSet<_> = scopes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let scopes = scopes.into_iter().collect::<Vec<_>>().join(" ");
        if scopes.is_empty() { name.clone() } else { format!("{name} ({scopes})") }
    };
    let schemes: BTreeSet<_> = schemes.as_object().into_iter().flatten().map(scheme).collect();
    schemes.into_iter().collect::<Vec<_>>().join(" and ")
}

fn security(record: &mut Record, name: &str, old: &Operation<'_>, new: &Operation<'_>) {
    let (before, after) = (ways(old), ways(new));
    let open = |ways: &BTreeSet<String>| ways.contains("");
    let mut notes = Vec::new();
    for way in after.difference(&before).filter(|way| !way.is_empty()) {
        let effect = Effect::widens_if(!open(&before) || open(&after));
        notes.push(change("api-security-added", format!("security {way} added"), effect, Level::Documentation));
    }
    for way in before.difference(&after).filter(|way| !way.is_empty()) {
        let effect = Effect::widens_if(open(&after));
        notes.push(change("api-security-removed", format!("security {way} removed"), effect, Level::Documentation));
    }
    if notes.is_empty() && open(&before) != open(&after) {
        let (kind, widens) = if open(&after) { ("optional", true) } else { ("required", false) };
        let check = format!("api-security-became-{kind}");
        notes.push(change(&check, format!("security became {kind}"), Effect::widens_if(widens), Level::Documentation));
    }
    let mut walk = Walk::new(name, Side::Request, record);
    for note in notes {
        walk.note(note, name, Some(&old.pointer), Some(&new.pointer));
    }
}

/// What is said of all operations at once.
fn whole(old: &Value, new: &Value, record: &mut Record) {
    let servers = |document: &Value| -> BTreeSet<String> {
        let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
        servers.filter_map(|server| Some(server.get("url")?.as_str()?.to_owned())).collect()
    };
    let mut walk = Walk::new("", Side::Request, record);
    let place = |document: &Value, key: &str| document.get(key).map(|_| format!("#/{key}"));
    let places = |key: &str| (place(old, key), place(new, key));
    let (old_servers, new_servers) = places("servers");
    let (before, after) = (servers(old), servers(new));
    for url in after.difference(&before) {
        let change = change("api-server-added", format!("server {url} added"), Effect::Adds, Level::Documentation);
        walk.note(change, "servers", old_servers.as_deref(), new_servers.as_deref());
    }
    for url in before.difference(&after) {
        let change =
            change("api-server-removed", format!("server {url} removed"), Effect::Removes, Level::Documentation);
        walk.note(change, "servers", old_servers.as_deref(), new_servers.as_deref());
    }
    variables(&mut walk, (old, new), (old_servers.as_deref(), new_servers.as_deref()));
    schemes(&mut walk, old, new);
    let webhooks = |document: &Value| document.get("webhooks").map(constraints::without_prose);
    if let Some((how, effect)) = changed(webhooks(old), webhooks(new)) {
        let change = change(&format!("api-webhooks-{how}"), format!("webhooks {how}"), effect, Level::Documentation);
        let (old, new) = places("webhooks");
        walk.note(change, "webhooks", old.as_deref(), new.as_deref());
    }
}

/// What stands for the variables of a server's URL, of servers that are in both documents.
fn variables(walk: &mut Walk<'_>, (old, new): (&Value, &Value), (at, now_at): (Option<&str>, Option<&str>)) {
    let of = |document: &Value| -> BTreeMap<String, Value> {
        let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
        let variables = |server: &Value| {
            let variables = server.get("variables").map(constraints::without_prose).unwrap_or_default();
            Some((server.get("url")?.as_str()?.to_owned(), variables))
        };
        servers.filter_map(variables).collect()
    };
    let (before, after) = (of(old), of(new));
    for (url, variables) in &before {
        if after.get(url).is_some_and(|now| now != variables) {
            let what = format!("variables of server {url} changed");
            let change = change("api-server-variables-changed", what, Effect::Incomparable, Level::Documentation);
            walk.note(change, "servers", at, now_at);
        }
    }
}

fn schemes(walk: &mut Walk<'_>, old: &Value, new: &Value) {
    let schemes = |document: &Value| -> BTreeMap<String, Value> {
        let schemes = document.pointer("/components/securitySchemes").and_then(Value::as_object);
        let facts = |(name, scheme): (&String, &Value)| {
            let mut scheme = scheme.clone();
            if let Some(scheme) = scheme.as_object_mut() {
                // A hint for people: how a token is made.
                scheme
                    .retain(|key, _| !matches!(key.as_str(), "description" | "bearerFormat") && !key.starts_with("x-"));
            }
            (name.clone(), scheme)
        };
        schemes.into_iter().flatten().map(facts).collect()
    };
    let (old, new) = (schemes(old), schemes(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (check, what, effect) = match (old.get(name), new.get(name)) {
            (None, Some(_)) => ("added", "added", Effect::Adds),
            (Some(_), None) => ("removed", "removed", Effect::Same),
            (Some(one), Some(two)) if one != two => ("type-changed", "changed", Effect::Incomparable),
            _ => continue,
        };
        let check = format!("api-security-component-{check}");
        let pointer = format!("#/components/securitySchemes/{}", document::escape(name));
        let change = change(&check, format!("security scheme {name} {what}"), effect, Level::Documentation);
        let pointer_in = |known: &BTreeMap<String, Value>| known.contains_key(name).then_some(pointer.as_str());
        walk.note(change, "securitySchemes", pointer_in(&old), pointer_in(&new));
    }
}
