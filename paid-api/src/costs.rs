//! Costs that you know, straight to Paid: feature `cost-emitter`.
//!
//! A cost record is an amount, or usage of a model that Paid prices. They are batched, tried again and kept like signals, with
//! one difference: Paid's document gives cost records no idempotency key. A record whose request was sent and whose answer
//! was lost may be there or not; sending it again may count it twice. Such a record is *uncertain*: it is reported, kept as
//! a dead letter where there is an outbox, and sent again only when you say so.
//!
//! ```no_run
//! use paid::costs::{CostEmitter, CostRecord, Currency, Decimal};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let costs = CostEmitter::new(paid::Client::from_env()?)?;
//! let cost = CostRecord::amount("0.0021".parse::<Decimal>()?, Currency::USD).customer("acme").vendor("scraper");
//! costs.record(cost);
//! # Ok(())
//! # }
//! ```

// Only an outbox outlives a crash.
#[cfg_attr(not(feature = "outbox"), allow(dead_code))]
mod journal;
mod record;
mod sink;

use std::sync::Arc;
use std::time::Duration;

pub use crate::Decimal;
pub use iso_currency::Currency;
pub use record::CostRecord;

use crate::delivery::{Emitter, EmitterBuilder, FlushError, Receipt, Stats};
use crate::error::ConfigError;
use crate::{Client, EmitError};
use sink::CostSink;

/// Delivers cost records from a thread of its own, as an [`Emitter`] does signals. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct CostEmitter {
    emitter: Emitter,
    sink: Arc<CostSink>,
    #[cfg(feature = "outbox")]
    folder: Option<std::path::PathBuf>,
}

/// Sets up a [`CostEmitter`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct CostEmitterBuilder {
    client: Client,
    resend_uncertain: bool,
    change: Vec<Change>,
    #[cfg(feature = "outbox")]
    folder: Option<std::path::PathBuf>,
}

/// What is said of the emitter below.
struct Change(Box<dyn FnOnce(EmitterBuilder) -> EmitterBuilder + Send>);

impl std::fmt::Debug for Change {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Change")
    }
}

impl CostEmitter {
    /// Over this client, with defaults for the rest.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn new(client: Client) -> Result<Self, ConfigError> {
        Self::builder(client).build()
    }

    /// Everything that can be set.
    pub fn builder(client: Client) -> CostEmitterBuilder {
        CostEmitterBuilder {
            client,
            resend_uncertain: false,
            change: Vec::new(),
            #[cfg(feature = "outbox")]
            folder: None,
        }
    }

    /// Queues a record, at once, with a receipt to await or drop. Customer and product that it does not say come from the
    /// current scope. What cannot be sent is logged, counted and given to the hook.
    pub fn record(&self, record: CostRecord) -> Receipt {
        match record.to_envelope() {
            Ok(envelope) => self.emitter.push_json(envelope.into()),
            Err(failure) => self.emitter.refuse(failure),
        }
    }

    /// Waits until every record before is delivered or given up.
    ///
    /// # Errors
    ///
    /// When that takes longer than `timeout`: how many are left. They stay queued.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.emitter.flush(timeout).await
    }

    /// Takes no more records, sends what is queued, and ends the thread.
    ///
    /// # Errors
    ///
    /// When something is left: how much.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.emitter.shutdown(timeout).await
    }

    /// What it has done so far, in records.
    pub fn stats(&self) -> Stats {
        self.emitter.stats()
    }

    /// How many records are uncertain: sent, and never answered.
    pub fn uncertain(&self) -> usize {
        self.sink.uncertain()
    }

    /// Sends the dead letters of the outbox again, uncertain ones too: those may count twice, which is why nothing but this
    /// does it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, or there is no outbox.
    #[cfg(feature = "outbox")]
    pub async fn resubmit(&self) -> std::io::Result<crate::outbox::Resubmitted> {
        let folder = self.folder.as_ref().ok_or_else(|| std::io::Error::other(EmitError::NoOutbox))?;
        for letter in crate::outbox::dead_letters(folder)?.letters {
            if let Some(key) = letter.idempotency_key() {
                self.sink.allow(&key);
            }
        }
        crate::outbox::resubmit(folder, &self.emitter).await
    }
}

impl CostEmitterBuilder {
    /// Keeps records in this folder until Paid has them; one of its own, not that of signals. See
    /// [`EmitterBuilder::outbox`].
    #[cfg(feature = "outbox")]
    pub fn outbox(mut self, folder: impl Into<std::path::PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sends records again whose answer was lost. Each may then count twice; only for where that is better than missing
    /// one. Off by default.
    pub fn resend_uncertain(mut self, resend: bool) -> Self {
        self.resend_uncertain = resend;
        self
    }

    /// Called for every record that does not reach Paid, or may not have; see [`EmitterBuilder::on_error`].
    pub fn on_error(self, hook: impl Fn(&EmitError) + Send + Sync + 'static) -> Self {
        self.with(move |builder| builder.on_error(hook))
    }

    /// Sets whatever else the emitter below can be told: batches, queue, delays.
    pub fn with(mut self, change: impl FnOnce(EmitterBuilder) -> EmitterBuilder + Send + 'static) -> Self {
        self.change.push(Change(Box::new(change)));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// As [`EmitterBuilder::build`].
    pub fn build(self) -> Result<CostEmitter, ConfigError> {
        let sink = Arc::new(CostSink::new(self.client, self.resend_uncertain));
        let builder =
            self.change.into_iter().fold(EmitterBuilder::over(Arc::clone(&sink)), |builder, change| change.0(builder));
        // What an earlier run left is not sent before it is known what of it is uncertain.
        let opening = sink.opening();
        #[cfg(feature = "outbox")]
        let builder = match &self.folder {
            Some(folder) => builder.of_costs().outbox(folder),
            None => builder,
        };
        let emitter = builder.build()?;
        #[cfg(feature = "outbox")]
        if let Some(folder) = &self.folder {
            opening.with(folder)?;
        } else {
            opening.without();
        }
        #[cfg(not(feature = "outbox"))]
        opening.without();
        Ok(CostEmitter {
            emitter,
            sink,
            #[cfg(feature = "outbox")]
            folder: self.folder,
        })
    }
}
