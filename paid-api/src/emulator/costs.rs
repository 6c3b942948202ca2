//! Costs: taken in all or none. Invoices of `UsageCostPlus` and margins count them; `Emulator::costs` and SQL show them.

mod of_signals;
pub(super) mod usage;

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::numbers::amount;
use super::refusal::{Refusal, Reply};
use super::signals::FailedSignal;
use super::store::Store;
use crate::{JsonObject, Timestamp};

/// A cost that the emulator took in: over the API, with a signal (`costData`), or in a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CollectedCost {
    /// Whom the cost belongs to, by the id that the record gives.
    pub customer_id: String,
    /// What the cost was incurred for, if the record says it.
    pub product_id: Option<String>,
    /// Who is paid for it. Empty if the record does not say.
    pub vendor: String,
    /// The vendor's name of the model. Empty if the record does not say.
    pub model: String,
    /// What it cost, in major units of `currency`. `None` for usage without `costOverride`: Paid prices it, the emulator has
    /// no price list.
    pub amount: Option<Decimal>,
    /// The currency's code, such as `USD`. `None` if there is no amount.
    pub currency: Option<String>,
    /// The counted tokens of usage.
    pub usage: JsonObject,
    /// When it was incurred: the record's time, or when it arrived.
    pub timestamp: Timestamp,
    /// What the sender added for its own use.
    pub metadata: JsonObject,
}

impl Store {
    pub(super) fn create_costs(&mut self, body: &Value) -> Reply {
        let costs = body["costs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut read = Vec::new();
        for (index, cost) in costs.iter().enumerate() {
            read.push(self.read_cost(cost, &format!("body.costs.{index}"))?);
        }
        let mut duplicates = 0;
        for (cost, mut collected) in costs.iter().zip(read) {
            if cost["idempotencyKey"].as_str().is_some_and(|key| !self.cost_keys.insert(key.to_owned())) {
                duplicates += 1;
                continue;
            }
            let customer = self.customer_of(&cost["customer"]);
            collected.customer_id = customer.map_err(|problem| Refusal::invalid("body.costs", problem))?;
            self.costs.push(collected);
        }
        Ok(json!({"ingested": costs.len() - duplicates, "duplicates": duplicates}))
    }

    /// The records of this list that would be accepted. Of the others, it tells what is wrong.
    pub(super) fn good_costs(&mut self, costs: Vec<Value>) -> Vec<Value> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for cost in costs {
            match self.read_cost(&cost, "cost") {
                Ok(_) => good.push(cost),
                Err(refusal) => bad.push(refusal),
            }
        }
        for refusal in bad {
            let problem = format!("{}: {}", refusal.details.unwrap_or_default(), refusal.error);
            self.note_failed(FailedSignal::of_cost(problem));
        }
        good
    }

    /// The cost without its customer: a new one is created only if all records of the request are accepted.
    fn read_cost(&self, cost: &Value, place: &str) -> Result<CollectedCost, Refusal> {
        self.check_customer(&cost["customer"], &format!("{place}.customer"))?;
        let product_id = match &cost["product"] {
            Value::Null => None,
            named => Some(self.product_of(named).map_err(|problem| refusal(&format!("{place}.product"), &problem))?),
        };
        check_usage(&cost["usage"], &format!("{place}.usage"))?;
        let priced = if cost["type"] == "usage" { &cost["costOverride"] } else { cost };
        let priced_place = if cost["type"] == "usage" { format!("{place}.costOverride") } else { place.to_owned() };
        let (amount, currency) = if priced.is_null() { (None, None) } else { money(priced, &priced_place)? };
        let text = |key: &str| cost[key].as_str().unwrap_or_default().to_owned();
        let object = |key: &str| cost[key].as_object().cloned().unwrap_or_default();
        Ok(CollectedCost {
            customer_id: String::new(),
            product_id,
            vendor: text("vendor"),
            model: text("model"),
            amount,
            currency,
            usage: object("usage"),
            timestamp: time(cost, place, self.clock.now())?,
            metadata: object("metadata"),
        })
    }

    fn check_customer(&self, customer: &Value, place: &str) -> Result<(), Refusal> {
        if let Some(id) = customer["customerId"].as_str().filter(|id| self.customers.find("id", id).is_none()) {
            let error = format!("there is no customer {id:?}");
            return Err(Refusal::invalid(&format!("{place}.customerId"), error));
        }
        match customer["externalCustomerId"].as_str() {
            Some("") => Err(Refusal::invalid(&format!("{place}.externalCustomerId"), "is empty")),
            _ => Ok(()),
        }
    }
}

/// A problem that begins with the rest of its place.
fn refusal(place: &str, problem: &str) -> Refusal {
    let (rest, error) = problem.split_once(": ").unwrap_or_default();
    Refusal::invalid(&format!("{place}{rest}"), error)
}

fn time(cost: &Value, place: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    match cost["timestamp"].as_str() {
        Some(time) => time.parse().map_err(|_| Refusal::invalid(&format!("{place}.timestamp"), "is no time")),
        None => Ok(now),
    }
}

fn check_usage(usage: &Value, place: &str) -> Result<(), Refusal> {
    let counts = usage.as_object().into_iter().flatten();
    match counts.into_iter().find(|(_, count)| count.as_i64().is_some_and(|count| count < 0)) {
        Some((name, _)) => Err(Refusal::invalid(&format!("{place}.{name}"), "is negative")),
        None => Ok(()),
    }
}

fn money(priced: &Value, place: &str) -> Result<(Option<Decimal>, Option<String>), Refusal> {
    let amount =
        amount(&priced["amount"]).ok_or_else(|| Refusal::invalid(&format!("{place}.amount"), "is no amount"))?;
    if amount < Decimal::ZERO {
        return Err(Refusal::invalid(&format!("{place}.amount"), "is negative"));
    }
    let code = priced["currency"].as_str().unwrap_or_default();
    match Currency::from_code(&code.to_uppercase()) {
        Some(currency) => Ok((Some(amount), Some(currency.code().to_owned()))),
        None => Err(Refusal::invalid(&format!("{place}.currency"), format!("{code:?} is no currency of ISO 4217"))),
    }
}
