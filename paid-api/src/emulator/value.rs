//! What signals are worth to customers: value models and their metrics, delivered value and value receipts. It is calculated
//! exactly, and whenever it is read. Knows no store and no clock.

mod calculation;
mod condition;
mod delivered;
mod edits;
mod expression;
mod fraction;
mod interval;
mod metrics;
mod model;
mod period;
mod reading;
mod receipt;
mod receipts;
mod references;
mod shown;
mod summary;
mod timeline;
mod unit;
mod versions;
mod worth;

pub(super) use delivered::Delivered;
pub(super) use fraction::total;
pub(super) use model::Whose;
pub(super) use period::Period;
pub(super) use receipt::{Figures, Scope};
pub(super) use receipts::{Given, ValueReceipts};
pub(super) use versions::ValueModels;
pub(super) use worth::{Occurrence, found};

use super::refusal::Refusal;

fn conflict(place: &str, error: impl Into<String>) -> Refusal {
    Refusal { status: 409, error: error.into(), code: "conflict", details: Some(place.to_owned()), intent: None }
}

/// A name that is made of another: lower-case letters and digits, with `_` between.
pub(super) fn slug(name: &str) -> String {
    let words = name.split(|each: char| !each.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}
