//! What became of every signal, at the end of a story.

use std::collections::{BTreeMap, BTreeSet};

use super::said::Said;
use super::{Model, Promise};
use crate::story::{Hook, Nature, Overflow};

impl Model {
    /// Claims about what became of every signal. `letters` are the signals in the dead-letter file.
    pub(crate) fn check_fates(&self, letters: &BTreeSet<u32>) {
        let state = self.lock();
        let process = state.process;
        let promises: Vec<_> = state.signals.iter().map(|(signal, promise)| (*signal, promise.clone())).collect();
        let (is_damaged, has_outbox) = (state.is_damaged, state.setup.outbox.is_some());
        let of_costs = state.setup.is_of_costs();
        // The hook does not hear of what made way for its own.
        let is_unnamed = state.setup.overflow == Overflow::DropOldest && state.setup.hook == Hook::Emits;
        drop(state);
        for (signal, promise) in promises.into_iter().filter(|(signal, _)| !self.is_discarded(*signal)) {
            let seen = || format!("signal {signal}: {promise:?}");
            if of_costs && has_outbox && promise.is_safe && !is_damaged && self.paid.is_uncertain(signal) {
                let is_known = self.paid.has(signal) || self.paid.has_lied(signal) || letters.contains(&signal);
                self.claim("a cost record in doubt is a dead letter", is_known, seen);
            }
            let may_be_letter = promise.process != process || promise.nature != Nature::Good;
            let is_gone =
                matches!(promise.said, Some(Said::Lost | Said::Dropped)) || (is_unnamed && promise.said.is_none());
            // A signal of an earlier process has no receipt any more, but a dead letter.
            let is_settled = is_gone || self.is_settled(signal) || (may_be_letter && letters.contains(&signal));
            if promise.is_safe {
                self.claim("what is stored is there after a kill", is_settled, seen);
            }
            if is_damaged {
                continue;
            }
            let is_last = promise.process == process && promise.accepted == Some(true);
            if is_last {
                self.claim("everything is delivered in the end, or reported", is_settled, seen);
            }
            let is_rejected = matches!(promise.said, Some(Said::Rejected | Said::Buried)) && !self.paid.has(signal);
            // What Paid says it has taken when it comes again is no letter any more.
            let is_rejected = is_rejected && !self.paid.has_lied(signal);
            if has_outbox && is_rejected && (is_last || promise.is_safe) {
                self.claim("what Paid refuses is a dead letter", letters.contains(&signal), seen);
            }
        }
    }

    /// Signals of one customer that are emitted one after the other are taken in like that, if nothing is wrong with any.
    pub(crate) fn check_order(&self) {
        let state = self.lock();
        // The number of a frame may be lost, and what was read back from it comes when it can.
        if state.is_damaged {
            return;
        }
        let mut last = BTreeMap::new();
        for signal in self.paid.order() {
            let keeps_order = state.setup.keeps_order;
            let is_in_order = |promise: &&Promise| {
                let is_given_up = matches!(promise.said, Some(Said::Rejected | Said::Buried));
                promise.is_in_order && !is_given_up && keeps_order
            };
            // What was refused for no fault of its own comes again after a crash, late; so does a dead letter, and what Paid
            // did not take although it said so.
            let was_letter = state.named.contains(&signal);
            let was_put_off = was_letter || self.paid.has_refused(signal) || self.paid.has_lied(signal);
            let promise = state.signals.get(&signal).filter(is_in_order).filter(|_| !was_put_off);
            let Some(promise) = promise else { continue };
            let before = last.insert((promise.process, self.paid.customer(signal)), signal);
            if let Some(before) = before.filter(|before| *before > signal) {
                drop(state);
                let seen = || format!("signal {signal} came after signal {before}");
                return self.claim("signals of one customer keep their order", false, seen);
            }
        }
    }
}
