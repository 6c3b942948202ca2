//! A local Paid for development and tests: feature `emulator`.
//!
//! It keeps products, customers, contacts, orders, signals and invoices in memory, checks every request against
//! the API's document, prices signals with exact decimals, and fails on demand. It listens on loopback only.
//!
//! ```
//! use paid::emulator::{Emulator, Fault};
//! use paid::types::CreateCustomerRequest;
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let emulator = Emulator::start().await?;
//! emulator.fault(Fault::status(503).times(1));
//! let client = emulator.client();
//! let customer = client.customers().create(&CreateCustomerRequest::new("Acme Ltd").external_id("acme")).await?;
//! assert_eq!(client.customers().get_by_external_id("acme").await?.id, customer.id);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does
//!
//! - Operations on products, customers, contacts, orders (with lines and activation), signals, costs, invoices
//!   (with lines), checkouts and webhooks. Any other operation of the document answers 501 and names itself.
//! - A request that the document does not allow answers 400 and says where.
//! - An active order has one open invoice, for the month from its start date: one-time and recurring prices, seats,
//!   and the signals so far. It is priced when it is read. Amounts are in the currency's smallest unit.
//! - A signal bills when its customer has an active order for its product with a usage price of exactly its event
//!   name. An unknown external customer id creates the customer; a repeated idempotency key counts as a duplicate.
//! - Webhooks are signed and sent, to this machine only: for an invoice that is created (when its order is activated), one
//!   that is paid ([`Emulator::pay_invoice`]), checkouts that are created, completed or expire, tests, and on demand ([`Emulator::send_webhook`]).
//! - With feature `trace`, a collector at [`Emulator::collector_url`] takes spans; for faults it is the operation `traces`.
//! - Any key that starts with `paid_` is let in; any other answers 403.

mod billing;
mod catalog;
mod checkouts;
#[cfg(feature = "trace")]
mod collector;
mod contract;
mod customers;
mod fault;
mod orders;
mod pricing;
mod server;
mod store;
mod webhooks;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Client;

#[cfg(feature = "trace")]
pub use collector::CollectedSpan;
pub use contract::{Contract, Matched, Violation};
pub use fault::Fault;

/// A running emulator; it stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    shared: Arc<server::Shared>,
    task: JoinHandle<()>,
}

/// A request that the emulator got.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// The operation's id, if the document has one for the method and path.
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The JSON body, or null.
    pub body: Value,
    /// The status it was answered with.
    pub status: u16,
}

impl Emulator {
    /// Starts on a free port of 127.0.0.1, on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When no port can be opened.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts on this port of 127.0.0.1; 0 is any free one.
    ///
    /// # Errors
    ///
    /// When the port cannot be opened, for example because something else has it.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(server::Shared::new());
        let router = server::router(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            // It ends with the task only: accept errors are handled inside.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, shared, task })
    }

    /// The base URL, for [`ClientBuilder::base_url`](crate::ClientBuilder::base_url) or `PAID_BASE_URL`.
    pub fn url(&self) -> String {
        format!("http://{}/api/v2", self.address)
    }

    /// A client of this emulator.
    ///
    /// # Panics
    ///
    /// When TLS cannot be set up on this machine, which a client needs even if it does not use it.
    #[allow(clippy::expect_used)]
    pub fn client(&self) -> Client {
        let builder = Client::builder().api_key("paid_emulator").base_url(self.url());
        builder.build().expect("key and URL are the emulator's own")
    }

    /// Makes the next requests fail; faults queue up.
    pub fn fault(&self, fault: Fault) {
        self.shared.add_fault(fault);
    }

    /// The requests so far, the last 10,000 at most.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests()
    }

    /// The idempotency keys of all signals that it has taken.
    pub fn idempotency_keys(&self) -> std::collections::BTreeSet<String> {
        self.shared.idempotency_keys()
    }

    /// Pays an invoice: it is marked as paid, and the webhook is sent. Whether there is such an invoice.
    pub async fn pay_invoice(&self, id: &str) -> bool {
        self.shared.change(|store| store.pay_invoice(id)).await
    }

    /// Completes a checkout, as somebody who buys does: the webhook is sent. Whether it was open. No order comes of it.
    pub async fn complete_checkout(&self, id: &str) -> bool {
        self.shared.change(|store| store.end_checkout(id, "completed")).await
    }

    /// Lets a checkout expire: the webhook is sent. Whether it was open.
    pub async fn expire_checkout(&self, id: &str) -> bool {
        self.shared.change(|store| store.end_checkout(id, "expired")).await
    }

    /// Sends a webhook for what the emulator does not do by itself, such as `billing-credits-depleted`. Whether somebody
    /// wants to hear of it.
    pub async fn send_webhook(&self, event: &str, data: crate::JsonObject) -> bool {
        self.shared.change(|store| store.webhooks.send(event, data, false)).await
    }

    /// Where spans go, for [`TraceBuilder::endpoint`](crate::trace::TraceBuilder::endpoint) or
    /// `PAID_OTEL_COLLECTOR_ENDPOINT`.
    #[cfg(feature = "trace")]
    pub fn collector_url(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }

    /// The spans that its collector got.
    #[cfg(feature = "trace")]
    pub fn spans(&self) -> Vec<CollectedSpan> {
        self.shared.collected(|collected| collected.spans.clone())
    }

    /// What its collector got, byte by byte, a request each.
    #[cfg(feature = "trace")]
    pub fn span_requests(&self) -> Vec<bytes::Bytes> {
        self.shared.collected(|collected| collected.bodies.clone())
    }

    /// Makes its collector say of its next request that so many spans of it were refused.
    #[cfg(feature = "trace")]
    pub fn refuse_spans(&self, spans: u32) {
        self.shared.collected(|collected| collected.refuse = spans.into());
    }

    /// Forgets everything: data, faults and requests.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Runs until the process ends.
    pub async fn serve_forever(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}
