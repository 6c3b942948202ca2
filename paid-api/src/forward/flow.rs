//! Messages to an emitter, wherever they come from: knows no NATS.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};

use super::{ForwardError, Forwarded};
use crate::Emitter;
use crate::aloud;
use crate::dispatch::{Delivery, Receipt};
use crate::duration::bounded;
use crate::foreign;
use crate::report::DeliveryError;
use crate::verdict::{Backoff, Verdict};

/// What is said about a message to where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ack {
    /// It is done with.
    Done,
    /// It will never succeed.
    Never,
    /// It is to be delivered again: at once, or after this time.
    Again(Option<Duration>),
    /// It is still being processed.
    Working,
}

/// A message of a stream.
pub(crate) trait Incoming: Send + Sync + 'static {
    fn payload(&self) -> &[u8];

    /// The payload is not needed any more.
    fn forget_payload(&mut self) {}

    /// Its number in the stream. A message that is delivered again has the same.
    fn sequence(&self) -> u64;

    /// Resolves when the acknowledgement is on its way; it may still get lost.
    fn acknowledge(&self, ack: Ack) -> impl Future<Output = Result<(), String>> + Send;
}

/// The waits before the emitter is offered a message that it has dropped.
const OFFER_AGAIN: Backoff = Backoff { base: Duration::from_secs(1), max: Duration::from_secs(60) };

/// How long the last acknowledgements may take.
const ACK_PATIENCE: Duration = Duration::from_secs(2);

/// The waits before an acknowledgement that failed is repeated.
const ACK_AGAIN: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Takes nothing until it is told to stop: an emitter that sends nothing must not decide about messages.
pub(super) async fn wait(stop: impl Future<Output = ()>) -> Forwarded {
    aloud::notice(&"nothing is forwarded, because nothing is sent: the messages stay in the stream");
    stop.await;
    Forwarded::default()
}

/// See [`forward`](crate::forward()). `ack_wait` is how long a message may be silent before it is delivered again.
pub(crate) async fn forward_messages<M: Incoming>(
    messages: impl Stream<Item = Result<M, ForwardError>>,
    ack_wait: Duration,
    emitter: &Emitter,
    stop: impl Future<Output = ()>,
) -> Result<Forwarded, ForwardError> {
    if !emitter.is_live() {
        drop(messages);
        return Ok(wait(stop).await);
    }
    // Boxed, to be dropped before the end.
    let mut messages = Box::pin(messages);
    let mut stop = pin!(stop);
    let every = (ack_wait / 3).max(Duration::from_millis(1));
    let mut progress = interval_at(Instant::now() + every, every);
    progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forwarder = Forwarder::new(emitter);
    let ending = loop {
        tokio::select! {
            biased;
            () = &mut stop => break Ok(()),
            _ = progress.tick() => forwarder.show_progress(),
            Some((sequence, outcome)) = forwarder.outcomes.next() => forwarder.settle(sequence, outcome),
            Some(acknowledged) = forwarder.acks.next() => forwarder.acknowledged(acknowledged),
            (sequence, receipt) = entered(&mut forwarder.entering) => forwarder.enter(sequence, receipt),
            message = messages.next(), if forwarder.entering.is_none() => match message {
                Some(Ok(message)) => forwarder.take(message),
                Some(Err(error)) => break Err(error),
                None => break Err(ForwardError::new("it has ended")),
            },
        }
        if forwarder.emitter_has_ended {
            break Ok(());
        }
    };
    // What has arrived and was not taken. The stream is dropped first: otherwise it would fetch them again.
    let mut fetched = Vec::new();
    if ending.is_ok() {
        let at_hand = async {
            while let Some(Some(Ok(message))) = messages.next().now_or_never() {
                fetched.push(message);
            }
        };
        // All of them, not only what the runtime lets a task have in one turn.
        tokio::task::unconstrained(at_hand).await;
    }
    drop(messages);
    forwarder.stop_taking(fetched);
    let mut last = pin!(sleep_until(Instant::now() + bounded(emitter.patience())));
    while !forwarder.outcomes.is_empty() {
        tokio::select! {
            biased;
            Some((sequence, outcome)) = forwarder.outcomes.next() => forwarder.settle(sequence, outcome),
            () = &mut last => break,
            _ = progress.tick() => forwarder.show_progress(),
            Some(acknowledged) = forwarder.acks.next() => forwarder.acknowledged(acknowledged),
        }
    }
    let forwarded = forwarder.end().await;
    ending.map(|()| forwarded)
}

type Outcome = Result<Delivery, DeliveryError>;
type Pinned<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A message that waits for room in the emitter, by its number.
type Entering<'a> = Option<(u64, Pinned<'a, Option<Receipt>>)>;

async fn entered(entering: &mut Entering<'_>) -> (u64, Option<Receipt>) {
    match entering {
        Some((sequence, receipt)) => (*sequence, receipt.await),
        None => std::future::pending().await,
    }
}

/// How many decided messages are remembered.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Copy)]
struct Decision {
    ack: Ack,
    is_on_its_way: bool,
}

struct Forwarder<'a, M> {
    emitter: &'a Emitter,
    /// The messages that are not decided, by number: in the emitter, or the one that waits for room.
    pending: BTreeMap<u64, Arc<M>>,
    entering: Entering<'a>,
    outcomes: FuturesUnordered<Pinned<'a, (u64, Outcome)>>,
    /// Acknowledgements on their way, each with the number of a message that is decided.
    acks: FuturesUnordered<Pinned<'a, Option<u64>>>,
    /// What was last decided about which message.
    decided: BTreeMap<u64, Decision>,
    /// The messages that are being told of, at most once at a time.
    progress: Option<Arc<()>>,
    /// How many messages in a row the emitter has dropped.
    dropped: u32,
    emitter_has_ended: bool,
    forwarded: Forwarded,
}

impl<'a, M: Incoming> Forwarder<'a, M> {
    fn new(emitter: &'a Emitter) -> Self {
        Self {
            emitter,
            pending: BTreeMap::new(),
            entering: None,
            outcomes: FuturesUnordered::new(),
            acks: FuturesUnordered::new(),
            decided: BTreeMap::new(),
            progress: None,
            dropped: 0,
            emitter_has_ended: false,
            forwarded: Forwarded::default(),
        }
    }

    fn take(&mut self, mut message: M) {
        let sequence = message.sequence();
        if let Some(known) = self.pending.get_mut(&sequence) {
            // It came again before it was decided; its latest delivery is the one to acknowledge.
            *known = Arc::new(message);
            return;
        }
        if let Some(decision) = self.decided.get(&sequence) {
            // The acknowledgement is on its way, or was lost.
            if !decision.is_on_its_way {
                self.acknowledge(Arc::new(message), decision.ack);
            }
            return;
        }
        let record = self.emitter.record_of_json(message.payload());
        message.forget_payload();
        let message = Arc::new(message);
        let Some(record) = record else {
            self.forwarded.refused += 1;
            return self.acknowledge(message, Ack::Never);
        };
        self.pending.insert(sequence, message);
        self.entering = Some((sequence, Box::pin(self.emitter.emit_record(record))));
    }

    fn enter(&mut self, sequence: u64, receipt: Option<Receipt>) {
        self.entering = None;
        match receipt {
            Some(receipt) => self.outcomes.push(Box::pin(receipt.map(move |outcome| (sequence, outcome)))),
            None => {
                self.emitter_has_ended = true;
                self.give_back(sequence, None);
            }
        }
    }

    fn settle(&mut self, sequence: u64, outcome: Outcome) {
        let failure = match outcome {
            Ok(_) => {
                self.dropped = 0;
                self.forwarded.delivered += 1;
                return self.decide(sequence, Ack::Done);
            }
            Err(failure) => failure,
        };
        if is_final(&failure) {
            self.forwarded.refused += 1;
            return self.decide(sequence, Ack::Never);
        }
        if is_of_ended_emitter(&failure) {
            self.emitter_has_ended = true;
            return self.give_back(sequence, None);
        }
        // A message that is dropped for others must not come back at once, and be dropped again.
        self.dropped = self.dropped.saturating_add(1);
        self.give_back(sequence, Some(OFFER_AGAIN.wait(self.dropped, 1.0)));
    }

    fn give_back(&mut self, sequence: u64, after: Option<Duration>) {
        self.forwarded.returned += 1;
        self.decide(sequence, Ack::Again(after));
    }

    fn decide(&mut self, sequence: u64, ack: Ack) {
        if let Some(message) = self.pending.remove(&sequence) {
            self.acknowledge(message, ack);
        }
    }

    /// Acknowledges in the background: while the connection is lost, that may take long.
    fn acknowledge(&mut self, message: Arc<M>, ack: Ack) {
        let sequence = message.sequence();
        self.decided.insert(sequence, Decision { ack, is_on_its_way: true });
        self.acks.push(Box::pin(async move {
            for wait in ACK_AGAIN {
                if message.acknowledge(ack).await.is_ok() {
                    return Some(sequence);
                }
                sleep(wait).await;
            }
            // The message comes again, and Paid sees a duplicate.
            if let Err(error) = message.acknowledge(ack).await {
                foreign::log(|| {
                    tracing::warn!("message {sequence} cannot be acknowledged and will come again: {error}");
                });
            }
            Some(sequence)
        }));
    }

    /// Remembers what Paid has, so that it is not sent again if the acknowledgement got lost after all.
    fn acknowledged(&mut self, sequence: Option<u64>) {
        let Some((sequence, decision)) =
            sequence.and_then(|sequence| Some((sequence, self.decided.get_mut(&sequence)?)))
        else {
            return;
        };
        decision.is_on_its_way = false;
        if matches!(decision.ack, Ack::Again(_)) {
            self.decided.remove(&sequence);
        }
        if self.decided.len() > REMEMBERED {
            self.decided.pop_first();
        }
    }

    fn show_progress(&mut self) {
        if self.progress.as_ref().is_some_and(|before| Arc::strong_count(before) > 1) {
            return;
        }
        let messages: Vec<_> = self.pending.values().cloned().collect();
        let under_way = Arc::clone(self.progress.get_or_insert_default());
        self.acks.push(Box::pin(async move {
            for message in messages {
                let _ = message.acknowledge(Ack::Working).await;
            }
            drop(under_way);
            None
        }));
    }

    /// Returns what has not reached the emitter.
    fn stop_taking(&mut self, fetched: Vec<M>) {
        if let Some((sequence, _)) = self.entering.take() {
            self.give_back(sequence, None);
        }
        for message in fetched {
            let sequence = message.sequence();
            let message = Arc::new(message);
            if let Some(known) = self.pending.get_mut(&sequence) {
                *known = message;
            } else if !self.decided.contains_key(&sequence) {
                self.pending.insert(sequence, message);
                self.give_back(sequence, None);
            }
        }
    }

    /// Returns what is not decided, and waits a moment for the last acknowledgements.
    async fn end(mut self) -> Forwarded {
        let undecided: Vec<_> = self.pending.keys().copied().collect();
        for sequence in undecided {
            self.give_back(sequence, None);
        }
        let all = async { while self.acks.next().await.is_some() {} };
        if timeout(ACK_PATIENCE, all).await.is_err() {
            let left = self.acks.len();
            foreign::log(|| {
                tracing::warn!("{left} messages could not be acknowledged after {ACK_PATIENCE:?} and will come again");
            });
        }
        self.forwarded
    }
}

/// Returns true if the signal will never be accepted.
fn is_final(failure: &DeliveryError) -> bool {
    match failure {
        DeliveryError::Failed { .. } | DeliveryError::NotASignal => true,
        // It may also be one on which Paid fails, among many: then it is in the outbox, as a dead letter.
        DeliveryError::NotDelivered { error: Some(error), key, .. } => {
            key.is_some() || error.verdict() == Verdict::BadContent
        }
        _ => false,
    }
}

/// Returns true if the emitter has ended, and would not take any other message either.
fn is_of_ended_emitter(failure: &DeliveryError) -> bool {
    matches!(
        failure,
        DeliveryError::ShutDown { .. } | DeliveryError::InOutbox { .. } | DeliveryError::NotDelivered { .. }
    )
}
