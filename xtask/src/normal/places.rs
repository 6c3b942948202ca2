//! Where things stand in the document as given, and what a reference names.

use serde_json::Value;

use crate::document::{self, Object};

/// The mark of a schema that was moved: the pointer of where it stands in the document as given.
pub(super) const AT: &str = "x-rust-at";

/// The pointer of a schema: where it came from, or else where it was found.
pub(super) fn of(schema: &Value, found: &str) -> String {
    schema.get(AT).and_then(Value::as_str).unwrap_or(found).to_owned()
}

/// The schema, marked with its place.
pub(super) fn marked(schema: &Value, at: &str) -> Value {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        object.entry(AT).or_insert_with(|| at.into());
    }
    schema
}

pub(super) fn below(at: &str, key: &str) -> String {
    format!("{at}/{}", document::escape(key))
}

/// What a reference names, or why it names nothing.
pub(super) fn target<'a>(whole: &'a Value, reference: &str) -> Result<&'a Value, String> {
    let Some(pointer) = reference.strip_prefix('#') else {
        return Err(format!(
            "`{reference}` is outside of this document, and nothing else is read: put the document together first"
        ));
    };
    let decoded = percent_decoded(pointer);
    let found = whole.pointer(pointer).or_else(|| whole.pointer(&decoded));
    found.ok_or_else(|| format!("`{reference}` names nothing in this document"))
}

/// `%7B` is how a URL writes `{`.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let code =
            code.and_then(|code| std::str::from_utf8(code).ok()).and_then(|code| u8::from_str_radix(code, 16).ok());
        decoded.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// Follows references to a part that is no schema.
pub(super) fn resolved<'a>(whole: &'a Value, part: &'a Value, at: &str) -> Result<(&'a Value, String), String> {
    let (mut part, mut at) = (part, at.to_owned());
    for _ in 0..32 {
        let Some(reference) = part.get("$ref").and_then(Value::as_str) else { return Ok((part, at)) };
        part = target(whole, reference)?;
        at = reference.to_owned();
    }
    Err("these references lead in a circle".into())
}

pub(super) fn object(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn text(object: &Object, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).map(str::to_owned)
}
