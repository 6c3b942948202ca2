//! One call from everywhere: `paid::emit`. Finds the emitter, fills in what the scope knows, and reports what cannot
//! be sent. Knows no network; what is behind it implements [`Emit`].

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Once, PoisonError, RwLock};

use crate::Timestamp;
use crate::signal::scope::Scope;
use crate::signal::{DataProblem, Key, PaidSignal, Signal};
use crate::types::ExternalProductId;

/// Where signals go: an [`Emitter`](crate::Emitter), a [`Recorder`](crate::testing::Recorder), or one of your own.
pub trait Emit: Send + Sync {
    /// Takes a signal, at once: it must not block.
    fn emit(&self, signal: Signal);

    /// Takes notice of a signal that cannot be sent. It has been logged already.
    fn fail(&self, failure: EmitError);

    /// Takes a signal and tells whether it is taken. What is not, it has reported.
    #[doc(hidden)]
    fn offer(&self, signal: Signal) -> bool {
        self.emit(signal);
        true
    }

    /// Whether signals leave as spans.
    #[doc(hidden)]
    fn is_over_trace(&self) -> bool {
        false
    }

    /// For [`testing`](crate::testing): the recorder behind it, if it is one.
    #[doc(hidden)]
    fn recorder(&self) -> Option<&crate::testing::Recorder> {
        None
    }
}

impl<E: Emit + ?Sized> Emit for Arc<E> {
    fn emit(&self, signal: Signal) {
        E::emit(self, signal);
    }

    fn fail(&self, failure: EmitError) {
        E::fail(self, failure);
    }

    fn offer(&self, signal: Signal) -> bool {
        E::offer(self, signal)
    }

    fn is_over_trace(&self) -> bool {
        E::is_over_trace(self)
    }

    fn recorder(&self) -> Option<&crate::testing::Recorder> {
        E::recorder(self)
    }
}

/// Why a signal was not sent. It never changes what an annotated function returns.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// Nobody said whose work it was.
    #[error(
        "signal `{name}` has no customer and bills nobody: set `customer` in the annotation, or run the work in `paid::scope().customer(...)`"
    )]
    #[non_exhaustive]
    NoCustomer {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// A field of its data cannot be written as JSON.
    #[error("signal `{name}`: {problem}")]
    #[non_exhaustive]
    Data {
        /// The event name.
        name: Cow<'static, str>,
        /// Which field, and why.
        problem: DataProblem,
    },
    /// The emitter has no room for it.
    #[error("signal `{name}`: the queue is full ({limit} signals); Paid cannot be reached, or the queue is too short")]
    #[non_exhaustive]
    QueueFull {
        /// The event name.
        name: Cow<'static, str>,
        /// How many signals it holds.
        limit: usize,
    },
    /// The emitter has been shut down.
    #[error("signal `{name}`: the emitter is shut down")]
    #[non_exhaustive]
    ShutDown {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// A newer signal took its place in a full queue; see [`Overflow::DropOldest`](crate::Overflow::DropOldest).
    #[error(
        "signal `{name}`: dropped for a newer one, the queue is full; Paid cannot be reached, or the queue is too short"
    )]
    #[non_exhaustive]
    Dropped {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// The emitter ended before Paid answered; the signals are in the outbox and are sent when it is opened again.
    #[error("{signals} signal(s) wait in the outbox and are sent when it is opened again")]
    #[non_exhaustive]
    InOutbox {
        /// How many.
        signals: usize,
    },
    /// The outbox cannot be read or written as it should. Signals are kept in memory meanwhile, as far as there is room.
    #[error("the outbox: {problem}")]
    #[non_exhaustive]
    Outbox {
        /// What is wrong.
        problem: String,
    },
    /// There is no outbox to store a signal in.
    #[error("the emitter has no outbox: give it a folder with `Emitter::builder(client).outbox(...)`")]
    NoOutbox,
    /// A signal given as JSON is none, or has no idempotency key.
    #[error(
        "this is no signal that can be sent: it takes a JSON object with `eventName`, `customer` and `idempotencyKey`"
    )]
    NoSignal,
    /// The signal is to go over the collector, and tracing is not initialised.
    #[error("signal `{name}` is to go over the collector, and tracing is not initialised: call `paid::trace::init()`")]
    #[non_exhaustive]
    NoTracing {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// The signal is to go over the collector, which takes your own ids only, and no unit.
    #[error(
        "signal `{name}` names a unit, or its customer or product by Paid's own id, which the collector does not take: use your own ids and no unit, or send it over the API"
    )]
    #[non_exhaustive]
    OverTrace {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// Paid refused the signal, or it was still waiting when the emitter ended.
    #[error("{signals} signal(s) not delivered: {}", reason(error.as_deref()))]
    #[non_exhaustive]
    NotDelivered {
        /// How many.
        signals: usize,
        /// Why; `None` when the emitter ended before there was an answer.
        error: Option<Arc<crate::Error>>,
    },
    /// Paid took the request and failed this signal, without saying why.
    #[error("Paid failed signal `{name}` (key {key}), or does not count it; check that its customer and product exist")]
    #[non_exhaustive]
    Failed {
        /// The event name.
        name: Cow<'static, str>,
        /// Its idempotency key.
        key: String,
        /// What Paid answered.
        counts: crate::Counts,
    },
}

fn reason(error: Option<&crate::Error>) -> String {
    error.map_or_else(|| "the emitter ended before Paid answered".to_owned(), ToString::to_string)
}

static INSTALLED: RwLock<Option<Arc<dyn Emit>>> = RwLock::new(None);
/// Whether looking for an emitter is worth the while: one is installed, or some scope has one.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);
static REPORT_LOSS: Once = Once::new();

/// One emitter that somebody listens with.
pub(crate) struct Listening(());

impl Listening {
    pub(crate) fn start() -> Self {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Clone for Listening {
    fn clone(&self) -> Self {
        Self::start()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends all signals of the process, but those of scopes with an emitter of their own, to this emitter. The last
/// one installed counts.
pub fn install(emitter: impl Emit + 'static) {
    let before = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(emitter));
    if before.is_some() {
        tracing::warn!("an emitter was installed already; signals go to the new one from now on");
    } else {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes the installed emitter away; for tests, and before a process ends.
pub fn uninstall() -> Option<Arc<dyn Emit>> {
    let before = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).take();
    if before.is_some() {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
    before
}

/// How many signals were emitted while no emitter was installed. They are lost.
pub fn lost_signals() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// The emitter of the current scope, or else the installed one.
#[inline]
pub(crate) fn current() -> Option<Arc<dyn Emit>> {
    if anybody_listens() { find() } else { None }
}

/// Whether some emitter is installed, or some scope has one.
#[inline]
pub(crate) fn anybody_listens() -> bool {
    LISTENERS.load(Ordering::Relaxed) > 0
}

fn installed() -> Option<Arc<dyn Emit>> {
    INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn find() -> Option<Arc<dyn Emit>> {
    Scope::with_current(|scope| scope.and_then(Scope::emitter_named).cloned()).or_else(installed)
}

/// Counts a signal that nobody listens for; the first one is reported.
#[inline]
pub(crate) fn lost(name: &str) {
    LOST.fetch_add(1, Ordering::Relaxed);
    if !REPORT_LOSS.is_completed() {
        report_loss(name);
    }
}

#[cold]
fn report_loss(name: &str) {
    REPORT_LOSS.call_once(|| {
        log(&format_args!(
            "signal `{name}` was emitted and no emitter is installed: it is lost, and so are all that follow; call \
             `paid::install(paid::Emitter::new(client)?)` when the program starts"
        ));
    });
}

/// Emits a signal: with the scope's customer and product where it says none, a key and the time. Returns at once and
/// never fails the caller; what cannot be sent is counted, logged and offered to the emitter's hook.
#[inline]
pub fn emit<S: PaidSignal>(signal: S) {
    match current() {
        Some(emitter) => accept(&*emitter, signal.to_signal()),
        None => over_trace_or_lost(&signal),
    }
}

/// Without an emitter, signals that go over the collector still do.
pub(crate) fn over_trace_or_lost<S: PaidSignal>(signal: &S) {
    #[cfg(feature = "trace")]
    if let Some(trace) = crate::trace::TraceSignals::current() {
        let signal = signal.to_signal();
        if signal.over_trace {
            return accept(&trace, signal);
        }
    }
    lost(&signal.name());
}

/// Completes a signal and hands it over.
pub(crate) fn accept(emitter: &dyn Emit, signal: Signal) {
    match complete(signal) {
        Ok(signal) => hand_over(emitter, signal),
        Err(failure) => report(emitter, failure),
    }
}

fn report(emitter: &dyn Emit, failure: EmitError) {
    log(&failure);
    emitter.fail(failure);
}

#[cfg(not(feature = "trace"))]
fn hand_over(emitter: &dyn Emit, signal: Signal) {
    emitter.emit(signal);
}

#[cfg(feature = "trace")]
fn hand_over(emitter: &dyn Emit, signal: Signal) {
    if signal.over_trace && !emitter.is_over_trace() && emitter.recorder().is_none() {
        return match crate::trace::TraceSignals::current() {
            Some(trace) => hand_over(&trace, signal),
            None => report(emitter, EmitError::NoTracing { name: signal.name }),
        };
    }
    attributed(signal, emitter.is_over_trace(), |signal| emitter.offer(signal));
}

/// Hands a signal over, with the costs of its scope if it is to have them.
#[inline]
pub(crate) fn attributed(signal: Signal, is_over_trace: bool, hand_over: impl FnOnce(Signal) -> bool) {
    #[cfg(feature = "trace")]
    if signal.cost_attributed {
        return crate::trace::signals::attribute(signal, is_over_trace, hand_over);
    }
    let _ = is_over_trace;
    hand_over(signal);
}

/// Fills in what the scope knows, a key and the time; or says why the signal cannot be sent.
pub(crate) fn complete(mut signal: Signal) -> Result<Signal, EmitError> {
    Scope::with_current(|scope| {
        if signal.customer.is_none() {
            signal.customer = scope.and_then(Scope::customer_named).cloned();
        }
        if signal.product.is_none() {
            signal.product = scope.and_then(Scope::product_named).cloned();
        }
    });
    if signal.product.is_none() {
        signal.product = signal.data.default_product().map(|id| ExternalProductId::from_static(id).into());
    }
    if let Some(problem) = signal.data.problem() {
        return Err(EmitError::Data { name: signal.name.clone(), problem: problem.clone() });
    }
    if signal.customer.is_none() {
        return Err(EmitError::NoCustomer { name: signal.name });
    }
    signal.idempotency_key.get_or_insert_with(Key::make);
    signal.timestamp.get_or_insert_with(Timestamp::now);
    Ok(signal)
}

/// Logs what is not billed; on stderr in a program that listens to no errors at all.
pub(crate) fn log(failure: &dyn std::fmt::Display) {
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!("{failure}");
    } else {
        eprintln!("paid: {failure}");
    }
}
