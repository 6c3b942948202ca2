//! Costs: taken in all or none. No invoice depends on them.

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::pricing::decimal;
use super::refusal::{Refusal, Reply};
use super::store::Store;

impl Store {
    pub(super) fn create_costs(&mut self, body: &Value) -> Reply {
        let costs = body["costs"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (index, cost) in costs.iter().enumerate() {
            self.check_cost(cost, &format!("body.costs.{index}"))?;
        }
        for cost in costs {
            self.customer_of(&cost["customer"]);
        }
        Ok(json!({"ingested": costs.len(), "duplicates": 0}))
    }

    fn check_cost(&self, cost: &Value, place: &str) -> Result<(), Refusal> {
        let customer = &cost["customer"];
        if let Some(id) = customer["customerId"].as_str().filter(|id| self.customer_named("id", id).is_none()) {
            let error = format!("there is no customer {id:?}");
            return Err(Refusal::invalid(&format!("{place}.customer.customerId"), error));
        }
        if customer["externalCustomerId"].as_str().is_some_and(str::is_empty) {
            return Err(Refusal::invalid(&format!("{place}.customer.externalCustomerId"), "is empty"));
        }
        for (amounts, place) in [(cost, place.to_owned()), (&cost["costOverride"], format!("{place}.costOverride"))] {
            check_amount(amounts, &place)?;
        }
        Ok(())
    }
}

fn check_amount(amounts: &Value, place: &str) -> Result<(), Refusal> {
    if decimal(&amounts["amount"]).is_some_and(|amount| amount < Decimal::ZERO) {
        return Err(Refusal::invalid(&format!("{place}.amount"), "is negative"));
    }
    match amounts["currency"].as_str().filter(|code| Currency::from_code(&code.to_uppercase()).is_none()) {
        Some(code) => {
            Err(Refusal::invalid(&format!("{place}.currency"), format!("{code:?} is no currency of ISO 4217")))
        }
        None => Ok(()),
    }
}
