//! Prices that depend on credits, on costs and on each other, in one order: calculated a second time, in whole numbers.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use fastrand::Rng;
use serde_json::{Value, json};

/// An order of a fee with credits, a price in credits, a price of costs and a percentage of it all, each month.
#[derive(Debug)]
pub(crate) struct Catalogue {
    currency: &'static str,
    fee: i64,
    percent: i64,
    /// The factor of costs, in tenths.
    factor: i64,
    /// What a unit costs, in halves of a credit.
    cost: i64,
    /// What a credit costs beyond those that come with the fee.
    overage: i64,
    granted: i64,
    /// How many credits stay after their month, and for how many days.
    rollover: Option<(i64, u64)>,
    start: NaiveDate,
    /// When, and how many units.
    pub(crate) signals: Vec<(DateTime<Utc>, i64)>,
    /// When, and how much in the smallest unit.
    costs: Vec<(DateTime<Utc>, i64)>,
}

impl Catalogue {
    pub(crate) fn random(random: &mut Rng, now: DateTime<Utc>) -> Self {
        let age = random.u64(1..400);
        let seconds = i64::try_from(age).unwrap() * 86_400;
        let times = |random: &mut Rng, most: usize| -> Vec<DateTime<Utc>> {
            (0..random.usize(0..most)).map(|_| now - chrono::TimeDelta::seconds(random.i64(1..seconds))).collect()
        };
        let mut signals: Vec<_> = times(random, 60).into_iter().map(|at| (at, random.i64(0..6))).collect();
        signals.sort_unstable();
        let costs = times(random, 20).into_iter().map(|at| (at, random.i64(0..100_000))).collect();
        Self {
            currency: random.choice(&["USD", "EUR", "JPY"]).unwrap(),
            fee: random.i64(0..50_000),
            percent: random.i64(0..40),
            factor: random.i64(0..40),
            cost: random.i64(0..9),
            overage: random.i64(0..50),
            granted: random.i64(0..40),
            rollover: random.bool().then(|| (random.i64(0..20), random.u64(1..27))),
            start: now.date_naive().checked_sub_days(Days::new(age)).unwrap(),
            signals,
            costs,
        }
    }

    /// The attributes of the product; `credits` is the id of a credit currency.
    pub(crate) fn attributes(&self, credits: &str) -> Value {
        let mut benefit =
            json!({"creditsCurrencyId": credits, "amount": self.granted, "overageUnitPrice": self.overage});
        if let Some((amount, days)) = self.rollover {
            benefit["rolloverAmount"] = amount.into();
            benefit["rolloverDuration"] = days.into();
            benefit["rolloverDurationUnit"] = "days".into();
        }
        json!([
            {"name": "percent", "pricing": {"pricingType": "RecurringPercentOfTotal", "billingFrequency": "Monthly",
                "percentageValue": self.percent}},
            {"name": "fee", "creditBenefits": [benefit], "pricing": {"pricingType": "RecurringPerUnit",
                "billingFrequency": "Monthly", "pricePoints": [{"currency": self.currency, "unitPrice": self.fee}]}},
            {"name": "calls", "pricing": {"pricingType": "UsagePrepaidCredits", "eventName": "e", "creditsCurrencyId": credits,
                "creditCost": shifted(self.cost * 5, 1), "pricingInput": {"kind": "signalQuantity", "path": "$.units"}}},
            {"name": "costs", "pricing": {"pricingType": "UsageCostPlus", "costPlusMultiplier": shifted(self.factor, 1)}},
        ])
    }

    pub(crate) fn order(&self) -> Value {
        json!({"currency": self.currency, "startDate": format!("{}T00:00:00Z", self.start)})
    }

    /// The costs, as a request has them.
    pub(crate) fn costs(&self) -> Value {
        let digits = if self.currency == "JPY" { 0 } else { 2 };
        let cost = |(at, amount): &(DateTime<Utc>, i64)| {
            json!({"type": "cost", "amount": shifted(*amount, digits), "currency": self.currency, "vendor": "v",
                "timestamp": at.to_rfc3339(), "customer": {"externalCustomerId": "c"}, "product": {"externalProductId": "p"}})
        };
        self.costs.iter().map(cost).collect()
    }

    /// The totals of all invoices, from the first.
    pub(crate) fn totals(&self, now: DateTime<Utc>) -> Vec<i64> {
        let mut boundaries = vec![self.start];
        while *boundaries.last().unwrap() <= now.date_naive() {
            let months = u32::try_from(boundaries.len()).unwrap();
            boundaries.push(month_later(self.start, months));
        }
        // In halves of a credit.
        let mut left_before = 0;
        let mut totals = Vec::new();
        for month in boundaries.windows(2) {
            let within = |at: &DateTime<Utc>| (month[0]..month[1]).contains(&at.date_naive());
            let (most, days) = self.rollover.unwrap_or_default();
            let mut kept = if totals.is_empty() { 0 } else { left_before.min(2 * most) };
            let kept_until = month[0].checked_add_days(Days::new(days)).unwrap();
            let (mut own, mut beyond) = (2 * self.granted, 0);
            for (at, units) in self.signals.iter().filter(|(at, _)| within(at)) {
                let mut wanted = self.cost * units;
                if at.date_naive() < kept_until {
                    let taken = wanted.min(kept);
                    kept -= taken;
                    wanted -= taken;
                }
                let taken = wanted.min(own);
                own -= taken;
                beyond += wanted - taken;
            }
            left_before = own;
            let spent: i64 = self.costs.iter().filter(|(at, _)| within(at)).map(|(_, amount)| amount).sum();
            let others = self.fee + halved_up(beyond * self.overage, 2) + halved_up(spent * self.factor, 10);
            totals.push(others + halved_up(others * self.percent, 100));
        }
        totals
    }
}

/// A quotient in whole units, halves away from zero.
fn halved_up(number: i64, by: i64) -> i64 {
    (2 * number + by) / (2 * by)
}

/// A number with so many decimals.
fn shifted(number: i64, decimals: u32) -> Value {
    let by = 10_i64.pow(decimals);
    let width = usize::try_from(decimals).unwrap();
    let text = if decimals == 0 { number.to_string() } else { format!("{}.{:0width$}", number / by, number % by) };
    serde_json::from_str(&text).unwrap()
}

fn month_later(start: NaiveDate, months: u32) -> NaiveDate {
    let month = start.month0() + months;
    let (year, month) = (start.year() + i32::try_from(month / 12).unwrap(), month % 12 + 1);
    (1..=start.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day)).unwrap()
}
