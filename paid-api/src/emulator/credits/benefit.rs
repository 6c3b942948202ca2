//! The credits that come with a price, read from requests.

use chrono::{DateTime, Days, Months, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::grant::Rollover;
use crate::emulator::numbers::short;
use crate::emulator::refusal::Refusal;

/// What a benefit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Trigger {
    Activation,
    Posting,
    Payment,
}

/// Credits that come with each period of a price.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Benefit {
    /// The id of the credit currency.
    pub(in crate::emulator) currency: String,
    /// `None` is without end.
    pub(in crate::emulator) amount: Option<Decimal>,
    pub(in crate::emulator) is_for_seats: bool,
    /// Whether they come each month, or with each billing period.
    pub(in crate::emulator) is_monthly: bool,
    pub(in crate::emulator) trigger: Trigger,
    /// What a credit costs beyond them, in the currency's smallest unit.
    pub(in crate::emulator) overage: Option<Decimal>,
    rollover_most: Option<Decimal>,
    rollover_for: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duration {
    Days(u64),
    Months(u32),
}

impl Benefit {
    /// What stays after this end of a period.
    pub(in crate::emulator) fn rollover(&self, end: DateTime<Utc>) -> Option<Rollover> {
        let until = match self.rollover_for? {
            Duration::Days(days) => end.checked_add_days(Days::new(days)),
            Duration::Months(months) => end.checked_add_months(Months::new(months)),
        };
        Some(Rollover { most: self.rollover_most, until: until? })
    }

    /// `currency` is the price's, for a benefit that names none.
    fn read(benefit: &Value, currency: Option<&str>, place: &str) -> Result<Self, Refusal> {
        let at = |key: &str| format!("{place}.{key}");
        let currency = benefit["creditsCurrencyId"].as_str().or(currency);
        let currency =
            currency.ok_or_else(|| Refusal::invalid(&at("creditsCurrencyId"), "name the credit currency"))?;
        let is_endless = benefit["isInfiniteTotal"] == true;
        let amount = number(benefit, "amount", place)?.unwrap_or_default();
        super::check_decimals(amount, &at("amount"))?;
        Ok(Self {
            currency: currency.to_owned(),
            amount: if is_endless { None } else { Some(amount) },
            is_for_seats: benefit["recipient"] == "seat",
            is_monthly: benefit["allocationCadence"] == "monthly",
            trigger: match benefit["creditGrantTiming"].as_str() {
                Some("on_invoice_posted") => Trigger::Posting,
                Some("on_payment") => Trigger::Payment,
                _ => Trigger::Activation,
            },
            overage: number(benefit, "overageUnitPrice", place)?,
            rollover_most: number(benefit, "rolloverAmount", place)?,
            rollover_for: rollover_for(benefit, place)?,
        })
    }
}

/// The benefits of a price.
pub(in crate::emulator) fn read(
    benefits: &Value,
    currency: Option<&str>,
    place: &str,
) -> Result<Vec<Benefit>, Refusal> {
    let benefits = benefits.as_array().into_iter().flatten().enumerate();
    benefits.map(|(index, benefit)| Benefit::read(benefit, currency, &format!("{place}.{index}"))).collect()
}

fn rollover_for(benefit: &Value, place: &str) -> Result<Option<Duration>, Refusal> {
    let at = |key: &str| format!("{place}.{key}");
    let Some(duration) = number(benefit, "rolloverDuration", place)?.filter(|duration| !duration.is_zero()) else {
        let is_lost = !benefit["rolloverAmount"].is_null() && benefit["rolloverAmount"] != 0;
        let ask = "says how much stays, but not for how long; add rolloverDuration and rolloverDurationUnit";
        return if is_lost { Err(Refusal::invalid(&at("rolloverAmount"), ask)) } else { Ok(None) };
    };
    let long = || Refusal::invalid(&at("rolloverDuration"), "is a whole number, at most 36500 days or 1200 months");
    let number = u32::try_from(duration).ok().filter(|number| Decimal::from(*number) == duration).ok_or_else(long)?;
    match benefit["rolloverDurationUnit"].as_str() {
        Some("days") if number <= 36_500 => Ok(Some(Duration::Days(number.into()))),
        Some("months") if number <= 1_200 => Ok(Some(Duration::Months(number))),
        Some("days" | "months") => Err(long()),
        _ => Err(Refusal::invalid(&at("rolloverDurationUnit"), "is `days` or `months`")),
    }
}

fn number(benefit: &Value, key: &str, place: &str) -> Result<Option<Decimal>, Refusal> {
    let value = &benefit[key];
    if value.is_null() {
        return Ok(None);
    }
    match short(value) {
        Some(number) if number >= Decimal::ZERO => Ok(Some(number)),
        Some(_) => Err(Refusal::invalid(&format!("{place}.{key}"), "is negative")),
        None => Err(Refusal::invalid(&format!("{place}.{key}"), "has more than 15 digits")),
    }
}
