//! What orders and products say of credits and seats, checked against the account.

use serde_json::Value;

use super::billing::Charge;
use super::contract::Matched;
use super::credits::{Benefit, read_benefits};
use super::refusal::{Refusal, Reply};
use super::seats::People;
use super::store::{Line, Store};
use super::table::{addressed, text};

impl Store {
    pub(super) fn benefits_of_line(&self, pricing: &Value, place: &str) -> Result<Vec<Benefit>, Refusal> {
        let place = format!("{place}.creditBenefits");
        let benefits = read_benefits(&pricing["creditBenefits"], pricing["creditsCurrencyId"].as_str(), &place)?;
        self.credits.check_benefits(&benefits, &place)?;
        Ok(benefits)
    }

    /// Gives an order its seats.
    pub(super) fn open_seats(&mut self, order: &str) {
        use rust_decimal::prelude::ToPrimitive;
        for line in self.order_lines.get(order).into_iter().flatten() {
            for priced in &line.prices {
                if matches!(priced.price.charge, Charge::Seats | Charge::SeatCredits { .. }) {
                    let count = if priced.until.is_some() { 0 } else { priced.quantity.to_usize().unwrap_or_default() };
                    self.seats.resize(order, &line.product, &priced.id, count, self.clock.now());
                }
            }
        }
    }

    pub(super) fn list_seats(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        Ok(self.seats.list(id, self.people(id)?, matched))
    }

    pub(super) fn assign_seats(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (_, id) = addressed(matched);
        let assignments = body["assignments"].as_array().into_iter().flatten().enumerate();
        let wanted: Vec<_> =
            assignments.map(|(at, one)| (format!("body.assignments.{at}.userExternalId"), one)).collect();
        let data = self.assign(id, &wanted)?;
        Ok(serde_json::json!({ "data": data }))
    }

    pub(super) fn assign_seat(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (_, id) = addressed(matched);
        let seat = matched.path.get("seatId").map(String::as_str).unwrap_or_default();
        let one = serde_json::json!({ "seatId": seat, "userExternalId": body["userExternalId"] });
        let mut data = self.assign(id, &[("body.userExternalId".to_owned(), &one)])?;
        Ok(data[0].take())
    }

    fn assign(&mut self, order: &str, wanted: &[(String, &Value)]) -> Reply {
        let row = self.orders.find("id", order).ok_or_else(|| Refusal::not_found("order", order))?;
        let customer = text(row, "customerId").unwrap_or_default().to_owned();
        let people = People { products: &self.products, users: self.users.rows(), customer: &customer };
        self.seats.assign(order, wanted, people, self.clock.now())
    }

    fn people<'a>(&'a self, order: &str) -> Result<People<'a>, Refusal> {
        let row = self.orders.find("id", order).ok_or_else(|| Refusal::not_found("order", order))?;
        let customer = text(row, "customerId").unwrap_or_default();
        Ok(People { products: &self.products, users: self.users.rows(), customer })
    }
}

/// A price in credits without an overage takes that of a benefit of the same order, and keeps it. What an amendment ended gives
/// none.
pub(super) fn inherit_overages(lines: &mut [Line]) {
    let current = lines.iter().flat_map(|line| &line.prices).filter(|priced| priced.until.is_none());
    let benefits: Vec<_> = current.flat_map(|priced| priced.benefits.clone()).collect();
    for priced in lines.iter_mut().flat_map(|line| &mut line.prices) {
        let Charge::Credits { credits, .. } = &mut priced.price.charge else { continue };
        if credits.overage.is_some() {
            continue;
        }
        let of_currency = benefits.iter().filter(|benefit| benefit.currency == credits.currency);
        if let Some(overage) = of_currency.filter_map(|benefit| benefit.overage).next() {
            credits.overage = Some(overage);
            for point in &mut priced.price.points {
                point.unit_price = overage;
            }
        }
    }
}
