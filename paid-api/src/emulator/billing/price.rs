//! What a quantity costs.

use rust_decimal::Decimal;

use super::credit::{CreditCost, CreditUse};
use super::schedule::{Share, Timing};
use super::tiers::Tiers;
use super::{Frequency, rounded};

/// What a price is charged for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) enum Charge {
    OneTime,
    Recurring,
    Seats,
    /// For every signal with this name.
    Usage {
        event_name: String,
    },
    /// Credits for every signal with this name, and money for credits that no grant covers.
    Credits {
        event_name: String,
        credits: CreditUse,
    },
    /// Credits for every seat and period.
    SeatCredits {
        /// The id of the credit currency.
        currency: String,
        cost: CreditCost,
    },
    /// What the agent's work cost, times the price.
    Costs,
    /// A part of the other charges of the same invoice.
    PartOfTotal,
}

/// How the units of a quantity are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum PricingModel {
    Flat,
    PerUnit,
    /// Each unit has the price of the tier that it falls into.
    Graduated,
    /// All units have the price of the tier that the quantity falls into.
    Volume,
}

/// The price of one attribute of a product or of an order line.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Price {
    pub(in crate::emulator) name: String,
    pub(in crate::emulator) charge: Charge,
    pub(in crate::emulator) model: PricingModel,
    pub(in crate::emulator) frequency: Frequency,
    pub(in crate::emulator) arrears: bool,
    pub(in crate::emulator) points: Vec<Point>,
}

/// A price in one currency, in its smallest unit.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::emulator) struct Point {
    /// `None` stands for the order's currency.
    pub(in crate::emulator) currency: Option<String>,
    pub(in crate::emulator) unit_price: Decimal,
    /// The least that is billed, in units.
    pub(in crate::emulator) minimum: Decimal,
    /// The most that is billed, in units.
    pub(in crate::emulator) maximum: Option<Decimal>,
    /// The units that cost nothing.
    pub(in crate::emulator) included: Decimal,
    /// Of graduated and volume prices.
    pub(in crate::emulator) tiers: Option<Tiers>,
}

impl Price {
    /// The price in a currency.
    pub(in crate::emulator) fn point(&self, currency: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.currency.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(currency)))
    }

    /// The cost of a quantity in one period, in whole smallest units. `share` is the billed part of the period.
    pub(in crate::emulator) fn amount(&self, point: &Point, quantity: Decimal, share: Share) -> Decimal {
        let within = quantity.max(point.minimum).min(point.maximum.unwrap_or(Decimal::MAX));
        let billed = (within - point.included).max(Decimal::ZERO);
        let tiers = point.tiers.as_ref();
        let whole = match self.model {
            PricingModel::Flat => point.unit_price,
            PricingModel::PerUnit => point.unit_price * billed,
            PricingModel::Graduated => tiers.map_or(Decimal::ZERO, |tiers| tiers.graduated(billed)),
            PricingModel::Volume => tiers.map_or(Decimal::ZERO, |tiers| tiers.volume(billed)),
        };
        rounded(share.of(whole))
    }

    /// The quantity of an invoice's line, a whole number: started credits count, and costs and parts are billed once.
    pub(in crate::emulator) fn shown_quantity(&self, quantity: Decimal) -> Decimal {
        match self.charge {
            Charge::Credits { .. } => quantity.ceil(),
            Charge::Costs | Charge::PartOfTotal => Decimal::ONE,
            _ => quantity,
        }
    }

    /// When the price is billed.
    pub(in crate::emulator) fn timing(&self) -> Timing {
        match self.charge {
            Charge::OneTime if self.arrears => Timing::OnceInArrears,
            Charge::OneTime => Timing::Once,
            Charge::Usage { .. } | Charge::Credits { .. } | Charge::Costs => Timing::Usage(self.frequency),
            _ if self.arrears => Timing::Arrears(self.frequency),
            Charge::Recurring | Charge::Seats | Charge::SeatCredits { .. } | Charge::PartOfTotal => {
                Timing::Advance(self.frequency)
            }
        }
    }
}
