//! Paid, as the sink that the emitter sends to: it takes signals in once a key, and answers, lies, hangs or panics.

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use paid::fuzzing::simulation::CostServer;
use paid::{Batch, Counts, Sink, SinkFuture};

use crate::observe::Injected;
use crate::story::{Mode, Nature, Setup};
use crate::world::{Moment, World};
use plan::{Answer, Plan};

/// Outlives the processes that send to it.
#[derive(Clone)]
pub(crate) struct Paid(Arc<Mutex<State>>);

struct State {
    world: World,
    mode: Mode,
    poison_is_cured: bool,
    /// A request of this process will never be answered.
    is_stuck: bool,
    was_moody: bool,
    /// It has failed on a request of this process, or said nothing about what is in it.
    has_failed: bool,
    limits: (usize, usize, usize),
    keeps_order: bool,
    natures: BTreeMap<u32, (Nature, u8)>,
    /// Paid knows signals by their keys, and bills each once.
    billed: BTreeSet<u32>,
    /// In this order.
    order: Vec<u32>,
    /// Signals that were refused when they stood alone: the emitter may give them up.
    refused: BTreeSet<u32>,
    /// Cost records that Paid may have, or not: nobody heard.
    uncertain: BTreeSet<u32>,
    of_costs: bool,
    of_spans: bool,
    of_messages: bool,
    /// The last answer was about spans that are signals, too.
    had_signals: bool,
    /// Spans that the collector has answered about, and signals that it has confirmed to the forwarder.
    answered: BTreeSet<u32>,
    /// Signals whose messages went back to the stream, so that they may be sent twice.
    returned: BTreeSet<u32>,
    /// Dead letters that someone sends again.
    allowed: BTreeSet<u32>,
    /// Dead letters are sent again beside the queue.
    resubmits: bool,
    /// How often each signal was sent in the current second.
    sent: (u64, BTreeMap<u32, u32>),
    /// The largest number of messages that a forwarder may hold, and the most attempts in a second.
    bounds: (usize, u32),
    /// The longest wait that is kept, in seconds.
    longest_asked: u64,
    resends: bool,
    is_damaged: bool,
    /// Signals that Paid said it had, but did not.
    lied: BTreeSet<u32>,
    /// Requests in progress: the customers and the signals in each.
    open: BTreeMap<u64, Vec<u32>>,
    requests: u64,
    /// Until when Paid asked the emitter of this process to wait with a signal.
    asked: BTreeMap<u32, Duration>,
    is_ending: bool,
}

/// The number in the key of a signal or of a cost record.
pub(crate) fn number_of(key: &str) -> u32 {
    let number = key.strip_prefix('k').or_else(|| key.rsplit('-').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(u32::MAX)
}

/// The key of the cost record with this number.
pub(crate) fn key_of_cost(number: u32) -> String {
    format!("01900000-0000-7000-8000-{number:012}")
}

/// The numbers of the cost records in a body: Paid does not see their keys.
fn numbers_in(body: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(body);
    let vendors = text.split("\"vendor\":\"v").skip(1);
    vendors.filter_map(|rest| rest.split('"').next()?.parse().ok()).collect()
}

impl Paid {
    pub(crate) fn new(world: World, setup: &Setup) -> Self {
        Self(Arc::new(Mutex::new(State {
            world,
            mode: Mode::Healthy,
            poison_is_cured: false,
            is_stuck: false,
            was_moody: false,
            has_failed: false,
            // What is set aside, or in doubt, is tried beside the others.
            limits: (setup.batch, setup.batch_bytes, setup.in_flight + setup.in_flight.div_ceil(2) + 1),
            keeps_order: setup.keeps_order,
            natures: BTreeMap::new(),
            billed: BTreeSet::new(),
            order: Vec::new(),
            refused: BTreeSet::new(),
            uncertain: BTreeSet::new(),
            of_costs: setup.is_of_costs(),
            of_spans: setup.is_of_spans(),
            of_messages: setup.is_of_messages(),
            had_signals: false,
            answered: BTreeSet::new(),
            returned: BTreeSet::new(),
            allowed: BTreeSet::new(),
            resubmits: false,
            sent: (0, BTreeMap::new()),
            bounds: (setup.queue * 2 + setup.batch + 2, if setup.retry.0 < 100 { 150 } else { 60 }),
            longest_asked: if setup.is_of_spans() { u64::from(setup.retry.1) / 1000 } else { 3_600 },
            resends: setup.resends,
            is_damaged: false,
            lied: BTreeSet::new(),
            open: BTreeMap::new(),
            requests: 0,
            asked: BTreeMap::new(),
            is_ending: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new process: no request of the one before is in progress.
    pub(crate) fn start(&self) {
        let mut state = self.lock();
        state.open.clear();
        state.asked.clear();
        (state.is_ending, state.is_stuck, state.resubmits, state.has_failed) = (false, false, false, false);
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.lock().is_stuck
    }

    /// From now on, the emitter may not have the time to wait.
    pub(crate) fn ends(&self) {
        self.lock().is_ending = true;
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.lock().is_ending
    }

    /// Another forwarder begins, which knows nothing.
    pub(crate) fn forwarder_begins(&self) {
        self.lock().answered.clear();
    }

    /// The message of this signal went back to the stream.
    pub(crate) fn is_returned(&self, signal: u32) {
        self.lock().returned.insert(signal);
    }

    /// How many messages a forwarder may hold.
    pub(crate) fn most_held(&self) -> usize {
        let state = self.lock();
        let is_poison = |(nature, _): &&(Nature, u8)| *nature == Nature::Poison;
        state.bounds.0 + state.natures.values().filter(is_poison).count()
    }

    /// Whether the last answer was about spans that are signals.
    pub(crate) fn had_signals(&self) -> bool {
        self.lock().had_signals
    }

    /// Someone sends these dead letters again, whatever Paid said about them.
    pub(crate) fn allow(&self, signals: &BTreeSet<u32>) {
        let mut state = self.lock();
        state.allowed.extend(signals);
        state.resubmits = true;
    }

    pub(crate) fn expect(&self, signal: u32, nature: Nature, customer: u8) {
        self.lock().natures.insert(signal, (nature, customer));
    }

    pub(crate) fn set(&self, mode: Mode) {
        let mut state = self.lock();
        state.was_moody |= !matches!(mode, Mode::Healthy | Mode::Unreachable | Mode::Slow(_));
        state.mode = mode;
    }

    /// Whether Paid has failed on some requests and not on others.
    pub(crate) fn is_moody(&self) -> bool {
        self.lock().was_moody
    }

    /// Whether Paid has failed on a request of this process.
    pub(crate) fn has_failed(&self) -> bool {
        self.lock().has_failed
    }

    /// How many signals make Paid answer 500.
    pub(crate) fn poison(&self) -> u32 {
        let state = self.lock();
        let poison = state.natures.values().filter(|(nature, _)| *nature == Nature::Poison).count();
        if state.poison_is_cured { 0 } else { u32::try_from(poison).unwrap_or(u32::MAX) }
    }

    /// How much longer Paid asked to wait.
    pub(crate) fn asked(&self) -> Duration {
        let state = self.lock();
        let now = state.world.elapsed();
        state.asked.values().max().map_or(Duration::ZERO, |until| until.saturating_sub(now))
    }

    pub(crate) fn cure(&self) {
        self.lock().poison_is_cured = true;
    }

    pub(crate) fn has(&self, signal: u32) -> bool {
        self.lock().billed.contains(&signal)
    }

    /// Whether the emitter may give a signal up.
    pub(crate) fn has_refused(&self, signal: u32) -> bool {
        let state = self.lock();
        state.refused.contains(&signal) || state.uncertain.contains(&signal)
    }

    /// Whether Paid may have a cost record, and the emitter cannot know.
    pub(crate) fn is_uncertain(&self, signal: u32) -> bool {
        self.lock().uncertain.contains(&signal)
    }

    /// The files of the outbox are damaged: a cost record may be sent twice.
    pub(crate) fn damage(&self) {
        self.lock().is_damaged = true;
    }

    pub(crate) fn has_lied(&self, signal: u32) -> bool {
        self.lock().lied.contains(&signal)
    }

    /// Whose signal it is.
    pub(crate) fn customer(&self, signal: u32) -> Option<u8> {
        self.lock().customer(signal)
    }

    /// The signals that were taken in, in that order.
    pub(crate) fn order(&self) -> Vec<u32> {
        self.lock().order.clone()
    }
}

impl State {
    fn nature(&self, signal: u32) -> Nature {
        self.natures.get(&signal).map_or(Nature::Good, |(nature, _)| *nature)
    }

    fn customer(&self, signal: u32) -> Option<u8> {
        self.natures.get(&signal).map(|(_, customer)| *customer)
    }

    fn arrive(&mut self, signals: &[u32], bytes: usize) -> (u64, Plan) {
        let (mut most, mut most_bytes, mut most_requests) = self.limits;
        if self.resubmits {
            // They are sent in batches of their own.
            (most, most_bytes, most_requests) = (500, 1 << 20, most_requests + 4);
        }
        if signals.len() > most || (signals.len() > 1 && bytes > most_bytes + 64) {
            let seen = format!("{} signals and {bytes} bytes in one request", signals.len());
            self.world.fail("a request keeps its limits", seen);
        }
        if self.open.len() >= most_requests {
            self.world.fail("requests at once are limited", format!("{} requests", self.open.len() + 1));
        }
        let customers: BTreeSet<_> = signals.iter().filter_map(|signal| self.customer(*signal)).collect();
        let others = self.open.values().flatten().filter_map(|signal| self.customer(*signal));
        let double = others.into_iter().find(|customer| customers.contains(customer));
        if let Some(customer) = double.filter(|_| self.keeps_order && !self.resubmits) {
            self.world.fail("one customer has one request at a time", format!("customer {customer} has two"));
        }
        let now = self.world.elapsed();
        self.count_attempts(signals, now);
        let is_early =
            |signal: &&u32| !self.allowed.contains(signal) && self.asked.get(signal).is_some_and(|until| now < *until);
        if let Some(signal) = signals.iter().find(is_early).filter(|_| !self.is_ending) {
            let seen = format!("signal {signal} was sent again too early");
            self.world.fail("the wait that Paid asks for is kept", seen);
        }
        let request = self.requests;
        self.requests += 1;
        self.open.insert(request, signals.to_vec());
        let plan = self.plan(signals);
        self.is_stuck |= matches!(plan.answer, Answer::Never);
        (request, plan)
    }

    fn count_attempts(&mut self, signals: &[u32], now: Duration) {
        if self.sent.0 != now.as_secs() {
            self.sent = (now.as_secs(), BTreeMap::new());
        }
        for signal in signals {
            let times = self.sent.1.entry(*signal).or_default();
            *times += 1;
            if *times > self.bounds.1 {
                self.world.fail("nothing spins", format!("signal {signal} was sent {times} times in a second"));
            }
            if self.answered.contains(signal) && !self.returned.contains(signal) {
                self.world.fail("what is answered is not sent again", format!("signal {signal}"));
            }
        }
    }

    /// Takes a batch in, once a key.
    fn take_in(&mut self, signals: &[u32]) -> Counts {
        let mut counts = Counts::default();
        for signal in signals {
            if matches!(self.nature(*signal), Nature::Failed | Nature::Refused) {
                counts.failed += 1;
            } else if self.billed.contains(signal) && (self.of_costs || self.of_spans) {
                // There are no keys: it is billed again.
                counts.ingested += 1;
                let may_be = self.of_spans || self.resends || self.is_damaged || self.allowed.contains(signal);
                if !may_be {
                    self.world.fail("a cost record is billed once", format!("record {signal} is billed twice"));
                }
            } else if self.billed.contains(signal) {
                counts.duplicates += 1;
            } else {
                self.billed.insert(*signal);
                self.order.push(*signal);
                counts.ingested += 1;
            }
        }
        counts
    }

    /// Remembers what the answer permits the emitter to do.
    fn says(&mut self, signals: &[u32], answer: &Answer) {
        let is_all = |counts: &Counts| {
            counts.failed == 0 && counts.ingested.saturating_add(counts.duplicates) >= signals.len() as u64
        };
        self.had_signals = signals.iter().any(|signal| self.nature(*signal) == Nature::Signal);
        if let Answer::Counts(counts) = answer
            && (self.of_spans || self.of_messages && is_all(counts))
        {
            self.answered.extend(signals);
        }
        self.has_failed |= match answer {
            Answer::Error(error) => error.verdict() != paid::Verdict::BadContent,
            Answer::Panic | Answer::Never => true,
            Answer::Counts(_) | Answer::Honest => false,
        };
        match answer {
            // The answer to a request with cost records or spans is about all of them.
            Answer::Counts(_) if self.of_costs || self.of_spans => {
                self.lied.extend(signals.iter().filter(|signal| !self.billed.contains(signal)));
            }
            Answer::Counts(counts) if is_all(counts) => {
                self.lied.extend(signals.iter().filter(|signal| !self.billed.contains(signal)));
            }
            Answer::Counts(_) | Answer::Panic if signals.len() == 1 => self.refused.extend(signals),
            Answer::Error(error) => {
                if self.of_costs && error.verdict() == paid::Verdict::Unknown {
                    self.uncertain.extend(signals);
                }
                if signals.len() == 1 && error.verdict() == paid::Verdict::BadContent {
                    self.refused.extend(signals);
                }
                let asked =
                    error.as_api().and_then(|error| error.headers.get("retry-after")?.to_str().ok()?.parse().ok());
                if let Some(seconds) = asked.filter(|seconds| *seconds <= self.longest_asked) {
                    let until = self.world.elapsed() + Duration::from_secs(seconds);
                    self.asked.extend(signals.iter().map(|signal| (*signal, until)));
                }
            }
            Answer::Panic if self.of_costs => self.uncertain.extend(signals),
            Answer::Counts(_) | Answer::Honest | Answer::Never | Answer::Panic => {}
        }
    }
}

/// A request that ends, whether it is answered or given up.
struct Open {
    paid: Paid,
    request: u64,
    is_answered: bool,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.paid.lock();
        let signals = state.open.remove(&self.request).unwrap_or_default();
        if state.of_costs && !self.is_answered {
            state.uncertain.extend(signals);
        }
    }
}

impl Sink for Paid {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let number = |record: &paid::Record| match record.key() {
            // Spans have names only.
            "" => record.name().strip_prefix('e').and_then(|number| number.parse().ok()).unwrap_or(u32::MAX),
            key => number_of(key),
        };
        let signals = batch.records().map(number).collect();
        self.request(signals, batch.records().map(|record| record.body().len() + 1).sum())
    }
}

impl CostServer for Paid {
    fn create(&self, body: Vec<u8>) -> SinkFuture<'_> {
        self.request(numbers_in(&body), body.len())
    }
}

impl Paid {
    fn request(&self, signals: Vec<u32>, bytes: usize) -> SinkFuture<'_> {
        let world = self.lock().world.clone();
        world.at(Moment::Step);
        if world.is_dead() {
            return Box::pin(std::future::pending());
        }
        if self.lock().mode == Mode::Panics(true) {
            self.lock().says(&signals, &Answer::Panic);
            std::panic::panic_any(Injected);
        }
        let (request, plan) = self.lock().arrive(&signals, bytes);
        world.note(0x100 + signals.len() as u64, || format!("request {request} with signals {signals:?}"));
        let open = Open { paid: self.clone(), request, is_answered: false };
        Box::pin(async move {
            // All of it, not only the field that is set.
            let mut open = open;
            tokio::time::sleep(plan.before).await;
            if world.is_dead() {
                return std::future::pending().await;
            }
            let mut answer = plan.answer;
            if plan.takes_in {
                let counts = self.lock().take_in(&signals);
                world.note(0x200 ^ counts.ingested, || format!("request {request} is taken in: {counts:?}"));
                if matches!(answer, Answer::Honest) {
                    answer = Answer::Counts(counts);
                }
                world.at(Moment::TakenIn);
                if world.is_dead() {
                    return std::future::pending().await;
                }
            }
            tokio::time::sleep(plan.after).await;
            if world.is_dead() {
                return std::future::pending().await;
            }
            self.lock().says(&signals, &answer);
            open.is_answered = !matches!(answer, Answer::Never);
            match answer {
                Answer::Counts(counts) => {
                    world.note(0x300 ^ counts.ingested, || format!("request {request} is answered {counts:?}"));
                    Ok(counts)
                }
                Answer::Error(error) => {
                    world.note(0x400, || format!("request {request} is answered {error}"));
                    Err(error)
                }
                Answer::Never | Answer::Honest => {
                    world.note(0x500, || format!("request {request} is never answered"));
                    std::future::pending().await
                }
                Answer::Panic => {
                    world.note(0x600, || format!("request {request} panics"));
                    std::panic::panic_any(Injected)
                }
            }
        })
    }
}
