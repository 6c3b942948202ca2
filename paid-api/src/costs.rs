//! Cost records, sent directly to Paid: feature `cost-emitter`.
//!
//! A cost record is an amount of money, or usage of a model that Paid prices. Cost records are batched, retried and
//! stored like signals, with one difference: the API has no idempotency key for cost records. If a record was sent but
//! the response was lost, Paid may or may not have it, and sending it again may count it twice. Such a record is
//! *uncertain*: it is reported, kept as a dead letter if there is an outbox, and sent again only if you ask for it.
//!
//! With an outbox this holds over crashes, too: the file `costs-on-their-way` in its folder says which records Paid has or may
//! have. Each request waits until that file is written and synced, and while it cannot be, for example because the disk is
//! full, no request is sent. If the file is damaged or missing, everything that an earlier process left in the outbox is
//! uncertain. That includes a loss of power that cuts off its end while it was being written. Keep the folder together: a
//! copy of an older state would send again what was sent since.
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

mod api;
mod cargo;
mod journal;
mod known;
#[cfg(feature = "outbox")]
mod on_disk;
mod record;
mod sink;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use record::{Cost, CostRecord, Spent, Used};

use crate::Client;
use crate::dispatch::{
    DiskSettings, Dispatch, DispatchSettings, FlushError, Folder, HasOutbox, Mode, Receipt, Record, Sink, Stats,
    delivered_setter, dispatch_setters, tell,
};
use crate::error::ConfigError;
use crate::report::{DeliveryError, RecordKind};
use crate::sinks::background;
#[allow(unused_imports, reason = "the simulation needs them")]
pub(crate) use api::{CostAnswer, CostApi};
use cargo::{Costs, ReadLetters};
use sink::CostSink;

/// Delivers cost records from its own thread, as an [`Emitter`](crate::Emitter) delivers signals. Cloning is cheap.
/// Dropping the last handle waits for queued records, and so does the end of the process, as with an emitter.
#[derive(Clone)]
pub struct CostEmitter {
    dispatch: Dispatch<Costs>,
    sink: Arc<CostSink>,
    /// The folder of the outbox, if there is one.
    folder: Option<Arc<dyn Folder>>,
}

/// Configures and builds a [`CostEmitter`]. By default the queue holds 10,000 records, a request holds up to 500, a
/// record waits 100 ms for others, the waits before retries grow from 500 ms to a minute, and dropping the last handle
/// waits 5 seconds.
#[must_use = "a builder does nothing until it is built"]
pub struct CostEmitterBuilder {
    api: Arc<dyn CostApi>,
    resend_uncertain: bool,
    pub(crate) settings: DispatchSettings,
    pub(crate) disk: DiskSettings,
    /// Reads the dead letters of the outbox.
    letters: ReadLetters,
}

impl CostEmitter {
    /// Creates a cost emitter with this client's API key and settings, and default settings of its own.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn new(client: Client) -> Result<Self, ConfigError> {
        Self::builder(client).build()
    }

    /// Returns a builder with the default settings. What is taken over from the client is said at
    /// [`Emitter::builder`](crate::Emitter::builder).
    pub fn builder(client: Client) -> CostEmitterBuilder {
        let mut builder = CostEmitterBuilder::over(Arc::new(background::client(&client)));
        builder.settings.is_keyless = client.is_keyless();
        builder
    }

    /// Queues a record at once and returns a receipt to await or to drop. A customer and product that the record does
    /// not set come from the current scope. A record that cannot be sent is counted, logged and passed to the error
    /// hook.
    pub fn record<C: Cost>(&self, record: CostRecord<C>) -> Receipt {
        if let Some(receipt) = self.dispatch.skipped() {
            return receipt;
        }
        match record.to_record() {
            Ok(record) => self.push(record),
            Err(failure) => self.dispatch.refuse(failure),
        }
    }

    /// Queues a record and waits until it is safe: in the outbox on disk, or delivered. The receipt resolves as that of
    /// [`record`](Self::record). It waits as [`Emitter::store`](crate::Emitter::store) does.
    ///
    /// # Errors
    ///
    /// If the record is not safe: with the reason; [`DeliveryError::NoOutbox`] if there is no outbox. If sending is switched off
    /// (`PAID_ENABLED=false`), or this is a dry run, `Ok` means that the record was discarded, on purpose.
    pub async fn store<C: Cost>(&self, record: CostRecord<C>) -> Result<Receipt, DeliveryError> {
        if !self.dispatch.is_live() {
            return Ok(self.record(record));
        }
        if !self.dispatch.has_disk() {
            return Err(DeliveryError::NoOutbox { kind: RecordKind::Cost });
        }
        let record = match record.to_record() {
            Ok(record) => record,
            Err(failure) => return self.dispatch.refuse(failure.clone()).await.and(Err(failure)),
        };
        let room = self.dispatch.room_for(&record).await;
        let (tell, receipt) = Receipt::new(RecordKind::Cost);
        let (tell_stored, stored) = tell::channel();
        self.dispatch.push_into(room, record, Some(tell), Some(tell_stored));
        receipt.once_safe(stored).await
    }

    pub(crate) fn push(&self, record: Record) -> Receipt {
        let (tell, receipt) = Receipt::new(RecordKind::Cost);
        self.dispatch.push(record, Some(tell), None);
        receipt
    }

    /// Waits until every record queued before is delivered, permanently refused or uncertain.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`: with the number of records that are not delivered, which stay queued. If delivery has
    /// ended: with the number of those that it left.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.flush(timeout).await
    }

    /// Accepts no more records, sends the queued ones, and ends the thread. Records that are not delivered after
    /// `timeout` stay in the outbox; without one they are lost and reported. Records whose request is on its way even then are
    /// uncertain.
    ///
    /// # Errors
    ///
    /// If records are not delivered: with their number.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.shutdown(timeout).await
    }

    /// Like [`flush`](Self::flush), on a thread without an async runtime.
    ///
    /// # Errors
    ///
    /// See [`flush`](Self::flush).
    pub fn blocking_flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.flush_blocking(timeout)
    }

    /// Like [`shutdown`](Self::shutdown), on a thread without an async runtime.
    ///
    /// # Errors
    ///
    /// See [`shutdown`](Self::shutdown).
    pub fn blocking_shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.shutdown_blocking(timeout)
    }

    /// The counters so far, in cost records.
    pub fn stats(&self) -> Stats {
        self.dispatch.stats()
    }

    /// How many records are uncertain: sent, but never answered, by this process or by an earlier one with the same outbox.
    /// Each is counted until it is sent again. With an outbox, the key of each is kept in memory, some hundred bytes.
    pub fn uncertain(&self) -> usize {
        self.sink.uncertain()
    }

    /// Sets how long the end may take if a signal of the operating system ends the process.
    #[allow(dead_code, reason = "feature `sigterm` calls it")]
    pub(crate) fn name_time_on_signal(&self, time: Duration) {
        self.dispatch.name_time_on_signal(time);
    }
}

impl CostEmitterBuilder {
    pub(crate) fn over(api: Arc<dyn CostApi>) -> Self {
        let settings = DispatchSettings { thread: "paid-costs", ..DispatchSettings::default() };
        Self { api, resend_uncertain: false, settings, disk: DiskSettings::none(RecordKind::Cost), letters: |_| None }
    }

    dispatch_setters!("cost records", queue: "10,000", batch: "500", linger: "100 ms", delays: "500 ms and a minute", patience: "5 seconds");

    delivered_setter!("cost records", resent: "`CostEmitter::resubmit`");

    /// Keeps records in this folder until Paid has them. It must not be the outbox of an emitter of signals. See
    /// [`EmitterBuilder::outbox`](crate::EmitterBuilder::outbox). Feature `outbox`.
    pub fn outbox(self, folder: impl Into<PathBuf>) -> Self
    where
        for<'a> &'a (): HasOutbox<Self>,
    {
        <&() as HasOutbox<Self>>::kept_in(self, folder.into())
    }

    /// Sets whether records are sent again if the response to them was lost; off by default. Each may then be counted
    /// twice; use this only if that is better than a missing record. Uncertain records of an earlier run that are still in the
    /// outbox are sent again, too; dead letters are not.
    pub fn resend_uncertain(mut self, resend: bool) -> Self {
        self.resend_uncertain = resend;
        self
    }

    /// Sets how many requests may be in progress at once; 4 by default.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests.max(1);
        self
    }

    /// Opens the outbox, if one is set, and starts the thread.
    ///
    /// If it can no longer be read completely which records of an earlier run Paid may have, all of them are uncertain: the
    /// error hook is told, they become dead letters, and nothing is sent twice.
    ///
    /// # Errors
    ///
    /// See [`EmitterBuilder::build`](crate::EmitterBuilder::build); and if the outbox's file `costs-on-their-way` cannot be
    /// opened. Nothing is sent then.
    pub fn build(mut self) -> Result<CostEmitter, ConfigError> {
        if self.settings.mode()? != Mode::Live {
            self.disk = DiskSettings::none(RecordKind::Cost);
        }
        let sink = Arc::new(CostSink::new(self.api, self.resend_uncertain));
        let folder = self.disk.settle()?;
        if folder.is_some() {
            let sink = Arc::clone(&sink);
            self.disk.gone = Some(Arc::new(move |keys| sink.gone(keys)));
        }
        let cargo = Costs::new(Arc::clone(&sink), folder.clone(), &self.disk, self.letters)?;
        let way_out = Arc::clone(&sink) as Arc<dyn Sink>;
        let dispatch = Dispatch::start(cargo, way_out, self.settings, &self.disk)?;
        Ok(CostEmitter { dispatch, sink, folder })
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
