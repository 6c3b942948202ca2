//! What may be claimed: beside every signal, what its emitter promised about it, and what became of it.

mod fates;
mod flushes;
mod log;
mod rest;
mod room;
mod said;
mod spans;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use paid::{Delivery, DeliveryError, RecordKind, Stats};

use crate::server::Paid;
use crate::story::{Hook, Nature, Overflow, Setup, Sync};
use crate::world::{Moment, World};
use log::Heard;
use said::{Said, is_lost, named, said, weight};
use waits::Waiting;

/// Signals that the error hook emits have numbers from here on.
pub(crate) const OF_HOOK: u32 = 1_000_000;

#[derive(Clone, Debug)]
struct Promise {
    process: u32,
    nature: Nature,
    at: Duration,
    /// `None` if nobody can know.
    accepted: Option<bool>,
    said: Option<Said>,
    /// It will be there after a kill.
    is_safe: bool,
    /// It was emitted at once, not by a task that may be interrupted.
    is_in_order: bool,
    /// Somebody awaits its receipt.
    is_awaited: bool,
    /// Bytes of data in it.
    size: usize,
}

#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) world: World,
    pub(crate) paid: Paid,
    state: Arc<Mutex<State>>,
}

struct State {
    setup: Setup,
    process: u32,
    signals: BTreeMap<u32, Promise>,
    /// Signals that the hook named.
    named: BTreeSet<u32>,
    /// How many signals the hook of this process was told of.
    reported: u64,
    /// Those that were not accepted or lost, of the spans that are signals.
    lost_signals: u64,
    heard: Heard,
    /// Dead letters were sent again by this process.
    has_resubmitted: bool,
    /// Signals whose dead letters someone discarded.
    discarded: BTreeSet<u32>,
    /// Whether the hook is running, and how many signals that it emitted were refused: it is not called about itself.
    is_hooking: bool,
    of_itself: u64,
    /// The hook of this process has heard that something cannot be written.
    was_told_of_disk: bool,
    /// Whether the disk has failed in this story.
    disk_has_failed: bool,
    /// What is awaited.
    open: BTreeMap<u64, Waiting>,
    opened: u64,
    /// Whether the files were damaged: then records may be lost, but never in silence.
    is_damaged: bool,
    /// The last process about whose files nothing can be promised.
    void_until: u32,
    claims: u64,
}

impl Model {
    pub(crate) fn new(world: World, paid: Paid, setup: &Setup) -> Self {
        let state = State {
            setup: setup.clone(),
            process: 0,
            signals: BTreeMap::new(),
            named: BTreeSet::new(),
            reported: 0,
            lost_signals: 0,
            heard: Heard::default(),
            has_resubmitted: false,
            discarded: BTreeSet::new(),
            is_hooking: false,
            of_itself: 0,
            was_told_of_disk: false,
            disk_has_failed: false,
            open: BTreeMap::new(),
            opened: 0,
            is_damaged: false,
            void_until: 0,
            claims: 0,
        };
        Self { world, paid, state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a claim that is checked, and reports it if it does not hold.
    pub(crate) fn claim(&self, claim: &'static str, holds: bool, seen: impl FnOnce() -> String) {
        self.lock().claims += 1;
        if !holds && !self.world.is_dead() {
            self.world.fail(claim, seen());
        }
    }

    pub(crate) fn claims(&self) -> u64 {
        self.lock().claims
    }

    pub(crate) fn start(&self) {
        let mut state = self.lock();
        state.process += 1;
        (state.reported, state.lost_signals, state.is_hooking, state.of_itself) = (0, 0, false, 0);
        (state.heard, state.has_resubmitted, state.was_told_of_disk) = (Heard::begin(), false, false);
        state.open.clear();
    }

    /// The files were damaged: what was promised about them is void. Deleted files are made anew by the next process; a bit
    /// that flipped may be found at any time.
    pub(crate) fn damage(&self, are_deleted: bool) {
        let mut state = self.lock();
        state.is_damaged = true;
        state.void_until = if are_deleted { state.void_until.max(state.process) } else { u32::MAX };
        state.void();
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.lock().is_damaged
    }

    /// The process is dead. What it accepted before its last commits is on disk.
    pub(crate) fn killed(&self, power: bool, disk_works: bool) {
        let now = self.world.elapsed();
        let mut state = self.lock();
        let state = &mut *state;
        let Some(sync) = state.setup.outbox else { return };
        // What was dropped may not have been heard of.
        let drops = state.setup.overflow == Overflow::DropOldest && state.setup.hook == Hook::Emits;
        if power && sync == Sync::Never {
            state.is_damaged = true;
            return state.void();
        }
        let pace = match sync {
            Sync::EveryCommit => 0,
            Sync::Every(pace) => u64::from(pace),
            Sync::Never => 50,
        };
        // From the queue to the outbox, and from there to the disk; with all interruptions.
        let most = Duration::from_millis(2 * pace + 20) + Duration::from_micros(u64::from(state.setup.pause) * 40);
        for promise in state.signals.values_mut() {
            let is_old = !drops && promise.process == state.process && promise.at + most < now;
            if disk_works && is_old && promise.accepted == Some(true) && promise.said.is_none() {
                promise.is_safe |= promise.process > state.void_until;
            }
        }
    }

    /// The hook begins to emit, or ends.
    pub(crate) fn is_hooking(&self, is_hooking: bool) {
        self.lock().is_hooking = is_hooking;
    }

    /// The disk fails from now on: the outbox may be unable to keep something.
    pub(crate) fn disk_fails(&self) {
        self.lock().disk_has_failed = true;
    }

    /// The number of the current process.
    pub(crate) fn process(&self) -> u32 {
        self.lock().process
    }

    /// A signal is emitted; whether it is accepted is not known yet.
    pub(crate) fn emitted(&self, signal: u32, (nature, size): (Nature, usize), is_in_order: bool) {
        let at = self.world.elapsed();
        let mut state = self.lock();
        let process = state.process;
        let promise = Promise {
            process,
            nature,
            at,
            accepted: None,
            said: None,
            is_safe: false,
            is_in_order,
            is_awaited: false,
            size,
        };
        state.signals.insert(signal, promise);
    }

    pub(crate) fn accepted(&self, signal: u32, is_awaited: bool) {
        if let Some(promise) = self.lock().signals.get_mut(&signal) {
            promise.accepted = Some(true);
            promise.is_awaited = is_awaited;
        }
    }

    /// A span is not accepted.
    pub(crate) fn refused(&self, span: u32) {
        let mut state = self.lock();
        if state.is_hooking {
            state.of_itself += 1;
            state.heard.miss(span);
        }
        if let Some(promise) = state.signals.get_mut(&span) {
            (promise.accepted, promise.said) = (Some(false), Some(Said::Refused));
        }
    }

    /// Dead letters are sent again.
    pub(crate) fn resubmits(&self) {
        self.lock().has_resubmitted = true;
    }

    /// The dead letters of these signals are discarded.
    pub(crate) fn discard(&self, signals: &BTreeSet<u32>) {
        self.lock().discarded.extend(signals);
    }

    pub(crate) fn is_discarded(&self, signal: u32) -> bool {
        self.lock().discarded.contains(&signal)
    }

    pub(crate) fn stored(&self, signal: u32) {
        if self.world.is_dead() {
            return;
        }
        self.world.note(0x10_0000 + u64::from(signal), || format!("signal {signal} is stored"));
        let mut state = self.lock();
        let void_until = state.void_until;
        if let Some(promise) = state.signals.get_mut(&signal) {
            promise.accepted = Some(true);
            promise.is_safe = promise.process > void_until;
        }
        drop(state);
        self.world.at(Moment::Stored);
    }

    /// The result of a signal.
    pub(crate) fn said(&self, signal: u32, outcome: &Result<Delivery, DeliveryError>) {
        if self.world.is_dead() {
            return;
        }
        let mut said = said(outcome);
        if said == Said::Lost
            && self.is_of_poison(signal)
            && matches!(outcome, Err(DeliveryError::NotDelivered { error: Some(_), .. }))
        {
            said = Said::Buried;
        }
        self.world.note(0x20_0000 + u64::from(signal), || format!("signal {signal}: {said:?} ({outcome:?})"));
        let state = self.lock();
        let (overflow, has_outbox, is_damaged) = (state.setup.overflow, state.setup.outbox.is_some(), state.is_damaged);
        drop(state);
        let paid = &self.paid;
        match said {
            Said::Delivered => {
                let holds = paid.has(signal) || paid.has_lied(signal);
                self.claim("delivered means that Paid has it", holds, || format!("signal {signal}: {outcome:?}"));
            }
            Said::Rejected => {
                let seen = || format!("signal {signal}: {outcome:?}");
                self.claim("rejected means that Paid refused it alone", paid.has_refused(signal), seen);
            }
            Said::Lost => {
                let seen = || format!("signal {signal}: {outcome:?}");
                let holds = !has_outbox || self.lock().disk_has_failed;
                self.claim("nothing is lost with an outbox", holds, seen);
            }
            Said::InOutbox => {
                let seen = || format!("signal {signal}: {outcome:?}");
                self.claim("nothing stays in an outbox without one", has_outbox, seen);
            }
            Said::Dropped => {
                let holds = overflow == Overflow::DropOldest;
                self.claim("signals are dropped only if that is set", holds, || format!("signal {signal}"));
            }
            Said::Unreadable => {
                self.claim("an outbox loses nothing", is_damaged, || format!("signal {signal}: {outcome:?}"));
            }
            Said::Refused => {
                let mut state = self.lock();
                if state.is_hooking {
                    state.of_itself += 1;
                    outcome.as_ref().err().into_iter().for_each(|failure| state.heard.hear(failure));
                }
                drop(state);
                let is_full = matches!(outcome, Err(DeliveryError::QueueFull { .. }));
                let has_waited = self.lock().signals.get(&signal).is_some_and(|promise| !promise.is_in_order);
                let holds = !is_full || !has_waited || overflow != Overflow::Wait;
                self.claim("whoever waits for room gets it", holds, || format!("signal {signal}: {outcome:?}"));
                if is_full {
                    self.check_room(signal);
                }
            }
            Said::Buried => drop(self.lock().named.insert(signal)),
        }
        let mut state = self.lock();
        let void_until = state.void_until;
        if let Some(promise) = state.signals.get_mut(&signal) {
            promise.accepted = Some(said != Said::Refused);
            promise.said = Some(said);
            promise.is_safe |= said == Said::InOutbox && promise.process > void_until;
        }
        drop(state);
        self.world.at(Moment::Receipt);
    }

    /// Whether the emitter may make a dead letter of a signal on which Paid fails.
    fn is_of_poison(&self, signal: u32) -> bool {
        let state = self.lock();
        let is_poison = state.signals.get(&signal).is_some_and(|promise| promise.nature == Nature::Poison);
        state.setup.outbox.is_some() && (is_poison || self.paid.is_moody())
    }

    /// The error hook was told of a failure.
    pub(crate) fn hook(&self, failure: &DeliveryError) {
        if self.world.is_dead() {
            return;
        }
        self.world.note(0x40_0000, || format!("hook: {failure}"));
        let mut state = self.lock();
        state.heard.hear(failure);
        state.reported += weight(failure, &self.paid);
        if failure.kind() == RecordKind::Signal && is_lost(failure) {
            state.lost_signals += weight(failure, &self.paid);
        }
        if let Some(number) = named(failure) {
            state.named.insert(number);
        }
        state.was_told_of_disk |= matches!(failure, DeliveryError::Outbox { .. });
        let (is_damaged, of_costs) = (state.is_damaged, state.setup.is_of_costs());
        drop(state);
        if let DeliveryError::Outbox { problem, .. } = failure {
            // A journal that ends with half a line puts more cost records in doubt.
            let is_torn = of_costs && problem.contains("journal");
            let holds = is_damaged || is_torn || !problem.contains("damaged");
            self.claim("a kill does not damage an outbox", holds, || problem.clone());
        }
    }

    /// The signals of this process that are accepted so far.
    pub(crate) fn accepted_so_far(&self) -> Vec<u32> {
        let state = self.lock();
        let is_here = |promise: &Promise| promise.process == state.process && promise.accepted == Some(true);
        state.signals.iter().filter(|(_, promise)| is_here(promise)).map(|(signal, _)| *signal).collect()
    }

    /// Whether Paid has a signal, refused it, or someone was told that it is gone.
    fn is_settled(&self, signal: u32) -> bool {
        let is_named = || self.lock().named.contains(&signal);
        self.paid.has(signal) || self.paid.has_refused(signal) || self.paid.has_lied(signal) || is_named()
    }

    /// Claims that hold at every moment.
    pub(crate) fn check(&self, stats: &Stats) {
        let state = self.lock();
        let here = || state.signals.values().filter(|promise| promise.process == state.process);
        let count = |is: &dyn Fn(&Promise) -> bool| here().filter(|promise| is(promise)).count() as u64;
        let said = |said| count(&|promise| promise.said == Some(said));
        let accepted = count(&|promise| promise.accepted == Some(true));
        let unknown = count(&|promise| promise.accepted.is_none());
        let refused = said(Said::Refused);
        let (delivered, rejected) = (said(Said::Delivered), said(Said::Rejected) + said(Said::Buried));
        let gone = said(Said::Lost) + said(Said::Dropped);
        let setup = state.setup.clone();
        let is_damaged = state.is_damaged;
        let weight_of_head = if setup.is_of_costs() { 150 } else { 400 };
        // A receipt that has its answer may not have been polled yet. Of what was dropped the hook knows, if it has a name.
        let is_here = |promise: &Promise| {
            promise.process == state.process && promise.accepted == Some(true) && promise.said.is_none()
        };
        let pending = || {
            state.signals.iter().filter(|(signal, promise)| {
                let is_taken = self.paid.has(**signal) || self.paid.has_lied(**signal);
                is_here(promise) && !state.named.contains(signal) && !is_taken
            })
        };
        let sizes = || pending().map(|(_, promise)| (promise.is_awaited, promise.size));
        // A receipt that nobody awaits says nothing.
        let bytes = sizes().filter(|(is_awaited, _)| *is_awaited).map(|(_, size)| weight_of_head + size).sum::<usize>();
        let largest = sizes().map(|(_, size)| 1_000 + size).max().unwrap_or_default();
        drop(state);
        // What a chunk holds is given back by the average of its records.
        let most_bytes = setup.queue_bytes + largest;
        let is_told = (setup.is_of_costs() || setup.hook == Hook::Emits) && setup.overflow == Overflow::DropOldest;
        let holds = bytes <= most_bytes || setup.outbox.is_some() || is_told;
        self.claim("memory is bounded in bytes", holds, || format!("{bytes} bytes in memory, {most_bytes} at most"));
        let done = stats.delivered + stats.rejected + stats.dropped;
        let seen = || format!("{stats:?}");
        let all = stats.accepted + stats.recovered;
        self.claim("no more is done than was accepted", done <= all || is_damaged, seen);
        // What is forwarded is not emitted by the program.
        let is_of_messages = setup.is_of_messages();
        let is_accepted = is_of_messages || (accepted..=accepted + unknown).contains(&stats.accepted);
        self.claim("what is accepted is counted", is_accepted, || {
            format!("{accepted} to {}; {stats:?}", accepted + unknown)
        });
        let is_refused = is_of_messages || (refused..=refused + unknown).contains(&stats.refused);
        self.claim("what is refused is counted", is_refused, || {
            format!("{refused} to {}; {stats:?}", refused + unknown)
        });
        let holds = delivered <= stats.delivered && rejected <= stats.rejected && gone <= stats.dropped;
        self.claim("what receipts say is counted", holds, || {
            format!("{delivered} delivered, {rejected} rejected, {gone} dropped; {stats:?}")
        });
        self.claim("what is only on disk is pending", stats.spilled <= stats.queued() || is_damaged, seen);
        // What is set aside has memory of its own.
        let most = (setup.queue + setup.queue.div_ceil(2).max(1) + setup.batch) as u64 + stats.set_aside;
        let in_memory = stats.queued().saturating_sub(stats.spilled);
        self.claim("memory is bounded", in_memory <= most || is_damaged, || {
            format!("{in_memory} signals in memory, {most} at most; {stats:?}")
        });
    }

    /// Claims that hold when an emitter has nothing to do.
    pub(crate) fn check_quiet(&self, stats: &Stats) {
        self.check(stats);
        let state = self.lock();
        let (reported, of_itself, is_damaged) = (state.reported, state.of_itself, state.is_damaged);
        let setup = state.setup.clone();
        drop(state);
        let seen = || format!("{stats:?}");
        self.claim("in the end nothing is pending", stats.queued() == 0 || is_damaged, seen);
        self.claim("in the end nothing is only on disk", stats.spilled == 0 || is_damaged, seen);
        self.claim("in the end no request is in progress", stats.in_flight == 0, seen);
        let unbilled = stats.dropped + stats.rejected + stats.refused;
        // A signal that makes way for one of the hook itself is not reported to it either.
        let may_be_fewer = setup.hook == Hook::Emits && setup.overflow == Overflow::DropOldest;
        let holds = reported + of_itself == unbilled || (may_be_fewer && reported < unbilled) || is_damaged;
        self.claim("each signal that is not billed reaches the hook once", holds, || {
            format!("{reported} were reported; {stats:?}")
        });
    }
}

impl State {
    fn void(&mut self) {
        for promise in self.signals.values_mut() {
            promise.is_safe = false;
        }
    }
}
