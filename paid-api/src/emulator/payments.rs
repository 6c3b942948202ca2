//! Money received: payments, which invoice lines they settle, and what customers pay with. Knows no invoices: who allocates
//! says how much a line still needs.

mod allocations;
mod methods;

use std::collections::BTreeMap;

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::accounts::Customers;
use super::contract::Matched;
use super::numbers::amount;
use super::pricing::number;
use super::refusal::{Refusal, Reply};
use super::table::{Table, addressed, given, merge, page, passes, text};
use crate::JsonObject;

pub(super) use allocations::Share;
pub(super) use methods::Methods;

#[derive(Debug, Default)]
pub(super) struct Payments {
    table: Table,
    allocations: Table,
    /// What is paid of each line of each invoice, by their ids.
    paid: BTreeMap<String, BTreeMap<String, Decimal>>,
}

/// A payment that the emulator makes by itself.
pub(super) struct Charge<'a> {
    pub(super) customer: &'a str,
    pub(super) invoice: &'a str,
    pub(super) order: &'a str,
    pub(super) amount: Decimal,
    pub(super) currency: &'a str,
    /// `posted` or `failed`.
    pub(super) status: &'static str,
}

impl Payments {
    pub(super) fn list(&self, matched: &Matched, customers: &Customers) -> Value {
        let narrowed = customers.narrowed(matched);
        page(self.table.rows().iter().filter(|row| passes(row, &narrowed)).map(|row| self.shown(row)), matched)
    }

    pub(super) fn get(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.find(id).map(|row| self.shown(row)).map_err(|refusal| refusal.at("path.id"))
    }

    /// Records a payment that somebody received.
    pub(super) fn create(&mut self, body: &Value, customers: &Customers, id: String, time: &Value) -> Reply {
        let customer = customers.required(body)?;
        let received = amount(&body["amount"]).filter(|amount| *amount > Decimal::ZERO);
        let received = received.ok_or_else(|| Refusal::invalid("body.amount", "a payment is more than nothing"))?;
        let code = body["currency"].as_str().unwrap_or_default().to_uppercase();
        if Currency::from_code(&code).is_none() {
            return Err(Refusal::invalid("body.currency", format!("{code:?} is no currency of ISO 4217")));
        }
        let row = crate::object!({
            "id": id,
            "number": self.table.rows().len() + 1,
            "customerId": customer.get("id"),
            "amount": number(received),
            "currency": code,
            "paymentType": body["paymentType"],
            "paymentDate": given(body, "paymentDate", time.clone()),
            "status": given(body, "status", "posted"),
            "invoiceId": null,
            "orderId": null,
            "metadata": given(body, "metadata", Value::Null),
            "createdAt": time,
            "updatedAt": time,
        });
        let shown = self.shown(&row);
        self.table.push(row);
        Ok(shown)
    }

    /// Charges the card of a customer for an invoice. It is allocated apart.
    pub(super) fn charge(&mut self, charge: &Charge<'_>, id: String, time: &Value) {
        self.table.push(crate::object!({
            "id": id,
            "number": self.table.rows().len() + 1,
            "customerId": charge.customer,
            "amount": number(charge.amount),
            "currency": charge.currency,
            "paymentType": "creditCard",
            "paymentDate": time,
            "status": charge.status,
            "invoiceId": charge.invoice,
            "orderId": charge.order,
            "metadata": null,
            "createdAt": time,
            "updatedAt": time,
        }));
    }

    /// Posts a draft, or lets it fail. Returns true if it was a draft.
    pub(super) fn end_draft(&mut self, id: &str, status: &str, time: &Value) -> bool {
        let Some(row) = self.table.find_mut("id", id).filter(|row| text(row, "status") == Some("draft")) else {
            return false;
        };
        merge(row, &json!({ "status": status }), time.clone());
        true
    }

    /// Returns true if a customer has paid, or tried to.
    pub(super) fn has_any_of(&self, customer: &str) -> bool {
        self.table.find("customerId", customer).is_some()
    }

    /// The `payment` of a webhook.
    pub(super) fn event_data(&self, id: &str) -> JsonObject {
        let Some(row) = self.table.find("id", id) else { return JsonObject::new() };
        let of = |key: &str| row.get(key).cloned().unwrap_or_default();
        let number = text(row, "invoiceId").map(|invoice| invoice.replacen("inv_", "INV-", 1));
        crate::object!({ "payment": {
            "id": id,
            "invoiceId": of("invoiceId"),
            "invoiceNumber": number,
            "customerId": of("customerId"),
            "externalPaymentId": null,
            "status": of("status"),
            "paymentDate": of("paymentDate"),
        } })
    }

    fn find(&self, id: &str) -> Result<&JsonObject, Refusal> {
        self.table.find("id", id).ok_or_else(|| Refusal::not_found("payment", id))
    }

    fn shown(&self, row: &JsonObject) -> Value {
        let allocated = self.allocated(text(row, "id").unwrap_or_default());
        let mut shown = row.clone();
        shown.insert("allocatedAmount".into(), number(allocated));
        shown.insert("balance".into(), number(left_of(row, allocated)));
        Value::Object(shown)
    }
}

/// What of a payment is not allocated. A payment that failed or was canceled brought no money.
fn left_of(row: &JsonObject, allocated: Decimal) -> Decimal {
    match text(row, "status") {
        Some("failed" | "canceled") => Decimal::ZERO,
        _ => row.get("amount").and_then(amount).unwrap_or_default() - allocated,
    }
}
