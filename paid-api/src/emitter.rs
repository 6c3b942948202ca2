//! The [`Emitter`] of signals, over dispatch and an optional outbox.

mod blocking;
mod builder;
mod cargo;
#[cfg(feature = "outbox")]
mod on_disk;

use std::fmt;
use std::time::Duration;

use crate::Client;
use crate::dispatch::tell;
use crate::dispatch::{Delivery, Dispatch, FlushError, Receipt, Record, Stats};
use crate::emit;
use crate::error::ConfigError;
use crate::listener::Emit;
use crate::report::{DeliveryError, RecordKind};
use crate::signal::{HashKey, PaidSignal, Signal};
use crate::sinks::paid::PaidSink;

pub use builder::EmitterBuilder;
use cargo::Signals;

/// Delivers signals to Paid from its own thread: emitting never waits for the network and needs no async runtime.
/// Cloning is cheap; dropping the last handle waits up to 5 seconds for queued signals, and reports those that are not
/// delivered.
///
/// An emitter that is still alive when the process ends, because it is installed, in a static or leaked, does the same
/// then: if `main` returns or panics, or if something calls [`std::process::exit`], the process waits for queued signals,
/// for all emitters at the same time. The wait is the emitter's [`patience`](EmitterBuilder::patience), but not more than
/// a minute; call [`shutdown`](Self::shutdown) first if you need longer. Signals that are emitted meanwhile are refused
/// and reported. If the process is killed by a signal (see `shutdown_on_sigterm`, feature `sigterm`, for SIGTERM and
/// SIGINT) or aborts, queued signals are lost unless they are in an outbox. So they are on Windows if
/// [`std::process::exit`] is called: it runs nothing there; call `shutdown` before.
///
/// Signals are sent in batches, several at a time, and those of one customer in the order in which they were emitted.
/// If a batch cannot be delivered now (Paid cannot be reached, is overloaded, or refuses the API key), it is retried
/// until it is delivered, with waits of up to a minute. Meanwhile the queue fills: with an
/// [outbox](EmitterBuilder::outbox), signals go to disk; without one, signals beyond its limit are refused and
/// reported, or handled as [`Overflow`](crate::Overflow) says. A batch that Paid refuses for its content, or counts as
/// partly failed, is halved until each bad signal is alone, so the good ones are delivered. Every signal has an
/// idempotency key from its emission on, so a retry bills nothing twice. [`Verdict`](crate::Verdict) has the table of
/// what is retried.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = paid::Client::from_env()?;
/// paid::install(paid::Emitter::new(client)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Emitter {
    dispatch: Dispatch<Signals>,
    hash_key: Option<HashKey>,
    has_reference: bool,
}

/// The field of a signal's data that holds its idempotency key, for signals with a reference.
pub(crate) const REFERENCE: &str = "paid_ref";

impl Emitter {
    /// Creates an emitter with this client's API key and settings, and default settings of its own.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn new(client: Client) -> Result<Self, ConfigError> {
        Self::builder(client).build()
    }

    /// Returns a builder with the default settings. The emitter takes over the client's API key, base URL, timeouts and HTTP
    /// settings. It has connections of its own, and paces its attempts itself instead of following the client's
    /// [`RetryPolicy`](crate::RetryPolicy).
    pub fn builder(client: Client) -> EmitterBuilder {
        let mut builder = EmitterBuilder::over(PaidSink::new(&client));
        builder.settings.is_keyless = client.is_keyless();
        builder
    }

    /// Queues a signal at once and returns a receipt to await or to drop. A customer and product that the signal does
    /// not set come from the current scope.
    ///
    /// It never waits for the network. With an outbox and a full queue it may wait for the disk, for a second at most.
    pub fn emit<S: PaidSignal>(&self, signal: S) -> Receipt {
        if let Some(receipt) = self.dispatch.skipped() {
            return receipt;
        }
        match emit::made(signal).and_then(|signal| self.complete(signal)) {
            Ok(signal) => {
                let (tell, receipt) = Receipt::new(RecordKind::Signal);
                emit::with_costs(signal, |signal| self.dispatch.push(signal, Some(tell), None));
                receipt
            }
            Err(failure) => self.dispatch.refuse(failure),
        }
    }

    /// Queues many signals, in order, as [`emit`](Self::emit) does with each. The receipts are in the same order.
    ///
    /// ```no_run
    /// # async fn example(emitter: paid::Emitter) -> Result<(), paid::DeliveryError> {
    /// let signals = ["m-1", "m-2"].map(|id| paid::Signal::new("email_sent").customer("acme").idempotency_key(id));
    /// for receipt in emitter.emit_all(signals) {
    ///     receipt.await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn emit_all<S: PaidSignal>(&self, signals: impl IntoIterator<Item = S>) -> Vec<Receipt> {
        signals.into_iter().map(|signal| self.emit(signal)).collect()
    }

    /// Emits a signal and waits until it is delivered or permanently refused. With
    /// [`Overflow::Wait`](crate::Overflow::Wait) it first waits for its turn and for room in the queue; if the future is
    /// dropped before, the signal is not emitted.
    ///
    /// # Errors
    ///
    /// If the signal was not delivered: with the reason.
    pub async fn send<S: PaidSignal>(&self, signal: S) -> Result<Delivery, DeliveryError> {
        if let Some(receipt) = self.dispatch.skipped() {
            return receipt.await;
        }
        let signal = match self.complete(signal.to_signal()) {
            Ok(signal) => signal,
            Err(failure) => return self.dispatch.refuse(failure).await,
        };
        let room = self.dispatch.room_for(&signal).await;
        let (tell, receipt) = Receipt::new(RecordKind::Signal);
        emit::with_costs(signal, |signal| self.dispatch.push_into(room, signal, Some(tell), None));
        receipt.await
    }

    /// Emits a signal and waits until it is safe: in the outbox on disk, or delivered. With
    /// [`Overflow::Wait`](crate::Overflow::Wait) it first waits for its turn and for room in the queue; if the future is
    /// dropped before, the signal is not emitted. The receipt resolves when the signal is delivered or refused.
    ///
    /// While the disk is full and Paid cannot be reached, the signal is in memory only, and this waits. A
    /// `tokio::time::timeout` around it ends the wait and not the signal, which goes on to the disk or to Paid.
    ///
    /// # Errors
    ///
    /// If the signal is not safe: with the reason; [`DeliveryError::NoOutbox`] if the emitter has no outbox. If sending is switched off
    /// (`PAID_ENABLED=false`), or this is a dry run, `Ok` means that the signal was discarded, on purpose.
    pub async fn store<S: PaidSignal>(&self, signal: S) -> Result<Receipt, DeliveryError> {
        if !self.dispatch.is_live() {
            return Ok(self.emit(signal));
        }
        if !self.dispatch.has_disk() {
            return Err(DeliveryError::NoOutbox { kind: RecordKind::Signal });
        }
        let signal = match emit::made(signal).and_then(|signal| self.complete(signal)) {
            Ok(signal) => signal,
            Err(failure) => return self.dispatch.refuse(failure.clone()).await.and(Err(failure)),
        };
        let room = self.dispatch.room_for(&signal).await;
        let (tell, receipt) = Receipt::new(RecordKind::Signal);
        let (tell_stored, stored) = tell::channel();
        emit::with_costs(signal, |signal| self.dispatch.push_into(room, signal, Some(tell), Some(tell_stored)));
        receipt.once_safe(stored).await
    }

    /// Sets what the signal lacks, and hashes what is sent as a hash.
    fn complete(&self, signal: Signal) -> Result<Signal, DeliveryError> {
        emit::complete(signal).and_then(|signal| self.finished(signal))
    }

    /// Hashes what is sent as a hash, and adds the reference.
    fn finished(&self, signal: Signal) -> Result<Signal, DeliveryError> {
        let signal = emit::hashed(signal, self.hash_key.as_ref())?;
        let key = signal.idempotency_key_ref().filter(|_| self.has_reference).map(str::to_owned);
        Ok(match key {
            Some(key) => signal.field(REFERENCE, key.as_str()),
            None => signal,
        })
    }

    /// The record of a signal that is already JSON. JSON that is not a signal is counted and reported.
    pub(crate) fn record_of_json(&self, text: &[u8]) -> Option<Record> {
        let record = cargo::record_of_json(text);
        if record.is_none() {
            drop(self.dispatch.refuse(DeliveryError::NotASignal));
        }
        record
    }

    /// Whether what is emitted is sent: not if sending is switched off, or in a dry run.
    pub(crate) fn is_live(&self) -> bool {
        self.dispatch.is_live()
    }

    /// Queues a record once there is room; dropping the future before gives up its place. `None` if the emitter is shut
    /// down: that is not reported, since the record is safe elsewhere.
    pub(crate) async fn emit_record(&self, record: Record) -> Option<Receipt> {
        let room = self.dispatch.room_for_record(&record).await?;
        Some(self.dispatch.push_record(Some(room), record))
    }

    /// How long dropping the last handle waits.
    pub(crate) fn patience(&self) -> Duration {
        self.dispatch.patience()
    }

    /// Waits until everything that was emitted before is delivered or permanently refused.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`: with the number of signals that are not delivered, which stay queued. If delivery has
    /// ended: with the number of those that it left.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.flush(timeout).await
    }

    /// Accepts no more signals, sends the queued ones, and ends the emitter's thread. Signals that are not delivered
    /// after `timeout` stay in the outbox until it is opened again; without one they are lost and reported.
    ///
    /// # Errors
    ///
    /// If signals are not delivered: with their number.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.shutdown(timeout).await
    }

    /// The emitter's counters so far.
    pub fn stats(&self) -> Stats {
        self.dispatch.stats()
    }

    /// Sets how long the end may take if a signal of the operating system ends the process.
    #[allow(dead_code, reason = "feature `sigterm` calls it")]
    pub(crate) fn name_time_on_signal(&self, time: Duration) {
        self.dispatch.name_time_on_signal(time);
    }
}

impl Emit for Emitter {
    fn emit(&self, signal: Signal) -> bool {
        match self.finished(signal) {
            Ok(signal) => self.dispatch.push(signal, None, None),
            Err(failure) => {
                drop(self.dispatch.refuse(failure));
                false
            }
        }
    }

    fn fail(&self, failure: DeliveryError) {
        self.dispatch.refuse_logged(&failure);
    }

    fn skip(&self) -> bool {
        self.dispatch.skipped().is_some()
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Emitter({:?})", self.stats())
    }
}
