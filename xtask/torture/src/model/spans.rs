//! What is claimed of spans.

use paid::trace::TraceStats;

use super::Model;
use crate::story::{Hook, Nature};

impl Model {
    /// Claims about spans that hold at every moment.
    pub(crate) fn check_spans(&self, stats: &TraceStats) {
        let state = self.lock();
        let here: Vec<_> = state.signals.iter().filter(|(_, promise)| promise.process == state.process).collect();
        let (ended, is_emitting) = (here.len() as u64, state.is_hooking);
        let has = |number: u32| self.paid.has(number) || self.paid.has_lied(number);
        let there = here.iter().filter(|(number, _)| has(**number)).count() as u64;
        let signals = here.iter().filter(|(_, promise)| promise.nature == Nature::Signal).count() as u64;
        drop(state);
        let seen = || format!("{ended} ended, {there} are there, {signals} are signals; {stats:?}");
        self.claim("every span that ends is counted", is_emitting || stats.ended == ended, seen);
        let decided = stats.exported + stats.rejected + stats.dropped;
        self.claim("no more spans are decided than have ended", decided <= stats.ended, seen);
        self.claim("exported means that the collector has it", stats.exported <= there, seen);
        let holds = stats.dropped_signals <= stats.dropped.min(signals);
        self.claim("signals that are dropped are spans that are dropped", holds, seen);
    }

    /// Claims about spans that hold when there is nothing to do.
    pub(crate) fn check_quiet_spans(&self, stats: &TraceStats) {
        self.check_spans(stats);
        let state = self.lock();
        let here = state.signals.iter().filter(|(_, promise)| promise.process == state.process);
        let has = |number: u32| self.paid.has(number) || self.paid.has_lied(number);
        let missing = here.filter(|(number, _)| !has(**number)).count() as u64;
        let (lost, is_of_hook) = (state.lost_signals, state.setup.hook == Hook::Emits);
        drop(state);
        let seen = || format!("{missing} are not there, {lost} signals are lost; {stats:?}");
        let decided = stats.exported + stats.rejected + stats.dropped;
        self.claim("every span is exported or counted as lost", decided == stats.ended, seen);
        let holds = missing <= stats.rejected + stats.dropped;
        self.claim("a span that the collector lacks is counted", holds, seen);
        let holds = is_of_hook || stats.dropped_signals == lost;
        self.claim("signals that are dropped are counted", holds, seen);
    }
}
