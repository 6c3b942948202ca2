//! Reads prices from requests. What changes money and cannot be done is refused, with its place.

use rust_decimal::Decimal;
use serde_json::Value;

use super::billing::{Charge, Frequency, Point, Price, PricingModel, TierInput, TierKind, Tiers};
use super::numbers::short;
use super::refusal::Refusal;

/// The properties of an order line's pricing that concern credits.
const CREDITS: [&str; 7] = [
    "creditBenefits",
    "creditCost",
    "creditRolloverAmount",
    "creditUnitBrackets",
    "creditsCurrencyId",
    "overageUnitPrice",
    "pricingInput",
];

/// The JSON number of an amount.
pub(super) fn number(amount: Decimal) -> Value {
    serde_json::from_str(&amount.normalize().to_string()).unwrap_or_default()
}

/// Reads a `PricingInput` of a product, whose `pricingType` is charge and model in one word.
pub(super) fn of_product(name: &str, pricing: &Value, place: &str) -> Result<Price, Refusal> {
    let kind = pricing["pricingType"].as_str().unwrap_or_default();
    let unknown = || Refusal::not_implemented(&format!("pricing of type {kind} ({place}.pricingType)"));
    let (charge, model) = match kind {
        "OneTimePerUnit" => (Charge::OneTime, "PerUnit"),
        _ => match (kind.strip_prefix("Recurring"), kind.strip_prefix("SeatBased"), kind.strip_prefix("Usage")) {
            (Some(model), _, _) => (Charge::Recurring, model),
            (_, Some(model), _) => (Charge::Seats, model),
            (_, _, Some(model)) => (usage(pricing, place)?, model),
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

/// Reads the pricing of an order line's attribute: `chargeType`, `pricingModel` and one price point.
pub(super) fn of_order_line(name: &str, pricing: &Value, place: &str) -> Result<Price, Refusal> {
    for key in CREDITS {
        let given = &pricing[key];
        if !given.is_null() && given.as_array().is_none_or(|all| !all.is_empty()) {
            return Err(Refusal::not_implemented(&format!("credits on order lines ({place}.{key})")));
        }
    }
    let charge = match pricing["chargeType"].as_str() {
        Some("oneTime") => Charge::OneTime,
        Some("recurring") => Charge::Recurring,
        Some("seatBased") => Charge::Seats,
        _ => usage(pricing, place)?,
    };
    let model = match pricing["pricingModel"].as_str() {
        Some("flat") => PricingModel::Flat,
        Some("perUnit") => PricingModel::PerUnit,
        Some("graduatedPricing") => PricingModel::Graduated,
        Some("volumePricing") => PricingModel::Volume,
        other => {
            let model = other.unwrap_or_default();
            return Err(Refusal::not_implemented(&format!("the pricing model {model} ({place}.pricingModel)")));
        }
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
    if billing.eq_ignore_ascii_case("advance") && matches!(charge, Charge::Usage { .. }) {
        return Err(Refusal::invalid(
            &format!("{place}.billingType"),
            "usage is known afterwards only; bill it in arrears",
        ));
    }
    let arrears = billing.eq_ignore_ascii_case("arrears");
    if arrears && charge == Charge::OneTime {
        return Err(Refusal::not_implemented(&format!("one-time prices in arrears ({place}.billingType)")));
    }
    Ok(Price { name: name.to_owned(), charge, model, frequency: frequency(pricing, place)?, arrears, points })
}

fn usage(pricing: &Value, place: &str) -> Result<Charge, Refusal> {
    match pricing["eventName"].as_str() {
        Some(name) if !name.is_empty() => Ok(Charge::Usage { event_name: name.to_owned() }),
        _ => Err(Refusal::invalid(&format!("{place}.eventName"), "a usage price needs the name of its event")),
    }
}

fn frequency(pricing: &Value, place: &str) -> Result<Frequency, Refusal> {
    let months = match pricing["billingFrequency"].as_str().unwrap_or("monthly").to_lowercase().as_str() {
        "monthly" => Some(1),
        "quarterly" => Some(3),
        "semi-annually" | "semiannually" => Some(6),
        "annual" => Some(12),
        _ => pricing["billingFrequencyCustomMonths"].as_u64().and_then(|months| u32::try_from(months).ok()),
    };
    months.and_then(Frequency::months).ok_or_else(|| {
        let place = format!("{place}.billingFrequencyCustomMonths");
        Refusal::invalid(&place, "a custom frequency needs its months, 1 to 1200")
    })
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
            (usage("UsageCostPlus", point(json!({}))), 501, "UsageCostPlus"),
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
        assert!(refusal.status == 501 && refusal.error.contains("body.creditCost"), "{refusal:?}");
    }
}
