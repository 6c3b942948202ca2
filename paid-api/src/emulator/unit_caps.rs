//! The operations on caps of customers' units, and what a unit spent.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::billing::Charge;
use super::caps::{Capped, Month};
use super::contract::Matched;
use super::credits::Spend;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::table::text;
use crate::JsonObject;

impl Store {
    pub(super) fn set_cap(&mut self, matched: &Matched, body: &Value) -> Reply {
        let of = self.capped(matched, body["creditsCurrencyId"].as_str(), "body.creditsCurrencyId")?;
        self.check_no_seats(matched)?;
        let now = self.clock.now();
        let spent = self.spent_by_units(&of);
        self.caps.set(&of, body, now, spent)
    }

    pub(super) fn get_cap(&self, matched: &Matched) -> Reply {
        let of = self.capped_of_query(matched)?;
        self.caps.get(&of, *self.clock.now(), self.spent_by_units(&of))
    }

    pub(super) fn end_cap(&mut self, matched: &Matched) -> Reply {
        let of = self.capped_of_query(matched)?;
        self.caps.end(&of, *self.clock.now())
    }

    fn capped_of_query(&self, matched: &Matched) -> Result<Capped, Refusal> {
        let currency = matched.query.get("creditsCurrencyId").map(String::as_str);
        self.capped(matched, currency, "query.creditsCurrencyId")
    }

    /// Whose cap a request is about. Without a credit currency, the account's only active one.
    fn capped(&self, matched: &Matched, currency: Option<&str>, place: &str) -> Result<Capped, Refusal> {
        let customer = self.customers.id_at(matched)?;
        let unit = matched.path.get("externalCustomerUnitId").map(String::as_str).unwrap_or_default();
        if self.units.find(&customer, unit).is_none() {
            return Err(Refusal::not_found("customer unit", unit));
        }
        let currency = match currency {
            Some(currency) => currency.to_owned(),
            None => self.credits.only_currency().ok_or_else(|| Refusal::invalid(place, "name the credit currency"))?,
        };
        self.credits.check(&currency, place)?;
        Ok(Capped { customer, unit: unit.to_owned(), currency })
    }

    /// What a unit and those below it spent in a month.
    pub(super) fn spent_by_units(&self, of: &Capped) -> impl Fn(Month) -> Decimal + use<> {
        let mut days = BTreeMap::<NaiveDate, Decimal>::new();
        for (unit, spent) in self.credits.ledger.spent_by_units(&of.customer, &of.currency) {
            if self.units.path_up(&of.customer, unit).contains(&of.unit.as_str()) {
                spent.iter().for_each(|(day, credits)| *days.entry(*day).or_default() += credits);
            }
        }
        move |month| days.range(month.days()).map(|(_, credits)| *credits).sum()
    }

    /// Refuses units and their caps to a customer who is billed by seats.
    pub(super) fn check_no_seats(&self, matched: &Matched) -> Result<(), Refusal> {
        let customer = text(self.customers.at(matched)?, "id");
        let is_active = |row: &&JsonObject| text(row, "customerId") == customer && self.state_of(row) == "active";
        let orders = self.orders.rows().iter().filter(is_active).filter_map(|row| text(row, "id"));
        let mut prices = orders.filter_map(|id| self.order_lines.get(id)).flatten().flat_map(|line| &line.prices);
        match prices.any(|priced| matches!(priced.price.charge, Charge::Seats | Charge::SeatCredits { .. })) {
            true => Err(Refusal::conflict("conflict", "path", "the customer is billed by seats, so it has no units")),
            false => Ok(()),
        }
    }

    /// Refuses to delete a unit with a cap in force, or one that is to come.
    pub(super) fn check_no_cap(&self, matched: &Matched) -> Result<(), Refusal> {
        let customer = self.customers.id_at(matched)?;
        let place = "path.externalCustomerUnitId";
        let unit = matched.path.get("externalCustomerUnitId").map(String::as_str).unwrap_or_default();
        match self.caps.has_open(&customer, unit, *self.clock.now()) {
            true => Err(Refusal::conflict("conflict", place, "the unit has a cap; end it first")),
            false => Ok(()),
        }
    }

    /// Tells of the caps that a spend reached. It is in the ledger already; `recorded` is what the ledger took of it.
    pub(super) fn watch_caps(&mut self, spend: &Spend, recorded: Decimal) {
        let Some(unit) = &spend.origin.unit else { return };
        let units: Vec<_> = self.units.path_up(&spend.customer, unit).into_iter().map(str::to_owned).collect();
        for unit in units {
            let of = Capped { customer: spend.customer.clone(), unit, currency: spend.currency.clone() };
            let Some((amount, month)) = self.caps.limit(&of, spend.at) else { continue };
            let used = self.spent_by_units(&of)(month);
            if used >= amount && used - recorded < amount {
                let cap = serde_json::json!({
                    "customerId": of.customer,
                    "externalCustomerUnitId": of.unit,
                    "creditsCurrencyId": of.currency,
                    "amount": super::pricing::number(amount),
                    "used": super::pricing::number(used),
                });
                self.webhooks.send("billing-credit-cap-reached", crate::object!({ "cap": cap }), false);
            }
        }
    }
}
