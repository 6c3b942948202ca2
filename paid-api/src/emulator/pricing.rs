//! What a quantity costs. Pure, and exact: amounts are decimals in the currency's smallest unit.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::Value;

/// When a price applies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Charge {
    OneTime,
    Recurring,
    Seats,
    /// Once for every signal of this name.
    Usage {
        event_name: String,
    },
}

/// How the units of a quantity are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    Flat,
    PerUnit,
    /// Every unit at the price of the tier it falls in.
    Graduated,
    /// All units at the price of the tier that the quantity falls in.
    Volume,
}

/// One priced attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Price {
    pub(crate) name: String,
    pub(crate) charge: Charge,
    pub(crate) model: Model,
    pub(crate) points: Vec<Point>,
}

/// A price in one currency.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// `None` is the order's currency, whatever it is.
    pub(crate) currency: Option<String>,
    unit_price: Decimal,
    minimum: Decimal,
    included: Decimal,
    tiers: Vec<Tier>,
}

#[derive(Debug, Clone, PartialEq)]
struct Tier {
    above: Decimal,
    up_to: Option<Decimal>,
    unit: Decimal,
    flat: Decimal,
}

/// A JSON number, digit by digit: never through a float of ours.
pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// The JSON number for an amount.
pub(crate) fn number(amount: Decimal) -> Value {
    serde_json::from_str(&amount.normalize().to_string()).unwrap_or_default()
}

impl Price {
    /// A `PricingInput` of a product: `pricingType` says charge and model.
    pub(crate) fn of_product(name: &str, pricing: &Value) -> Result<Self, String> {
        let kind = pricing["pricingType"].as_str().unwrap_or_default();
        let (charge, model) = match kind {
            "OneTimePerUnit" => (Charge::OneTime, "PerUnit"),
            _ => {
                let split = [("Recurring", Charge::Recurring), ("SeatBased", Charge::Seats), ("Usage", usage(pricing))];
                let found = split.into_iter().find_map(|(prefix, charge)| Some((charge, kind.strip_prefix(prefix)?)));
                found.ok_or_else(|| kind.to_owned())?
            }
        };
        let model = match model {
            "PerUnit" => Model::PerUnit,
            "Graduated" => Model::Graduated,
            "Volume" => Model::Volume,
            _ => return Err(kind.to_owned()),
        };
        let points = pricing["pricePoints"].as_array().into_iter().flatten().map(Point::read).collect();
        Ok(Self { name: name.to_owned(), charge, model, points })
    }

    /// The pricing of an order line's attribute: `chargeType` and `pricingModel`, one price point.
    pub(crate) fn of_order_line(name: &str, pricing: &Value) -> Result<Self, String> {
        let charge = match pricing["chargeType"].as_str() {
            Some("oneTime") => Charge::OneTime,
            Some("recurring") => Charge::Recurring,
            Some("seatBased") => Charge::Seats,
            _ => usage(pricing),
        };
        let model = match pricing["pricingModel"].as_str() {
            Some("flat") => Model::Flat,
            Some("perUnit") => Model::PerUnit,
            Some("graduatedPricing") => Model::Graduated,
            Some("volumePricing") => Model::Volume,
            other => return Err(other.unwrap_or_default().to_owned()),
        };
        Ok(Self { name: name.to_owned(), charge, model, points: vec![Point::read(&pricing["pricePoints"])] })
    }

    /// The price point for a currency.
    pub(crate) fn point(&self, currency: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.currency.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(currency)))
    }

    /// What this quantity costs.
    pub(crate) fn amount(&self, point: &Point, quantity: Decimal) -> Decimal {
        let billed = (quantity.max(point.minimum) - point.included).max(Decimal::ZERO);
        match self.model {
            Model::Flat => point.unit_price,
            Model::PerUnit => point.unit_price * billed,
            Model::Graduated => point.tiers.iter().map(|tier| tier.graduated(billed)).sum(),
            Model::Volume => point.tiers.iter().find(|tier| tier.holds(billed)).map_or(Decimal::ZERO, |tier| {
                if billed.is_zero() { Decimal::ZERO } else { tier.unit * billed + tier.flat }
            }),
        }
    }
}

fn usage(pricing: &Value) -> Charge {
    Charge::Usage { event_name: pricing["eventName"].as_str().unwrap_or_default().to_owned() }
}

impl Point {
    fn read(point: &Value) -> Self {
        let amount = |key: &str| decimal(&point[key]).unwrap_or_default();
        Self {
            currency: point["currency"].as_str().map(str::to_owned),
            unit_price: amount("unitPrice"),
            minimum: amount("minQuantity"),
            included: amount("includedQuantity"),
            tiers: point["tiers"].as_array().into_iter().flatten().map(Tier::read).collect(),
        }
    }
}

impl Tier {
    fn read(tier: &Value) -> Self {
        let amount = |key: &str| decimal(&tier[key]).unwrap_or_default();
        Self {
            above: amount("lowerBound"),
            up_to: decimal(&tier["upperBound"]),
            unit: amount("unitAmount"),
            flat: amount("flatAmount"),
        }
    }

    fn holds(&self, quantity: Decimal) -> bool {
        quantity > self.above && self.up_to.is_none_or(|up_to| quantity <= up_to)
    }

    /// The units of the quantity that fall into this tier, priced.
    fn graduated(&self, quantity: Decimal) -> Decimal {
        let within = self.up_to.map_or(quantity, |up_to| quantity.min(up_to)) - self.above;
        if within > Decimal::ZERO { self.unit * within + self.flat } else { Decimal::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cost(pricing: Value, quantity: i64) -> Decimal {
        let price = Price::of_product("a", &pricing).unwrap();
        price.amount(price.point("USD").unwrap(), quantity.into())
    }

    fn usage(kind: &str, point: Value) -> Value {
        json!({"pricingType": kind, "eventName": "e", "pricePoints": [point]})
    }

    #[test]
    fn tenths_of_a_cent_add_up_exactly() {
        assert_eq!(
            cost(usage("UsagePerUnit", json!({"currency": "USD", "unitPrice": 0.1})), 3),
            Decimal::from_str("0.3").unwrap()
        );
    }

    #[test]
    fn minimum_and_included_quantities_count() {
        let point = json!({"currency": "USD", "unitPrice": 10, "minQuantity": 5, "includedQuantity": 2});
        assert_eq!(cost(usage("UsagePerUnit", point.clone()), 1), Decimal::from(30));
        assert_eq!(cost(usage("UsagePerUnit", point), 12), Decimal::from(100));
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
    fn what_is_not_priced_here_is_named() {
        assert_eq!(Price::of_product("a", &json!({"pricingType": "UsageCostPlus"})).unwrap_err(), "UsageCostPlus");
    }
}
