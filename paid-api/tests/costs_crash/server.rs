//! A server that counts which cost records it stored, and loses answers.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use paid::costs::{CostEmitter, CostEmitterBuilder, CostRecord, Spent};
use paid::{Client, Currency, Money, RetryPolicy};
use serde_json::{Value, json};

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) stores: bool,
    pub(crate) after: Duration,
    pub(crate) status: u16,
}

impl Answer {
    pub(crate) const STORED: Self = Self::of(true, 200);

    pub(crate) const fn of(stores: bool, status: u16) -> Self {
        Self { stores, after: Duration::ZERO, status }
    }

    pub(crate) const fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

pub(crate) struct Server {
    url: String,
    /// The vendors of all records that were stored, in order.
    stored: Arc<Mutex<Vec<String>>>,
    /// Those of all records that arrived.
    seen: Arc<Mutex<Vec<String>>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Answers as `answer` says about the vendors in a request.
    pub(crate) fn start(answer: impl Fn(&[String]) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stored, seen) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (stores, sees, answer) = (Arc::clone(&stored), Arc::clone(&seen), Arc::new(answer));
        let handle = move |body: String| {
            let (stores, sees, answer) = (Arc::clone(&stores), Arc::clone(&sees), Arc::clone(&answer));
            async move {
                let vendors = vendors(&body);
                sees.lock().unwrap().extend(vendors.clone());
                let answer = answer(&vendors);
                let body = json!({"ingested": vendors.len(), "duplicates": 0}).to_string();
                if answer.stores {
                    stores.lock().unwrap().extend(vendors);
                }
                tokio::time::sleep(answer.after).await;
                (StatusCode::from_u16(answer.status).unwrap(), body)
            }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, Router::new().fallback(post(handle))).await.unwrap();
        });
        Self { url, stored, seen, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn stored(&self) -> Vec<String> {
        self.stored.lock().unwrap().clone()
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn vendors(body: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(body).unwrap();
    let costs = body["costs"].as_array().unwrap();
    costs.iter().map(|cost| cost["vendor"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn builder(url: &str, timeout: Duration) -> CostEmitterBuilder {
    let client = Client::builder().api_key("paid_x").base_url(url).retry(RetryPolicy::never()).timeout(timeout);
    CostEmitter::builder(client.build().unwrap()).linger(5 * MS).retry_delays(10 * MS, 50 * MS)
}

pub(crate) fn cost(vendor: &str, customer: &str) -> CostRecord<Spent> {
    CostRecord::amount(Money::parse("12.50", Currency::USD).unwrap()).customer(customer).vendor(vendor)
}
