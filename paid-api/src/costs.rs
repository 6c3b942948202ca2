//! Costs that you know, straight to Paid: feature `cost-emitter`.
//!
//! A cost record is an amount of money, or usage of a model that Paid prices. Cost records are batched, tried again and kept
//! like signals, with one difference: Paid's document gives cost records no idempotency key. A record whose request was sent and whose answer
//! was lost may be there or not; sending it again may count it twice. Such a record is *uncertain*: it is reported, kept as
//! a dead letter where there is an outbox, and sent again only when you say so.
//!
//! ```no_run
//! use paid::costs::{CostEmitter, CostRecord};
//! use paid::{Currency, Money};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let costs = CostEmitter::new(paid::Client::from_env()?)?;
//! let spent = Money::parse("0.0021", Currency::USD)?; // dollars, not cents
//! costs.record(CostRecord::amount(spent).customer("acme").vendor("scraper"));
//! # Ok(())
//! # }
//! ```

mod cargo;
mod journal;
#[cfg(feature = "outbox")]
mod on_disk;
mod record;
mod sink;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use record::{Cost, CostRecord, Spent, Used};

use crate::Client;
use crate::dispatch::{DiskSettings, Dispatch, DispatchSettings, FlushError, Receipt, Sink, Stats, dispatch_setters};
use crate::error::ConfigError;
use crate::report::RecordKind;
use cargo::Costs;
use sink::CostSink;

/// Delivers cost records from a thread of its own, as an [`Emitter`](crate::Emitter) does signals. Cloning is cheap.
#[derive(Clone)]
pub struct CostEmitter {
    dispatch: Dispatch<Costs>,
    sink: Arc<CostSink>,
    disk: DiskSettings,
}

/// Sets up a [`CostEmitter`]. By default 10,000 cost records may be in memory, 500 go into one request, a record waits 100 ms
/// for others, and dropping the last handle waits 5 seconds.
#[must_use = "a builder does nothing until it is built"]
pub struct CostEmitterBuilder {
    client: Client,
    resend_uncertain: bool,
    settings: DispatchSettings,
    disk: DiskSettings,
}

impl CostEmitter {
    /// Over this client, with defaults for the rest.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn new(client: Client) -> Result<Self, ConfigError> {
        Self::builder(client).build()
    }

    /// Everything that can be set.
    pub fn builder(client: Client) -> CostEmitterBuilder {
        let settings = DispatchSettings { thread: "paid-costs", ..DispatchSettings::default() };
        CostEmitterBuilder { client, resend_uncertain: false, settings, disk: DiskSettings::none(RecordKind::Cost) }
    }

    /// Queues a record, at once, with a receipt to await or drop. Customer and product that it does not name come from the
    /// current scope. What cannot be sent is logged, counted and given to the hook.
    pub fn record<C: Cost>(&self, record: CostRecord<C>) -> Receipt {
        match record.to_record() {
            Ok(record) => {
                let (tell, receipt) = Receipt::new(RecordKind::Cost);
                self.dispatch.push(record, Some(tell), None);
                receipt
            }
            Err(failure) => self.dispatch.refuse(failure),
        }
    }

    /// Waits until every record before is delivered or given up.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`: how many are left. They stay queued.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.flush(timeout).await
    }

    /// Takes no more records, sends what is queued, and ends the thread.
    ///
    /// # Errors
    ///
    /// If something is left: how much.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.shutdown(timeout).await
    }

    /// What it has done so far, in cost records.
    pub fn stats(&self) -> Stats {
        self.dispatch.stats()
    }

    /// How many records are uncertain: sent, and never answered.
    pub fn uncertain(&self) -> usize {
        self.sink.uncertain()
    }
}

impl CostEmitterBuilder {
    dispatch_setters!("cost records");

    /// Sends records again whose answer was lost. Each may then count twice; only for where that is better than missing
    /// one. Off by default.
    pub fn resend_uncertain(mut self, resend: bool) -> Self {
        self.resend_uncertain = resend;
        self
    }

    /// How many requests may be under way at once; 4 by default.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests.max(1);
        self
    }

    /// Opens the outbox, if there is to be one, and starts the thread.
    ///
    /// # Errors
    ///
    /// As [`EmitterBuilder::build`](crate::EmitterBuilder::build).
    pub fn build(self) -> Result<CostEmitter, ConfigError> {
        let sink = Arc::new(CostSink::new(self.client, self.resend_uncertain));
        // What an earlier run left is not sent before it is known what of it is uncertain.
        let opening = sink.opening();
        let way_out = Arc::clone(&sink) as Arc<dyn Sink>;
        let dispatch = Dispatch::start(Costs, way_out, self.settings, &self.disk)?;
        if self.disk.open.is_some() {
            opening.with_journal(&self.disk.folder)?;
        } else {
            drop(opening);
        }
        Ok(CostEmitter { dispatch, sink, disk: self.disk })
    }
}

impl fmt::Debug for CostEmitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CostEmitter({:?})", self.stats())
    }
}

impl fmt::Debug for CostEmitterBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CostEmitterBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
