//! The stream of messages that a forwarder reads: it delivers again what is not acknowledged in time, as JetStream does, and
//! holds the forwarder to what it may say about a message.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{Stream as Messages, unfold};
use paid::fuzzing::simulation::{Message, Reply};
use tokio::sync::Notify;

use crate::server::Paid;
use crate::story::{Nature, StreamFault};
use crate::world::World;

/// How long a message may be silent before it is delivered again.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(30);

/// As many messages may be delivered and not acknowledged.
const MOST_PENDING: usize = 100;

/// Outlives the processes that read it.
#[derive(Clone)]
pub(crate) struct Stream(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Notify,
    /// Acknowledgements arrive again.
    healed: Notify,
}

struct State {
    world: World,
    paid: Paid,
    messages: BTreeMap<u64, Stored>,
    ready: VecDeque<u64>,
    /// When a message is delivered again, and whether because it was silent.
    again: BTreeMap<u64, (Duration, bool)>,
    faults: Faults,
    /// Acknowledgements were in trouble, so that messages may come again.
    acks_had_trouble: bool,
    forwarder: Forwarder,
}

#[derive(Clone)]
struct Stored {
    payload: Arc<[u8]>,
    is_junk: bool,
}

#[derive(Default)]
struct Faults {
    fail: u32,
    lost: u32,
    hang: bool,
    doubles: u32,
    slow: u32,
    breaks: bool,
    ends: bool,
}

/// The forwarder that reads the stream, and what it has said.
#[derive(Default)]
struct Forwarder {
    number: u64,
    runs: bool,
    since: Duration,
    /// It was told to stop.
    stops: bool,
    /// The stream failed or ended under it.
    is_cut_off: bool,
    /// The messages that were delivered to it.
    here: BTreeMap<u64, Here>,
    done: BTreeSet<u64>,
    never: BTreeSet<u64>,
}

#[derive(Default)]
struct Here {
    times: u64,
    /// Of these, by the fault of the stream that delivers messages twice.
    doubled: u64,
    is_answered: bool,
    /// Answers that have not arrived. One of them is enough for a message that comes again meanwhile.
    on_their_way: usize,
}

/// What a forwarder has said in its life.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) done: u64,
    pub(crate) never: u64,
    /// A message about which it said nothing.
    pub(crate) unanswered: Option<u64>,
}

enum Taken {
    Message(Delivered),
    Broken,
    Ended,
    /// Nothing, until then.
    Nothing(Option<Duration>),
}

impl Stream {
    pub(crate) fn new(world: World, paid: Paid) -> Self {
        let state = State {
            world,
            paid,
            messages: BTreeMap::new(),
            ready: VecDeque::new(),
            again: BTreeMap::new(),
            faults: Faults::default(),
            acks_had_trouble: false,
            forwarder: Forwarder::default(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Notify::new(), healed: Notify::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process has ended, and its forwarder with it.
    pub(crate) fn start(&self) {
        self.lock().forwarder.runs = false;
    }

    /// A forwarder begins to read.
    pub(crate) fn begin(&self) -> u64 {
        let mut state = self.lock();
        let (number, since) = (state.forwarder.number + 1, state.world.elapsed());
        state.forwarder = Forwarder { number, runs: true, since, ..Forwarder::default() };
        state.paid.forwarder_begins();
        number
    }

    pub(crate) fn is_forwarded(&self) -> bool {
        self.lock().forwarder.runs
    }

    /// The forwarder is told to stop.
    pub(crate) fn stops(&self) {
        self.lock().forwarder.stops = true;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().forwarder.stops
    }

    /// The forwarder has ended.
    pub(crate) fn end(&self) -> Said {
        let mut state = self.lock();
        state.forwarder.runs = false;
        let forwarder = &state.forwarder;
        let unanswered = forwarder.here.iter().find(|(_, here)| !here.is_answered).map(|(sequence, _)| *sequence);
        Said { done: forwarder.done.len() as u64, never: forwarder.never.len() as u64, unanswered }
    }

    /// Whether the stream failed or ended under the forwarder.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.lock().forwarder.is_cut_off
    }

    /// How many messages were not acknowledged for good.
    pub(crate) fn left(&self) -> usize {
        self.lock().messages.len()
    }

    pub(crate) fn publish(&self, sequence: u64, payload: Vec<u8>, nature: Nature) {
        let mut state = self.lock();
        state.messages.insert(sequence, Stored { payload: payload.into(), is_junk: nature == Nature::Junk });
        state.ready.push_back(sequence);
        drop(state);
        self.0.changed.notify_one();
    }

    pub(crate) fn fault(&self, fault: StreamFault) {
        let mut state = self.lock();
        let faults = &mut state.faults;
        match fault {
            StreamFault::Heals => *faults = Faults::default(),
            StreamFault::AcksFail(number) => faults.fail = number,
            StreamFault::AcksLost(number) => faults.lost = number,
            StreamFault::AcksHang => faults.hang = true,
            StreamFault::Doubles(percent) => faults.doubles = percent,
            StreamFault::Slow(ms) => faults.slow = ms,
            StreamFault::Breaks => faults.breaks = true,
            StreamFault::Ends => faults.ends = true,
        }
        state.acks_had_trouble |=
            matches!(fault, StreamFault::AcksFail(_) | StreamFault::AcksLost(_) | StreamFault::AcksHang);
        drop(state);
        self.0.changed.notify_one();
        self.0.healed.notify_waiters();
    }

    async fn is_connected(&self) {
        loop {
            let mut healed = pin!(self.0.healed.notified());
            healed.as_mut().enable();
            if !self.lock().faults.hang {
                return;
            }
            healed.await;
        }
    }

    /// The messages, as this forwarder reads them.
    pub(crate) fn messages(&self) -> impl Messages<Item = Result<Delivered, String>> + Send + use<> {
        unfold(self.clone(), |stream| async {
            let message = stream.next().await?;
            Some((message, stream))
        })
    }

    async fn next(&self) -> Option<Result<Delivered, String>> {
        let slow = self.lock().faults.slow;
        if slow > 0 {
            tokio::time::sleep(Duration::from_millis(u64::from(slow))).await;
        }
        loop {
            let mut changed = pin!(self.0.changed.notified());
            changed.as_mut().enable();
            let taken = self.lock().take(self);
            match taken {
                Taken::Message(message) => return Some(Ok(message)),
                Taken::Broken => return Some(Err("simulated: it is broken".to_owned())),
                Taken::Ended => return None,
                Taken::Nothing(None) => changed.await,
                Taken::Nothing(Some(time)) => drop(tokio::time::timeout(time, changed).await),
            }
        }
    }
}

impl State {
    fn take(&mut self, stream: &Stream) -> Taken {
        if self.world.is_dead() {
            return Taken::Nothing(None);
        }
        self.forwarder.is_cut_off |= self.faults.breaks || self.faults.ends;
        if self.faults.breaks {
            return Taken::Broken;
        }
        if self.faults.ends {
            return Taken::Ended;
        }
        let now = self.world.elapsed();
        self.take_back(now);
        let pending = self.again.values().filter(|(_, is_silent)| *is_silent).count();
        while pending < MOST_PENDING
            && let Some(sequence) = self.ready.pop_front()
        {
            if let Some(stored) = self.messages.get(&sequence).cloned() {
                self.deliver(sequence, now);
                return Taken::Message(Delivered { sequence, stored, stream: stream.clone() });
            }
        }
        let next = self.again.values().map(|(due, _)| *due).min();
        // The timer has milliseconds.
        Taken::Nothing(next.map(|due| due.saturating_sub(now).max(Duration::from_millis(1))))
    }

    /// What is to be delivered again.
    fn take_back(&mut self, now: Duration) {
        let is_due = |(_, (due, _)): &(&u64, &(Duration, bool))| *due <= now;
        let mut due: Vec<_> =
            self.again.iter().filter(is_due).map(|(it, (due, silent))| (*due, *it, *silent)).collect();
        due.sort_unstable();
        for (_, sequence, is_silent) in due {
            self.again.remove(&sequence);
            self.ready.push_back(sequence);
            let is_here = self.forwarder.here.get(&sequence).is_some_and(|here| !here.is_answered);
            if is_silent && is_here && self.forwarder.runs && !self.acks_had_trouble {
                let seen = format!("message {sequence} was silent for too long");
                self.world.fail("a message that is being processed does not come again", seen);
            }
        }
    }

    fn deliver(&mut self, sequence: u64, now: Duration) {
        self.again.insert(sequence, (now + ACK_WAIT, true));
        let comes_twice = self.world.chance(self.faults.doubles);
        if comes_twice {
            self.ready.push_back(sequence);
        }
        let here = self.forwarder.here.entry(sequence).or_default();
        here.times += 1;
        here.doubled += u64::from(comes_twice);
        let is_final = self.forwarder.done.contains(&sequence) || self.forwarder.never.contains(&sequence);
        here.is_answered &= is_final || here.on_their_way > 0;
        let (times, doubled) = (here.times, here.doubled);
        self.world.note(0x1_0000 + sequence, || format!("message {sequence} is delivered for the {times}. time"));
        let seconds = now.saturating_sub(self.forwarder.since).as_secs();
        if times - doubled > 20 + 2 * seconds {
            let seen = format!(
                "message {sequence} was delivered {times} times in {seconds} s, {doubled} by the stream's fault"
            );
            self.world.fail("nothing spins", seen);
        }
        let held = self.forwarder.here.values().filter(|here| !here.is_answered).count();
        let most = self.paid.most_held();
        // At the end, it takes what is at hand, to return it.
        if held > most && !self.forwarder.stops && !self.paid.is_ending() {
            let seen = format!("{held} messages are held, {most} at most");
            self.world.fail("messages without room stay in the stream", seen);
        }
    }

    /// What the forwarder may say about a message.
    fn judge(&mut self, sequence: u64, stored: &Stored, reply: Reply) {
        let number = u32::try_from(sequence).unwrap_or_default();
        let seen = || format!("message {sequence}: {reply:?}");
        self.world.note(0x2_0000 + sequence, || format!("message {sequence} is answered {reply:?}"));
        match reply {
            Reply::Working => return,
            Reply::Done => {
                self.forwarder.done.insert(sequence);
                if !self.paid.has(number) && !self.paid.has_lied(number) {
                    self.world.fail("a message is acknowledged only if Paid has its signal", seen());
                }
            }
            Reply::Never => {
                self.forwarder.never.insert(sequence);
                if !stored.is_junk && !self.paid.has_refused(number) {
                    self.world.fail("a message is given up only if Paid refused it", seen());
                }
            }
            Reply::Again(None) => {
                self.paid.is_returned(number);
                let is_over = self.forwarder.stops || self.paid.is_ending() || self.forwarder.is_cut_off;
                if !is_over {
                    self.world.fail("a message goes back at once only at the end", seen());
                }
            }
            Reply::Again(Some(after)) => {
                self.paid.is_returned(number);
                if after < Duration::from_millis(500) {
                    self.world.fail("what the emitter drops does not come back at once", seen());
                }
            }
        }
        let here = self.forwarder.here.entry(sequence).or_default();
        here.is_answered = true;
        here.on_their_way += 1;
    }

    /// An answer arrives, or is lost.
    fn arrives(&mut self, sequence: u64) {
        if let Some(here) = self.forwarder.here.get_mut(&sequence) {
            here.on_their_way = here.on_their_way.saturating_sub(1);
        }
    }

    fn apply(&mut self, sequence: u64, reply: Reply) {
        let now = self.world.elapsed();
        match reply {
            Reply::Done | Reply::Never => {
                self.messages.remove(&sequence);
                self.again.remove(&sequence);
            }
            Reply::Again(after) => {
                if self.messages.contains_key(&sequence) {
                    self.again.insert(sequence, (now + after.unwrap_or_default(), false));
                }
            }
            Reply::Working => {
                if let Some((due, true)) = self.again.get_mut(&sequence) {
                    *due = now + ACK_WAIT;
                }
            }
        }
    }
}

/// A message that was delivered.
pub(crate) struct Delivered {
    sequence: u64,
    stored: Stored,
    stream: Stream,
}

impl Message for Delivered {
    fn payload(&self) -> &[u8] {
        &self.stored.payload
    }

    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn reply(&self, reply: Reply) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async move {
            let world = self.stream.lock().world.clone();
            if world.is_dead() {
                return std::future::pending().await;
            }
            let is_last = reply != Reply::Working;
            if is_last {
                self.stream.lock().judge(self.sequence, &self.stored, reply);
            }
            self.stream.is_connected().await;
            let mut state = self.stream.lock();
            if is_last {
                state.arrives(self.sequence);
            }
            if is_last && state.faults.fail > 0 {
                state.faults.fail -= 1;
                return Err("simulated: no connection".to_owned());
            }
            if is_last && state.faults.lost > 0 {
                state.faults.lost -= 1;
                return Ok(());
            }
            state.apply(self.sequence, reply);
            drop(state);
            if is_last {
                self.stream.0.changed.notify_one();
            }
            Ok(())
        })
    }
}
