//! What everything in one simulation shares: the random numbers, the time, the moment of a kill, and the record of what
//! happened.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::story::{Kill, When};

/// More steps than any story takes: something spins.
const MOST_STEPS: u64 = 300_000;

/// A claim that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name of the claim.
    pub claim: &'static str,
    /// What was seen.
    pub seen: String,
}

/// What can set off a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A step of the background.
    Step,
    /// An access to the disk.
    Disk,
    /// A `store` was answered.
    Stored,
    /// A receipt was answered.
    Receipt,
    /// A flush was answered.
    Flushed,
    /// Paid has taken a batch in.
    TakenIn,
}

/// Whether the thread that delivers panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ThreadPanic {
    Never,
    /// When it next asks for the time.
    Next,
    /// It has, at this time.
    Was(Duration),
}

/// Shared by everything in one simulation.
#[derive(Clone, Debug)]
pub(crate) struct World(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: fastrand::Rng,
    steps: u64,
    disk: u64,
    kill: Option<(Kill, u64)>,
    killed: Option<Kill>,
    waker: Option<Waker>,
    panic: ThreadPanic,
    /// A thread of the library runs, not one of the program.
    is_on_thread: bool,
    /// When the current process started.
    started: Option<Instant>,
    /// How long the processes before it ran.
    before: Duration,
    /// The wall clock at the start of the story, with all jumps, in milliseconds since 1970.
    wall: i64,
    hash: u64,
    lines: Option<Vec<String>>,
    failure: Option<Failure>,
}

impl World {
    pub(crate) fn new(seed: u64, begins: i64, is_told: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: fastrand::Rng::with_seed(seed),
            steps: 0,
            disk: 0,
            kill: None,
            killed: None,
            waker: None,
            panic: ThreadPanic::Never,
            is_on_thread: false,
            started: None,
            before: Duration::ZERO,
            wall: begins,
            hash: 0xcbf2_9ce4_8422_2325,
            lines: is_told.then(Vec::new),
            failure: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number from zero up to but not including `limit`.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        self.lock().random.u64(0..limit.max(1))
    }

    /// True so many times in a hundred.
    pub(crate) fn chance(&self, percent: u32) -> bool {
        percent > 0 && self.below(100) < u64::from(percent)
    }

    /// A process starts: its runtime's clock begins now.
    pub(crate) fn start(&self) {
        let mut state = self.lock();
        (state.kill, state.killed, state.started) = (None, None, Some(Instant::now()));
        state.panic = ThreadPanic::Never;
    }

    /// The process ends.
    pub(crate) fn stop(&self) {
        let elapsed = self.elapsed();
        let mut state = self.lock();
        (state.before, state.started, state.kill) = (elapsed, None, None);
    }

    /// A panic ended the runtime, and with it the clock of the process.
    pub(crate) fn freeze(&self) {
        self.lock().started = None;
    }

    /// The time since the beginning of the story.
    pub(crate) fn elapsed(&self) -> Duration {
        let state = self.lock();
        state.before + state.started.map_or(Duration::ZERO, |started| started.elapsed())
    }

    /// The wall clock.
    pub(crate) fn wall(&self) -> SystemTime {
        let elapsed = self.elapsed();
        let wall = self.lock().wall;
        let at = Duration::from_millis(wall.unsigned_abs());
        let begin = if wall < 0 { UNIX_EPOCH.checked_sub(at) } else { UNIX_EPOCH.checked_add(at) };
        begin.and_then(|begin| begin.checked_add(elapsed)).unwrap_or(UNIX_EPOCH)
    }

    pub(crate) fn jump(&self, ms: i64) {
        self.lock().wall += ms;
    }

    pub(crate) fn arm(&self, kill: Kill) {
        let mut state = self.lock();
        if state.killed.is_none() {
            let from = if matches!(kill.when, When::Disk(_)) { state.disk } else { state.steps };
            state.kill = Some((kill, from));
        }
    }

    /// Something happened that may set off a kill.
    pub(crate) fn at(&self, moment: Moment) {
        let mut state = self.lock();
        match moment {
            Moment::Step => state.steps += 1,
            Moment::Disk => state.disk += 1,
            _ => {}
        }
        if state.steps == MOST_STEPS {
            let seen = format!("{MOST_STEPS} steps of the background were not enough");
            state.failure.get_or_insert(Failure { claim: "nothing spins", seen });
            let kill = Kill { power: false, when: When::Steps(0) };
            return state.kill_now(kill);
        }
        let Some((kill, from)) = state.kill else { return };
        let is_now = match (kill.when, moment) {
            (When::Steps(steps), Moment::Step) => state.steps >= from + u64::from(steps),
            (When::Disk(accesses), Moment::Disk) => state.disk >= from + u64::from(accesses),
            (When::Stored, Moment::Stored)
            | (When::Receipt, Moment::Receipt)
            | (When::Flushed, Moment::Flushed)
            | (When::TakenIn, Moment::TakenIn) => true,
            _ => false,
        };
        if is_now {
            state.kill_now(kill);
        }
    }

    pub(crate) fn kill(&self, kill: Kill) {
        self.lock().kill_now(kill);
    }

    /// How the process was killed. Nothing that it does afterwards counts.
    pub(crate) fn killed(&self) -> Option<Kill> {
        self.lock().killed
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.lock().killed.is_some()
    }

    /// The thread that delivers will panic, or will not after all.
    pub(crate) fn break_thread(&self, breaks: bool) {
        let mut state = self.lock();
        if !matches!(state.panic, ThreadPanic::Was(_)) {
            state.panic = if breaks { ThreadPanic::Next } else { ThreadPanic::Never };
        }
    }

    /// A thread of the library begins or ceases to run.
    pub(crate) fn on_thread(&self, is_on_thread: bool) {
        self.lock().is_on_thread = is_on_thread;
    }

    /// Returns true if whoever asks must panic now.
    pub(crate) fn breaks_now(&self) -> bool {
        let now = self.elapsed();
        let mut state = self.lock();
        let breaks = state.is_on_thread && state.panic == ThreadPanic::Next;
        if breaks {
            (state.panic, state.is_on_thread) = (ThreadPanic::Was(now), false);
        }
        breaks
    }

    /// When the thread that delivers has panicked.
    pub(crate) fn broke_at(&self) -> Option<Duration> {
        match self.lock().panic {
            ThreadPanic::Was(at) => Some(at),
            _ => None,
        }
    }

    /// Wakes this task at a kill.
    pub(crate) fn wake_at_kill(&self, waker: &Waker) {
        self.lock().waker = Some(waker.clone());
    }

    /// Records what happened: two runs of one story have the same record.
    pub(crate) fn note(&self, number: u64, text: impl FnOnce() -> String) {
        let elapsed = self.elapsed();
        let mut state = self.lock();
        for part in [number, u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)] {
            state.hash = (state.hash ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        }
        let is_dead = if state.killed.is_some() { " (dead)" } else { "" };
        if let Some(lines) = &mut state.lines {
            lines.push(format!("{:>12.6} s  {}{is_dead}", elapsed.as_secs_f64(), text()));
        }
    }

    /// A claim does not hold.
    pub(crate) fn fail(&self, claim: &'static str, seen: impl Into<String>) {
        let seen = seen.into();
        self.note(0xdead, || format!("BROKEN: {claim}: {seen}"));
        self.lock().failure.get_or_insert(Failure { claim, seen });
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.lock().failure.is_some()
    }

    pub(crate) fn end(&self) -> (Option<Failure>, u64, Vec<String>) {
        let mut state = self.lock();
        (state.failure.take(), state.hash, state.lines.take().unwrap_or_default())
    }
}

impl State {
    fn kill_now(&mut self, kill: Kill) {
        if self.killed.is_none() {
            self.killed = Some(kill);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }
}
