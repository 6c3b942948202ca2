//! The format of a dead letter: one JSON object a line. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::DeadLetter;
use crate::Timestamp;
use crate::report::RecordKind;

/// Serializes the kind as `signal` or `cost`.
pub(crate) mod kinds {
    use super::{RecordKind, word};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn serialize<S: Serializer>(kind: &RecordKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(word(*kind))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RecordKind, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = [RecordKind::Signal, RecordKind::Cost].into_iter().find(|kind| word(*kind) == text);
        known.ok_or_else(|| D::Error::custom("the kind of a dead letter is `signal` or `cost`"))
    }
}

fn word(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Cost => "cost",
        RecordKind::Signal | RecordKind::Span => "signal",
    }
}

/// The lines of a file that hold something.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty())
}

pub(super) fn parse(line: &[u8]) -> Option<DeadLetter> {
    serde_json::from_slice(line).ok().or_else(|| earlier(line))
}

/// A letter as versions before the first release wrote it: signals only, without a name and a key of its own.
fn earlier(line: &[u8]) -> Option<DeadLetter> {
    #[derive(Deserialize)]
    struct Earlier {
        at: Timestamp,
        reason: String,
        signal: Box<RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        event_name: String,
        #[serde(default)]
        idempotency_key: String,
    }
    let Earlier { at, reason, signal } = serde_json::from_slice(line).ok()?;
    let Head { event_name, idempotency_key } = serde_json::from_str(signal.get()).ok()?;
    let kind = RecordKind::Signal;
    Some(DeadLetter { at, reason, kind, name: event_name, key: idempotency_key, record: signal })
}

/// What makes two letters the same: the last one counts. Records without a key are the same only as a whole.
pub(super) fn identity(letter: &DeadLetter) -> String {
    let (kind, key) = (word(letter.kind), letter.key.as_str());
    if key.is_empty() { format!("{kind}\0\0{}", letter.record.get()) } else { format!("{kind}\0{key}") }
}

/// A line with other values, as JSON, in fields that it has. Everything else stays as it is, byte by byte.
pub(in crate::outbox) fn with_fields(line: &[u8], changes: &[(&str, String)]) -> Option<Vec<u8>> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(line).ok()?;
    let mut changed = line.to_vec();
    let mut places = Vec::new();
    for (field, value) in changes {
        let old = fields.get(*field)?.get();
        // The value was borrowed from the line.
        let begin = old.as_ptr().addr().checked_sub(line.as_ptr().addr())?;
        places.push((begin..begin + old.len(), value));
    }
    places.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    for (place, value) in places {
        changed.get(place.clone())?;
        changed.splice(place, value.bytes());
    }
    Some(changed)
}

/// JSON without the spaces and line breaks between its values, which keeps every digit of a number.
pub(in crate::outbox) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_text, mut is_escaped) = (false, false);
    for letter in json.chars() {
        if in_text || !letter.is_ascii_whitespace() {
            out.push(letter);
        }
        if is_escaped {
            is_escaped = false;
        } else if letter == '"' {
            in_text = !in_text;
        } else if letter == '\\' {
            is_escaped = in_text;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_of_an_earlier_version_is_read() {
        let line = br#"{"at":"2026-01-31T00:00:00Z","reason":"no","signal":{"eventName":"sent","idempotencyKey":"k-1","n":1.10}}"#;
        let letter = parse(line).unwrap();
        assert_eq!((letter.kind, letter.name.as_str(), letter.key.as_str()), (RecordKind::Signal, "sent", "k-1"));
        assert!(letter.record.get().ends_with(r#""n":1.10}"#));
        assert!(parse(br#"{"at":"2026-01-31T00:00:00Z","reason":"no","signal":"text"}"#).is_none());
    }

    #[test]
    fn json_becomes_one_line_and_keeps_its_values() {
        let json = "{ \"a\" :\t1.10,\r\n \"b \\\" c\\\\\" : [ 123456789012345678901234 , \"x  y\" ] }";
        assert_eq!(compact(json), r#"{"a":1.10,"b \" c\\":[123456789012345678901234,"x  y"]}"#);
    }

    #[test]
    fn a_changed_field_leaves_the_others_as_they_were() {
        let line = br#"{"extra": 1.10, "reason" : "old", "record":{"a" : 1},"key":"k"}"#;
        let changed = with_fields(line, &[("record", "2".into()), ("reason", r#""new""#.into())]).unwrap();
        assert_eq!(changed, br#"{"extra": 1.10, "reason" : "new", "record":2,"key":"k"}"#);
        assert_eq!(with_fields(line, &[("missing", "2".into())]), None);
    }
}
