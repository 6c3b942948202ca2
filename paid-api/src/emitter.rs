//! Signals on their way to Paid: the [`Emitter`], over dispatch and an outbox.

mod builder;
mod cargo;
#[cfg(feature = "outbox")]
mod on_disk;
#[cfg(feature = "sigterm")]
mod on_sigterm;

use std::fmt;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::Client;
use crate::dispatch::{Delivery, Dispatch, FlushError, Receipt, Stats};
use crate::emit;
use crate::error::ConfigError;
use crate::listener::Emit;
use crate::report::{DeliveryError, RecordKind};
use crate::signal::{PaidSignal, Signal};

pub use builder::EmitterBuilder;
use cargo::Signals;

/// Delivers signals to Paid from a thread of its own: emitting never waits for the network and needs no runtime. Cloning
/// is cheap; dropping the last handle waits up to 5 seconds for what is queued, and reports what is left.
///
/// Signals go out in batches, several at a time, and those of one customer in the order they came. What cannot be
/// delivered now (Paid cannot be reached, is overloaded, or refuses the key) is tried again until it is, with waits that
/// grow to a minute. Meanwhile the queue fills: with an [outbox](EmitterBuilder::outbox) signals go to disk; without
/// one, those beyond its limit are refused and reported, or as [`Overflow`](crate::Overflow) says. A batch that Paid refuses
/// for its content, or counts as partly failed, is halved until the bad signals stand alone: the good ones get through. Every
/// signal has an idempotency key from emission on, so that repeating one bills nothing twice. [`Verdict`](crate::Verdict) has
/// the table of what is tried again.
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
}

impl Emitter {
    /// An emitter over this client, with defaults for the rest.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn new(client: Client) -> Result<Self, ConfigError> {
        Self::builder(client).build()
    }

    /// Everything that can be set.
    pub fn builder(client: Client) -> EmitterBuilder {
        EmitterBuilder::over(client)
    }

    /// Queues a signal, at once, with a receipt to await or drop. Customer and product that it does not name come from
    /// the current scope.
    ///
    /// It never waits for the network. With an outbox and a full queue it may wait for the disk, for a second at most.
    pub fn emit<S: PaidSignal>(&self, signal: S) -> Receipt {
        match emit::complete(signal.to_signal()) {
            Ok(signal) => {
                let (tell, receipt) = Receipt::new(RecordKind::Signal);
                emit::with_costs(signal, |signal| self.dispatch.push(signal, Some(tell), None));
                receipt
            }
            Err(failure) => self.dispatch.refuse(failure),
        }
    }

    /// Sends a signal and waits until it is delivered or refused for good. With [`Overflow::Wait`](crate::Overflow::Wait) it
    /// waits for room in the queue first.
    ///
    /// # Errors
    ///
    /// Why it was not delivered.
    pub async fn send<S: PaidSignal>(&self, signal: S) -> Result<Delivery, DeliveryError> {
        self.dispatch.wait_for_room().await;
        let receipt = self.emit(signal);
        receipt.await
    }

    /// Queues a signal and waits until it is safe: in the outbox on disk, or delivered. With
    /// [`Overflow::Wait`](crate::Overflow::Wait) it waits for room in the queue first. The receipt says later what became of
    /// it.
    ///
    /// # Errors
    ///
    /// Why it is not safe: [`DeliveryError::NoOutbox`] without an outbox.
    pub async fn store<S: PaidSignal>(&self, signal: S) -> Result<Receipt, DeliveryError> {
        if !self.dispatch.has_disk() {
            return Err(DeliveryError::NoOutbox { kind: RecordKind::Signal });
        }
        let signal = match emit::complete(signal.to_signal()) {
            Ok(signal) => signal,
            Err(failure) => return self.dispatch.refuse(failure.clone()).await.and(Err(failure)),
        };
        self.dispatch.wait_for_room().await;
        let (tell, receipt) = Receipt::new(RecordKind::Signal);
        let (tell_stored, stored) = oneshot::channel();
        emit::with_costs(signal, |signal| self.dispatch.push(signal, Some(tell), Some(tell_stored)));
        if stored.await.is_ok() {
            return Ok(receipt);
        }
        // Not stored: the receipt says why.
        match receipt.await {
            Ok(delivery) => Ok(Receipt::of_delivery(RecordKind::Signal, delivery)),
            Err(failure) => Err(failure),
        }
    }

    /// Queues a signal that is JSON already, as it stands in a stream or a dead letter, when there is room for it.
    pub(crate) async fn emit_json(&self, text: &[u8]) -> Receipt {
        match cargo::record_of_json(text) {
            Some(record) => {
                self.dispatch.room().await;
                self.dispatch.push_record(record)
            }
            None => self.dispatch.refuse(DeliveryError::NotASignal),
        }
    }

    /// Waits until everything that was emitted before is delivered or refused for good.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`: how many signals are left. They stay queued.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.flush(timeout).await
    }

    /// Takes no more signals, sends what is queued, and ends the emitter's thread. What is left after `timeout` is lost
    /// and reported, or stays in the outbox until it is opened again.
    ///
    /// # Errors
    ///
    /// If something is left: how much.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.shutdown(timeout).await
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.dispatch.stats()
    }
}

impl Emit for Emitter {
    fn emit(&self, signal: Signal) -> bool {
        self.dispatch.push(signal, None, None)
    }

    fn fail(&self, failure: DeliveryError) {
        self.dispatch.refuse_logged(&failure);
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Emitter({:?})", self.stats())
    }
}
