//! Computes what a quantity costs. Exact: amounts are decimals in the currency's smallest unit.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::Value;

/// When a price applies.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Charge {
    OneTime,
    Recurring,
    Seats,
    /// For every signal with this name.
    Usage {
        event_name: String,
    },
}

/// How the units of a quantity are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PricingModel {
    Flat,
    PerUnit,
    /// Each unit has the price of the tier that it falls into.
    Graduated,
    /// All units have the price of the tier that the quantity falls into.
    Volume,
}

/// The price of one attribute of a product.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Price {
    pub(super) name: String,
    pub(super) charge: Charge,
    pub(super) model: PricingModel,
    pub(super) points: Vec<Point>,
}

/// A price in one currency.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// `None` stands for the order's currency.
    pub(super) currency: Option<String>,
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

/// The exact value of a JSON number, read from its digits without floating point.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// The JSON number of an amount.
pub(super) fn number(amount: Decimal) -> Value {
    serde_json::from_str(&amount.normalize().to_string()).unwrap_or_default()
}

impl Price {
    /// Reads a `PricingInput` of a product, whose `pricingType` is charge and model in one word. The error is an unknown type.
    pub(super) fn of_product(name: &str, pricing: &Value) -> Result<Self, String> {
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
            "PerUnit" => PricingModel::PerUnit,
            "Graduated" => PricingModel::Graduated,
            "Volume" => PricingModel::Volume,
            _ => return Err(kind.to_owned()),
        };
        let points = pricing["pricePoints"].as_array().into_iter().flatten().map(Point::read).collect();
        Ok(Self { name: name.to_owned(), charge, model, points })
    }

    /// Reads the pricing of an order line's attribute: `chargeType`, `pricingModel` and one price point. The error is an
    /// unknown model.
    pub(super) fn of_order_line(name: &str, pricing: &Value) -> Result<Self, String> {
        let charge = match pricing["chargeType"].as_str() {
            Some("oneTime") => Charge::OneTime,
            Some("recurring") => Charge::Recurring,
            Some("seatBased") => Charge::Seats,
            _ => usage(pricing),
        };
        let model = match pricing["pricingModel"].as_str() {
            Some("flat") => PricingModel::Flat,
            Some("perUnit") => PricingModel::PerUnit,
            Some("graduatedPricing") => PricingModel::Graduated,
            Some("volumePricing") => PricingModel::Volume,
            other => return Err(other.unwrap_or_default().to_owned()),
        };
        Ok(Self { name: name.to_owned(), charge, model, points: vec![Point::read(&pricing["pricePoints"])] })
    }

    /// The price in a currency.
    pub(super) fn point(&self, currency: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.currency.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(currency)))
    }

    /// The cost of a quantity.
    pub(super) fn amount(&self, point: &Point, quantity: Decimal) -> Decimal {
        let billed = (quantity.max(point.minimum) - point.included).max(Decimal::ZERO);
        match self.model {
            PricingModel::Flat => point.unit_price,
            PricingModel::PerUnit => point.unit_price * billed,
            PricingModel::Graduated => point.tiers.iter().map(|tier| tier.graduated(billed)).sum(),
            PricingModel::Volume => point.tiers.iter().find(|tier| tier.holds(billed)).map_or(Decimal::ZERO, |tier| {
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

    /// The cost of the units that fall into this tier.
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
    fn an_unknown_pricing_type_is_named() {
        assert_eq!(Price::of_product("a", &json!({"pricingType": "UsageCostPlus"})).unwrap_err(), "UsageCostPlus");
    }
}
