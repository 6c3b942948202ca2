//! What customers pay with. There is no payment processor: every confirmation token stands for a card that is confirmed at
//! once.

use chrono::Datelike;
use serde_json::{Value, json};

use super::super::accounts::Customers;
use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::super::table::{Table, addressed, page, passes, text};
use crate::{JsonObject, Timestamp};

/// Cards expire so many years after they are saved.
const VALID: i32 = 4;

/// The payment methods of all customers.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Methods(Table);

impl Methods {
    pub(in crate::emulator) fn list(&self, matched: &Matched, customers: &Customers) -> Value {
        let narrowed = customers.narrowed(matched);
        page(self.0.rows().iter().filter(|row| passes(row, &narrowed)).map(shown), matched)
    }

    pub(in crate::emulator) fn get(&self, matched: &Matched) -> Reply {
        self.at(matched).map(shown)
    }

    /// Saves the card of a token. The first of a customer is its default.
    pub(in crate::emulator) fn create(
        &mut self,
        body: &Value,
        customers: &Customers,
        id: String,
        now: Timestamp,
    ) -> Reply {
        let customer = customers.required(body)?.get("id").cloned().unwrap_or_default();
        let token = body["confirmationToken"].as_str().unwrap_or_default();
        if token.is_empty() {
            return Err(Refusal::invalid("body.confirmationToken", "is empty"));
        }
        if self.0.find("token", token).is_some() {
            return Err(Refusal::invalid("body.confirmationToken", "was used already; each is for one payment method"));
        }
        let digits = id.rsplit('_').next().unwrap_or_default().to_owned();
        let is_first = !self.0.rows().iter().any(|row| row.get("customerId") == Some(&customer));
        self.0.push(crate::object!({
            "id": id,
            "customerId": customer,
            "externalPaymentMethodId": format!("pm_emulator_{digits}"),
            "type": "card",
            "card": {"brand": "visa", "last4": "4242", "expMonth": 12, "expYear": now.year() + VALID},
            "isDefault": is_first,
            "token": token,
            "createdAt": now.to_string(),
        }));
        Ok(json!({
            "customerId": customer,
            "externalPaymentMethodId": format!("pm_emulator_{digits}"),
            "setupIntent": {
                "id": format!("seti_emulator_{digits}"),
                "clientSecret": format!("seti_emulator_{digits}_secret"),
                "status": "succeeded",
            },
        }))
    }

    pub(in crate::emulator) fn delete(&mut self, matched: &Matched) -> Reply {
        self.at(matched)?;
        self.0.remove("id", addressed(matched).1);
        Ok(json!({}))
    }

    pub(in crate::emulator) fn set_default(&mut self, matched: &Matched) -> Reply {
        let row = self.at(matched)?;
        let (id, customer) = (text(row, "id").map(str::to_owned), row.get("customerId").cloned());
        let is_default = |row: &JsonObject| {
            row.get("customerId") == customer.as_ref() && row.get("isDefault") == Some(&Value::Bool(true))
        };
        if let Some(last) = self.0.find_mut_where(is_default) {
            last.insert("isDefault".into(), false.into());
        }
        if let Some(row) = id.and_then(|id| self.0.find_mut("id", &id)) {
            row.insert("isDefault".into(), true.into());
        }
        self.get(matched)
    }

    /// Forgets what a customer that is deleted paid with.
    pub(in crate::emulator) fn forget(&mut self, customer: &str) {
        while self.0.remove("customerId", customer).is_some() {}
    }

    fn at(&self, matched: &Matched) -> Result<&JsonObject, Refusal> {
        let (_, id) = addressed(matched);
        self.0.find("id", id).ok_or_else(|| Refusal::not_found("payment method", id).at("path.id"))
    }
}

fn shown(row: &JsonObject) -> Value {
    let mut shown = row.clone();
    shown.remove("token");
    Value::Object(shown)
}
