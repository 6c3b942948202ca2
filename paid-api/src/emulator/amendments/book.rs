//! What an amendment looks at: an active order at a time.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::emulator::billing::{Charge, PricingModel, Schedule, Share, Span, Timing, Window};
use crate::emulator::pricing::number;
use crate::emulator::store::{Line, LinePrice};
use crate::{JsonObject, Timestamp};

/// An active order, as it is now.
pub(super) struct Book<'a> {
    pub(super) order: &'a JsonObject,
    pub(super) lines: &'a [Line],
    pub(super) schedule: &'a Schedule,
    pub(super) span: Span,
    pub(super) now: DateTime<Utc>,
    pub(super) currency: &'a str,
}

impl Book<'_> {
    /// An attribute that holds now, or is to hold, with its line.
    pub(super) fn attribute(&self, id: &str) -> Option<(&Line, &LinePrice)> {
        let all = self.lines.iter().flat_map(|line| line.prices.iter().map(move |priced| (line, priced)));
        all.filter(|(_, priced)| priced.until.is_none_or(|until| until > self.now)).find(|(_, priced)| priced.id == id)
    }

    /// Returns true if what is added to a line is charged now.
    pub(super) fn takes_charges(&self, line: &Line) -> bool {
        !line.credit && line.span(self.span).holds(self.now)
    }

    /// The period of a price that holds now.
    pub(super) fn cycle(&self, priced: &LinePrice) -> Option<Window> {
        if priced.price.timing().is_once() {
            return None;
        }
        let periods = self.schedule.periods(priced.price.frequency.in_months()).into_iter();
        periods.into_iter().find(|period| period.start <= self.now && self.now < period.end)
    }

    /// What a price costs in a whole period.
    pub(super) fn amount(&self, priced: &LinePrice) -> Decimal {
        let point = priced.price.point(self.currency);
        point.map_or(Decimal::ZERO, |point| priced.price.amount(point, priced.quantity, Share::WHOLE))
    }

    /// An attribute, as plans show it.
    pub(super) fn state(&self, product: &str, priced: &LinePrice) -> Value {
        let metered = is_metered(priced);
        let unit = priced.price.point(self.currency).filter(|_| has_unit_price(priced)).map(|point| point.unit_price);
        let benefits = &priced.benefits;
        let mut state = json!({
            "productId": product,
            "chargeType": charge_type(priced),
            "currency": self.currency,
            "quantity": number(if metered { Decimal::ZERO } else { priced.quantity }),
            "meteredUsage": metered,
            "hasInfiniteCreditBenefits": benefits.iter().any(|benefit| benefit.amount.is_none()),
        });
        let amount: Option<Decimal> = benefits.iter().map(|benefit| benefit.amount).sum();
        let mut set = |key: &str, value: Option<Decimal>| {
            if let Some(value) = value {
                state[key] = number(value);
            }
        };
        set("unitPriceMinor", unit);
        set("totalAmountMinor", (!metered).then(|| self.amount(priced)));
        set("creditBenefitAmount", amount.filter(|_| !benefits.is_empty()));
        state
    }

    /// The days of a period from now on, and those of a whole one: the first may be cut short.
    pub(super) fn days(&self, priced: &LinePrice, cycle: Window) -> (i64, i64) {
        let remaining = (cycle.end.date_naive() - self.now.date_naive()).num_days();
        (remaining, self.schedule.whole_days(cycle, priced.price.frequency.in_months()))
    }
}

/// Whether signals or costs decide what it costs.
pub(super) fn is_metered(priced: &LinePrice) -> bool {
    matches!(priced.price.timing(), Timing::Usage(_))
}

fn has_unit_price(priced: &LinePrice) -> bool {
    matches!(priced.price.model, PricingModel::PerUnit | PricingModel::Flat)
        && matches!(priced.price.charge, Charge::OneTime | Charge::Recurring | Charge::Seats | Charge::Usage { .. })
}

pub(super) fn charge_type(priced: &LinePrice) -> &'static str {
    match priced.price.charge {
        Charge::OneTime => "oneTime",
        Charge::Recurring | Charge::PartOfTotal => "recurring",
        Charge::Seats | Charge::SeatCredits { .. } => "seatBased",
        Charge::Usage { .. } | Charge::Credits { .. } | Charge::Costs => "usage",
    }
}

pub(super) fn shown(time: DateTime<Utc>) -> String {
    Timestamp::from(time).to_string()
}
