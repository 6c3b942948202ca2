//! Bad signals hold up nobody else.

use std::collections::BTreeSet;

use super::{Model, Promise};
use crate::story::Nature;

impl Model {
    /// Claims about the signals of the last process while one of them still makes Paid answer 500.
    pub(crate) fn check_rest(&self, accepted: &[u32]) {
        let state = self.lock();
        let process = state.process;
        let poison: Vec<_> = state.signals.iter().filter(|(_, promise)| promise.nature == Nature::Poison).collect();
        let setup = &state.setup;
        let window = setup.queue.div_ceil(2).min(setup.batch * setup.in_flight * 2);
        // In order, and with an outbox, those that wait may fill the memory.
        let is_crowded = setup.keeps_order && setup.outbox.is_some();
        let bytes: usize = poison.iter().map(|(_, promise)| 400 + promise.size).sum();
        let window_bytes = setup.queue_bytes.div_ceil(2).min(setup.batch_bytes * setup.in_flight * 2);
        if setup.is_of_spans() || bytes > window_bytes / 2 || window < 4 || poison.len() > window / 2 || is_crowded {
            // There is no room to set them aside.
            return;
        }
        let held: BTreeSet<_> = poison.iter().filter_map(|(signal, _)| self.paid.customer(**signal)).collect();
        // Those of the same customers may wait: in order, or for some minutes.
        let is_held = |signal: u32| self.paid.customer(signal).is_some_and(|it| held.contains(&it));
        let is_open = |promise: &Promise| {
            let is_pending = promise.accepted == Some(true) && promise.said.is_none();
            promise.process == process && is_pending && promise.nature != Nature::Poison
        };
        let rest = state.signals.iter().filter(|(signal, promise)| is_open(promise) && !is_held(**signal));
        // Others may be emitted in this very moment.
        let rest: Vec<_> = rest.map(|(signal, _)| *signal).filter(|signal| accepted.contains(signal)).collect();
        drop(state);
        let open = rest.iter().find(|signal| !self.is_settled(**signal));
        self.claim("one bad signal does not hold up the others", open.is_none() || self.is_damaged(), || {
            format!("signal {open:?} waits")
        });
    }
}
