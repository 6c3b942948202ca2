//! A local Paid for development and tests: feature `emulator`.
//!
//! It keeps products, plans, customers, orders, signals, invoices and payments in memory, checks every request against the
//! API's document, prices signals with exact decimals, and simulates failures on demand. It listens on loopback only.
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
//! # Behaviour
//!
//! - It implements every operation of the document.
//! - A request that violates the document gets 400 and the place of the violation.
//! - An active order has an invoice for every period that began: one-time and recurring prices, seats, and the signals of the
//!   period. A draft is computed whenever it is read; what was posted or paid never changes. Amounts are in the currency's
//!   smallest unit. The rules, each with its source, are in `docs/billing-rules.md`.
//! - What is taken in is done: a request with anything that changes money and that the emulator cannot do gets 400 or 501 and
//!   the place.
//! - A payment that is allocated to lines of an invoice pays it, in parts, too. More than what is left is refused.
//! - A completed checkout has created the customer, an active order of what was bought, its invoice and the payment.
//! - `POST /__emulator/products/{id}/archive` and `…/restore`, `POST /__emulator/invoices/{id}/post`, `…/pay` and
//!   `…/fail-payment`, `POST /__emulator/payments/{id}/post` and `…/fail`, and `POST /__emulator/checkouts/{id}/complete` and
//!   `…/expire` make happen what Paid does by itself or its users do elsewhere.
//!   They need the API key.
//! - A signal is billed if its customer has an active order for its product with a usage price for exactly its event name.
//!   Without a product, or with one that does not exist, it fails; [`Emulator::failed_signals`] says why. An unknown external
//!   customer id creates the customer; a repeated idempotency key counts as a duplicate.
//!   [`Emulator::signals`] shows the others, each with what it is billed as, or why it is not.
//! - Costs are kept with every digit, all of a request or none. So are costs that come with a signal (`costData`) and in spans.
//!   [`Emulator::costs`] and the table `fact_cost` show them.
//! - What signals are worth is calculated exactly from the active value model, whenever it is read; a value receipt keeps what
//!   it was filled with. What a value model says and the emulator cannot calculate is refused.
//! - With feature `emulator-sql`, it runs SQL over tables of its own, read-only, in SQLite: for analytics and for custom views.
//!   Without it, they respond with 501. `docs/emulator.md` lists the tables.
//! - It signs webhooks and sends them, to loopback addresses only: when an invoice is created, posted or paid
//!   ([`Emulator::pay_invoice`]), when a payment succeeds or fails, when a checkout is created, completed
//!   ([`Emulator::complete_checkout`]) or expires, for tests, and on demand ([`Emulator::send_webhook`]).
//! - With feature `trace`, it has a collector for spans, in protobuf or JSON, at `Emulator::collector_url`; faults address it
//!   as the operation `traces`.
//! - With [`EmulatorBuilder::catalogue`], every signal that it receives is held against a `signals.toml`.
//!   [`Emulator::catalogue_report`] and `GET /__emulator/catalogue` say what the catalogue does not allow. The answers stay as they
//!   are.
//! - It accepts every API key that starts with `paid_`, and responds to any other with 403.

mod accounts;
mod amendments;
mod analytics;
mod attributes;
mod billing;
mod builder;
mod caps;
mod catalog;
mod checkouts;
mod clock;
#[cfg(feature = "trace")]
mod collector;
mod compaction;
mod contract;
mod control;
mod costs;
mod credits;
mod customers;
mod downloads;
mod fault;
mod http;
mod invoices;
mod journal;
mod live_check;
mod local;
mod numbers;
#[allow(dead_code, reason = "feature `account` calls it")]
mod offline;
mod operations;
mod order_credits;
mod orders;
mod overview;
mod page;
mod payments;
mod plans;
mod pricing;
mod queries;
mod refusal;
mod replay;
mod requests;
mod rows;
mod seats;
mod seed;
mod server;
mod settlement;
mod signals;
#[cfg(feature = "emulator-sql")]
mod sqlite;
mod store;
mod summaries;
mod table;
mod unit_caps;
mod value;
mod values;
mod verdicts;
mod views;
mod webhooks;
#[allow(dead_code)] // A feature that is on replaces some of it.
mod without;

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::{Client, JsonObject, Timestamp};

pub use builder::EmulatorBuilder;
#[cfg(feature = "trace")]
pub use collector::CollectedSpan;
pub use contract::{Contract, Matched, Violation};
pub use costs::CollectedCost;
pub use fault::Fault;
pub use live_check::{CatalogueReport, LiveCatalogue, Objection};
#[allow(unused_imports, reason = "feature `account` calls it")]
pub(crate) use offline::Offline;
pub use requests::Recorded;
use server::EmulatorState;
pub use signals::FailedSignal;
pub use verdicts::{ReceivedSignal, SignalOutcome};
#[allow(unused_imports)] // Features that are on replace all of it.
use without::*;

/// A running emulator. Dropping it stops it.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    state: Arc<EmulatorState>,
    collector: collector::Collector,
    task: JoinHandle<()>,
}

impl Emulator {
    /// Starts an emulator on a free port of 127.0.0.1, in the current tokio runtime.
    ///
    /// # Errors
    ///
    /// If no port can be opened.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts an emulator on this port of 127.0.0.1, in the current tokio runtime. 0 stands for any free port.
    ///
    /// # Errors
    ///
    /// If the port cannot be opened, for example because it is in use.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        Self::builder().port(port).start().await
    }

    /// The base URL of the API, for [`ClientBuilder::base_url`](crate::ClientBuilder::base_url) or `PAID_BASE_URL`.
    pub fn url(&self) -> String {
        format!("http://{}/api/v2", self.address)
    }

    /// The address of the page that shows what is in it.
    pub fn page_url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Creates a client that sends its requests to this emulator.
    ///
    /// # Panics
    ///
    /// If TLS cannot be set up on this machine. Every client sets it up, even if it does not use it.
    #[allow(clippy::expect_used)]
    pub fn client(&self) -> Client {
        let builder = Client::builder().api_key("paid_emulator").base_url(self.url());
        builder.build().expect("the emulator's API key and URL are valid")
    }

    /// Creates a product with this external id and no prices, without a request, so that signals may name it. Does nothing if
    /// there is one.
    pub fn add_product(&self, external_id: &str) {
        let product = serde_json::json!({"name": external_id, "externalId": external_id, "active": true});
        // It is refused only if there is one.
        let _ = self.state.store().create_product(&product);
    }

    /// Adds a fault for the next requests that it applies to. Faults apply in the order in which they were added.
    pub fn fault(&self, fault: Fault) {
        self.state.faults.add(fault);
    }

    /// Returns the requests that were received so far: at most the last 10,000, and at most 64 MiB of bodies.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.requests.all()
    }

    /// Returns the idempotency keys of all signals that were accepted.
    pub fn idempotency_keys(&self) -> BTreeSet<String> {
        self.state.store().signals.keys().map(str::to_owned).collect()
    }

    /// Returns the costs that were accepted, in the order of their arrival.
    pub fn costs(&self) -> Vec<CollectedCost> {
        self.state.store().costs.clone()
    }

    /// Returns the signals that were accepted, in the order of their arrival, each with what became of it.
    ///
    /// What a signal is billed as follows the orders of now: one that is activated later bills earlier signals, too.
    pub fn signals(&self) -> Vec<ReceivedSignal> {
        self.state.store().received_signals()
    }

    /// Returns the signals that were counted as failed, each with the reason, which Paid's answer does not tell: at most the
    /// last 10,000.
    pub fn failed_signals(&self) -> Vec<FailedSignal> {
        self.state.store().failed_signals.iter().cloned().collect()
    }

    /// What the catalogue does not allow of the signals that were received, and which of its entries were never received.
    /// `None` without [`EmulatorBuilder::catalogue`].
    pub fn catalogue_report(&self) -> Option<CatalogueReport> {
        self.state.live.as_ref().map(live_check::LiveCheck::report)
    }

    /// Pays what is left of an invoice, posts it if it is a draft, and sends the webhooks. Returns true if it was there and not
    /// paid.
    pub async fn pay_invoice(&self, id: &str) -> bool {
        self.state.act_named("invoices", "pay", id).await
    }

    /// Archives a product by Paid's id, which people do in Paid's app: the API has no operation for it. Lists show it with
    /// `archived=true` only. Returns true if the product is there and was not archived.
    pub async fn archive_product(&self, id: &str) -> bool {
        self.state.act_named("products", "archive", id).await
    }

    /// Restores a product that was archived, by Paid's id. Returns true if the product is there and was archived.
    pub async fn restore_product(&self, id: &str) -> bool {
        self.state.act_named("products", "restore", id).await
    }

    /// Completes a checkout as its customer does: the first product and plan that it offers are bought and paid, and the
    /// webhooks are sent. Returns true if the checkout was open and what it offers could be bought.
    pub async fn complete_checkout(&self, id: &str) -> bool {
        self.state.act_named("checkouts", "complete", id).await
    }

    /// Lets a checkout expire and sends the webhook. Returns true if the checkout was open.
    pub async fn expire_checkout(&self, id: &str) -> bool {
        self.state.act_named("checkouts", "expire", id).await
    }

    /// Sends a webhook for an event that the emulator does not produce itself, such as `billing-credits-depleted`. Returns true
    /// if the event has an enabled URL.
    pub async fn send_webhook(&self, event: &str, data: JsonObject) -> bool {
        self.state.change(|store| store.webhooks.send(event, data, false)).await
    }

    /// Loses the next signals of these idempotency keys: they are acknowledged and not kept, each once.
    pub fn lose_signals<K: Into<String>>(&self, keys: impl IntoIterator<Item = K>) {
        self.state.store().to_lose.extend(keys.into_iter().map(Into::into));
    }

    /// Moves the emulator's time forward: periods begin, invoices are due, what posts by itself is posted, and webhooks are
    /// sent. Returns false if there is no such time, beyond the year 9998.
    pub async fn advance(&self, by: Duration) -> bool {
        match chrono::TimeDelta::from_std(by) {
            Ok(by) => self.state.advance(by).await,
            Err(_) => false,
        }
    }

    /// What time it is in the emulator, whose clock tests can move.
    pub fn now(&self) -> Timestamp {
        self.state.store().clock.now()
    }

    /// Deletes all data, faults, recorded requests and spans.
    pub fn reset(&self) {
        self.state.reset();
        self.collector.reset();
    }

    /// Serves requests until the future is dropped or the process ends.
    pub async fn serve_forever(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}
