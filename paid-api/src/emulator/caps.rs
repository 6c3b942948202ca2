//! Caps: how many credits a customer's unit may spend in a month. A cap stops nothing; it is watched, and an event tells when
//! it is reached.

use chrono::{DateTime, Datelike, Months, NaiveTime, Utc};
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
    pub(super) fn holds(&self, at: DateTime<Utc>) -> bool {
        at >= self.start && at < self.end
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
        let amount = short(&body["amount"]).filter(|amount| *amount >= Decimal::ZERO);
        let amount =
            amount.ok_or_else(|| Refusal::invalid("body.amount", "is negative, or has more than 15 digits"))?;
        let anchor = anchor(&body["schedule"])?;
        let from = match body["effectiveFrom"].as_str() {
            Some(time) => {
                *time.parse::<Timestamp>().map_err(|_| Refusal::invalid("body.effectiveFrom", "is no time"))?
            }
            None => *now,
        };
        let is_same =
            |policy: &&Policy| policy.amount == amount && policy.anchor == anchor && body["effectiveFrom"].is_null();
        let changed = self.at(of, *now).filter(is_same).is_none();
        if changed {
            for policy in self.policies.iter_mut().filter(|policy| policy.of == *of) {
                policy.until = Some(policy.until.map_or(from, |until| until.min(from)));
            }
            self.policies.retain(|policy| policy.until.is_none_or(|until| policy.from < until));
            self.policies.push(Policy { of: of.clone(), amount, anchor, from, until: None, created: now });
        }
        let mut shown = self.get(of, *now, used)?;
        shown["changed"] = changed.into();
        Ok(shown)
    }

    /// The cap of now, or the next one.
    pub(super) fn get(&self, of: &Capped, now: DateTime<Utc>, used: impl Fn(Month) -> Decimal) -> Reply {
        let mut next: Vec<_> = self.policies.iter().filter(|policy| policy.of == *of && policy.from > now).collect();
        next.sort_by_key(|policy| policy.from);
        let policy = self.at(of, now).or_else(|| next.first().copied());
        let policy = policy.ok_or_else(|| Refusal::not_found("cap of the unit", &of.unit))?;
        let month = policy.anchor.month(now).filter(|_| policy.from <= now);
        let period = month.map(|month| {
            let used = used(month);
            json!({
                "used": number(used),
                "remaining": number((policy.amount - used).max(Decimal::ZERO)),
                "window": { "start": shown(month.start), "end": shown(month.end) },
            })
        });
        Ok(json!({
            "customerId": of.customer,
            "externalCustomerUnitId": of.unit,
            "creditsCurrencyId": of.currency,
            "policy": policy.shown(),
            "currentPeriod": period,
        }))
    }

    /// Ends the cap of now, and those that are to come.
    pub(super) fn end(&mut self, of: &Capped, now: DateTime<Utc>) -> Value {
        let is_meant = |policy: &&mut Policy| policy.of == *of && policy.until.is_none_or(|until| until > now);
        let mut last = None;
        let mut ended = 0;
        for policy in self.policies.iter_mut().filter(is_meant) {
            policy.until = Some(now.max(policy.from));
            last = Some(policy.shown());
            ended += 1;
        }
        json!({
            "customerId": of.customer,
            "externalCustomerUnitId": of.unit,
            "creditsCurrencyId": of.currency,
            "endedVersions": ended,
            "policy": last,
        })
    }

    /// The amount and the month of the cap that holds at a time.
    pub(super) fn limit(&self, of: &Capped, at: DateTime<Utc>) -> Option<(Decimal, Month)> {
        let policy = self.at(of, at)?;
        Some((policy.amount, policy.anchor.month(at)?))
    }

    /// The caps that hold at a time, each with its amount and month.
    pub(super) fn current(&self, at: DateTime<Utc>) -> impl Iterator<Item = (&Capped, Decimal, Month)> {
        let holds = move |policy: &&Policy| policy.from <= at && policy.until.is_none_or(|until| at < until);
        let current = self.policies.iter().filter(holds);
        current.filter_map(move |policy| Some((&policy.of, policy.amount, policy.anchor.month(at)?)))
    }

    fn at(&self, of: &Capped, at: DateTime<Utc>) -> Option<&Policy> {
        let holds = |policy: &&Policy| policy.from <= at && policy.until.is_none_or(|until| at < until);
        self.policies.iter().filter(|policy| policy.of == *of).find(holds)
    }
}

impl Policy {
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
        let midnight = |first: chrono::NaiveDate| {
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
    fn a_new_cap_ends_the_old_one() {
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
        let ended = caps.end(&of, day(1, 10));
        assert_eq!((&ended["endedVersions"], caps.limit(&of, day(3, 1))), (&json!(2), None));
    }
}
