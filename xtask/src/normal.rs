//! Brings a document of anyone into the form that the generator reads: objects, enums and unions are components with
//! names of Rust, everything else stands in place; parameters, bodies and answers say how they are written. What has no
//! form is one report of all places, as pointers into the document as given. Nothing outside the document is read.

mod all_of;
mod children;
mod facets;
mod media;
mod operations;
mod parameters;
mod places;
mod shape;
mod union;
mod values;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::names::NameTable;
use crate::{document, import};

/// What was made of a document.
#[derive(Debug)]
pub(crate) struct Normal {
    pub(crate) document: Value,
    /// How many names were chosen here.
    pub(crate) chosen: usize,
    /// What the client does without.
    pub(crate) notes: Vec<String>,
}

/// Everything that cannot be read, with its place.
#[derive(Debug, Default)]
pub(crate) struct Problems(BTreeSet<(String, String)>);

impl Problems {
    fn add(&mut self, at: &str, what: impl Into<String>) {
        self.0.insert((at.to_owned(), what.into()));
    }
}

/// Makes the document that the generator reads.
pub(crate) fn normalise(document: &Value, names: &NameTable) -> Result<Normal> {
    import::check_version(document)?;
    let mut shaper = shape::Shaper::new(document)?;
    let operations = operations::read(&mut shaper)?;
    shaper.finish();
    let shape::Shaper { problems, made, mut notes, published, plain, .. } = shaper;
    if !problems.0.is_empty() {
        let lines: Vec<_> = problems.0.iter().map(|(at, what)| format!("{at}: {what}")).collect();
        let places = if lines.len() == 1 { "1 place".to_owned() } else { format!("{} places", lines.len()) };
        bail!(
            "{places} of this document cannot be turned into a client; change the document, or write an overlay and pass it with `--overlay`:\n  {}",
            lines.join("\n  ")
        );
    }
    let named = made.keys().filter(|name| !published.contains(*name)).count();
    let mut normal = json!({
        "openapi": "3.1.0",
        "info": {"title": title(document), "version": "1"},
        "tags": operations.tags,
        "paths": operations.paths,
        "components": {"schemas": made},
    });
    if let Some(newtypes) = document.get("x-rust-newtypes") {
        normal["x-rust-newtypes"] = newtypes.clone();
    }
    as_plain_json(&mut normal, &plain);
    let renamed = import::rename_components(&mut normal, names)?;
    notes.extend(ignored(document));
    Ok(Normal { document: normal, chosen: (named + operations.chosen).saturating_sub(renamed), notes })
}

/// What refers to these is any JSON.
fn as_plain_json(normal: &mut Value, plain: &BTreeSet<String>) {
    if plain.is_empty() {
        return;
    }
    document::visit_schemas(normal, &mut |schema, _| {
        let is_plain = document::referenced(schema).is_some_and(|name| plain.contains(name));
        if let Some(object) = schema.as_object_mut().filter(|_| is_plain) {
            object.remove("$ref");
        }
    });
}

fn title(document: &Value) -> &str {
    document.pointer("/info/title").and_then(Value::as_str).unwrap_or("a document")
}

/// What a client has no use for.
fn ignored(document: &Value) -> Vec<String> {
    let size = |key: &str| document.get(key).and_then(Value::as_object).map_or(0, |object| object.len());
    let webhooks = size("webhooks");
    let items = document.get("paths").and_then(Value::as_object).into_iter().flat_map(|paths| paths.values());
    let items: Vec<_> = items.filter_map(Value::as_object).collect();
    let operations = || items.iter().flat_map(|item| item.values());
    let callbacks = operations().filter(|operation| operation.get("callbacks").is_some()).count();
    let of_paths = items.iter().filter(|item| item.contains_key("servers")).count();
    let servers = of_paths + operations().filter(|operation| operation.get("servers").is_some()).count();
    let mut notes = Vec::new();
    if webhooks > 0 {
        notes.push(format!("ignored: {webhooks} webhooks, which the API calls and a client does not"));
    }
    if callbacks > 0 {
        notes.push(format!(
            "ignored: the callbacks of {callbacks} operations, which the API calls and a client does not"
        ));
    }
    if servers > 0 {
        notes.push(format!(
            "ignored: the servers of {servers} paths or operations; build a client with another base URL for these"
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
