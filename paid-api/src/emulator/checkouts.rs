//! Checkouts: created through the API, completed or expired by the emulator's user.

use serde_json::{Value, json};

use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::table::{addressed, given, merge, page, passes, text};
use crate::{JsonObject, Timestamp};

/// The properties that a single checkout shows and a list does not.
const DETAILS: [&str; 2] = ["orderId", "selectedProduct"];

impl Store {
    pub(super) fn create_checkout(&mut self, body: &Value) -> Reply {
        let products = body["products"].as_array().map(Vec::as_slice).unwrap_or_default();
        if products.is_empty() {
            return Err(Refusal::invalid("body.products", "a checkout sells at least one product"));
        }
        for product in products {
            let id = product["id"].as_str().unwrap_or_default();
            if self.products.find("id", id).is_none() {
                return Err(Refusal::not_found("product", id));
            }
        }
        let expires = body["expiresAt"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        if expires.is_some_and(|time| time <= self.clock.now()) {
            return Err(Refusal::invalid("body.expiresAt", "is past"));
        }
        let known = self.checkout_customer(body)?;
        let of_customer = |key: &str| known.as_ref().and_then(|row| row.get(key)).cloned().unwrap_or_default();
        let id = self.id("chk");
        let time = self.clock.shown();
        let first = &body["products"][0];
        let checkout = json!({
            "id": id,
            "url": format!("https://checkout.invalid/{id}"),
            "status": "active",
            "products": body["products"],
            "successUrl": body["successUrl"],
            "cancelUrl": given(body, "cancelUrl", Value::Null),
            "allowedCurrencies": body.get("currency").map_or_else(|| json!(["USD"]), |currency| json!([currency])),
            "collectAddress": given(body, "collectAddress", true),
            "collectPhone": given(body, "collectPhone", false),
            "customCards": given(body, "customCards", json!([])),
            "customerId": of_customer("id"),
            "externalCustomerId": of_customer("externalId"),
            "expiresAt": given(body, "expiresAt", Value::Null),
            "metadata": given(body, "metadata", Value::Null),
            "singleUse": given(body, "singleUse", true),
            "orderId": null,
            "selectedProduct": {
                "id": first["id"],
                "plan": {"id": given(&first["plans"][0], "id", ""), "externalId": null, "name": null},
            },
            "createdAt": time,
            "updatedAt": time,
        });
        if let Value::Object(row) = checkout {
            self.checkouts.push(row);
        }
        self.checkout_event("billing-checkout-created", &id);
        self.checkout(&id).map(|row| Value::Object(listed(row)))
    }

    /// The customer that a checkout is for, if it names one.
    fn checkout_customer(&self, body: &Value) -> Result<Option<JsonObject>, Refusal> {
        let mut found = None;
        for (field, key) in [("customerId", "id"), ("externalCustomerId", "externalId")] {
            let Some(id) = body[field].as_str() else { continue };
            let customer = self.customer_named(key, id).ok_or_else(|| Refusal::not_found("customer", id))?;
            if found.replace(customer).is_some_and(|other: &JsonObject| text(other, "id") != text(customer, "id")) {
                return Err(Refusal::invalid("body.externalCustomerId", "names another customer than customerId"));
            }
        }
        Ok(found.cloned())
    }

    fn checkout(&self, id: &str) -> Result<&JsonObject, Refusal> {
        self.checkouts.find("id", id).ok_or_else(|| Refusal::not_found("checkout", id))
    }

    fn checkout_event(&mut self, event: &str, id: &str) {
        if let Ok(row) = self.checkout(id) {
            let data = crate::object!({ "checkout": row.clone() });
            self.webhooks.send(event, data, false);
        }
    }

    pub(super) fn list_checkouts(&self, matched: &Matched) -> Value {
        let rows = self.checkouts.rows().iter().filter(|row| passes(row, matched));
        page(rows.map(|row| Value::Object(listed(row))), matched)
    }

    pub(super) fn get_checkout(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.checkout(id).cloned().map(Value::Object)
    }

    pub(super) fn archive_checkout(&mut self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.checkout(id)?;
        self.end_checkout(id, "archived");
        Ok(json!({}))
    }

    /// Ends a checkout and queues the webhook. Returns true if it was open.
    pub(super) fn end_checkout(&mut self, id: &str, status: &str) -> bool {
        let Some(row) = self.checkouts.find_mut("id", id).filter(|row| text(row, "status") == Some("active")) else {
            return false;
        };
        merge(row, &json!({ "status": status }), self.clock.shown());
        if status != "archived" {
            self.checkout_event(&format!("billing-checkout-{status}"), id);
        }
        true
    }
}

fn listed(row: &JsonObject) -> JsonObject {
    let mut row = row.clone();
    row.retain(|key, _| !DETAILS.contains(&key.as_str()));
    row
}
