//! From `emit` to Paid: a queue and a thread of its own that sends what has come together, in order. The queue is in
//! memory; what is in it when the process is killed is lost.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc as queue, oneshot};

use crate::emit::{Emit, EmitError};
use crate::error::ConfigError;
use crate::signal::Signal;
use crate::types::CreateSignalsResponse;
use crate::{Call, Client, Method};

/// How long dropping the last handle waits for what is queued.
const PATIENCE: Duration = Duration::from_secs(5);

/// Delivers signals to Paid from a thread of its own: [`emit`](Emit::emit) never blocks and needs no runtime.
/// Cloning is cheap; dropping the last handle waits up to 5 seconds for what is queued.
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
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` once it is being dropped.
    queue: Option<queue::Sender<Order>>,
    shared: Arc<Shared>,
    /// Hears when the thread is done.
    done: std::sync::Mutex<mpsc::Receiver<()>>,
}

enum Order {
    Send(Box<Signal>),
    /// Everything before this has been sent.
    Flush(oneshot::Sender<()>),
}

type Hook = dyn Fn(&EmitError) + Send + Sync;

struct Shared {
    counts: Counts,
    hook: Option<Box<Hook>>,
    limit: usize,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    delivered: AtomicU64,
    duplicates: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

/// What an emitter has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Signals taken into the queue.
    pub accepted: u64,
    /// Signals that Paid stored.
    pub delivered: u64,
    /// Signals that Paid had already.
    pub duplicates: u64,
    /// Signals that Paid failed or that could not be delivered.
    pub failed: u64,
    /// Signals that were never queued: without a customer, without room, or not JSON.
    pub refused: u64,
}

/// Sets up an [`Emitter`].
#[must_use = "a builder does nothing until it is built"]
pub struct EmitterBuilder {
    client: Client,
    hook: Option<Box<Hook>>,
    limit: usize,
    max_batch: usize,
}

impl Emitter {
    /// An emitter over this client, with defaults for the rest.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn new(client: Client) -> Result<Self, ConfigError> {
        Self::builder(client).build()
    }

    /// Everything that can be set.
    pub fn builder(client: Client) -> EmitterBuilder {
        EmitterBuilder { client, hook: None, limit: 10_000, max_batch: 500 }
    }

    /// Waits until everything that was emitted before has been sent, or has failed.
    pub async fn flush(&self) {
        let (tell, told) = oneshot::channel();
        if let Some(queue) = &self.inner.queue
            && queue.send(Order::Flush(tell)).await.is_ok()
        {
            let _ = told.await;
        }
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        let counts = &self.inner.shared.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Stats {
            accepted: read(&counts.accepted),
            delivered: read(&counts.delivered),
            duplicates: read(&counts.duplicates),
            failed: read(&counts.failed),
            refused: read(&counts.refused),
        }
    }
}

impl Emit for Emitter {
    fn emit(&self, signal: Signal) {
        let Some(queue) = &self.inner.queue else { return };
        let shared = &self.inner.shared;
        let failure = match queue.try_send(Order::Send(Box::new(signal))) {
            Ok(()) => {
                shared.counts.accepted.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Err(TrySendError::Full(order)) => EmitError::QueueFull { name: order.name(), limit: shared.limit },
            Err(TrySendError::Closed(order)) => EmitError::ShutDown { name: order.name() },
        };
        tracing::error!("{failure}");
        self.fail(failure);
    }

    fn fail(&self, failure: EmitError) {
        let shared = &self.inner.shared;
        shared.counts.refused.fetch_add(1, Ordering::Relaxed);
        shared.report(&failure);
    }
}

impl Order {
    fn name(self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::Send(signal) => signal.name,
            Self::Flush(_) => "".into(),
        }
    }
}

impl Shared {
    fn report(&self, failure: &EmitError) {
        if let Some(hook) = &self.hook {
            // A hook that panics must not take the caller or the thread with it.
            let called = std::panic::AssertUnwindSafe(|| hook(failure));
            if std::panic::catch_unwind(called).is_err() {
                tracing::error!("the emitter's error hook panicked");
            }
        }
    }

    fn count(&self, counter: &AtomicU64, number: i64) {
        counter.fetch_add(u64::try_from(number).unwrap_or(0), Ordering::Relaxed);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        let done = self.done.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(mpsc::RecvTimeoutError::Timeout) = done.recv_timeout(PATIENCE) {
            tracing::error!("the last emitter is gone, and signals are still queued after {PATIENCE:?}");
        }
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Emitter({:?})", self.stats())
    }
}

impl EmitterBuilder {
    /// Called for every signal that is not sent, from the thread that notices it. It has been logged already.
    pub fn on_error(mut self, hook: impl Fn(&EmitError) + Send + Sync + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// How many signals may wait; 10,000 unless set. One more is refused and reported.
    pub fn queue(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }

    /// How many signals go into one request; 500 unless set.
    pub fn max_batch(mut self, signals: usize) -> Self {
        self.max_batch = signals.max(1);
        self
    }

    /// Starts the emitter's thread.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn build(self) -> Result<Emitter, ConfigError> {
        let refused = |error: std::io::Error| ConfigError::new(format!("cannot start the emitter's thread: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let (sender, receiver) = queue::channel(self.limit);
        let (tell, done) = mpsc::channel();
        let shared = Arc::new(Shared { counts: Counts::default(), hook: self.hook, limit: self.limit });
        let worker = Worker { client: self.client, shared: Arc::clone(&shared), max_batch: self.max_batch };
        std::thread::Builder::new()
            .name("paid-emitter".into())
            .spawn(move || {
                runtime.block_on(worker.run(receiver));
                let _ = tell.send(());
            })
            .map_err(refused)?;
        Ok(Emitter { inner: Arc::new(Inner { queue: Some(sender), shared, done: done.into() }) })
    }
}

impl fmt::Debug for EmitterBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EmitterBuilder({:?})", self.client)
    }
}

struct Worker {
    client: Client,
    shared: Arc<Shared>,
    max_batch: usize,
}

impl Worker {
    async fn run(self, mut receiver: queue::Receiver<Order>) {
        let mut orders = Vec::new();
        while receiver.recv_many(&mut orders, self.max_batch).await > 0 {
            let mut batch = Vec::new();
            for order in orders.drain(..) {
                match order {
                    Order::Send(signal) => batch.push(*signal),
                    Order::Flush(tell) => {
                        self.send(&mut batch).await;
                        let _ = tell.send(());
                    }
                }
            }
            self.send(&mut batch).await;
        }
    }

    async fn send(&self, batch: &mut Vec<Signal>) {
        if batch.is_empty() {
            return;
        }
        let mut body = b"{\"signals\":[".to_vec();
        for (index, signal) in batch.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            signal.write_json(&mut body);
        }
        body.extend_from_slice(b"]}");
        let signals = batch.len();
        batch.clear();
        // Every signal has a key: repeating the request bills nothing twice.
        let call = Call::<CreateSignalsResponse>::new(&self.client, "create-signals", Method::POST, "/signals/bulk")
            .json_text(body)
            .repeatable_if(true);
        let counts = &self.shared.counts;
        match call.await {
            Ok(answer) => {
                self.shared.count(&counts.delivered, answer.ingested);
                self.shared.count(&counts.duplicates, answer.duplicates);
                if answer.failed > 0 {
                    self.shared.count(&counts.failed, answer.failed);
                    self.failed(&EmitError::Failed { failed: answer.failed, signals });
                }
            }
            Err(error) => {
                counts.failed.fetch_add(signals as u64, Ordering::Relaxed);
                self.failed(&EmitError::NotDelivered { signals, error: Arc::new(error) });
            }
        }
    }

    fn failed(&self, failure: &EmitError) {
        tracing::error!("{failure}");
        self.shared.report(failure);
    }
}
