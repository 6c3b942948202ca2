//! The rules of billing, pure: no JSON, no clock, no store. `docs/billing-rules.md` states each rule and its source.

mod credit;
mod period;
mod price;
mod schedule;
mod terms;
mod tiers;

pub(super) use credit::{Bracket, Brackets, CreditCost, CreditUse, Path};
pub(super) use period::Frequency;
pub(super) use price::{Charge, Point, Price, PricingModel};
pub(super) use schedule::{Schedule, Share, Span, Term, Timing, Window};
pub(super) use terms::days_to_pay;
pub(super) use tiers::{TierInput, TierKind, Tiers};

use rust_decimal::{Decimal, RoundingStrategy};

/// An amount in whole smallest units of its currency. Halves move away from zero.
pub(super) fn rounded(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}
