//! From what is asked to a plan, or to what is wrong with it.

use rust_decimal::Decimal;
use serde_json::Value;

use super::book::{Book, charge_type, is_metered};
use super::intent::{Asked, Intent, Treatment, read, refused};
use super::plan::Plan;
use crate::emulator::attributes;
use crate::emulator::billing::{Charge, Price, PricingModel, Timing};
use crate::emulator::credits::{Benefit, Credits, read_benefits};
use crate::emulator::plans::Plans;
use crate::emulator::pricing;
use crate::emulator::refusal::Refusal;
use crate::emulator::store::{Line, LinePrice};
use crate::emulator::table::{Table, text};

/// What new attributes refer to.
#[derive(Clone, Copy)]
pub(super) struct Catalog<'a> {
    pub(super) products: &'a Table,
    pub(super) plans: &'a Plans,
    pub(super) credits: &'a Credits,
    /// The number of the next id.
    pub(super) next: u64,
}

/// Plans an amendment.
pub(super) fn plan(book: &Book<'_>, catalog: &Catalog<'_>, body: &Value) -> Result<Plan, Refusal> {
    let default = Treatment::read(&body["defaultTreatment"]);
    let asked = read(body, book.currency)?;
    check_once(&asked)?;
    let mut plan = Plan::default();
    for one in &asked {
        let planner = Planner { book, catalog, asked: one, default };
        planner.add_to(&mut plan)?;
    }
    Ok(plan)
}

/// Two changes of one attribute have no order.
fn check_once(asked: &[Asked<'_>]) -> Result<(), Refusal> {
    let of = |one: &Asked<'_>| match &one.intent {
        Intent::Quantity { attribute, .. } | Intent::Pricing { attribute, .. } | Intent::End { attribute } => {
            Some((*attribute).to_owned())
        }
        _ => None,
    };
    for (at, one) in asked.iter().enumerate() {
        if of(one).is_some() && asked[..at].iter().any(|earlier| of(earlier) == of(one)) {
            return Err(one.refused("orderLineAttributeId", "another intent changes this attribute; make it one"));
        }
    }
    Ok(())
}

struct Planner<'a> {
    book: &'a Book<'a>,
    catalog: &'a Catalog<'a>,
    asked: &'a Asked<'a>,
    default: Option<Treatment>,
}

impl Planner<'_> {
    fn add_to(&self, plan: &mut Plan) -> Result<(), Refusal> {
        match &self.asked.intent {
            Intent::Quantity { attribute, quantity } => {
                let (line, old) = self.attribute(attribute)?;
                if is_metered(old) || matches!(old.price.charge, Charge::PartOfTotal) {
                    return Err(self.asked.refused("newQuantity", "this attribute has no quantity: it is counted"));
                }
                let new = LinePrice { quantity: *quantity, ..self.copy(old) };
                self.replace(plan, (line, old), new)
            }
            Intent::Pricing { attribute, pricing, unit_price, quantity } => {
                let (line, old) = self.attribute(attribute)?;
                let new = self.repriced(old, *pricing, *unit_price, *quantity)?;
                self.replace(plan, (line, old), new)
            }
            Intent::End { attribute } => {
                let (line, old) = self.attribute(attribute)?;
                let treatment = self.treatment(plan, old)?;
                if treatment == Treatment::AllSignals {
                    return Err(self
                        .asked
                        .refused("treatment", "signals before the end stay billed; use signalsFromAmendment"));
                }
                plan.end(self.book, self.asked, (line, old), treatment);
                Ok(())
            }
            Intent::FromCatalog { product_attribute, quantity, unit_price, stub } => {
                let (product, price, benefits) = self.in_catalog(product_attribute)?;
                let price = self.with_unit_price(price, *unit_price, "unitPriceMinor")?;
                let new =
                    LinePrice { quantity: self.counted(&price, *quantity, "quantity")?, ..self.fresh(price, benefits) };
                let line = self.book.lines.iter().find(|line| line.product == product && self.book.takes_charges(line));
                let name = new.price.name.clone();
                plan.add(self.book, self.asked, (line, &name, &product), (new, Some(product_attribute)), *stub);
                Ok(())
            }
            Intent::Add { name, product, plan: of_plan, product_attribute, pricing, quantity, stub, grants_now } => {
                self.check_origin(product, *of_plan, *product_attribute)?;
                let (price, benefits) = self.priced(name, pricing, "pricing")?;
                let mut new =
                    LinePrice { quantity: self.counted(&price, *quantity, "quantity")?, ..self.fresh(price, benefits) };
                new.granted_since = grants_now.then_some(self.book.now);
                plan.add(self.book, self.asked, (None, name, product), (new, *product_attribute), *stub);
                Ok(())
            }
            Intent::LineTerm { line, end } => {
                let line = self.line(line, "orderLineId")?;
                self.check_end(*end)?;
                plan.end_line(self.asked, line, *end);
                Ok(())
            }
            Intent::OrderTerm { end, lines } => {
                self.check_end(*end)?;
                for line in lines {
                    plan.end_line(self.asked, self.line(line, "extendLineIds")?, *end);
                }
                plan.end_order(self.asked, *end);
                Ok(())
            }
        }
    }

    /// Refuses what a new attribute says that it is of, if that is not there.
    fn check_origin(&self, product: &str, plan: Option<&str>, attribute: Option<&str>) -> Result<(), Refusal> {
        let missing = |what: &str, id: &str| Refusal::not_found(what, id).of_intent(self.asked.index);
        let row = self.catalog.products.find("id", product).ok_or_else(|| missing("product", product))?;
        if let Some(id) = plan {
            let of_product = |plan: &&crate::JsonObject| text(plan, "productId") == Some(product);
            self.catalog.plans.find(id).filter(of_product).ok_or_else(|| missing("plan of the product", id))?;
        }
        if let Some(id) = attribute {
            attributes::find(row, id).ok_or_else(|| missing("attribute of the product", id))?;
        }
        Ok(())
    }

    fn replace(&self, plan: &mut Plan, old: (&Line, &LinePrice), new: LinePrice) -> Result<(), Refusal> {
        let treatment = self.treatment(plan, old.1)?;
        plan.replace(self.book, self.asked, old, new, treatment);
        Ok(())
    }

    fn attribute(&self, id: &str) -> Result<(&Line, &LinePrice), Refusal> {
        let missing = || Refusal::not_found("current attribute of the order", id).of_intent(self.asked.index);
        let (line, priced) = self.book.attribute(id).ok_or_else(missing)?;
        match locked(priced) {
            Some(reason) => Err(self.asked.refused("orderLineAttributeId", reason)),
            None => Ok((line, priced)),
        }
    }

    fn line(&self, id: &str, key: &str) -> Result<&Line, Refusal> {
        let found = self.book.lines.iter().find(|line| line.id == id);
        found.ok_or_else(|| self.asked.refused(key, format!("the order has no line {id:?}")))
    }

    fn check_end(&self, end: chrono::DateTime<chrono::Utc>) -> Result<(), Refusal> {
        if end <= self.book.now {
            return Err(self.asked.refused("newEndDate", "is past"));
        }
        Ok(())
    }

    /// What happens to the current period: as asked, as the request says by default, or as is usual.
    fn treatment(&self, plan: &mut Plan, old: &LinePrice) -> Result<Treatment, Refusal> {
        let metered = is_metered(old);
        let (axis, usual) =
            if metered { ("usageAttribution", Treatment::SignalsFromAmendment) } else { ("money", Treatment::Prorate) };
        let fits = |treatment: &Treatment| {
            let is_of_usage = matches!(treatment, Treatment::AllSignals | Treatment::SignalsFromAmendment);
            metered == is_of_usage
        };
        let (treatment, source) = match (self.asked.treatment, self.default.filter(fits)) {
            (Some(asked), _) if fits(&asked) => (asked, "request"),
            (Some(asked), _) => {
                let error = format!("{} does not go with a price of this type", asked.word());
                return Err(self.asked.refused("treatment", error));
            }
            (None, Some(default)) => (default, "requestDefault"),
            (None, None) => (usual, "default"),
        };
        if treatment == Treatment::AllSignals && matches!(old.price.charge, Charge::Credits { .. }) {
            return Err(self
                .asked
                .refused("treatment", "credits that were spent stay spent; use signalsFromAmendment"));
        }
        let reason = if metered { "the price counts signals or costs" } else { "the price is charged for each period" };
        plan.resolve(self.asked, axis, treatment.word(), source, reason);
        Ok(treatment)
    }

    fn repriced(
        &self,
        old: &LinePrice,
        pricing: Option<&Value>,
        unit_price: Option<Decimal>,
        quantity: Option<Decimal>,
    ) -> Result<LinePrice, Refusal> {
        let (price, benefits) = match (pricing, unit_price) {
            (Some(_), Some(_)) => {
                return Err(self.asked.refused("newUnitPriceMinor", "name it or newPricing, not both"));
            }
            (None, None) => return Err(self.asked.refused("", "name newUnitPriceMinor or newPricing")),
            (Some(pricing), None) => {
                let (price, benefits) = self.priced(&old.price.name, pricing, "newPricing")?;
                let fresh = self.fresh(price.clone(), Vec::new());
                if charge_type(&fresh) != charge_type(old) || price.frequency != old.price.frequency {
                    let error = "another charge type or frequency is another attribute; end this one and add it";
                    return Err(self.asked.refused("newPricing", error));
                }
                let kept = if pricing.get("creditBenefits").is_some() { benefits } else { old.benefits.clone() };
                (price, kept)
            }
            (None, unit_price) => {
                (self.with_unit_price(old.price.clone(), unit_price, "newUnitPriceMinor")?, old.benefits.clone())
            }
        };
        let quantity = match quantity {
            Some(quantity) => self.counted(&price, quantity, "newQuantity")?,
            None => old.quantity,
        };
        Ok(LinePrice { quantity, ..self.fresh(price, benefits) })
    }

    /// Reads a price as order lines have it.
    fn priced(&self, name: &str, pricing: &Value, key: &str) -> Result<(Price, Vec<Benefit>), Refusal> {
        let place = format!("body.intents.{}.{key}", self.asked.index);
        let of_intent = |refusal: Refusal| refusal.of_intent(self.asked.index);
        if !pricing["chargeType"].is_string()
            || !pricing["pricingModel"].is_string()
            || !pricing["pricePoints"].is_object()
        {
            return Err(refused(
                self.asked.index,
                key,
                "has chargeType, pricingModel and pricePoints, as order lines do",
            ));
        }
        let price = self.at_order_frequency(pricing::of_order_line(name, pricing, &place).map_err(of_intent)?)?;
        self.catalog.credits.check_price(&price, &place).map_err(of_intent)?;
        let place = format!("{place}.creditBenefits");
        let currency = pricing["creditsCurrencyId"].as_str();
        let benefits = read_benefits(&pricing["creditBenefits"], currency, &place).map_err(of_intent)?;
        self.catalog.credits.check_benefits(&benefits, &place).map_err(of_intent)?;
        self.check_currency(&price, key)?;
        Ok((price, benefits))
    }

    /// A price with the frequency that the order gives to all its prices, if it does.
    fn at_order_frequency(&self, price: Price) -> Result<Price, Refusal> {
        let frequency = pricing::frequency_override(self.book.order.get("billingFrequencyOverride"))?;
        Ok(Price { frequency: frequency.unwrap_or(price.frequency), ..price })
    }

    fn check_currency(&self, price: &Price, key: &str) -> Result<(), Refusal> {
        match price.point(self.book.currency) {
            Some(_) => Ok(()),
            None => Err(self.asked.refused(key, format!("has no price in {}", self.book.currency))),
        }
    }

    fn in_catalog(&self, id: &str) -> Result<(String, Price, Vec<Benefit>), Refusal> {
        let all = self.catalog.products.rows().iter();
        let found = all.filter_map(|product| Some((product, attributes::find(product, id)?))).next();
        let missing = || Refusal::not_found("product attribute", id).of_intent(self.asked.index);
        let (product, attribute) = found.ok_or_else(missing)?;
        let price = pricing::of_product(attribute["name"].as_str().unwrap_or_default(), &attribute["pricing"], "")?;
        let price = self.at_order_frequency(price)?;
        self.check_currency(&price, "productAttributeId")?;
        let benefits = read_benefits(&attribute["creditBenefits"], None, "")?;
        Ok((text(product, "id").unwrap_or_default().to_owned(), price, benefits))
    }

    fn with_unit_price(&self, mut price: Price, unit: Option<Decimal>, key: &str) -> Result<Price, Refusal> {
        let Some(unit) = unit else { return Ok(price) };
        let has_one = matches!(price.model, PricingModel::PerUnit | PricingModel::Flat)
            && matches!(price.charge, Charge::OneTime | Charge::Recurring | Charge::Seats | Charge::Usage { .. });
        if !has_one {
            return Err(self.asked.refused(key, "this price has no price of a unit; use newPricing"));
        }
        let currency = self.book.currency;
        for point in &mut price.points {
            if point.currency.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(currency)) {
                point.unit_price = unit;
            }
        }
        Ok(price)
    }

    /// A quantity that goes with a price.
    fn counted(&self, price: &Price, quantity: Decimal, key: &str) -> Result<Decimal, Refusal> {
        let is_counted = matches!(price.timing(), Timing::Usage(_));
        if is_counted && quantity != Decimal::ONE {
            return Err(self.asked.refused(key, "signals count what is used; leave it at 1"));
        }
        Ok(quantity)
    }

    fn copy(&self, old: &LinePrice) -> LinePrice {
        LinePrice { quantity: old.quantity, ..self.fresh(old.price.clone(), old.benefits.clone()) }
    }

    /// The id stands for one that is assigned when the plan is executed.
    fn fresh(&self, price: Price, benefits: Vec<Benefit>) -> LinePrice {
        let id = format!("planned-{}-{}", self.catalog.next, self.asked.index);
        LinePrice::new(id, price, Decimal::ONE, benefits)
    }
}

/// Why an attribute cannot be changed.
pub(super) fn locked(priced: &LinePrice) -> Option<&'static str> {
    if priced.price.timing().is_once() {
        return Some("a one-time charge does not change");
    }
    priced.until.map(|_| "an amendment ended it already")
}
