//! One process: an emitter on the simulated machine, and a program that uses it as the story says.

mod build;
mod deeds;
mod end;
mod forwarding;
mod letters;
mod line;

use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use paid::costs::{CostRecord, Spent};
use paid::types::ExternalCustomerId;
use paid::{Currency, DeliveryError, Money, Receipt, Signal};

use crate::disk::Disk;
use crate::host::{Interruptions, spawn};
use crate::model::{Model, OF_HOOK};
use crate::observe::Injected;
use crate::server::{Paid, number_of};
use crate::story::{self, Action, DiskFault, Hook, Mode, Setup, Step, StreamFault};
use crate::stream::Stream;
use crate::world::World;
use forwarding::Stop;
use line::Line;

/// Everything that outlives a process.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) disk: Disk,
    pub(crate) paid: Paid,
    pub(crate) stream: Stream,
    pub(crate) model: Model,
    pub(crate) setup: Setup,
}

/// Why a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was killed, or ends because the next one starts.
    Before(usize),
    /// The story is over.
    Over,
}

/// The emitter, until its handle is dropped. The error hook uses it, too.
type Slot = Arc<Mutex<Option<Line>>>;

#[derive(Clone)]
pub(crate) struct Process {
    world: World,
    disk: Disk,
    paid: Paid,
    stream: Stream,
    model: Model,
    setup: Arc<Setup>,
    emitter: Slot,
    /// The end of the forwarder.
    stop: Arc<Mutex<Stop>>,
    /// How many more signals the hook emits.
    of_hook: Arc<AtomicU32>,
    /// When the emitter must have ended.
    ends_at: Arc<Mutex<Option<Duration>>>,
}

impl Process {
    pub(crate) fn new(stage: &Stage) -> Self {
        Self {
            world: stage.world.clone(),
            disk: stage.disk.clone(),
            paid: stage.paid.clone(),
            stream: stage.stream.clone(),
            model: stage.model.clone(),
            setup: Arc::new(stage.setup.clone()),
            emitter: Slot::default(),
            stop: Arc::default(),
            of_hook: Arc::new(AtomicU32::new(8)),
            ends_at: Arc::default(),
        }
    }

    /// Lets go of the emitter after the end.
    pub(crate) fn leave(&self) {
        drop(self.put(None));
    }

    /// Runs the steps from number `from` on, until the process is killed or the next one starts.
    pub(crate) async fn run(&self, steps: &[Step], from: usize) -> Ended {
        self.world.start();
        self.disk.start();
        self.paid.start();
        self.stream.start();
        self.model.start();
        let mut next = from;
        let story = async {
            self.build(steps.is_empty());
            self.forward();
            while let Some(step) = steps.get(next) {
                tokio::time::sleep(Duration::from_millis(u64::from(step.after))).await;
                next += 1;
                self.world.note(0x1000 + next as u64, || format!("step {next}: {}", step.action));
                self.check_end();
                if step.action == Action::Start {
                    return Ended::Before(next);
                }
                self.act(&step.action);
                self.check();
                if self.world.has_failed() {
                    return Ended::Over;
                }
            }
            if !steps.is_empty() && self.is_ending() {
                // Longer than any shutdown or patience.
                tokio::time::sleep(Duration::from_secs(20)).await;
                let waits = self.model.waits().filter(|_| !self.paid.is_stuck());
                self.model.claim("no future waits for ever", waits.is_none(), || waits.unwrap_or_default());
                self.check_end();
                self.check();
            }
            if !steps.is_empty() && (self.paid.is_stuck() || self.is_ending() || self.emitter().is_none()) {
                return Ended::Before(next);
            }
            self.finish().await;
            Ended::Over
        };
        let ended = self.unless_killed(story).await;
        let ended = ended.unwrap_or(Ended::Before(next));
        self.world.stop();
        ended
    }

    async fn unless_killed<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        std::future::poll_fn(|context| {
            if self.world.is_dead() {
                return Poll::Ready(None);
            }
            self.world.wake_at_kill(context.waker());
            let polled = future.as_mut().poll(context).map(Some);
            if self.world.is_dead() { Poll::Ready(None) } else { polled }
        })
        .await
    }

    fn emitter(&self) -> Option<Line> {
        self.emitter.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, emitter: Option<Line>) -> Option<Line> {
        std::mem::replace(&mut *self.emitter.lock().unwrap_or_else(PoisonError::into_inner), emitter)
    }

    fn interruptions(&self) -> Interruptions {
        Interruptions { percent: self.setup.interrupted, longest: self.setup.pause }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        spawn(&self.world, self.interruptions(), Box::pin(work));
    }

    /// The user's hook.
    fn hook(&self, failure: &DeliveryError) {
        if self.world.is_dead() {
            return;
        }
        self.model.hook(failure);
        match self.setup.hook {
            Hook::Quiet => {}
            Hook::Panics => std::panic::panic_any(Injected),
            Hook::Emits => {
                let is_left = |left: u32| left.checked_sub(1);
                let Ok(left) = self.of_hook.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_left) else { return };
                let process = self.model.process();
                self.model.is_hooking(true);
                self.emit(OF_HOOK + process * 100 + 8 - left, 9, story::Nature::Good, 10, story::How::Emit);
                self.model.is_hooking(false);
            }
        }
    }

    fn check(&self) {
        let Some(emitter) = self.emitter() else { return };
        self.model.check(&emitter.stats());
        if self.setup.outbox.is_some() && self.disk.works() {
            self.model.check_stores();
        }
        if let Line::Spans(traces) = &emitter {
            self.model.check_spans(&traces.stats());
        }
    }

    fn heal(&self) {
        self.world.break_thread(false);
        self.paid.set(Mode::Healthy);
        self.disk.fault(DiskFault::Heals);
        self.stream.fault(StreamFault::Heals);
    }

    /// The signals in the dead-letter file. A line that a kill cut off is no letter, though it may hold a key.
    fn letters(&self) -> BTreeSet<u32> {
        let text = self.disk.text("dead-letters.jsonl").unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let whole = text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        let keys = whole.filter_map(|line| line.split("\"key\":\"").nth(1)?.split('"').next());
        keys.map(number_of).collect()
    }

    /// Everything works again: nothing may be left.
    async fn finish(&self) {
        const LONG: Duration = Duration::from_secs(4 * 60 * 60);
        self.heal();
        let Some(emitter) = self.emitter() else { return };
        // What makes Paid answer 500 is told from an outage within minutes each, at the latest.
        let poison = self.paid.poison();
        let minutes = Duration::from_secs(11 * 60) * (poison + 2) + self.paid.asked();
        let first = minutes + Duration::from_millis(u64::from(self.setup.retry.1) * 100);
        let accepted = self.model.accepted_so_far();
        let time = if poison > 0 { first } else { LONG };
        self.finish_forwarding(time).await;
        if poison == 0 && !self.setup.is_of_messages() && self.world.chance(50) {
            tokio::time::sleep(LONG).await;
            let stats = emitter.stats();
            let holds = stats.queued() == 0 || self.model.is_damaged();
            self.model.claim("delivery waits for nobody who asks", holds, || format!("{stats:?}"));
        }
        let mut flushed = emitter.flush(time).await;
        if poison > 0 {
            self.model.check_rest(&accepted);
            self.paid.cure();
            self.finish_forwarding(LONG).await;
            flushed = emitter.flush(LONG).await;
        }
        self.end_forwarding().await;
        self.model.claim("everything is delivered in the end, or reported", flushed.is_ok(), || {
            format!("{flushed:?}; {:?}", emitter.stats())
        });
        tokio::time::sleep(Duration::from_secs(600)).await;
        let waits = self.model.waits();
        self.model.claim("no future waits for ever", waits.is_none(), || waits.unwrap_or_default());
        self.model.check_quiet(&emitter.stats());
        if let Line::Spans(traces) = &emitter {
            self.model.check_quiet_spans(&traces.stats());
        }
        self.paid.ends();
        let ended = emitter.shutdown(Duration::from_secs(10)).await;
        self.model.claim("an emitter with nothing to do ends well", ended.is_ok(), || format!("{ended:?}"));
        self.model.check_quiet(&emitter.stats());
        self.model.check_fates(&self.letters());
        self.model.check_order();
        drop((self.put(None), emitter));
        tokio::time::sleep(Duration::from_secs(10)).await;
        self.model.check_log();
    }
}

/// The signal with this number.
fn signal(number: u32, customer: u8, size: usize) -> Signal {
    Signal::new(format!("e{number}"))
        .customer(ExternalCustomerId::from(format!("c{customer}")))
        .idempotency_key(format!("k{number}"))
        .timestamp("2026-01-31T00:00:00Z".parse::<paid::Timestamp>().unwrap_or_else(|_| paid::Timestamp::now()))
        .field("text", "x".repeat(size).as_str())
}

/// The cost record with this number; Paid knows it by its vendor only.
fn cost(number: u32, customer: u8, size: usize) -> Option<CostRecord<Spent>> {
    let one = Money::parse("1", Currency::USD).ok()?;
    let mut metadata = paid::JsonObject::new();
    metadata.insert("text".to_owned(), "x".repeat(size).into());
    let record = CostRecord::amount(one).vendor(format!("v{number}")).metadata(metadata);
    let customer = ExternalCustomerId::from(format!("c{customer}"));
    Some(record.customer(customer).timestamp("2026-01-31T00:00:00Z".parse::<paid::Timestamp>().ok()?))
}

/// The outcome of a receipt, if it has one already.
fn peek(receipt: &mut Receipt) -> Option<Result<paid::Delivery, DeliveryError>> {
    match Pin::new(receipt).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}
