//! The time that a view is about: a rolling window that ends today, or days of the calendar.

use chrono::{DateTime, Days, Months, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::Refusal;
use crate::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) enum ViewPeriod {
    /// Unit and number of units.
    Relative(String, u32),
    /// First and last day.
    Absolute(NaiveDate, NaiveDate),
}

impl ViewPeriod {
    pub(super) fn read(period: &Value, place: &str) -> Result<Self, Refusal> {
        let text = |key: &str| period[key].as_str().map(str::to_owned);
        let amount = period["amount"].as_i64();
        let kind = period["kind"].as_str().unwrap_or_default();
        Self::of(kind, (text("unit"), amount), (text("start"), text("end")), &|key| format!("{place}.{key}"))
    }

    /// The period that a request for data names instead of the view's; `None` if it names none.
    pub(in crate::emulator) fn of_query(matched: &Matched) -> Result<Option<Self>, Refusal> {
        let text = |key: &str| matched.query.get(key).cloned();
        let Some(kind) = text("periodKind") else {
            return match matched.query.keys().find(|key| key.starts_with("period")) {
                Some(key) => Err(Refusal::invalid(&format!("query.{key}"), "needs a periodKind beside it")),
                None => Ok(None),
            };
        };
        let amount = text("periodAmount").and_then(|amount| amount.parse().ok());
        let place = |key: &str| {
            let (first, rest) = key.split_at(1);
            format!("query.period{}{rest}", first.to_uppercase())
        };
        Self::of(&kind, (text("periodUnit"), amount), (text("periodStart"), text("periodEnd")), &place).map(Some)
    }

    fn of(
        kind: &str,
        (unit, amount): (Option<String>, Option<i64>),
        (start, end): (Option<String>, Option<String>),
        place: &dyn Fn(&str) -> String,
    ) -> Result<Self, Refusal> {
        let missing = |key: &str| Refusal::invalid(&place(key), format!("a period of the kind {kind} needs it"));
        let beside = |key: &str| Refusal::invalid(&place(key), format!("a period of the kind {kind} has none"));
        if kind == "relative" {
            if start.is_some() || end.is_some() {
                return Err(beside(if start.is_some() { "start" } else { "end" }));
            }
            let unit = unit.ok_or_else(|| missing("unit"))?;
            let amount = amount.ok_or_else(|| missing("amount"))?;
            return match u32::try_from(amount).ok().filter(|amount| (1..=10_000).contains(amount)) {
                Some(amount) => Ok(Self::Relative(unit, amount)),
                None => Err(Refusal::invalid(&place("amount"), "is not 1 to 10,000")),
            };
        }
        if unit.is_some() || amount.is_some() {
            return Err(beside(if unit.is_some() { "unit" } else { "amount" }));
        }
        let day = |key: &str, text: Option<String>| {
            let text = text.ok_or_else(|| missing(key))?;
            text.parse::<NaiveDate>().map_err(|_| Refusal::invalid(&place(key), format!("{text:?} is no YYYY-MM-DD")))
        };
        let (start, end) = (day("start", start)?, day("end", end)?);
        if end < start {
            return Err(Refusal::invalid(&place("end"), "is before start"));
        }
        Ok(Self::Absolute(start, end))
    }

    /// Its first and its last millisecond; `None` if there is no such time.
    pub(in crate::emulator) fn bounds(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let today = now.date_naive();
        let (first, last) = match self {
            Self::Absolute(start, end) => (*start, *end),
            Self::Relative(unit, amount) => {
                let first = match unit.as_str() {
                    "month" => today.checked_sub_months(Months::new(*amount)),
                    "year" => today.checked_sub_months(Months::new(amount.checked_mul(12)?)),
                    _ => today.checked_sub_days(Days::new((*amount).into())),
                };
                (first?, today)
            }
        };
        let midnight = |day: NaiveDate| -> Option<DateTime<Utc>> { Some(day.and_hms_opt(0, 0, 0)?.and_utc()) };
        let end = midnight(last.checked_add_days(Days::new(1))?)?;
        let end = end.checked_sub_signed(TimeDelta::milliseconds(1))?;
        Some((Timestamp::from(midnight(first)?), Timestamp::from(end)))
    }

    pub(super) fn shown(&self) -> Value {
        match self {
            Self::Relative(unit, amount) => json!({"kind": "relative", "unit": unit, "amount": amount}),
            Self::Absolute(start, end) => {
                json!({"kind": "absolute", "start": start.to_string(), "end": end.to_string()})
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(period: Value) -> (String, String) {
        let now = "2026-03-31T15:00:00Z".parse().unwrap();
        let (start, end) = ViewPeriod::read(&period, "body").unwrap().bounds(now).unwrap();
        (start.to_string(), end.to_string())
    }

    #[test]
    fn windows_end_with_today_and_days_are_whole() {
        let month = json!({"kind": "relative", "unit": "month", "amount": 1});
        assert_eq!(bounds(month), ("2026-02-28T00:00:00Z".to_owned(), "2026-03-31T23:59:59.999Z".to_owned()));
        let days = json!({"kind": "absolute", "start": "2026-01-01", "end": "2026-01-02"});
        assert_eq!(bounds(days), ("2026-01-01T00:00:00Z".to_owned(), "2026-01-02T23:59:59.999Z".to_owned()));
    }

    #[test]
    fn what_a_kind_lacks_or_does_not_have_is_refused_with_its_place() {
        for (period, place) in [
            (json!({"kind": "relative", "amount": 1}), "body.unit"),
            (json!({"kind": "relative", "unit": "day", "amount": 0}), "body.amount"),
            (json!({"kind": "relative", "unit": "day", "amount": 1, "end": "2026-01-01"}), "body.end"),
            (json!({"kind": "absolute", "start": "2026-01-01"}), "body.end"),
            (json!({"kind": "absolute", "start": "2026-01-02", "end": "2026-01-01"}), "body.end"),
            (json!({"kind": "absolute", "start": "soon", "end": "2026-01-01"}), "body.start"),
        ] {
            let refusal = ViewPeriod::read(&period, "body").unwrap_err();
            assert_eq!(refusal.details.as_deref(), Some(place), "{period}");
        }
    }
}
