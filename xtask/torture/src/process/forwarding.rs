//! The forwarder of a story about messages.

use std::sync::PoisonError;
use std::time::Duration;

use paid::fuzzing::simulation;
use paid::nats::{ForwardError, Forwarded};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::deeds::SLACK;
use super::line::Line;
use super::{Process, signal};
use crate::story::{Burst, Nature};
use crate::stream::ACK_WAIT;

/// What the documentation of `forward` adds to the emitter's patience.
const MOMENT: Duration = Duration::from_secs(2);

/// How a forwarder is stopped.
#[derive(Default)]
pub(super) struct Stop {
    tell: Option<oneshot::Sender<()>>,
    /// When it was told, and the number of those who wait for it.
    told: Option<(Instant, u64)>,
}

impl Process {
    pub(super) fn publish(&self, burst: &Burst) {
        for number in burst.first..burst.first + burst.count {
            self.paid.expect(number, burst.nature, burst.customer);
            let payload = match burst.nature {
                Nature::Junk => b"{\"eventName\":\"e\"}".to_vec(),
                _ => signal(number, burst.customer, burst.size).to_json().to_string().into_bytes(),
            };
            self.stream.publish(u64::from(number), payload, burst.nature);
        }
    }

    /// Starts a forwarder, unless one runs.
    pub(super) fn forward(&self) {
        let Some(Line::Signals(emitter)) = self.emitter() else { return };
        if !self.setup.is_of_messages() || self.stream.is_forwarded() {
            return;
        }
        self.stream.begin();
        let (tell, told) = oneshot::channel();
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = Stop { tell: Some(tell), told: None };
        let process = self.clone();
        self.spawn(async move {
            let messages = process.stream.messages();
            let stop = async move {
                if told.await.is_err() {
                    std::future::pending().await
                }
            };
            let outcome = simulation::forward(messages, ACK_WAIT, &emitter, stop).await;
            drop(emitter);
            if !process.world.is_dead() {
                process.forwarded(outcome);
            }
        });
    }

    /// Tells the forwarder to stop.
    pub(super) fn stop(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tell) = stop.tell.take().filter(|_| self.stream.is_forwarded()) {
            self.stream.stops();
            stop.told = Some((Instant::now(), self.model.open_apart("the end of the forwarder".to_owned())));
            let _ = tell.send(());
        }
    }

    /// The forwarder has ended.
    fn forwarded(&self, outcome: Result<Forwarded, ForwardError>) {
        let (said, is_stopped) = (self.stream.end(), self.stream.is_stopping());
        self.world.note(0x83_0000, || format!("forwarded: {outcome:?}, {said:?}"));
        let told = self.stop.lock().unwrap_or_else(PoisonError::into_inner).told.take();
        if let Some((told, waits)) = told {
            self.model.close(waits);
            let (took, patience) = (told.elapsed(), Duration::from_millis(u64::from(self.setup.patience)));
            self.model.claim("forward ends in time", took <= patience + MOMENT + SLACK, || format!("it took {took:?}"));
        }
        let is_expected = match outcome {
            Ok(_) => is_stopped || self.paid.is_ending(),
            Err(_) => self.stream.is_cut_off(),
        };
        self.model.claim("forward ends only for a reason", is_expected, || format!("{outcome:?}"));
        let holds = said.unanswered.is_none();
        self.model.claim("a forwarder that ends leaves no message without an answer", holds, || format!("{said:?}"));
        if let Ok(forwarded) = outcome {
            let holds = (forwarded.delivered, forwarded.refused) == (said.done, said.never);
            self.model.claim("what is forwarded is counted", holds, || format!("{forwarded:?}, {said:?}"));
        }
    }

    /// Everything works again: every message is delivered or refused.
    pub(super) async fn finish_forwarding(&self, longest: Duration) {
        let until = Instant::now() + longest;
        while self.stream.left() > 0 && Instant::now() < until {
            self.forward();
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    /// Ends the forwarder when nothing is left.
    pub(super) async fn end_forwarding(&self) {
        let left = self.stream.left();
        self.model.claim("every message is delivered in the end, or refused", left == 0, || format!("{left} are left"));
        self.stop();
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
}
