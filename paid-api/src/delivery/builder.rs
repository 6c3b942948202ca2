//! What can be set of an emitter, and how its threads start.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::{mpsc as events, watch};

use super::queue::{Limits, Overflow, Queue};
use super::shared::{Hook, Shared};
use super::sink::Sink;
use super::worker::{Settings, Worker};
use super::{Emitter, Inner};
use crate::emit::EmitError;
use crate::error::ConfigError;

/// Sets up an [`Emitter`].
#[must_use = "a builder does nothing until it is built"]
pub struct EmitterBuilder {
    sink: Arc<dyn Sink>,
    settings: Settings,
    hook: Option<Box<Hook>>,
    limits: Limits,
    overflow: Overflow,
    patience: Duration,
    #[cfg(feature = "outbox")]
    outbox: Option<std::path::PathBuf>,
    #[cfg(feature = "outbox")]
    fsync: super::outbox::Fsync,
    #[cfg(feature = "outbox")]
    kind: super::outbox::Kind,
}

impl EmitterBuilder {
    /// An emitter that delivers to something else than Paid's API: a test, a queue of your own.
    pub fn over(sink: impl Sink + 'static) -> Self {
        Self {
            sink: Arc::new(sink),
            settings: Settings::default(),
            hook: None,
            limits: Limits { signals: 10_000, bytes: 64 << 20 },
            overflow: Overflow::Reject,
            patience: Duration::from_secs(5),
            #[cfg(feature = "outbox")]
            outbox: None,
            #[cfg(feature = "outbox")]
            fsync: super::outbox::Fsync::default(),
            #[cfg(feature = "outbox")]
            kind: super::outbox::Kind::Signals,
        }
    }

    /// What it delivers are cost records.
    #[cfg(all(feature = "outbox", feature = "cost-emitter"))]
    pub(crate) fn of_costs(mut self) -> Self {
        self.kind = super::outbox::Kind::Costs;
        self
    }

    /// Called for every signal that is not billed, and when the outbox has a problem, from the thread that notices it. It
    /// has been logged already.
    pub fn on_error(mut self, hook: impl Fn(&EmitError) + Send + Sync + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Keeps signals in this folder until Paid has them, so that they survive a crash, a restart, and an outage that is
    /// longer than memory. What an earlier run left is sent first. Signals that Paid refuses for good are written to
    /// `dead-letters.jsonl` in it; see [`outbox`](crate::outbox).
    ///
    /// The folder is made if there is none. One process at a time can have it; it must be on a local disk.
    #[cfg(feature = "outbox")]
    pub fn outbox(mut self, folder: impl Into<std::path::PathBuf>) -> Self {
        self.outbox = Some(folder.into());
        self
    }

    /// When signals in the outbox are made safe; every 50 ms unless set. Says what each choice can lose.
    #[cfg(feature = "outbox")]
    pub fn fsync(mut self, fsync: super::outbox::Fsync) -> Self {
        self.fsync = fsync;
        self
    }

    /// How many signals may be in memory: waiting or on their way; 10,000 unless set. One more goes to the outbox, or is
    /// treated as [`overflow`](Self::overflow) says.
    pub fn queue(mut self, limit: usize) -> Self {
        self.limits.signals = limit.max(1);
        self
    }

    /// How many bytes of signals may be in memory, about; 64 MiB unless set.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes.max(1);
        self
    }

    /// What a full queue does without an outbox, or with one that cannot be written; [`Overflow::Reject`] unless set.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How many signals go into one request; 500 unless set.
    pub fn max_batch(mut self, signals: usize) -> Self {
        self.settings.max_batch = signals.max(1);
        self
    }

    /// How many bytes go into one request; 1 MiB unless set. A signal that is larger goes alone.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = bytes.max(1);
        self
    }

    /// How many requests may be under way at once; 4 unless set. Two never hold signals of the same customer.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests.max(1);
        self
    }

    /// How long a signal waits for others to go with it; 100 ms unless set.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.settings.linger = linger;
        self
    }

    /// The bounds of the first and of every wait before delivery is tried again; 500 ms and a minute unless set.
    pub fn retry_delays(mut self, base: Duration, max: Duration) -> Self {
        self.settings.base_delay = base;
        self.settings.max_delay = max;
        self
    }

    /// How long dropping the last handle waits for what is queued; 5 seconds unless set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Opens the outbox, if there is to be one, and starts the emitter's thread.
    ///
    /// # Errors
    ///
    /// When no thread can be started, or the outbox cannot be used: another process has it (which one, as far as is
    /// known), or the folder cannot be written. A damaged outbox is no error: what can be read of it is sent, the damage
    /// is reported.
    pub fn build(mut self) -> Result<Emitter, ConfigError> {
        let refused = |error: std::io::Error| ConfigError::new(format!("cannot start the emitter's thread: {error}"));
        let (tell_event, events) = events::unbounded_channel();
        #[cfg(feature = "outbox")]
        let outbox = match &self.outbox {
            Some(folder) => {
                self.kind.claim(folder)?;
                Some(super::outbox::open(folder, self.fsync, tell_event.clone())?)
            }
            None => None,
        };
        #[cfg(feature = "outbox")]
        if outbox.is_some() {
            self.settings.has_outbox = true;
            self.settings.pace = self.settings.linger.min(self.fsync.pace());
        }
        if !self.settings.has_outbox {
            self.settings.pace = self.settings.linger;
        }
        let has_outbox = self.settings.has_outbox;
        let requests = self.settings.in_flight.saturating_mul(2);
        self.settings.window = Limits {
            signals: self.settings.max_batch.saturating_mul(requests).min(self.limits.signals.div_ceil(2)),
            bytes: self.settings.max_bytes.saturating_mul(requests).min(self.limits.bytes.div_ceil(2)),
        };
        let shared = Arc::new(Shared::new(self.hook));
        let batch = Limits { signals: self.settings.max_batch, bytes: self.settings.max_bytes };
        let queue = Queue::new(self.limits, self.overflow, batch, has_outbox, tell_event.clone());
        let queue = Arc::new(queue);
        let (end, ending) = watch::channel(None);
        let (tell, done) = mpsc::channel();
        let (tell_ended, ended) = watch::channel(false);
        let worker = Worker::new(
            self.sink,
            Arc::clone(&shared),
            self.settings,
            Arc::clone(&queue),
            ending,
            (tell_event, events),
        );
        #[cfg(feature = "outbox")]
        let worker = match outbox {
            Some(opened) => start_outbox(worker, opened, &shared).map_err(refused)?,
            None => worker,
        };
        // Last: a runtime cannot be dropped inside another.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let handle = runtime.handle().clone();
        std::thread::Builder::new()
            .name("paid-emitter".into())
            .spawn(move || {
                runtime.block_on(worker.run());
                let _ = tell.send(());
                tell_ended.send_replace(true);
            })
            .map_err(refused)?;
        let inner = Inner {
            queue,
            shared,
            end,
            runtime: handle,
            patience: self.patience,
            has_outbox,
            #[cfg(feature = "outbox")]
            kind: self.kind,
            done: done.into(),
            ended,
        };
        Ok(Emitter { inner: Arc::new(inner) })
    }
}

/// The disk blocks: it has a thread of its own.
#[cfg(feature = "outbox")]
fn start_outbox(worker: Worker, opened: super::outbox::Opened, shared: &Shared) -> std::io::Result<Worker> {
    if let Some(damage) = &opened.damage {
        let failure = EmitError::Outbox { problem: damage.clone() };
        crate::emit::log(&failure);
        shared.report(&failure);
    }
    let (first, next, signals) = (opened.first, opened.next, opened.signals);
    let (outbox, keeping) = opened.split();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name("paid-outbox".into()).spawn(move || runtime.block_on(keeping))?;
    Ok(worker.with_outbox(outbox, first, next, signals))
}

impl fmt::Debug for EmitterBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EmitterBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
