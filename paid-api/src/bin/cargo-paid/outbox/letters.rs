//! The dead letters that a command is about.

use std::collections::BTreeSet;
use std::path::Path;

use paid::RecordKind;
use paid::outbox::{DeadLetter, DeadLetters};
use serde::Deserialize;

use super::arguments::Filter;
use crate::out;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The dead letters of an existing folder.
pub(crate) fn read(folder: &Path) -> Result<DeadLetters> {
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(format!("{} is not a folder", folder.display()).into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(format!("there is no folder {}", folder.display()).into());
        }
        Err(error) => return Err(format!("cannot read {}: {error}", folder.display()).into()),
    }
    let found = paid::outbox::dead_letters(folder)?;
    if !found.unreadable.is_empty() {
        let (lines, stay) = match found.unreadable.len() {
            1 => ("1 line".to_owned(), "it stays"),
            more => (format!("{more} lines"), "they stay"),
        };
        out::note(&format!("note: {lines} in the files of dead letters cannot be parsed; {stay} there"));
    }
    Ok(found)
}

/// The letter with this key.
pub(crate) fn find(folder: &Path, key: &str) -> Result<DeadLetter> {
    let letter = read(folder)?.letters.into_iter().rev().find(|letter| letter.key == key);
    letter.ok_or_else(|| missing(key, folder).into())
}

fn missing(key: &str, folder: &Path) -> String {
    format!("there is no dead letter with the key {key} in {}: `list` shows the keys", folder.display())
}

/// The letters with these keys that pass the filter; all letters if no key is given.
pub(crate) fn choose(folder: &Path, keys: &[String], filter: &Filter) -> Result<Vec<DeadLetter>> {
    let mut letters = read(folder)?.letters;
    if !keys.is_empty() {
        let known: BTreeSet<&str> = letters.iter().map(|letter| letter.key.as_str()).collect();
        if let Some(key) = keys.iter().find(|key| !known.contains(key.as_str())) {
            return Err(missing(key, folder).into());
        }
        let keys: BTreeSet<&String> = keys.iter().collect();
        letters.retain(|letter| keys.contains(&letter.key));
    }
    letters.retain(|letter| passes(letter, filter));
    Ok(letters)
}

pub(crate) fn passes(letter: &DeadLetter, filter: &Filter) -> bool {
    filter.name.as_ref().is_none_or(|name| letter.name == *name)
        && filter.since.is_none_or(|since| letter.at >= since)
        && filter.customer.as_ref().is_none_or(|id| customer(letter).as_ref() == Some(id))
}

/// The id of the customer, yours or Paid's.
pub(crate) fn customer(letter: &DeadLetter) -> Option<String> {
    #[derive(Deserialize)]
    struct Written {
        customer: Customer,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Customer {
        customer_id: Option<String>,
        external_customer_id: Option<String>,
    }
    let Written { customer } = serde_json::from_str(letter.record.get()).ok()?;
    customer.external_customer_id.or(customer.customer_id)
}

/// What a letter is about: the event name, or its kind.
pub(crate) fn what(letter: &DeadLetter) -> String {
    if letter.name.is_empty() { letter.kind.to_string() } else { out::visible(&letter.name) }
}

/// `1 signal`, `2 cost records`, `1 signal and 2 cost records`.
pub(crate) fn counted<'a>(letters: impl IntoIterator<Item = &'a DeadLetter>) -> String {
    let (mut signals, mut costs) = (0, 0);
    for letter in letters {
        match letter.kind {
            RecordKind::Cost => costs += 1,
            _ => signals += 1,
        }
    }
    let (of_signals, of_costs) = (out::counted(signals, "signal"), out::counted(costs, "cost record"));
    match (signals, costs) {
        (_, 0) => of_signals,
        (0, _) => of_costs,
        _ => format!("{of_signals} and {of_costs}"),
    }
}
