//! Exports of signals, added up by customer and month: the files, and how they were asked for. Knows no store.

mod columns;
mod dimension;
mod file;
mod window;

pub(super) use file::{Customer, Usage};
pub(super) use window::Months;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use crate::Timestamp;
use columns::Columns;

/// How long a file can be downloaded, in days.
const KEPT: i64 = 7;

/// The exports of the account.
#[derive(Debug, Default)]
pub(super) struct SignalSummaries {
    exports: Vec<Export>,
}

#[derive(Debug)]
struct Export {
    id: String,
    written: Written,
    created: Timestamp,
}

/// A file, and what it was written from.
#[derive(Debug)]
pub(super) struct Written {
    spec: Value,
    columns: Value,
    months: Months,
    file: String,
    rows: usize,
}

impl Written {
    /// Writes the file of a specification.
    pub(super) fn new(spec: Value, months: Months, customers: &[Customer<'_>]) -> Result<Self, Refusal> {
        let columns = Columns::read(&spec)?;
        let (file, rows) = file::write(&columns, &months, customers);
        Ok(Self { spec, columns: columns.shown(), months, file, rows })
    }
}

impl SignalSummaries {
    /// The specification that a request has or names.
    pub(super) fn spec(&self, body: &Value) -> Result<Value, Refusal> {
        match (&body["spec"], body["copyFrom"].as_str()) {
            (Value::Null, None) => Err(Refusal::invalid("body.spec", "is missing, and so is copyFrom")),
            (Value::Null, Some(id)) => {
                let found = self.exports.iter().find(|export| export.id == id);
                let found = found.ok_or_else(|| Refusal::not_found("export of signal summaries", id))?;
                Ok(found.written.spec.clone())
            }
            (_, Some(_)) => Err(Refusal::invalid("body.copyFrom", "is there beside spec")),
            (spec, None) => Ok(spec.clone()),
        }
    }

    /// Keeps a file. Its export is shown as pending until it is read.
    pub(super) fn add(&mut self, id: String, written: Written, now: Timestamp) -> Value {
        let export = Export { id, written, created: now };
        let mut shown = export.shown(now);
        shown["status"] = "pending".into();
        for key in ["rowCount", "completedAt", "expiresAt", "downloadUrl"] {
            shown[key] = Value::Null;
        }
        self.exports.push(export);
        shown
    }

    pub(super) fn get(&self, matched: &Matched, now: Timestamp) -> Reply {
        let id = matched.path.get("id").map(String::as_str).unwrap_or_default();
        let found = self.exports.iter().find(|export| export.id == id);
        found.map(|export| export.shown(now)).ok_or_else(|| Refusal::not_found("export of signal summaries", id))
    }

    /// The file of an export, as long as it can be downloaded.
    pub(super) fn file(&self, id: &str, now: Timestamp) -> Option<&str> {
        let export = self.exports.iter().find(|export| export.id == id)?;
        (now < export.expires()).then_some(export.written.file.as_str())
    }
}

impl Export {
    fn expires(&self) -> Timestamp {
        self.created.checked_add_signed(TimeDelta::days(KEPT)).map_or(self.created, Timestamp::from)
    }

    /// The export with the path of its file, below the emulator's address.
    fn shown(&self, now: Timestamp) -> Value {
        let expires = self.expires();
        json!({
            "id": self.id,
            "status": "succeeded",
            "spec": self.written.spec,
            "columns": self.written.columns,
            "from": self.written.months.first.to_string(),
            "to": self.written.months.end.to_string(),
            "rowCount": self.written.rows,
            "downloadUrl": (now < expires).then(|| format!("/__emulator/exports/{}", self.id)),
            "expiresAt": expires.to_string(),
            "error": null,
            "createdAt": self.created.to_string(),
            "completedAt": self.created.to_string(),
        })
    }
}
