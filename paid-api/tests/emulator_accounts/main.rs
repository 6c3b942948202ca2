//! What the emulator keeps of customers, and what they buy and pay: through the typed client, and as JSON where the words count.
#![allow(clippy::unwrap_used, missing_docs)]

mod aliases;
mod checkouts;
mod groups;
mod payments;
mod plans;
mod restart;
mod state;
mod units;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use paid::Client;
use paid::emulator::Emulator;
use serde_json::{Value, json};

struct Api {
    emulator: Emulator,
    http: reqwest::Client,
}

impl Api {
    async fn start() -> Self {
        Self::of(Emulator::start().await.unwrap())
    }

    fn of(emulator: Emulator) -> Self {
        Self { emulator, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    fn client(&self) -> Client {
        self.emulator.client()
    }

    async fn send(&self, method: &str, url: String, body: Value) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), url).header("authorization", "Bearer paid_x");
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.send(method, format!("{}{path}", self.emulator.url()), body).await
    }

    /// The answer to what succeeds.
    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    async fn get(&self, path: &str) -> Value {
        self.ok("GET", path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ok("POST", path, body).await
    }

    /// The status and the place of what is refused.
    async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(method, path, body).await;
        assert!((400..500).contains(&status), "{method} {path}: {status} {answer}");
        (status, answer["details"].as_str().unwrap_or_default().to_owned())
    }

    async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("POST", format!("{}__emulator/{path}", self.emulator.page_url()), body).await
    }

    async fn customer(&self, external: &str) -> String {
        id(&self.post("/customers/", json!({"name": external, "externalId": external})).await)
    }

    /// A product with one price for each name: its id, and the ids of its attributes.
    async fn product(&self, prices: &[(&str, Value)]) -> (String, Vec<String>) {
        let product = id(&self.post("/products/", json!({"name": "P", "externalId": "p", "active": true})).await);
        let attributes: Value =
            prices.iter().map(|(name, pricing)| json!({"name": name, "pricing": pricing})).collect();
        let update = json!({ "productAttributes": attributes });
        let shown = self.ok("PUT", &format!("/products/{product}"), update).await;
        let attributes = shown["productAttributes"].as_array().unwrap();
        (product, attributes.iter().map(|attribute| text(&attribute["productAttributeId"])).collect())
    }

    /// The posted invoice of a new order of these recurring prices: its id, and the ids of its lines.
    async fn invoice(&self, customer: &str, product: &str, cents: &[i64]) -> (String, Vec<String>) {
        let attribute = |(index, cents): (usize, &i64)| {
            json!({"name": format!("a{index}"), "pricing": {"chargeType": "recurring", "pricingModel": "perUnit",
                "pricePoints": {"unitPrice": cents}}})
        };
        let attributes: Value = cents.iter().enumerate().map(attribute).collect();
        let order = json!({"customerId": customer, "currency": "USD", "creationState": "active",
            "lines": [{"productId": product, "attributes": attributes}]});
        let order = id(&self.post("/orders/", order).await);
        let invoice = id(&self.get(&format!("/invoices/?orderId={order}")).await["data"][0]);
        assert_eq!(self.control(&format!("invoices/{invoice}/post"), Value::Null).await.0, 200);
        let lines = self.get(&format!("/invoices/{invoice}/lines")).await;
        (invoice, lines["data"].as_array().unwrap().iter().map(id).collect())
    }

    /// Hears these events from now on.
    async fn hear(&self, events: &[&str]) -> Heard {
        let heard = Heard::default();
        let kept = Arc::clone(&heard.0);
        let handler = move |body: Bytes| async move {
            kept.lock().unwrap().push(serde_json::from_slice::<Value>(&body).unwrap())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(handler))).await.unwrap() });
        for event in events {
            self.ok("PATCH", &format!("/webhooks/{event}"), json!({"enabled": true, "url": url})).await;
        }
        heard
    }
}

/// The messages of webhooks.
#[derive(Default)]
struct Heard(Arc<Mutex<Vec<Value>>>);

impl Heard {
    /// The events since the last call, with their data.
    fn take(&self) -> Vec<(String, Value)> {
        let messages = std::mem::take(&mut *self.0.lock().unwrap());
        messages.into_iter().map(|message| (text(&message["event"]), message["data"].clone())).collect()
    }

    fn names(&self) -> Vec<String> {
        self.take().into_iter().map(|(name, _)| name).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn id(value: &Value) -> String {
    text(&value["id"])
}

fn monthly(cents: i64) -> Value {
    json!({"pricingType": "RecurringPerUnit", "billingFrequency": "Monthly",
        "pricePoints": [{"currency": "USD", "unitPrice": cents}]})
}

fn usage(cents: i64) -> Value {
    json!({"pricingType": "UsagePerUnit", "eventName": "e", "pricePoints": [{"currency": "USD", "unitPrice": cents}]})
}
