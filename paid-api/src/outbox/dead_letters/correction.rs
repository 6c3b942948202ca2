//! Corrections of dead letters: a record that was refused gets another content, which is checked first.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::{compact, with_fields};
use super::shelf::{Fate, rewrite};
use super::{DeadLetter, opened};
use crate::Timestamp;
use crate::report::RecordKind;

/// Replaces the record of the dead letter with this key, for example to correct what Paid refused, and returns the
/// changed letter. It is sent again only by a resubmission.
///
/// `record` is the JSON of a complete record, as in [`DeadLetter::record`]. The idempotency key must stay the same.
///
/// # Errors
///
/// If the record is not complete (`InvalidInput`), there is no such letter (`NotFound`), or a file cannot be read or
/// written.
pub fn replace_letter(folder: impl AsRef<Path>, key: &str, record: &str) -> io::Result<DeadLetter> {
    replace(folder.as_ref(), key, record, false)
}

/// Like [`replace_letter`], for a signal whose idempotency key is itself what Paid refused: the new record may have
/// another one. A key that Paid already knows bills nothing.
///
/// # Errors
///
/// See [`replace_letter`].
pub fn replace_letter_and_key(folder: impl AsRef<Path>, key: &str, record: &str) -> io::Result<DeadLetter> {
    replace(folder.as_ref(), key, record, true)
}

fn replace(folder: &Path, key: &str, record: &str, may_change_key: bool) -> io::Result<DeadLetter> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("there is no dead letter with the key {key:?}"));
    let folder = opened(folder)?.ok_or_else(missing)?;
    let mut outcome = Err(missing());
    rewrite(&folder, |entry| match entry.letter() {
        Some(letter) if letter.key == key => match changed(entry.text(), letter, record, may_change_key) {
            Ok((letter, text)) => {
                outcome = Ok(letter);
                Fate::Change(text)
            }
            Err(problem) => {
                outcome = Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
                Fate::Keep
            }
        },
        _ => Fate::Keep,
    })?;
    outcome
}

fn changed(
    line: &[u8],
    letter: &DeadLetter,
    record: &str,
    may_change_key: bool,
) -> Result<(DeadLetter, Vec<u8>), String> {
    let fields: Fields<'_> = serde_json::from_str(record).map_err(|error| format!("not a JSON object: {error}"))?;
    let (name, key) = match letter.kind {
        RecordKind::Cost => {
            check_cost(&fields)?;
            (letter.name.clone(), letter.key.clone())
        }
        RecordKind::Signal | RecordKind::Span => check_signal(&fields, &letter.key, may_change_key)?,
    };
    let spoiled = |error: serde_json::Error| error.to_string();
    let record = RawValue::from_string(compact(record)).map_err(spoiled)?;
    let in_json = |text: &str| serde_json::to_string(text).map_err(spoiled);
    let changes = [("record", record.get().to_owned()), ("name", in_json(&name)?), ("key", in_json(&key)?)];
    let letter = DeadLetter { name, key, record, ..letter.clone() };
    // A letter of an earlier version has other fields.
    let text = with_fields(line, &changes).map_or_else(|| serde_json::to_vec(&letter), Ok).map_err(spoiled)?;
    Ok((letter, text))
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

fn field<'a, T: Deserialize<'a>>(fields: &Fields<'a>, name: &str, what: &str) -> Result<Option<T>, String> {
    let Some(value) = fields.get(name) else { return Ok(None) };
    serde_json::from_str(value.get()).map(Some).map_err(|_| format!("`{name}` must be {what}"))
}

/// A text that is there and not blank.
fn text(fields: &Fields<'_>, name: &str) -> Result<String, String> {
    let value: Option<String> = field(fields, name, "text, in quotes")?;
    value.filter(|text| !text.trim().is_empty()).ok_or_else(|| format!("`{name}` is missing or empty"))
}

fn check_signal(fields: &Fields<'_>, key: &str, may_change_key: bool) -> Result<(String, String), String> {
    let name = text(fields, "eventName")?;
    check_common(fields)?;
    field::<Fields<'_>>(fields, "data", "an object")?;
    let new_key = text(fields, "idempotencyKey")?;
    if new_key != key && !may_change_key {
        return Err(format!("`idempotencyKey` must stay {key:?}: with another one, a signal may be billed twice"));
    }
    Ok((name, new_key))
}

fn check_cost(fields: &Fields<'_>) -> Result<(), String> {
    check_common(fields)?;
    match text(fields, "type")?.as_str() {
        "cost" => {
            field::<serde_json::Number>(fields, "amount", "a number")?.ok_or("`amount` is missing")?;
            text(fields, "currency").map(drop)
        }
        "usage" => {
            text(fields, "vendor")?;
            text(fields, "model")?;
            field::<Fields<'_>>(fields, "usage", "an object")?.ok_or("`usage` is missing".to_owned()).map(drop)
        }
        _ => Err("`type` must be `cost` or `usage`".to_owned()),
    }
}

fn check_common(fields: &Fields<'_>) -> Result<(), String> {
    let customer: Option<Fields<'_>> = field(fields, "customer", "an object")?;
    let customer = customer.ok_or("`customer` is missing")?;
    let ids: Vec<_> =
        ["customerId", "externalCustomerId"].into_iter().filter(|id| customer.contains_key(*id)).collect();
    let [id] = ids.as_slice() else {
        return Err("`customer` must have one id: `customerId` or `externalCustomerId`".to_owned());
    };
    text(&customer, id)?;
    field::<Timestamp>(fields, "timestamp", "a time such as \"2026-01-31T23:00:00Z\"").map(drop)
}
