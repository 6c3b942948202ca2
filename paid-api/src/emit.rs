//! Emission: [`emit()`] completes a signal from the current scope and hands it to the scope's emitter or the installed
//! one. Knows no network.

use std::cell::Cell;
use std::sync::{Arc, Once};

use crate::Timestamp;
use crate::listener::{self, Emit};
use crate::report::{DeliveryError, RecordKind, log};
use crate::scope::{self, Claim, Scope};
use crate::signal::{IdempotencyKey, PaidSignal, Signal};
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
/// (idempotency key, timestamp). Returns at once and never fails the caller; a signal that cannot be sent is counted,
/// logged and passed to the emitter's hook.
#[inline]
pub fn emit<S: PaidSignal>(signal: S) {
    match current() {
        Some(emitter) => accept(&*emitter, signal.to_signal()),
        None => listener::lost(&signal.name()),
    }
}

/// Completes a signal and hands it to this emitter.
pub(crate) fn accept(emitter: &dyn Emit, signal: Signal) {
    match complete(signal) {
        Ok(signal) => {
            with_costs(signal, |signal| emitter.emit(signal));
        }
        Err(failure) => {
            log(&failure);
            emitter.fail(failure);
        }
    }
}

/// Sets what the signal lacks from the scope, and a key and the time. Fails if the signal cannot be sent.
pub(crate) fn complete(mut signal: Signal) -> Result<Signal, DeliveryError> {
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
        return Err(DeliveryError::data(RecordKind::Signal, signal.name.clone(), problem.clone()));
    }
    if signal.customer.is_none() {
        return Err(DeliveryError::no_customer(RecordKind::Signal, signal.name));
    }
    signal.idempotency_key.get_or_insert_with(IdempotencyKey::make);
    signal.timestamp.get_or_insert_with(Timestamp::now);
    Ok(signal)
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
        (!CLAIMS.replace(true)).then_some(Self)
    }
}

impl Drop for Claiming {
    fn drop(&mut self) {
        CLAIMS.set(false);
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
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        log(&format_args!(
            "signal `{name}` is cost-attributed but outside a traced scope: it is sent without costs; run the work in \
             `paid::scope().traced()` or under `#[paid::trace]`"
        ));
    });
}
