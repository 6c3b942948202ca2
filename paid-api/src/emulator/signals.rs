//! Signals as they arrive.

use serde_json::{Value, json};

use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use super::store::{Store, StoredSignal};
use super::table::{addressed, page, passes, text};
use crate::JsonObject;

/// A signal that the emulator did not accept: it counts as `failed`, and Paid's answer does not say which one it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedSignal {
    /// The signal's event name.
    pub event_name: String,
    /// The signal's idempotency key.
    pub idempotency_key: Option<String>,
    /// What is wrong, and where in the request.
    pub problem: String,
}

impl Store {
    pub(super) fn create_signals(&mut self, body: &Value) -> Value {
        let (mut ingested, mut duplicates, mut failed) = (0, 0, 0);
        for (index, signal) in body["signals"].as_array().into_iter().flatten().enumerate() {
            let key = signal["idempotencyKey"].as_str();
            if key.is_some_and(|key| self.keys.contains(key)) {
                duplicates += 1;
                continue;
            }
            match self.accepted(signal) {
                Ok(accepted) => {
                    self.signals.push(accepted);
                    self.keys.extend(key.map(str::to_owned));
                    ingested += 1;
                }
                Err(problem) => {
                    self.failed_signals.push(FailedSignal {
                        event_name: signal["eventName"].as_str().unwrap_or_default().to_owned(),
                        idempotency_key: key.map(str::to_owned),
                        problem: format!("body.signals.{index}.{problem}"),
                    });
                    failed += 1;
                }
            }
        }
        json!({"ingested": ingested, "duplicates": duplicates, "failed": failed})
    }

    /// The signal as it is stored, or the place of the first problem and what it is.
    fn accepted(&mut self, signal: &Value) -> Result<StoredSignal, String> {
        let event_name = signal["eventName"].as_str().unwrap_or_default();
        if event_name.is_empty() {
            return Err("eventName: is empty".into());
        }
        let product = self.product_of(&signal["attribution"]).map_err(|problem| format!("attribution{problem}"))?;
        let arrived = self.clock.now();
        let at = match signal["timestamp"].as_str() {
            Some(time) => time.parse().map_err(|_| "timestamp: is no time".to_owned())?,
            None => arrived,
        };
        let customer = self.customer_of(&signal["customer"]).map_err(|problem| format!("customer{problem}"))?;
        let id = format!("sig_{:06}", self.signals.len() + 1);
        let data = signal["data"].clone();
        Ok(StoredSignal { id, event_name: event_name.to_owned(), customer, product, at, arrived, data })
    }

    /// The product's id, or what is wrong with the attribution.
    pub(super) fn product_of(&self, named: &Value) -> Result<String, String> {
        for (field, key) in [("productId", "id"), ("externalProductId", "externalId")] {
            if let Some(id) = named[field].as_str() {
                let product = self.products.find(key, id).and_then(|row| text(row, "id"));
                return product.map(str::to_owned).ok_or_else(|| format!(".{field}: there is no product {id:?}"));
            }
        }
        Err(": names no product, so nothing would be billed".into())
    }

    /// The customer's id, or what is wrong with the reference. An unknown external id creates the customer.
    pub(super) fn customer_of(&mut self, named: &Value) -> Result<String, String> {
        if let Some(id) = named["customerId"].as_str() {
            let customer = self.customers.find("id", id).and_then(|row| text(row, "id"));
            return customer.map(str::to_owned).ok_or_else(|| format!(".customerId: there is no customer {id:?}"));
        }
        let external = named["externalCustomerId"].as_str().unwrap_or_default();
        if external.is_empty() {
            return Err(".externalCustomerId: is empty".into());
        }
        if let Some(id) = self.customers.find("externalId", external).and_then(|row| text(row, "id")) {
            return Ok(id.to_owned());
        }
        let customer = self.create_customer(&json!({"name": external, "externalId": external}));
        let id = customer.ok().and_then(|customer| customer["id"].as_str().map(str::to_owned));
        id.ok_or_else(|| ": cannot be created".into())
    }

    pub(super) fn list_signals(&self, matched: &Matched) -> Value {
        let mut filters = self.customers.narrowed(matched);
        if let Some(name) = filters.query.remove("signalName") {
            filters.query.insert("eventName".into(), name);
        }
        let shown = self.signals.iter().map(|signal| self.shown_signal(signal));
        let rows = shown.filter(|row| {
            // `name` filters lists by a part of it; `signalName` is the whole name.
            let mut row = row.clone();
            row.insert("eventName".into(), row.get("name").cloned().unwrap_or_default());
            passes(&row, &filters)
        });
        page(rows.map(Value::Object), matched)
    }

    pub(super) fn get_signal(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        let found = self.signals.iter().find(|signal| signal.id == id);
        let found = found.ok_or_else(|| Refusal::not_found("signal", id))?;
        Ok(Value::Object(self.shown_signal(found)))
    }

    fn shown_signal(&self, signal: &StoredSignal) -> JsonObject {
        let external = |row: Option<&JsonObject>| row.and_then(|row| row.get("externalId")).cloned();
        crate::object!({
            "id": signal.id,
            "name": signal.event_name,
            "customerId": signal.customer,
            "externalCustomerId": external(self.customers.find("id", &signal.customer)),
            "productId": signal.product,
            "externalProductId": external(self.products.find("id", &signal.product)),
            "traceId": null,
            "data": signal.data,
            "createdAt": signal.arrived.to_string(),
        })
    }
}
