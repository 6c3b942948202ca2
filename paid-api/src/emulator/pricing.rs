//! Reads prices from requests. What changes money and cannot be done is refused, with its place.

mod credit;

use rust_decimal::Decimal;
use serde_json::Value;

use super::billing::{Charge, Frequency, Point, Price, PricingModel, TierInput, TierKind, Tiers};
use super::numbers::short;
use super::refusal::Refusal;
use credit::{CreditModel, ONLY_CREDITS, is_given, of_seats, of_signals};

/// The JSON number of an amount.
pub(super) fn number(amount: Decimal) -> Value {
    serde_json::from_str(&amount.normalize().to_string()).unwrap_or_default()
}

/// Reads a `PricingInput` of a product, whose `pricingType` is charge and model in one word.
pub(super) fn of_product(name: &str, pricing: &Value, place: &str) -> Result<Price, Refusal> {
    let kind = pricing["pricingType"].as_str().unwrap_or_default();
    let unknown = || Refusal::not_implemented(&format!("pricing of type {kind} ({place}.pricingType)"));
    if let Some((charge, unit_price)) = of_own_type(kind, pricing, place)? {
        let points = without_units(pricing, unit_price, place)?;
        return priced(name, charge, PricingModel::PerUnit, points, pricing, place);
    }
    let (charge, model) = match kind {
        "OneTimePerUnit" => (Charge::OneTime, "PerUnit"),
        _ => match (kind.strip_prefix("Recurring"), kind.strip_prefix("SeatBased"), kind.strip_prefix("Usage")) {
            (Some(model), _, _) => (Charge::Recurring, model),
            (_, Some(model), _) => (Charge::Seats, model),
            (_, _, Some(model)) => (Charge::Usage { event_name: event_name(pricing, place)? }, model),
            _ => return Err(unknown()),
        },
    };
    let model = match model {
        "PerUnit" => PricingModel::PerUnit,
        "Graduated" => PricingModel::Graduated,
        "Volume" => PricingModel::Volume,
        _ => return Err(unknown()),
    };
    let points = pricing["pricePoints"].as_array().into_iter().flatten().enumerate();
    let points = points
        .map(|(index, value)| point(value, model, &format!("{place}.pricePoints.{index}")))
        .collect::<Result<_, _>>()?;
    priced(name, charge, model, points, pricing, place)
}

/// The types of pricing that have no price of a unit in their price points: what is charged, and the price of its unit.
fn of_own_type(kind: &str, pricing: &Value, place: &str) -> Result<Option<(Charge, Decimal)>, Refusal> {
    let factor = |key: &str| match exact(pricing, key, place)? {
        Some(factor) if factor >= Decimal::ZERO => Ok(factor),
        _ => Err(Refusal::invalid(&format!("{place}.{key}"), "is negative or missing")),
    };
    let charge = match kind {
        "UsagePrepaidCredits" => of_signals(event_name(pricing, place)?, CreditModel::PerUnit, pricing, place)?,
        "UsageBracketedPrepaidCredits" => {
            of_signals(event_name(pricing, place)?, CreditModel::Bracketed, pricing, place)?
        }
        "SeatBasedPrepaidCredits" => of_seats(CreditModel::PerUnit, pricing, place)?,
        "UsageCostPlus" => return Ok(Some((Charge::Costs, factor("costPlusMultiplier")?))),
        "RecurringPercentOfTotal" => {
            return Ok(Some((Charge::PartOfTotal, factor("percentageValue")? / Decimal::ONE_HUNDRED)));
        }
        _ => return Ok(None),
    };
    let overage = overage(&charge);
    Ok(Some((charge, overage)))
}

/// What a credit costs that no grant covers.
fn overage(charge: &Charge) -> Decimal {
    match charge {
        Charge::Credits { credits, .. } => credits.overage.unwrap_or_default(),
        _ => Decimal::ZERO,
    }
}

/// Price points that only name currencies, because the price stands elsewhere. Without any, it holds for every currency.
fn without_units(pricing: &Value, unit_price: Decimal, place: &str) -> Result<Vec<Point>, Refusal> {
    let given = match &pricing["pricePoints"] {
        Value::Array(points) => points.iter().enumerate().map(|(at, point)| (point, format!(".{at}"))).collect(),
        Value::Null => Vec::new(),
        point => vec![(point, String::new())],
    };
    let every = Point { currency: None, unit_price, ..Point::default() };
    let mut points = Vec::new();
    for (value, index) in given {
        let place = format!("{place}.pricePoints{index}");
        let read = point(value, PricingModel::PerUnit, &place)?;
        if read.unit_price != Decimal::ZERO {
            let error =
                "this type of pricing has its price elsewhere; credits that no grant covers cost overageUnitPrice";
            return Err(Refusal::invalid(&format!("{place}.unitPrice"), error));
        }
        if read != (Point { currency: read.currency.clone(), ..Point::default() }) {
            return Err(Refusal::invalid(&place, "this type of pricing has no quantities"));
        }
        points.push(Point { currency: read.currency, ..every.clone() });
    }
    Ok(if points.is_empty() { vec![every] } else { points })
}

/// Reads the pricing of an order line's attribute: `chargeType`, `pricingModel` and one price point.
pub(super) fn of_order_line(name: &str, pricing: &Value, place: &str) -> Result<Price, Refusal> {
    let kind = pricing["pricingModel"].as_str().unwrap_or_default();
    let charge_type = pricing["chargeType"].as_str().unwrap_or_default();
    let credits = match kind {
        "prepaidCredits" => Some(CreditModel::PerUnit),
        "bracketedPrepaidCredits" => Some(CreditModel::Bracketed),
        _ => None,
    };
    if let Some(model) = credits {
        let charge = match charge_type {
            "usage" => of_signals(event_name(pricing, place)?, model, pricing, place)?,
            "seatBased" => of_seats(model, pricing, place)?,
            _ => {
                let error = "usage and seats spend credits; to grant some, use creditBenefits";
                return Err(Refusal::invalid(&format!("{place}.chargeType"), error));
            }
        };
        let points = without_units(pricing, overage(&charge), place)?;
        return priced(name, charge, PricingModel::PerUnit, points, pricing, place);
    }
    if let Some(key) = ONLY_CREDITS.into_iter().find(|key| is_given(&pricing[key])) {
        let error = format!("the pricing model {kind} spends no credits; use prepaidCredits");
        return Err(Refusal::invalid(&format!("{place}.{key}"), error));
    }
    let charge = match charge_type {
        "oneTime" => Charge::OneTime,
        "recurring" => Charge::Recurring,
        "seatBased" => Charge::Seats,
        _ => Charge::Usage { event_name: event_name(pricing, place)? },
    };
    let model = match kind {
        "flat" => PricingModel::Flat,
        "perUnit" => PricingModel::PerUnit,
        "graduatedPricing" => PricingModel::Graduated,
        "volumePricing" => PricingModel::Volume,
        _ => return Err(Refusal::not_implemented(&format!("the pricing model {kind} ({place}.pricingModel)"))),
    };
    let points = vec![point(&pricing["pricePoints"], model, &format!("{place}.pricePoints"))?];
    priced(name, charge, model, points, pricing, place)
}

fn priced(
    name: &str,
    charge: Charge,
    model: PricingModel,
    points: Vec<Point>,
    pricing: &Value,
    place: &str,
) -> Result<Price, Refusal> {
    let billing = pricing["billingType"].as_str().unwrap_or_default();
    let is_usage = matches!(charge, Charge::Usage { .. } | Charge::Credits { .. } | Charge::Costs);
    if billing.eq_ignore_ascii_case("advance") && is_usage {
        return Err(Refusal::invalid(
            &format!("{place}.billingType"),
            "usage is known afterwards only; bill it in arrears",
        ));
    }
    let arrears = billing.eq_ignore_ascii_case("arrears");
    Ok(Price { name: name.to_owned(), charge, model, frequency: frequency(pricing, place)?, arrears, points })
}

fn event_name(pricing: &Value, place: &str) -> Result<String, Refusal> {
    match pricing["eventName"].as_str() {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Refusal::invalid(&format!("{place}.eventName"), "a usage price needs the name of its event")),
    }
}

fn frequency(pricing: &Value, place: &str) -> Result<Frequency, Refusal> {
    let word = pricing["billingFrequency"].as_str().unwrap_or("monthly");
    let place = format!("{place}.billingFrequencyCustomMonths");
    frequency_of(word, &pricing["billingFrequencyCustomMonths"], &place)
}

/// The frequency of a word, and of the months that a custom one has.
fn frequency_of(word: &str, custom: &Value, place: &str) -> Result<Frequency, Refusal> {
    let months = match word.to_lowercase().as_str() {
        "monthly" => Some(1),
        "quarterly" => Some(3),
        "semi-annually" | "semiannually" => Some(6),
        "annual" => Some(12),
        _ => custom.as_u64().and_then(|months| u32::try_from(months).ok()),
    };
    let missing = || Refusal::invalid(place, "a custom frequency needs its months, 1 to 1200");
    months.and_then(Frequency::months).ok_or_else(missing)
}

/// Reads the frequency that an order gives to all its prices, if it does.
pub(super) fn frequency_override(given: Option<&Value>) -> Result<Option<Frequency>, Refusal> {
    let Some(given) = given.filter(|given| given.is_object()) else { return Ok(None) };
    let place = "body.billingFrequencyOverride.customMonths";
    let word = given["frequency"].as_str().unwrap_or_default();
    if word != "custom" && !given["customMonths"].is_null() {
        return Err(Refusal::invalid(place, "goes with the frequency `custom`"));
    }
    frequency_of(word, &given["customMonths"], place).map(Some)
}

fn point(point: &Value, model: PricingModel, place: &str) -> Result<Point, Refusal> {
    let amount = |key: &str| exact(point, key, place);
    let at_least_zero = |key: &str| match amount(key)? {
        Some(amount) if amount < Decimal::ZERO => Err(Refusal::invalid(&format!("{place}.{key}"), "is negative")),
        amount => Ok(amount),
    };
    let (minimum, maximum) = (at_least_zero("minQuantity")?.unwrap_or_default(), at_least_zero("maxQuantity")?);
    if maximum.is_some_and(|maximum| maximum < minimum) {
        return Err(Refusal::invalid(&format!("{place}.maxQuantity"), "is below minQuantity"));
    }
    let inputs = point["tiers"].as_array().into_iter().flatten().enumerate();
    let inputs: Vec<_> =
        inputs.map(|(index, value)| tier(value, &format!("{place}.tiers.{index}"))).collect::<Result<_, _>>()?;
    let tiers = match model {
        PricingModel::Graduated | PricingModel::Volume => {
            Some(Tiers::new(&inputs, maximum).map_err(|problem| Refusal::invalid(&format!("{place}.tiers"), problem))?)
        }
        _ if inputs.is_empty() => None,
        _ => return Err(Refusal::invalid(&format!("{place}.tiers"), "a price without tiers by its model has tiers")),
    };
    let included = at_least_zero("includedQuantity")?.unwrap_or_default();
    if model == PricingModel::Flat && !(included.is_zero() && minimum.is_zero() && maximum.is_none()) {
        return Err(Refusal::invalid(place, "a flat price has no quantities"));
    }
    Ok(Point {
        currency: point["currency"].as_str().map(str::to_owned),
        unit_price: amount("unitPrice")?.unwrap_or_default(),
        minimum,
        maximum,
        included,
        tiers,
    })
}

fn tier(tier: &Value, place: &str) -> Result<TierInput, Refusal> {
    let amount = |key: &str| exact(tier, key, place);
    Ok(TierInput {
        lower: amount("lowerBound")?,
        upper: amount("upperBound")?,
        unit: amount("unitAmount")?.unwrap_or_default(),
        flat: amount("flatAmount")?.unwrap_or_default(),
        kind: match tier["tierBillingType"].as_str() {
            Some("flat") => Some(TierKind::Flat),
            Some("perUnit") => Some(TierKind::PerUnit),
            _ => None,
        },
    })
}

/// A number of at most 15 digits.
fn exact(object: &Value, key: &str, place: &str) -> Result<Option<Decimal>, Refusal> {
    let value = &object[key];
    if value.is_null() {
        return Ok(None);
    }
    match short(value) {
        Some(number) => Ok(Some(number)),
        None => Err(Refusal::invalid(&format!("{place}.{key}"), "has more than 15 digits")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::billing::Share;
    use super::*;

    fn cost(pricing: Value, quantity: i64) -> Decimal {
        let price = of_product("a", &pricing, "body").unwrap();
        price.amount(price.point("USD").unwrap(), quantity.into(), Share::WHOLE)
    }

    fn refused(pricing: Value) -> (u16, String) {
        let refusal = of_product("a", &pricing, "body").unwrap_err();
        (refusal.status, refusal.details.unwrap_or(refusal.error))
    }

    fn usage(kind: &str, point: Value) -> Value {
        json!({"pricingType": kind, "eventName": "e", "pricePoints": [point]})
    }

    #[test]
    fn tenths_of_a_cent_add_up_exactly_before_they_are_rounded() {
        let tenth = || usage("UsagePerUnit", json!({"currency": "USD", "unitPrice": 0.1}));
        assert_eq!((cost(tenth(), 4), cost(tenth(), 5), cost(tenth(), 30)), (0.into(), 1.into(), 3.into()));
    }

    #[test]
    fn minimum_maximum_and_included_quantities_count() {
        let point =
            json!({"currency": "USD", "unitPrice": 10, "minQuantity": 5, "maxQuantity": 20, "includedQuantity": 2});
        assert_eq!(cost(usage("UsagePerUnit", point.clone()), 1), Decimal::from(30));
        assert_eq!(cost(usage("UsagePerUnit", point.clone()), 12), Decimal::from(100));
        assert_eq!(cost(usage("UsagePerUnit", point), 1000), Decimal::from(180));
    }

    #[test]
    fn tiers_are_graduated_or_by_volume() {
        let tiers = json!([{"lowerBound": 0, "upperBound": 10, "unitAmount": 100}, {"lowerBound": 10, "unitAmount": 50, "flatAmount": 7}]);
        let point = json!({"currency": "USD", "unitPrice": 0, "tiers": tiers});
        assert_eq!(cost(usage("UsageGraduated", point.clone()), 10), Decimal::from(1000));
        assert_eq!(cost(usage("UsageGraduated", point.clone()), 12), Decimal::from(1107));
        assert_eq!(cost(usage("UsageVolume", point.clone()), 12), Decimal::from(607));
        assert_eq!(cost(usage("UsageVolume", point), 0), Decimal::ZERO);
    }

    #[test]
    fn what_cannot_be_billed_is_refused_with_its_place() {
        let point = |extra: Value| {
            let mut point = json!({"currency": "USD", "unitPrice": 1});
            point.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            point
        };
        for (pricing, status, place) in [
            (
                json!({"pricingType": "UsageCostPlus", "costPlusMultiplier": 2, "pricePoints": [point(json!({}))]}),
                400,
                "body.pricePoints.0.unitPrice",
            ),
            (usage("UsageVolume", point(json!({"tiers": []}))), 400, "body.pricePoints.0.tiers"),
            (usage("UsagePerUnit", point(json!({"maxQuantity": -1}))), 400, "body.pricePoints.0.maxQuantity"),
            (
                usage("UsagePerUnit", point(json!({"unitPrice": 0.12345678901234567}))),
                400,
                "body.pricePoints.0.unitPrice",
            ),
            (
                json!({"pricingType": "RecurringPerUnit", "billingFrequency": "Custom", "pricePoints": []}),
                400,
                "body.billingFrequencyCustomMonths",
            ),
            (json!({"pricingType": "UsagePerUnit", "pricePoints": []}), 400, "body.eventName"),
        ] {
            let (got, detail) = refused(pricing);
            assert!(got == status && detail.contains(place), "{got} {detail}");
        }
        let credits = json!({"chargeType": "recurring", "pricingModel": "perUnit", "creditCost": 3, "pricePoints": {"unitPrice": 1}});
        let refusal = of_order_line("a", &credits, "body").unwrap_err();
        assert!(refusal.status == 400 && refusal.details.as_deref() == Some("body.creditCost"), "{refusal:?}");
    }
}
