//! A stream in memory with JetStream's rules, a Paid that can be down, and an emitter on the test's own runtime.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::stream::{self, Stream};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::super::{Ack, ForwardError, Forwarded, Incoming, forward_messages};
use crate::dispatch::{Batch, Host, Sink, SinkFuture, Work};
use crate::error::Error;
use crate::report::Counts;
use crate::{Emitter, EmitterBuilder, Signal};

pub(super) const ACK_WAIT: Duration = Duration::from_secs(3);

/// This runtime, with its clock.
#[derive(Debug)]
struct Here;

impl Host for Here {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn start(&self, _: &str, work: Work) -> io::Result<Handle> {
        tokio::spawn(work);
        Ok(Handle::current())
    }

    fn may_block(&self) -> bool {
        false
    }
}

/// What Paid does with a batch.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Paid {
    #[default]
    Up,
    Down,
    Hangs,
    Refuses,
    /// Fails on signals with one of these keys: 0005, 0015, 0025, 0035.
    Fails,
}

#[derive(Clone, Default)]
pub(super) struct Server {
    pub(super) paid: Arc<Mutex<Paid>>,
    pub(super) keys: Arc<Mutex<Vec<String>>>,
}

impl Sink for Server {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            sleep(Duration::from_millis(10)).await;
            let paid = *self.paid.lock().unwrap();
            match paid {
                Paid::Up => {}
                Paid::Down => return Err(Error::unavailable("down")),
                Paid::Hangs => std::future::pending().await,
                Paid::Refuses => return Err(Error::refused("no")),
                Paid::Fails => {
                    if batch.records().any(|record| matches!(record.key(), "0005" | "0015" | "0025" | "0035")) {
                        return Err(Error::unavailable("boom"));
                    }
                }
            }
            self.keys.lock().unwrap().extend(batch.records().map(|record| record.key().to_owned()));
            Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
        })
    }
}

/// A stream and its consumer.
#[derive(Clone, Default)]
pub(super) struct JetStream(Arc<Mutex<State>>);

#[derive(Default)]
pub(super) struct State {
    bodies: BTreeMap<u64, Vec<u8>>,
    ready: VecDeque<u64>,
    /// When what was delivered, and not acknowledged, is delivered again.
    silent_until: BTreeMap<u64, Instant>,
    /// How often each message was delivered.
    pub(super) deliveries: BTreeMap<u64, u32>,
    pub(super) acks: Vec<(u64, Ack)>,
    pub(super) acks_to_fail: usize,
    pub(super) acks_hang: bool,
    pub(super) is_deleted: bool,
}

impl JetStream {
    pub(super) fn of_signals(numbers: std::ops::Range<u64>, bytes: usize) -> Self {
        let stream = Self::default();
        let text = "x".repeat(bytes);
        for number in numbers {
            let signal = Signal::new("e").customer("c").idempotency_key(format!("{number:04}")).field("text", &text);
            stream.publish(number, signal.to_json().to_string().as_bytes());
        }
        stream
    }

    pub(super) fn publish(&self, sequence: u64, body: &[u8]) {
        self.look(|state| {
            state.bodies.insert(sequence, body.to_owned());
            state.ready.push_back(sequence);
        });
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    pub(super) fn acks(&self, wanted: Ack) -> Vec<u64> {
        self.look(|state| state.acks.iter().filter(|(_, ack)| *ack == wanted).map(|(sequence, _)| *sequence).collect())
    }

    /// How many messages were delivered more than once.
    pub(super) fn redelivered(&self) -> usize {
        self.look(|state| state.deliveries.values().filter(|times| **times > 1).count())
    }

    fn next(&self) -> Option<Message> {
        self.look(|state| {
            let now = Instant::now();
            let silent: Vec<_> =
                state.silent_until.iter().filter(|(_, until)| **until <= now).map(|(sequence, _)| *sequence).collect();
            for sequence in silent {
                state.silent_until.remove(&sequence);
                state.ready.push_back(sequence);
            }
            let sequence = state.ready.pop_front()?;
            state.silent_until.insert(sequence, now + ACK_WAIT);
            *state.deliveries.entry(sequence).or_default() += 1;
            Some(Message { sequence, payload: state.bodies.get(&sequence).cloned()?, stream: self.clone() })
        })
    }

    pub(super) fn messages(&self) -> impl Stream<Item = Result<Message, ForwardError>> + use<> {
        stream::unfold(self.clone(), |stream| async {
            loop {
                if stream.look(|state| state.is_deleted) {
                    return Some((Err(ForwardError::new("deleted")), stream));
                }
                if let Some(message) = stream.next() {
                    return Some((Ok(message), stream));
                }
                sleep(Duration::from_millis(50)).await;
            }
        })
    }
}

pub(super) struct Message {
    sequence: u64,
    payload: Vec<u8>,
    stream: JetStream,
}

impl Incoming for Message {
    fn payload(&self) -> &[u8] {
        &self.payload
    }

    fn sequence(&self) -> u64 {
        self.sequence
    }

    async fn acknowledge(&self, ack: Ack) -> Result<(), String> {
        if self.stream.look(|state| state.acks_hang) {
            std::future::pending::<()>().await;
        }
        self.stream.look(|state| {
            if ack != Ack::Working && state.acks_to_fail > 0 {
                state.acks_to_fail -= 1;
                return Err("no connection".into());
            }
            state.acks.push((self.sequence, ack));
            let again = |after| Instant::now() + after;
            match ack {
                Ack::Done | Ack::Never => {
                    state.silent_until.remove(&self.sequence);
                }
                Ack::Again(after) => {
                    state.silent_until.insert(self.sequence, again(after.unwrap_or(Duration::ZERO)));
                }
                Ack::Working => {
                    if let Some(until) = state.silent_until.get_mut(&self.sequence) {
                        *until = again(ACK_WAIT);
                    }
                }
            }
            Ok(())
        })
    }
}

/// A forwarder and all that is around it.
pub(super) struct Rig {
    pub(super) server: Server,
    pub(super) emitter: Emitter,
    pub(super) stream: JetStream,
    pub(super) reports: Arc<Mutex<Vec<String>>>,
}

impl Rig {
    pub(super) fn new(stream: JetStream, set: impl FnOnce(EmitterBuilder) -> EmitterBuilder) -> Self {
        let (server, reports) = (Server::default(), Arc::<Mutex<Vec<String>>>::default());
        let heard = Arc::clone(&reports);
        let mut builder = set(EmitterBuilder::over(server.clone()));
        builder = builder.on_error(move |failure| heard.lock().unwrap().push(failure.to_string()));
        builder.settings.host = Arc::new(Here);
        Self { server, emitter: builder.build().unwrap(), stream, reports }
    }

    pub(super) fn set(&self, paid: Paid) {
        *self.server.paid.lock().unwrap() = paid;
    }

    pub(super) async fn forward(&self, stop: impl Future<Output = ()>) -> Result<Forwarded, ForwardError> {
        forward_messages(self.stream.messages(), ACK_WAIT, &self.emitter, stop).await
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.server.keys.lock().unwrap().clone()
    }

    pub(super) fn reports(&self) -> Vec<String> {
        self.reports.lock().unwrap().clone()
    }

    /// Ends the emitter. Dropping it would block the runtime that it needs.
    pub(super) async fn end(self) {
        let _ = self.emitter.shutdown(Duration::ZERO).await;
    }
}
