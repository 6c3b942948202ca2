//! Reads prices in credits.

use rust_decimal::Decimal;
use serde_json::Value;

use super::exact;
use crate::emulator::billing::{Bracket, Brackets, Charge, CreditCost, CreditUse, Path};
use crate::emulator::refusal::Refusal;

/// The properties of a price in credits, but for the currency, which benefits of other prices have too.
pub(super) const ONLY_CREDITS: [&str; 5] =
    ["creditCost", "creditRolloverAmount", "creditUnitBrackets", "overageUnitPrice", "pricingInput"];

/// How a model spends credits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CreditModel {
    PerUnit,
    Bracketed,
}

/// Signals with a name spend credits.
pub(super) fn of_signals(
    event_name: String,
    model: CreditModel,
    pricing: &Value,
    place: &str,
) -> Result<Charge, Refusal> {
    let credits = CreditUse {
        currency: currency(pricing, place)?,
        cost: cost(model, pricing, place)?,
        path: path(model, pricing, place)?,
        overage: at_least_zero(pricing, "overageUnitPrice", place)?,
    };
    Ok(Charge::Credits { event_name, credits })
}

/// Every seat spends credits in each period.
pub(super) fn of_seats(model: CreditModel, pricing: &Value, place: &str) -> Result<Charge, Refusal> {
    for key in ["overageUnitPrice", "pricingInput"] {
        if !pricing[key].is_null() {
            return Err(Refusal::invalid(&format!("{place}.{key}"), "goes with usage; seats have no signals"));
        }
    }
    Ok(Charge::SeatCredits { currency: currency(pricing, place)?, cost: cost(model, pricing, place)? })
}

fn currency(pricing: &Value, place: &str) -> Result<String, Refusal> {
    let currency = pricing["creditsCurrencyId"].as_str().map(str::to_owned);
    currency.ok_or_else(|| Refusal::invalid(&format!("{place}.creditsCurrencyId"), "name the credit currency"))
}

fn cost(model: CreditModel, pricing: &Value, place: &str) -> Result<CreditCost, Refusal> {
    let other = match model {
        CreditModel::PerUnit => "creditUnitBrackets",
        CreditModel::Bracketed => "creditCost",
    };
    if is_given(&pricing[other]) {
        return Err(Refusal::invalid(&format!("{place}.{other}"), "belongs to the other model of prices in credits"));
    }
    if !pricing["creditRolloverAmount"].is_null() && pricing["creditRolloverAmount"] != 0 {
        let what = format!(
            "credits that roll over by the price, as nothing says for how long ({place}.creditRolloverAmount); give a benefit a rollover"
        );
        return Err(Refusal::not_implemented(&what));
    }
    match model {
        CreditModel::PerUnit => {
            let credits = at_least_zero(pricing, "creditCost", place)?;
            let missing = || Refusal::invalid(&format!("{place}.creditCost"), "a price in credits needs them");
            Ok(CreditCost::PerUnit(credits.ok_or_else(missing)?))
        }
        CreditModel::Bracketed => {
            let at = format!("{place}.creditUnitBrackets");
            let brackets = pricing["creditUnitBrackets"].as_array().into_iter().flatten().enumerate();
            let brackets = brackets.map(|(index, value)| bracket(value, &format!("{at}.{index}")));
            let brackets = Brackets::new(brackets.collect::<Result<_, _>>()?);
            brackets.map(CreditCost::Brackets).map_err(|problem| Refusal::invalid(&at, problem))
        }
    }
}

fn bracket(bracket: &Value, place: &str) -> Result<Bracket, Refusal> {
    Ok(Bracket {
        up_to: exact(bracket, "upTo", place)?,
        credits: at_least_zero(bracket, "creditUnits", place)?.unwrap_or_default(),
        credits_per_unit: at_least_zero(bracket, "creditUnitsPerUnit", place)?.unwrap_or_default(),
    })
}

/// Where the quantity of a signal is. Without an input, a signal of a price for each unit is one unit.
fn path(model: CreditModel, pricing: &Value, place: &str) -> Result<Option<Path>, Refusal> {
    let Some(text) = pricing["pricingInput"]["path"].as_str() else {
        let is_read = model == CreditModel::Bracketed || pricing["pricingInput"].is_object();
        return Ok(is_read.then(Path::quantity));
    };
    let place = format!("{place}.pricingInput.path");
    let path = Path::new(text).ok_or_else(|| Refusal::invalid(&place, "is a path of names, such as `usage.tokens`"))?;
    Ok(Some(path))
}

fn at_least_zero(object: &Value, key: &str, place: &str) -> Result<Option<Decimal>, Refusal> {
    match exact(object, key, place)? {
        Some(number) if number < Decimal::ZERO => Err(Refusal::invalid(&format!("{place}.{key}"), "is negative")),
        number => Ok(number),
    }
}

/// Empty lists say nothing.
pub(super) fn is_given(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|all| !all.is_empty())
}
