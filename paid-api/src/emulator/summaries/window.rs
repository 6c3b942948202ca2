//! The months of an export.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde_json::Value;

use super::super::refusal::Refusal;

/// The first day that an export can begin with.
const FIRST: Option<NaiveDate> = NaiveDate::from_ymd_opt(2025, 9, 1);

/// Whole months, in UTC: from the first day of one until before the first day of another.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulator) struct Months {
    pub(in crate::emulator) first: NaiveDate,
    pub(in crate::emulator) end: NaiveDate,
}

impl Months {
    /// Reads `from` and `to`, which are set back to the starts of their months.
    pub(in crate::emulator) fn of_body(body: &Value) -> Result<Self, Refusal> {
        let (first, end) = (month(&body["from"], "body.from")?, month(&body["to"], "body.to")?);
        if FIRST.is_some_and(|earliest| first < earliest) {
            return Err(Refusal::invalid("body.from", "is before 2025-09-01"));
        }
        if end <= first {
            return Err(Refusal::invalid("body.to", "is not in a month after that of from"));
        }
        Ok(Self { first, end })
    }

    /// The start of the month of a time, if it is one of these months.
    pub(super) fn of(&self, time: DateTime<Utc>) -> Option<NaiveDate> {
        time.date_naive().with_day(1).filter(|month| (self.first..self.end).contains(month))
    }
}

fn month(day: &Value, place: &str) -> Result<NaiveDate, Refusal> {
    let text = day.as_str().unwrap_or_default();
    let day = text.get(..10).unwrap_or(text).parse::<NaiveDate>().ok().and_then(|day| day.with_day(1));
    day.ok_or_else(|| Refusal::invalid(place, format!("{text:?} is no YYYY-MM-DD")))
}
