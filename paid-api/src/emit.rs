//! Emission: [`emit()`] completes a signal from the current scope and hands it to the scope's emitter or the installed
//! one. Knows no network.

mod stand_in;
pub mod stream;

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Timestamp;
use crate::foreign::{self, Panicked};
use crate::listener::{self, Emit};
use crate::report::{DataProblem, DeliveryError, RecordKind, log};
use crate::scope::{self, Claim, Scope};
use crate::signal::{HashKey, IdempotencyKey, PaidSignal, Signal, check};
use crate::types::ExternalProductId;

/// The emitter of the current scope, or else the installed one.
#[inline]
pub(crate) fn current() -> Option<Arc<dyn Emit>> {
    if listener::anybody_listens() { find() } else { None }
}

fn find() -> Option<Arc<dyn Emit>> {
    Scope::with_current(|scope| scope.and_then(Scope::emitter_named).cloned()).or_else(listener::installed)
}

/// Emits a signal. What the signal does not set comes from the current scope (customer, product) or is made now
/// (idempotency key, timestamp). Returns at once, never panics and never fails the caller, also while a thread panics or
/// ends; a signal that cannot be sent is counted, logged and passed to the emitter's hook.
#[inline]
pub fn emit<S: PaidSignal>(signal: S) {
    match current() {
        Some(emitter) => {
            accept_made(&*emitter, made(signal));
            // It may be the last handle of an emitter of the user's.
            let _ = foreign::call(|| drop(emitter));
        }
        None => lose(signal),
    }
}

/// Emits signals, in order, as [`emit()`] does with each.
///
/// ```
/// let signals = ["m-1", "m-2"].map(|id| paid::Signal::new("email_sent").customer("acme").idempotency_key(id));
/// # let recorder = paid::testing::Recorder::new();
/// # paid::scope().emitter(recorder.clone()).run_sync(|| {
/// paid::emit_all(signals);
/// # });
/// # assert_eq!(recorder.signals().len(), 2);
/// ```
pub fn emit_all<S: PaidSignal>(signals: impl IntoIterator<Item = S>) {
    signals.into_iter().for_each(emit);
}

/// Emits what code of the user's makes; if it panics, its signal is reported and not sent.
pub(crate) fn emit_made<S: PaidSignal>(make: impl FnOnce() -> Option<S>) {
    match foreign::call(make) {
        Ok(Some(value)) => emit(value),
        Ok(None) => {}
        Err(panic) => {
            let failure = broken(S::NAMES.first().copied().unwrap_or_default().into(), "the signal", &panic);
            match current() {
                Some(emitter) => fail(&*emitter, failure),
                None => log(&failure),
            }
        }
    }
}

/// Counts the signal of a value that nobody hears of.
#[inline]
pub(crate) fn lose<S: PaidSignal>(value: S) {
    let _ = foreign::call(|| listener::lost(&value.name()));
    let _ = foreign::call(|| drop(value));
}

/// The signal of a value, whose code may panic: then the failure.
#[inline]
pub(crate) fn made<S: PaidSignal>(value: S) -> Result<Signal, DeliveryError> {
    let signal = foreign::call(|| value.to_signal()).map_err(|panic| {
        let name = S::NAMES.first().copied().unwrap_or_default();
        broken(name.into(), "to_signal", &panic)
    });
    let _ = foreign::call(|| drop(value));
    signal
}

fn broken(name: Cow<'static, str>, place: &str, panic: &Panicked) -> DeliveryError {
    DeliveryError::data(RecordKind::Signal, name, DataProblem::new(place, panic.to_string()))
}

/// Completes a signal and hands it to this emitter.
pub(crate) fn accept(emitter: &dyn Emit, signal: Signal) {
    accept_made(emitter, Ok(signal));
}

pub(crate) fn accept_made(emitter: &dyn Emit, signal: Result<Signal, DeliveryError>) {
    let Some(_within) = Within::enter() else {
        return log(&"an emitter emits a signal for every signal: it gets no more of them, and they are lost");
    };
    if foreign::call(|| emitter.skip()) == Ok(true) {
        return;
    }
    let signal = match signal.and_then(complete) {
        Ok(signal) => signal,
        Err(failure) => return fail(emitter, failure),
    };
    let name = signal.name.clone();
    if let Err(panic) = foreign::call(|| with_costs(signal, |signal| emitter.emit(signal))) {
        fail(emitter, broken(name, "emit", &panic));
    }
}

/// Logs a failure and hands it to this emitter.
pub(crate) fn fail(emitter: &dyn Emit, failure: DeliveryError) {
    log(&failure);
    if let Err(panic) = foreign::call(|| emitter.fail(failure)) {
        log(&format_args!("the emitter {panic}"));
    }
}

thread_local! {
    /// How many emissions this thread is in: an emitter of the user's may emit signals of its own.
    static DEPTH: Cell<u8> = const { Cell::new(0) };
}

const DEEPEST: u8 = 16;

/// An emission that this thread is in.
struct Within;

impl Within {
    /// `None` if emitters call each other without end.
    fn enter() -> Option<Self> {
        let is_deep = DEPTH.try_with(|depth| {
            let is_deep = depth.get() >= DEEPEST;
            depth.set(depth.get() + u8::from(!is_deep));
            is_deep
        });
        (is_deep != Ok(true)).then_some(Self)
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        let _ = DEPTH.try_with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

/// Sets what the signal lacks from the scope, and a key and the time. Fails if the signal cannot be sent.
pub(crate) fn complete(mut signal: Signal) -> Result<Signal, DeliveryError> {
    let scope_stands_in = signal.customer_was_none && signal.customer.is_none();
    Scope::with_current(|scope| {
        if signal.customer.is_none() {
            signal.customer = scope.and_then(Scope::customer_named).cloned();
        }
        if signal.product.is_none() {
            signal.product = scope.and_then(Scope::product_named).cloned();
        }
        if signal.unit.is_none() {
            signal.unit = scope.and_then(|scope| scope.unit_named(signal.customer.as_ref())).map(str::to_owned);
        }
    });
    if signal.product.is_none() {
        signal.product = signal.data.default_product().map(|id| ExternalProductId::from_static(id).into());
    }
    if let Some(problem) = signal.data.problem().cloned().or_else(|| check::problem(&signal)) {
        return Err(DeliveryError::data(RecordKind::Signal, signal.name, problem));
    }
    if signal.customer.is_none() {
        return Err(DeliveryError::no_customer(RecordKind::Signal, signal.name));
    }
    if scope_stands_in {
        stand_in::say(&signal.name);
    }
    signal.idempotency_key.get_or_insert_with(IdempotencyKey::make);
    signal.timestamp = Some(signal.timestamp.unwrap_or_else(Timestamp::now).without_leap_second());
    Ok(signal)
}

/// Writes the hashes of what is not sent in the clear. Every emitter of the library's calls this first. Fails if there is
/// such a value and no key.
pub(crate) fn hashed(mut signal: Signal, key: Option<&HashKey>) -> Result<Signal, DeliveryError> {
    match signal.data.hash_with(key) {
        Ok(()) => Ok(signal),
        Err(problem) => Err(DeliveryError::data(RecordKind::Signal, signal.name, problem)),
    }
}

/// Hands a signal over, with the costs of its scope if it is cost-attributed. Returns true if it was accepted.
#[inline]
pub(crate) fn with_costs(signal: Signal, hand_over: impl FnOnce(Signal) -> bool) -> bool {
    // One that another emitter hands on has its costs already.
    if signal.cost_attributed && signal.costs_of.is_none() { attributed(signal, hand_over) } else { hand_over(signal) }
}

thread_local! {
    /// Whether this thread is handing over a signal that claims costs.
    static CLAIMS: Cell<bool> = const { Cell::new(false) };
}

/// A claim that is under way on this thread.
struct Claiming;

impl Claiming {
    /// `None` if there is one already: an error hook emits a signal of its own. The claim would wait for itself.
    fn start() -> Option<Self> {
        CLAIMS.try_with(|claims| !claims.replace(true)).unwrap_or(false).then_some(Self)
    }
}

impl Drop for Claiming {
    fn drop(&mut self) {
        let _ = CLAIMS.try_with(|claims| claims.set(false));
    }
}

fn attributed(mut signal: Signal, hand_over: impl FnOnce(Signal) -> bool) -> bool {
    let Some(_claiming) = Claiming::start() else { return hand_over(signal) };
    let companion = scope::companion();
    match companion.as_deref().map_or(Claim::Outside, |companion| companion.claim()) {
        Claim::Granted(claim) => {
            signal.costs_of = Some(claim.scope_id());
            let name = signal.name.clone();
            let is_accepted = hand_over(signal);
            // If the signal was refused, the costs are left to the next one.
            if is_accepted {
                claim.accepted(&name);
            }
            is_accepted
        }
        Claim::Outside => {
            report_unattributed(&signal.name);
            hand_over(signal)
        }
        Claim::Off => hand_over(signal),
    }
}

fn report_unattributed(name: &str) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    // No `Once`: whoever is told may emit a signal, too.
    if !TOLD.swap(true, Ordering::Relaxed) {
        log(&format_args!(
            "signal `{name}` is cost-attributed but outside a traced scope: it is sent without costs; run the work in \
             `paid::scope().traced()` or under `#[paid::trace]`"
        ));
    }
}
