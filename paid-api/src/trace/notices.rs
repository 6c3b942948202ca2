//! What is told once in a process: tracing that is missing, work that nobody can attribute.

use std::fmt;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::report::log;

/// Whether somebody turned tracing off: then nobody is told that it is not there.
static IS_OFF: AtomicBool = AtomicBool::new(false);

pub(super) fn turned_off() {
    IS_OFF.store(true, Ordering::Relaxed);
}

fn once(told: &Once, what: &dyn fmt::Display) {
    told.call_once(|| log(what));
}

/// A scope is to be traced, and nothing is there to do it.
pub(super) fn report_missing() {
    static TOLD: Once = Once::new();
    if !IS_OFF.load(Ordering::Relaxed) {
        once(
            &TOLD,
            &"work is to be traced, and tracing is not initialised: call `paid::trace::init()` when the program starts",
        );
    }
}

/// A call of a model is outside traced work.
pub(super) fn report_call_outside() {
    static TOLD: Once = Once::new();
    once(
        &TOLD,
        &"a call of a model is outside a traced scope: nobody can tell whose costs it is, and it is not recorded; run the \
          work in `paid::scope().traced()` or under `#[paid::trace]`",
    );
}

/// The collector knows the caller's ids only.
pub(super) fn report_paids_own_id(what: &str) {
    static TOLD: Once = Once::new();
    once(
        &TOLD,
        &format_args!(
            "a traced scope names its {what} by Paid's own id; the collector takes your own ids only: the costs of this \
             work are attributed to nobody"
        ),
    );
}

/// Not only once: each such signal may count costs twice.
pub(super) fn warn_of_repeated_attribution(name: &str) {
    tracing::warn!(
        "signal `{name}` is another cost-attributed signal of the same work: costs may count twice; give each its own \
         scope, or leave `cost_attributed` out of all but one"
    );
}
