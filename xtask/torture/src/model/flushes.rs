//! What a flush says.

use std::collections::BTreeSet;

use super::Model;
use super::said::Said;
use crate::story::{Hook, Nature, Overflow};

impl Model {
    /// A flush says that these signals are delivered or permanently refused. `letters` are the signals in the dead-letter
    /// file.
    pub(crate) fn flushed(&self, signals: &[u32], letters: &BTreeSet<u32>) {
        let state = self.lock();
        let was_dropped = |signal: u32| state.signals.get(&signal).is_some_and(|it| it.said == Some(Said::Dropped));
        let rest: Vec<_> = signals.iter().filter(|signal| !was_dropped(**signal)).collect();
        // The hook does not hear the names of cost records, nor of what made way for its own.
        let drops = state.setup.overflow == Overflow::DropOldest;
        let is_unnamed = drops && (state.setup.is_of_costs() || state.setup.hook == Hook::Emits);
        let is_refused = |signal: u32| {
            let nature = state.signals.get(&signal).map(|promise| promise.nature);
            matches!(nature, Some(Nature::Refused)) && self.paid.has_refused(signal)
        };
        let refused: Vec<_> = rest.iter().filter(|signal| is_refused(***signal)).copied().collect();
        // Where letters cannot be written, the hook has heard of that.
        let is_told = state.setup.outbox.is_none() || state.was_told_of_disk || state.is_damaged;
        drop(state);
        let open = rest.iter().find(|signal| !self.is_settled(***signal));
        let holds = open.is_none() || self.is_damaged() || is_unnamed;
        self.claim("a flush waits for what was emitted before", holds, || format!("signal {open:?} is not"));
        let is_buried =
            |signal: u32| letters.contains(&signal) || self.is_discarded(signal) || self.paid.has_lied(signal);
        let missing = refused.iter().find(|signal| !is_buried(***signal));
        let holds = missing.is_none() || is_told;
        self.claim("a flush waits for the dead letters", holds, || format!("signal {missing:?} is none"));
    }
}
