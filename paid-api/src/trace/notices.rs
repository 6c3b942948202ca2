//! Notices that are logged once in a process: tracing that is missing, work that cannot be attributed.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::dispatch::say_that_it_is_off;
use crate::foreign;
use crate::report::log;

/// True if tracing was turned off: then it is not reported as missing.
static IS_OFF: AtomicBool = AtomicBool::new(false);

/// Traced scopes and signals that were not recorded since.
static SKIPPED: AtomicU64 = AtomicU64::new(0);

pub(super) fn turned_off() {
    IS_OFF.store(true, Ordering::Relaxed);
    say_that_it_is_off();
}

/// Counts what is not recorded because tracing was turned off. Returns false if it was not.
pub(super) fn skip() -> bool {
    let is_off = IS_OFF.load(Ordering::Relaxed);
    SKIPPED.fetch_add(u64::from(is_off), Ordering::Relaxed);
    is_off
}

pub(super) fn skipped() -> u64 {
    SKIPPED.load(Ordering::Relaxed)
}

/// No `Once`: whoever is told may do the same again.
fn once(told: &AtomicBool, what: &dyn fmt::Display) {
    if !told.swap(true, Ordering::Relaxed) {
        log(what);
    }
}

/// Reports a traced scope while tracing is not initialised.
pub(super) fn report_missing() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !skip() {
        once(
            &TOLD,
            &"a scope is traced, but tracing is not initialised: call `paid::trace::init()` when the program starts",
        );
    }
}

/// Reports a call of a model outside traced work.
pub(super) fn report_call_outside() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    once(
        &TOLD,
        &"a call of a model is outside a traced scope: it is not recorded, because its costs cannot be attributed; run the \
          work in `paid::scope().traced()` or under `#[paid::trace]`",
    );
}

/// Reports Paid's own id in a traced scope: the collector knows only the caller's ids.
pub(super) fn report_paids_own_id(what: &str) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    once(
        &TOLD,
        &format_args!(
            "a traced scope names its {what} by Paid's own id, but the collector accepts only your own ids: the costs of \
             this work are attributed to nobody"
        ),
    );
}

/// Reports an id of a traced scope that is empty or blank.
pub(super) fn report_blank_id(what: &str) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    once(
        &TOLD,
        &format_args!(
            "a traced scope names its {what} by an empty id, which is not exported: the costs of this work are \
             attributed to nobody"
        ),
    );
}

/// The text of an error, or the name of its type if its own code panics.
pub(super) fn text_of<E: fmt::Display + ?Sized>(error: &E) -> String {
    foreign::call(|| error.to_string()).unwrap_or_else(|_| std::any::type_name::<E>().to_owned())
}

/// Logged every time: each such signal may count costs twice.
pub(super) fn warn_of_repeated_attribution(name: &str) {
    foreign::log(|| {
        tracing::warn!(
            "signal `{name}` is another cost-attributed signal of the same work: costs may count twice; give each its own \
             scope, or leave `cost_attributed` out of all but one"
        );
    });
}
