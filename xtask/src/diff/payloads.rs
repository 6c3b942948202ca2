//! Bodies and answers: their media types, their statuses, their headers, and the schema of each.

use std::collections::BTreeMap;

use serde_json::Value;

use super::effect::{Effect, Side};
use super::operations::{Operation, change};
use super::parameters::resolved;
use super::report::Level;
use super::schemas;
use super::view::Located;
use super::walk::{At, Record, Subject, Walk};
use crate::document;

/// A body or an answer, where it is written down.
struct Payload<'a> {
    document: &'a Value,
    pointer: String,
    value: &'a Value,
}

impl<'a> Payload<'a> {
    fn new(document: &'a Value, pointer: String, part: &'a Value) -> Self {
        let (pointer, value) = resolved(document, pointer, part);
        Self { document, pointer, value }
    }

    fn required(&self) -> bool {
        self.value.get("required") == Some(&Value::Bool(true))
    }

    /// The media types, each with its schema if it has one.
    fn content(&self) -> BTreeMap<&'a str, Option<Located<'a>>> {
        let entries = self.value.get("content").and_then(Value::as_object).into_iter().flatten();
        let entries: Vec<_> = entries.collect();
        // JSON is UTF-8, whether it is said or not.
        let is_one = entries.iter().filter(|(media, _)| spoken(media)).count() == 1;
        let name = |media: &'a str| if is_one && spoken(media) { "application/json" } else { media };
        entries.into_iter().map(|(media, entry)| (name(media), self.inner("content", media, entry))).collect()
    }

    fn headers(&self) -> BTreeMap<String, (&'a Value, Option<Located<'a>>)> {
        let entries = self.value.get("headers").and_then(Value::as_object).into_iter().flatten();
        let header = |(name, entry): (&'a String, &'a Value)| {
            let pointer = format!("{}/headers/{}", self.pointer, document::escape(name));
            let (pointer, value) = resolved(self.document, pointer, entry);
            let schema = value.get("schema");
            let schema = schema.map(|schema| Located::new(self.document, format!("{pointer}/schema"), schema));
            (name.to_lowercase(), (value, schema))
        };
        entries.map(header).filter(|(name, _)| name != "content-type").collect()
    }

    fn inner(&self, list: &str, name: &str, entry: &'a Value) -> Option<Located<'a>> {
        let pointer = format!("{}/{list}/{}/schema", self.pointer, document::escape(name));
        Some(Located::new(self.document, pointer, entry.get("schema")?))
    }
}

fn body<'a>(operation: &Operation<'a>) -> Option<Payload<'a>> {
    let part = operation.value.get("requestBody")?;
    Some(Payload::new(operation.document, format!("{}/requestBody", operation.pointer), part))
}

/// Compares what two operations are sent.
pub(super) fn bodies(walk: &mut Walk<'_>, old: &Operation<'_>, new: &Operation<'_>) {
    let location = old.name();
    match (body(old), body(new)) {
        (None, None) => {}
        (Some(old), None) => {
            let change = change("request-body-removed", "request body removed", Effect::Removes, Level::Breaking);
            walk.note(change, &location, Some(&old.pointer), None);
        }
        (None, Some(new)) => {
            let (kind, effect) =
                if new.required() { ("required", Effect::Narrows) } else { ("optional", Effect::Adds) };
            let check = format!("request-body-added-{kind}");
            // The method takes one more argument, optional or not.
            let change = change(&check, format!("new request body, {kind}"), effect, Level::Breaking);
            walk.note(change, &location, None, Some(&new.pointer));
        }
        (Some(old), Some(new)) => {
            if old.required() != new.required() {
                let kind = if new.required() { "required" } else { "optional" };
                let effect = Effect::widens_if(!new.required());
                let check = format!("request-body-became-{kind}");
                let change = change(&check, format!("request body became {kind}"), effect, Level::Documentation);
                walk.note(change, &location, Some(&old.pointer), Some(&new.pointer));
            }
            content(walk, &location, &old, &new);
        }
    }
}

/// The client speaks JSON and nothing else.
fn spoken(media: &str) -> bool {
    media.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("application/json"))
}

fn content(walk: &mut Walk<'_>, location: &str, old: &Payload<'_>, new: &Payload<'_>) {
    let (before, mut after) = (old.content(), new.content());
    let prefix = if walk.side == Side::Request { "request-body" } else { "response" };
    let level = |media: &str| if spoken(media) { Level::Breaking } else { Level::Documentation };
    for (media, schema) in &before {
        match (schema, after.remove(media)) {
            (Some(old), Some(Some(new))) => {
                let place = if walk.side == Side::Request { "body" } else { "answer" };
                schemas::compare(walk, old, &new, &At::new(Subject::Body, format!("{location} {place}")));
            }
            (None, Some(Some(now))) => {
                let check = walk.check(Subject::Body, "media-type-schema-added");
                let change = change(&check, format!("{media}: any -> a schema"), Effect::Narrows, level(media));
                walk.note(change, location, Some(&old.pointer), Some(now.outer()));
            }
            (Some(was), Some(None)) => {
                let check = walk.check(Subject::Body, "media-type-schema-removed");
                let change = change(&check, format!("{media}: a schema -> any"), Effect::Widens, level(media));
                walk.note(change, location, Some(was.outer()), Some(&new.pointer));
            }
            (None, Some(None)) => {}
            (_, None) => {
                let check = format!("{prefix}-media-type-removed");
                let change = change(&check, format!("media type {media} removed"), Effect::Removes, level(media));
                walk.note(change, location, Some(&old.pointer), Some(&new.pointer));
            }
        }
    }
    for media in after.keys() {
        let check = format!("{prefix}-media-type-added");
        let change = change(&check, format!("media type {media} added"), Effect::Adds, level(media));
        walk.note(change, location, Some(&old.pointer), Some(&new.pointer));
    }
}

fn answers_of<'a>(operation: &Operation<'a>) -> BTreeMap<&'a str, Payload<'a>> {
    let entries = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
    let answer = |(status, part): (&'a String, &'a Value)| {
        let pointer = format!("{}/responses/{status}", operation.pointer);
        (status.as_str(), Payload::new(operation.document, pointer, part))
    };
    entries.filter(|(status, _)| !status.starts_with("x-")).map(answer).collect()
}

fn succeeds(status: &str) -> bool {
    status.starts_with('2')
}

/// Compares what two operations answer.
pub(super) fn answers(record: &mut Record, old: &Operation<'_>, new: &Operation<'_>) {
    let location = old.name();
    let (before, mut after) = (answers_of(old), answers_of(new));
    let read = if before.keys().eq(after.keys()) { Level::Documentation } else { read_alike(record, &before, &after) };
    for (status, old) in &before {
        let side = if succeeds(status) { Side::Response } else { Side::Failure };
        let mut walk = Walk::new(&location, side, record);
        match after.remove(status) {
            Some(new) => {
                content(&mut walk, &format!("{location} {status}"), old, &new);
                headers(&mut walk, &format!("{location} {status}"), old, &new);
            }
            None => {
                let (check, effect, rust) = match side {
                    Side::Response => ("response-success-status-removed", Effect::Removes, read),
                    _ => ("response-non-success-status-removed", Effect::Same, Level::Documentation),
                };
                let change = change(check, format!("status {status} removed"), effect, rust);
                walk.note(change, &location, Some(&old.pointer), None);
            }
        }
    }
    for (status, new) in &after {
        let (check, rust) = match succeeds(status) {
            true => ("response-success-status-added", read),
            false => ("response-non-success-status-added", Level::Additive),
        };
        let change = change(check, format!("status {status} added"), Effect::Adds, rust);
        Walk::new(&location, Side::Response, record).note(change, &location, None, Some(&new.pointer));
    }
}

/// The client's type is that of the first success: whether it is the same in both documents.
fn read_alike(record: &mut Record, old: &BTreeMap<&str, Payload<'_>>, new: &BTreeMap<&str, Payload<'_>>) -> Level {
    let alike = match (first_success(old), first_success(new)) {
        (None, None) => true,
        (Some(old), Some(new)) => schemas::same(&mut Walk::new("", Side::Response, record), &old, &new),
        // To the client an object without fields is nothing.
        (Some(only), None) | (None, Some(only)) => schemas::is_nothing(&only),
    };
    if alike { Level::Documentation } else { Level::Breaking }
}

fn first_success<'a>(answers: &BTreeMap<&str, Payload<'a>>) -> Option<Located<'a>> {
    let (_, answer) = answers.iter().find(|(status, _)| succeeds(status))?;
    answer.content().into_iter().find(|(media, _)| spoken(media))?.1
}

fn headers(walk: &mut Walk<'_>, location: &str, old: &Payload<'_>, new: &Payload<'_>) {
    let (before, mut after) = (old.headers(), new.headers());
    let required = |header: &Value| header.get("required") == Some(&Value::Bool(true));
    for (name, (was, schema)) in &before {
        let Some((now, new_schema)) = after.remove(name) else {
            let kind = if required(was) { "required" } else { "optional" };
            let check = format!("{kind}-response-header-removed");
            let change = change(&check, format!("header {name} removed"), Effect::Removes, Level::Documentation);
            walk.note(change, location, Some(&old.pointer), Some(&new.pointer));
            continue;
        };
        if required(was) != required(now) {
            let kind = if required(now) { "required" } else { "optional" };
            let effect = Effect::widens_if(!required(now));
            let check = walk.check(Subject::Header, &format!("became-{kind}"));
            let change = change(&check, format!("header {name} became {kind}"), effect, Level::Documentation);
            walk.note(change, location, Some(&old.pointer), Some(&new.pointer));
        }
        if let (Some(old), Some(new)) = (schema, new_schema) {
            header(walk, old, &new, &At::new(Subject::Header, format!("{location} header {name}")));
        }
    }
    for name in after.keys() {
        let change =
            change("response-header-added", format!("header {name} added"), Effect::Adds, Level::Documentation);
        walk.note(change, location, Some(&old.pointer), Some(&new.pointer));
    }
}

/// The client has no types for headers.
fn header(walk: &mut Walk<'_>, old: &Located<'_>, new: &Located<'_>, at: &At) {
    let from = walk.record.findings.len();
    schemas::compare(walk, old, new, at);
    for finding in &mut walk.record.findings[from..] {
        finding.rust = Level::Documentation;
    }
}
