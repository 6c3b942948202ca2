//! The rules of `docs/billing-rules.md` calculated a second time, in whole numbers: unit by unit, day by day, and with nothing
//! of the emulator.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use fastrand::Rng;
use serde_json::{Value, json};

/// Prices are in thousandths of the currency's smallest unit.
const THOUSANDTHS: i64 = 1000;

#[derive(Debug)]
pub(crate) struct Case {
    charge: &'static str,
    model: &'static str,
    currency: &'static str,
    frequency: (&'static str, u32),
    arrears: bool,
    unit: i64,
    minimum: i64,
    maximum: Option<i64>,
    included: i64,
    /// The last unit of each tier but the last, and each tier's prices: for a unit, and for the tier.
    ends: Vec<i64>,
    tiers: Vec<(i64, i64)>,
    /// How the table is written: tiers begin at 0 or 1, and where the last ended or one above it.
    first: i64,
    step: i64,
    start: NaiveDate,
    end: Option<NaiveDate>,
    anchor: Option<u32>,
    pub(crate) signals: Vec<DateTime<Utc>>,
}

impl Case {
    pub(crate) fn random(random: &mut Rng, now: DateTime<Utc>) -> Self {
        let charge = *random.choice(&["Recurring", "SeatBased", "Usage", "OneTime"]).unwrap();
        let model =
            if charge == "OneTime" { "PerUnit" } else { random.choice(&["PerUnit", "Graduated", "Volume"]).unwrap() };
        let frequency =
            [("Monthly", 1), ("Quarterly", 3), ("Semi-Annually", 6), ("Annual", 12), ("Custom", random.u32(1..30))];
        let age = random.u64(1..900);
        let start = day(now).checked_sub_days(Days::new(age)).unwrap();
        let end = random.bool().then(|| start.checked_add_days(Days::new(random.u64(1..1200))).unwrap());
        let mut ends: Vec<i64> = (0..random.usize(0..4)).map(|_| random.i64(1..60)).collect();
        ends.sort_unstable();
        ends.dedup();
        // The document's prices are whole.
        let whole = |random: &mut Rng| random.i64(0..500) * THOUSANDTHS;
        let tiers = (0..=ends.len()).map(|_| (whole(random), whole(random) * i64::from(random.bool()))).collect();
        let first = random.i64(0..2);
        let minimum = random.i64(0..20) * i64::from(random.bool());
        let seconds = i64::try_from(age).unwrap() * 86_400;
        let used = if charge == "Usage" { random.usize(0..120) } else { 0 };
        let signals = (0..used).map(|_| now - chrono::TimeDelta::seconds(random.i64(1..seconds))).collect();
        Self {
            charge,
            model,
            currency: random.choice(&["USD", "EUR", "JPY"]).unwrap(),
            frequency: *random.choice(&frequency).unwrap(),
            arrears: random.bool(),
            unit: whole(random),
            minimum,
            maximum: random.bool().then(|| random.i64(minimum..minimum + 90)),
            included: random.i64(0..10) * i64::from(random.bool()),
            ends,
            tiers,
            first,
            step: if first == 1 { 1 } else { random.i64(0..2) },
            start,
            end,
            anchor: random.bool().then(|| random.u32(1..32)),
            signals,
        }
    }

    /// The price, as a product has it.
    pub(crate) fn pricing(&self) -> Value {
        let mut point = json!({"currency": self.currency, "unitPrice": self.unit / THOUSANDTHS, "minQuantity": self.minimum,
            "includedQuantity": self.included});
        if let Some(maximum) = self.maximum {
            point["maxQuantity"] = maximum.into();
        }
        if self.model != "PerUnit" {
            point["tiers"] = (0..self.tiers.len()).map(|tier| self.tier(tier)).collect();
        }
        let mut pricing = json!({"pricingType": format!("{}{}", self.charge, self.model), "pricePoints": [point]});
        if self.charge != "OneTime" {
            pricing["billingFrequency"] = self.frequency.0.into();
            pricing["billingType"] = if self.arrears || self.charge == "Usage" { "Arrears" } else { "Advance" }.into();
        }
        if self.frequency.0 == "Custom" && self.charge != "OneTime" {
            pricing["billingFrequencyCustomMonths"] = self.frequency.1.into();
        }
        if self.charge == "Usage" {
            pricing["eventName"] = "e".into();
        }
        pricing
    }

    fn tier(&self, index: usize) -> Value {
        let lower = if index == 0 { self.first } else { self.ends[index - 1] + self.step };
        let (unit, flat) = self.tiers[index];
        let mut tier = json!({"lowerBound": lower, "unitAmount": unit / THOUSANDTHS, "flatAmount": flat / THOUSANDTHS});
        if let Some(end) = self.ends.get(index) {
            tier["upperBound"] = (*end).into();
        }
        tier
    }

    /// The properties of the order.
    pub(crate) fn order(&self) -> Value {
        let midnight = |date: NaiveDate| format!("{date}T00:00:00Z");
        let mut order = json!({"currency": self.currency, "startDate": midnight(self.start)});
        if let Some(end) = self.end {
            order["endDate"] = midnight(end).into();
        }
        if let Some(anchor) = self.anchor {
            order["billingAnchor"] = anchor.into();
        }
        order
    }

    /// The totals of all invoices, from the first.
    pub(crate) fn totals(&self, now: DateTime<Utc>) -> Vec<i64> {
        let today = day(now);
        let months = if self.charge == "OneTime" { 1 } else { self.frequency.1 };
        let anchor = self.anchor.unwrap_or(self.start.day());
        let (mut year, mut month) = (self.start.year(), self.start.month());
        if clamped(year, month, anchor) < self.start {
            (year, month) = later(year, month, 1);
        }
        let first = clamped(year, month, anchor);
        let mut boundaries = vec![self.start];
        if first > self.start {
            boundaries.push(first);
        }
        while *boundaries.last().unwrap() <= today {
            (year, month) = later(year, month, months);
            boundaries.push(clamped(year, month, anchor));
        }
        let started = |start: &NaiveDate| *start <= today && self.end.is_none_or(|end| *start < end);
        let periods = boundaries.windows(2).filter(|period| started(&period[0]));
        periods
            .enumerate()
            .map(|(index, period)| {
                let stub = index == 0 && first > self.start;
                let share = if stub && self.charge != "Usage" && self.charge != "OneTime" {
                    let before =
                        (0..months).fold((first.year(), first.month()), |(year, month), _| earlier(year, month));
                    let whole = (first - clamped(before.0, before.1, anchor)).num_days();
                    ((first - self.start).num_days(), whole)
                } else {
                    (1, 1)
                };
                let end = self.end.map_or(period[1], |end| end.min(period[1]));
                self.bill(index, period[0], end, share, today)
            })
            .collect()
    }

    fn bill(&self, index: usize, start: NaiveDate, end: NaiveDate, share: (i64, i64), today: NaiveDate) -> i64 {
        match self.charge {
            "OneTime" if index > 0 => 0,
            "Usage" => {
                let used = self.signals.iter().filter(|time| (start..end).contains(&day(**time))).count();
                self.cost(i64::try_from(used).unwrap(), share)
            }
            "OneTime" => self.cost(1, share),
            _ if self.arrears && end > today => 0,
            _ => self.cost(1, share),
        }
    }

    fn cost(&self, quantity: i64, (days, of): (i64, i64)) -> i64 {
        let mut units = quantity.max(self.minimum);
        units = self.maximum.map_or(units, |maximum| units.min(maximum));
        units = (units - self.included).max(0);
        let tier_of = |unit: i64| self.ends.iter().filter(|end| unit > **end).count();
        let thousandths = match self.model {
            "PerUnit" => self.unit * units,
            _ if units == 0 => 0,
            "Volume" => {
                let (unit, flat) = self.tiers[tier_of(units)];
                unit * units + flat
            }
            _ => {
                let each: i64 = (1..=units).map(|unit| self.tiers[tier_of(unit)].0).sum();
                each + (0..=tier_of(units)).map(|tier| self.tiers[tier].1).sum::<i64>()
            }
        };
        // Halves away from zero; no price is negative.
        let (over, under) = (thousandths * days, of * THOUSANDTHS);
        (2 * over + under) / (2 * under)
    }
}

fn day(time: DateTime<Utc>) -> NaiveDate {
    time.date_naive()
}

fn later(year: i32, month: u32, months: u32) -> (i32, u32) {
    (0..months).fold((year, month), |(year, month), _| if month == 12 { (year + 1, 1) } else { (year, month + 1) })
}

fn earlier(year: i32, month: u32) -> (i32, u32) {
    if month == 1 { (year - 1, 12) } else { (year, month - 1) }
}

fn clamped(year: i32, month: u32, wanted: u32) -> NaiveDate {
    (1..=wanted).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day)).unwrap()
}
