//! What changed between two documents: every change that the wire or the generated client shows, with the level of
//! each. Pure: two documents in, a report out. Prose, extensions and the spelling of a fact are not compared.

mod constraints;
mod effect;
mod operations;
mod parameters;
mod payloads;
mod properties;
mod render;
mod report;
mod schemas;
mod unions;
mod view;
mod walk;

#[cfg(test)]
mod published;

use anyhow::Result;
use serde_json::Value;

pub(crate) use render::Format;
pub(crate) use report::{Level, Report};

/// Compares two documents (3.0 or 3.1) as they are.
pub(crate) fn compare(old: &Value, new: &Value) -> Result<Report> {
    let mut record = walk::Record::default();
    operations::compare(old, new, &mut record)?;
    Ok(Report::of(record.findings))
}

/// Whether two schemas, each of its document, are the same for everybody.
pub(crate) fn same_shape(old: (&Value, &Value), new: (&Value, &Value)) -> bool {
    let located = |(document, schema)| view::Located::new(document, String::new(), schema);
    schemas::same(&located(old), &located(new))
}
