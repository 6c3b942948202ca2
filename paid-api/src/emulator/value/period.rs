//! The time that delivered value is read for.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::Refusal;
use crate::Timestamp;

/// A time with both its ends. A date ends with its last millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) struct Period {
    pub(in crate::emulator) start: DateTime<Utc>,
    pub(in crate::emulator) end: DateTime<Utc>,
}

impl Period {
    /// Reads `startDate` and `endDate` of a query.
    pub(in crate::emulator) fn of_query(matched: &Matched) -> Result<Self, Refusal> {
        let text = |key: &str| matched.query.get(key).map(String::as_str).unwrap_or_default();
        let start = time(text("startDate"), "query.startDate", false)?;
        let end = time(text("endDate"), "query.endDate", true)?;
        Self::new(start, end, "query.endDate")
    }

    /// Refuses a period that ends before it starts.
    pub(in crate::emulator) fn new(start: DateTime<Utc>, end: DateTime<Utc>, place: &str) -> Result<Self, Refusal> {
        if end < start {
            return Err(Refusal::invalid(place, "is before startDate"));
        }
        Ok(Self { start, end })
    }

    pub(in crate::emulator) fn holds(&self, time: DateTime<Utc>) -> bool {
        (self.start..=self.end).contains(&time)
    }

    pub(super) fn shown(&self) -> Value {
        json!({"startDate": shown(self.start), "endDate": shown(self.end)})
    }
}

/// A date or a time. A date stands for its first millisecond, or for its last.
fn time(text: &str, place: &str, is_end: bool) -> Result<DateTime<Utc>, Refusal> {
    let is_date = text.parse::<NaiveDate>().is_ok();
    let time = text.parse::<Timestamp>().map_err(|_| Refusal::invalid(place, format!("{text:?} is no time")))?;
    let end = time.checked_add_days(Days::new(1)).and_then(last_before).filter(|_| is_date && is_end);
    Ok(end.unwrap_or(*time))
}

/// The last millisecond before a time.
pub(super) fn last_before(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    time.checked_sub_signed(chrono::TimeDelta::milliseconds(1))
}

pub(super) fn shown(time: DateTime<Utc>) -> String {
    Timestamp::from(time).to_string()
}
