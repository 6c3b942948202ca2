//! Caps: how many credits a customer's unit may spend in a month. A cap stops nothing; it is watched, and an event tells when
//! it is reached.

use std::ops::Range;

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::numbers::short;
use super::pricing::number;
use super::refusal::{Refusal, Reply};
use crate::Timestamp;

/// Whose spending is capped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Capped {
    pub(super) customer: String,
    /// The customer's own id of the unit.
    pub(super) unit: String,
    /// The id of the credit currency.
    pub(super) currency: String,
}

/// The day on which a month of a cap begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Calendar,
    Day(u32),
}

/// A cap from one time to another.
#[derive(Debug, Clone)]
struct Policy {
    of: Capped,
    amount: Decimal,
    anchor: Anchor,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    created: Timestamp,
}

/// A month of a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Month {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Month {
    /// Its days: months begin at midnight.
    pub(super) fn days(&self) -> Range<NaiveDate> {
        self.start.date_naive()..self.end.date_naive()
    }
}

/// All caps, those that ended too.
#[derive(Debug, Default)]
pub(super) struct Caps {
    policies: Vec<Policy>,
}

impl Caps {
    /// Sets a cap from a time on. `used` is what was spent in a month.
    pub(super) fn set(&mut self, of: &Capped, body: &Value, now: Timestamp, used: impl Fn(Month) -> Decimal) -> Reply {
        let amount = short(&body["amount"]).filter(|amount| *amount > Decimal::ZERO);
        let amount =
            amount.ok_or_else(|| Refusal::invalid("body.amount", "is not above 0, or has more than 15 digits"))?;
        let anchor = anchor(&body["schedule"])?;
        let from = match body["effectiveFrom"].as_str() {
            Some(time) => {
                *time.parse::<Timestamp>().map_err(|_| Refusal::invalid("body.effectiveFrom", "is no time"))?
            }
            None => *now,
        };
        let is_same =
            |policy: &&Policy| policy.amount == amount && policy.anchor == anchor && body["effectiveFrom"].is_null();
        let same = self.at(of, *now).filter(is_same).cloned();
        let changed = same.is_none();
        let policy = same.unwrap_or_else(|| Policy { of: of.clone(), amount, anchor, from, until: None, created: now });
        let mut shown = policy.shown_with(*now, used);
        shown["changed"] = changed.into();
        // Earlier versions stay: where they overlap, the newest counts.
        if changed {
            self.policies.push(policy);
        }
        Ok(shown)
    }

    /// The cap of now.
    pub(super) fn get(&self, of: &Capped, now: DateTime<Utc>, used: impl Fn(Month) -> Decimal) -> Reply {
        let policy = self.at(of, now).ok_or_else(|| Refusal::not_found("cap in force of the unit", &of.unit))?;
        Ok(policy.shown_with(now, used))
    }

    /// Ends the cap of now, those below it, and those that are to come.
    pub(super) fn end(&mut self, of: &Capped, now: DateTime<Utc>) -> Reply {
        let mut last = None;
        let mut ended = 0;
        for policy in self.policies.iter_mut().filter(|policy| policy.of == *of && policy.is_open(now)) {
            policy.until = Some(now);
            last = Some(policy.shown());
            ended += 1;
        }
        let policy = last.ok_or_else(|| Refusal::not_found("open cap of the unit", &of.unit))?;
        Ok(json!({
            "customerId": of.customer,
            "externalCustomerUnitId": of.unit,
            "creditsCurrencyId": of.currency,
            "endedVersions": ended,
            "policy": policy,
        }))
    }

    /// Returns true if a unit has a cap in force, or one that is to come.
    pub(super) fn has_open(&self, customer: &str, unit: &str, now: DateTime<Utc>) -> bool {
        let is_of = |policy: &Policy| policy.of.customer == customer && policy.of.unit == unit;
        self.policies.iter().any(|policy| is_of(policy) && policy.is_open(now))
    }

    /// The amount and the month of the cap that holds at a time.
    pub(super) fn limit(&self, of: &Capped, at: DateTime<Utc>) -> Option<(Decimal, Month)> {
        let policy = self.at(of, at)?;
        Some((policy.amount, policy.anchor.month(at)?))
    }

    /// The caps that hold at a time, each with its amount and month.
    pub(super) fn current(&self, at: DateTime<Utc>) -> impl Iterator<Item = (&Capped, Decimal, Month)> {
        let newest =
            move |policy: &&Policy| self.at(&policy.of, at).is_some_and(|newest| std::ptr::eq(newest, *policy));
        let current = self.policies.iter().filter(newest);
        current.filter_map(move |policy| Some((&policy.of, policy.amount, policy.anchor.month(at)?)))
    }

    /// The newest version that holds at a time.
    fn at(&self, of: &Capped, at: DateTime<Utc>) -> Option<&Policy> {
        self.policies.iter().rev().find(|policy| policy.of == *of && policy.holds(at))
    }
}

impl Policy {
    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Returns true if it is in force, or is to come.
    fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    /// With what was used of it in its month, if it is in force.
    fn shown_with(&self, now: DateTime<Utc>, used: impl Fn(Month) -> Decimal) -> Value {
        let month = self.anchor.month(now).filter(|_| self.holds(now));
        let period = month.map(|month| {
            let used = used(month);
            json!({
                "used": number(used),
                "remaining": number(self.amount - used),
                "window": { "start": shown(month.start), "end": shown(month.end) },
            })
        });
        json!({
            "customerId": self.of.customer,
            "externalCustomerUnitId": self.of.unit,
            "creditsCurrencyId": self.of.currency,
            "policy": self.shown(),
            "currentPeriod": period,
        })
    }

    fn shown(&self) -> Value {
        let schedule = match self.anchor {
            Anchor::Calendar => json!({ "type": "CALENDAR" }),
            Anchor::Day(day) => json!({ "type": "ANCHORED", "anchorDay": day }),
        };
        json!({
            "amount": number(self.amount),
            "frequency": "MONTHLY",
            "schedule": schedule,
            "effectiveFrom": shown(self.from),
            "effectiveUntil": self.until.map(shown),
            "createdAt": self.created.to_string(),
            "source": "api",
        })
    }
}

impl Anchor {
    /// The month that holds this time. A day that a month lacks is its last.
    fn month(self, at: DateTime<Utc>) -> Option<Month> {
        let day = match self {
            Self::Calendar => 1,
            Self::Day(day) => day,
        };
        let midnight = |first: NaiveDate| {
            let last = first.checked_add_months(Months::new(1))?.pred_opt()?.day();
            Some(first.with_day(day.min(last))?.and_time(NaiveTime::MIN).and_utc())
        };
        let first = at.date_naive().with_day(1)?;
        let this = midnight(first)?;
        let (start, end) = if at >= this {
            (this, midnight(first.checked_add_months(Months::new(1))?)?)
        } else {
            (midnight(first.checked_sub_months(Months::new(1))?)?, this)
        };
        Some(Month { start, end })
    }
}

fn anchor(schedule: &Value) -> Result<Anchor, Refusal> {
    if schedule["type"] != "ANCHORED" {
        return Ok(Anchor::Calendar);
    }
    let day = schedule["anchorDay"].as_u64().and_then(|day| u32::try_from(day).ok());
    let day = day.filter(|day| (1..=31).contains(day));
    day.map(Anchor::Day).ok_or_else(|| Refusal::invalid("body.schedule.anchorDay", "is a day of the month, 1 to 31"))
}

fn shown(time: DateTime<Utc>) -> String {
    Timestamp::from(time).to_string()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn day(month: u32, day: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, month, day, 0, 0, 0).unwrap()
    }

    #[test]
    fn a_month_begins_on_its_day_or_on_the_last_there_is() {
        for (anchor, at, start, end) in [
            (Anchor::Calendar, day(2, 14), day(2, 1), day(3, 1)),
            (Anchor::Day(15), day(2, 14), day(1, 15), day(2, 15)),
            (Anchor::Day(15), day(2, 15), day(2, 15), day(3, 15)),
            (Anchor::Day(31), day(2, 27), day(1, 31), day(2, 28)),
            (Anchor::Day(31), day(2, 28), day(2, 28), day(3, 31)),
        ] {
            assert_eq!(anchor.month(at), Some(Month { start, end }), "{anchor:?} {at}");
        }
    }

    #[test]
    fn the_newest_cap_counts_and_all_end_together() {
        let of = Capped { customer: "c".into(), unit: "u".into(), currency: "t".into() };
        let mut caps = Caps::default();
        let nothing = |_: Month| Decimal::ZERO;
        let first = caps.set(&of, &json!({"amount": 10}), day(1, 1).into(), nothing).unwrap();
        assert_eq!(first["changed"], true);
        assert_eq!(caps.set(&of, &json!({"amount": 10}), day(1, 2).into(), nothing).unwrap()["changed"], false);
        let later = json!({"amount": 20, "effectiveFrom": "2026-02-01T00:00:00Z"});
        caps.set(&of, &later, day(1, 3).into(), nothing).unwrap();
        assert_eq!(caps.limit(&of, day(1, 31)).map(|(amount, _)| amount), Some(10.into()));
        assert_eq!(caps.limit(&of, day(2, 1)).map(|(amount, _)| amount), Some(20.into()));
        assert_eq!(caps.current(day(2, 1)).count(), 1);
        assert!(caps.has_open("c", "u", day(1, 9)));
        let ended = caps.end(&of, day(1, 10)).unwrap();
        assert_eq!((&ended["endedVersions"], caps.limit(&of, day(3, 1))), (&json!(2), None));
        assert!(!caps.has_open("c", "u", day(1, 10)) && caps.end(&of, day(1, 10)).is_err());
        let nothing = |_: Month| Decimal::ZERO;
        assert!(caps.set(&of, &json!({"amount": 0}), day(1, 1).into(), nothing).is_err());
        let used = caps.set(&of, &json!({"amount": 3}), day(1, 10).into(), |_| 5.into()).unwrap();
        assert_eq!(used["currentPeriod"]["remaining"], -2);
    }
}
