//! What signals are worth and what is found in them: value models, metrics and receipts, delivered value, analytics, custom views
//! and exports of the emulator.
#![allow(clippy::unwrap_used, missing_docs)]

mod analytics;
mod delivered;
mod exports;
mod metrics;
mod models;
mod receipts;
mod replay;
mod views;

use paid::emulator::Emulator;
use paid::types::*;
use paid::{Client, Decimal, JsonObject, List};
use serde_json::{Value, json};

/// An account with a product and two customers.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) client: Client,
}

fn seed() -> Value {
    let price = json!({"pricingType": "UsagePerUnit", "eventName": "ticket_resolved",
        "pricePoints": [{"currency": "USD", "unitPrice": 300}]});
    json!({
        "products": [{"name": "Support", "externalId": "support", "active": true,
            "productAttributes": [{"name": "Tickets", "pricing": price}]}, {"name": "Other", "externalId": "other"}],
        "customers": [{"name": "Acme, Inc.", "externalId": "acme"}, {"name": "Globex", "externalId": "globex"}],
    })
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(Emulator::builder().seed(seed()).start().await.unwrap())
    }

    pub(crate) fn of(emulator: Emulator) -> Self {
        let client = emulator.client();
        Self { emulator, client }
    }

    /// Paid's id of a customer.
    pub(crate) async fn customer(&self, external: &str) -> CustomerId {
        self.client.customers().get_by_external_id(external).await.unwrap().id
    }

    /// Sends a signal of a customer, at a time.
    pub(crate) async fn signal(&self, customer: &str, event: &str, at: &str, data: Value) {
        self.signal_of("support", customer, event, at, data).await;
    }

    pub(crate) async fn signal_of(&self, product: &str, customer: &str, event: &str, at: &str, data: Value) {
        let data: JsonObject = data.as_object().cloned().unwrap_or_default();
        let signal = NewSignal::new(event, ExternalCustomerId::from(customer))
            .attribution(ExternalProductId::from(product))
            .timestamp(at.parse::<paid::Timestamp>().unwrap())
            .data(data);
        let answer = self.client.signals().create(&CreateSignalsRequest::new([signal])).await.unwrap();
        assert_eq!((answer.ingested, answer.failed), (1, 0), "{:?}", self.emulator.failed_signals());
    }

    /// A request as it is on the wire: the status and the body of its answer.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.emulator.url());
        let request =
            reqwest::Client::new().request(method.parse().unwrap(), url).header("authorization", "Bearer paid_test");
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    /// The answer to a request that succeeds.
    pub(crate) async fn good(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// The status and the place of a request that fails.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(method, path, body).await;
        assert!(status >= 400, "{method} {path}: {answer}");
        let place = answer["details"].as_str().or_else(|| answer["error"].as_str());
        (status, place.unwrap_or_default().to_owned())
    }

    /// Uploads a value model.
    pub(crate) async fn model(&self, content: Value) -> Value {
        self.good("PUT", "/value-models/", json!({ "content": content })).await
    }
}

/// Hours saved by resolved tickets, at 50 dollars an hour; the minutes stand in the signal, or are 20.
pub(crate) fn hours() -> Value {
    json!({
        "currency": "USD",
        "valueTypes": [{"slug": "hours", "name": "Hours saved", "unit": {"type": "duration", "durationUnit": "hours"},
            "monetaryConversion": {"expression": "unit_value * rate",
                "variables": [{"id": "rate", "label": "Hourly rate", "default": 50}]}}],
        "formulas": [{"id": "saved", "valueTypeSlug": "hours", "label": "Saved", "expression": "minutes / 60",
            "variables": [{"id": "minutes", "label": "Minutes"}]}],
        "signals": [{"eventName": "ticket_resolved", "label": "Tickets", "formulaId": "saved",
            "defaults": {"minutes": 20}}],
    })
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The items of an answer's list, all of which can be read.
pub(crate) fn items<T>(list: &List<T>) -> Vec<&T> {
    list.iter().map(|item| item.unwrap()).collect()
}
