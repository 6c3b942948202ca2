//! Signals as they arrive.

mod shelf;

use std::ops::Range;

use serde_json::{Value, json};

use super::contract::Matched;
use super::costs::CollectedCost;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::table::{addressed, page_at, page_of, text};
use crate::{JsonObject, Timestamp};
pub(super) use shelf::{NewSignal, Signal, Signals};

/// A signal that the emulator did not accept: it counts as `failed`, and Paid's answer does not say which one it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedSignal {
    /// What the signal says happened, if it says so.
    pub event_name: String,
    /// What tells the signal from others, if it has a key.
    pub idempotency_key: Option<String>,
    /// What came with it.
    pub data: Value,
    /// What is wrong, and where in the request.
    pub problem: String,
}

impl FailedSignal {
    /// A cost in a span that was not accepted, which is told of like a signal.
    pub(super) fn of_cost(problem: String) -> Self {
        Self { event_name: String::new(), idempotency_key: None, data: Value::Null, problem }
    }
}

/// So many failed signals are remembered.
const FAILED_REMEMBERED: usize = 10_000;

/// What a signal refers to, and its time.
struct Checked {
    customer: String,
    product: String,
    at: Option<Timestamp>,
    cost: Option<CollectedCost>,
}

impl Store {
    pub(super) fn create_signals(&mut self, body: &Value) -> Value {
        let (mut ingested, mut duplicates, mut failed) = (0, 0, 0);
        let first = self.signals.len();
        let arrived = self.clock.now();
        for (index, signal) in body["signals"].as_array().into_iter().flatten().enumerate() {
            let key = signal["idempotencyKey"].as_str();
            if key.is_some_and(|key| self.signals.keyed(key).is_some()) {
                duplicates += 1;
                continue;
            }
            if key.is_some_and(|key| self.to_lose.remove(key)) {
                ingested += 1;
                continue;
            }
            match self.accept(signal, arrived) {
                Ok(()) => ingested += 1,
                Err(problem) => {
                    self.note_failed(FailedSignal {
                        event_name: signal["eventName"].as_str().unwrap_or_default().to_owned(),
                        idempotency_key: key.map(str::to_owned),
                        data: signal["data"].clone(),
                        problem: format!("body.signals.{index}.{problem}"),
                    });
                    failed += 1;
                }
            }
        }
        self.spend_signals_from(first);
        json!({"ingested": ingested, "duplicates": duplicates, "failed": failed})
    }

    pub(super) fn note_failed(&mut self, failed: FailedSignal) {
        if self.failed_signals.len() == FAILED_REMEMBERED {
            self.failed_signals.pop_front();
        }
        self.failed_signals.push_back(failed);
        self.failed_count += 1;
    }

    /// Keeps a signal, or tells the place of the first problem and what it is.
    fn accept(&mut self, signal: &Value, arrived: Timestamp) -> Result<(), String> {
        let checked = self.check_signal(signal)?;
        let is_kept = self.signals.push(&NewSignal {
            event_name: signal["eventName"].as_str().unwrap_or_default(),
            customer: &checked.customer,
            product: &checked.product,
            unit: signal["customerUnit"]["externalCustomerUnitId"].as_str(),
            at: checked.at,
            arrived,
            data: &signal["data"],
            key: signal["idempotencyKey"].as_str(),
        });
        if !is_kept {
            return Err("eventName: the emulator keeps no more signals; reset it".to_owned());
        }
        self.costs.extend(checked.cost.map(|cost| CollectedCost {
            customer_id: checked.customer,
            product_id: Some(checked.product),
            ..cost
        }));
        Ok(())
    }

    fn check_signal(&mut self, signal: &Value) -> Result<Checked, String> {
        let event_name = signal["eventName"].as_str().unwrap_or_default();
        if event_name.is_empty() {
            return Err("eventName: is empty".into());
        }
        let product = self.product_of(&signal["attribution"]).map_err(|problem| format!("attribution{problem}"))?;
        let at = match signal["timestamp"].as_str() {
            Some(time) => Some(time.parse().map_err(|_| "timestamp: is no time".to_owned())?),
            None => None,
        };
        let cost = Self::cost_of_data(&signal["data"], at.unwrap_or_else(|| self.clock.now()))?;
        let customer = self.customer_of(&signal["customer"]).map_err(|problem| format!("customer{problem}"))?;
        match self.quantity_problem(&customer, &product, event_name, &signal["data"]) {
            Some(problem) => Err(format!("data: {problem}")),
            None => Ok(Checked { customer, product, at, cost }),
        }
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
        // The newest first.
        let shown = |signal: Signal<'_>| Value::Object(self.shown_signal(&signal));
        if let Some(range) = self.arrived_within(matched) {
            let newest = |index: usize| range.end.checked_sub(index + 1).and_then(|index| self.signals.get(index));
            return page_at(range.len(), matched, |index| newest(index).map(shown));
        }
        let meant = self.signals.iter().rev().filter(|signal| self.is_meant(signal, matched));
        page_of(meant, matched, shown)
    }

    /// Where the signals are that a query wants, if it asks for times of arrival only: millions of signals are read page by page.
    fn arrived_within(&self, matched: &Matched) -> Option<Range<usize>> {
        let mut range = 0..self.signals.len();
        for (name, wanted) in &matched.query {
            let bound = wanted.parse::<Timestamp>();
            match name.as_str() {
                "limit" | "offset" => {}
                "createdAtFrom" => range.start = self.signals.arrived_before(bound.ok()?, false)?,
                "createdAtTo" => range.end = self.signals.arrived_before(bound.ok()?, true)?,
                _ => return None,
            }
        }
        Some(range.start.min(range.end)..range.end)
    }

    /// Whether the filters of a query let a signal pass.
    fn is_meant(&self, signal: &Signal<'_>, matched: &Matched) -> bool {
        let is_of = |row: Option<&JsonObject>, id: &str| row.and_then(|row| text(row, "id")) == Some(id);
        matched.query.iter().all(|(name, wanted)| {
            let bound = wanted.parse::<Timestamp>().ok();
            match name.as_str() {
                "signalName" => signal.event_name == wanted,
                "customerId" => signal.customer == wanted,
                "productId" => signal.product == wanted,
                "externalCustomerId" => is_of(self.customers.find("externalId", wanted), signal.customer),
                "externalProductId" => is_of(self.products.find("externalId", wanted), signal.product),
                "createdAtFrom" => Some(signal.arrived) >= bound,
                "createdAtTo" => Some(signal.arrived) <= bound,
                _ => true,
            }
        })
    }

    pub(super) fn get_signal(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        let number = id.strip_prefix("sig_").and_then(|number| number.parse::<usize>().ok());
        let found = number.and_then(|number| self.signals.get(number.checked_sub(1)?)).filter(|found| found.id() == id);
        let found = found.ok_or_else(|| Refusal::not_found("signal", id))?;
        Ok(Value::Object(self.shown_signal(&found)))
    }

    fn shown_signal(&self, signal: &Signal<'_>) -> JsonObject {
        let external = |row: Option<&JsonObject>| row.and_then(|row| row.get("externalId")).cloned();
        crate::object!({
            "id": signal.id(),
            "name": signal.event_name,
            "customerId": signal.customer,
            "externalCustomerId": external(self.customers.find("id", signal.customer)),
            "productId": signal.product,
            "externalProductId": external(self.products.find("id", signal.product)),
            "traceId": null,
            "data": signal.data(),
            "createdAt": signal.arrived.to_string(),
        })
    }
}
