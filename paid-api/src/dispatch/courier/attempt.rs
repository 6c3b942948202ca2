//! Attempts to send a part, and the waits between them.

use std::time::Duration;

use tokio::time::Instant;

use super::{Courier, Part, Sent, Tries};
use crate::dispatch::doubt::Doubt;
use crate::dispatch::end::before;
use crate::dispatch::event::DispatchEvent;
use crate::dispatch::record::Item;
use crate::dispatch::sink::Batch;
use crate::error::Error;
use crate::foreign;
use crate::report::Counts;
use crate::verdict::Verdict;

/// A server that has not answered for this long is reported.
const SLOW: Duration = Duration::from_secs(10);
/// After this time, one record of a part in doubt may overtake others of its customer.
const LONG: Duration = Duration::from_secs(10 * 60);
/// The shortest wait before another attempt when delivery ends.
const LAST_WAIT: Duration = Duration::from_millis(100);

/// What is sent next.
#[derive(Clone, Copy)]
enum Choice {
    All,
    /// One record of a part in doubt, to see whether it gets through.
    One(usize),
}

impl Courier {
    /// Sends a part until the sink answers about its content, the part is in doubt, or time runs out.
    /// `has_more` says whether others of the batch wait behind it.
    pub(super) async fn send(&mut self, part: &mut Part, has_more: bool) -> Sent {
        let mut doubt = Doubt::None;
        loop {
            if self.has_given_up() {
                return Sent::GivenUp(None);
            }
            if let Some(until) = self.shared.asked().filter(|until| *until > Instant::now())
                && !self.wait(until, false).await
            {
                return Sent::GivenUp(None);
            }
            let choice = self.choose(part, doubt);
            let error = match self.try_once(part, choice).await {
                None => return Sent::GivenUp(None),
                Some(Ok(sent)) => match choice {
                    Choice::All => return sent,
                    Choice::One(place) => {
                        self.one_of(part, place, sent);
                        // It gets through: the others may, too.
                        doubt = Doubt::None;
                        continue;
                    }
                },
                Some(Err(error)) => error,
            };
            part.failing_since.get_or_insert_with(Instant::now);
            part.sent_before |= matches!(error.verdict(), Verdict::Unknown | Verdict::Done);
            let kind = self.policy.kind;
            match error.verdict() {
                Verdict::Done => self.shared.is_stuck(format_args!(
                    "{kind}s have arrived, but the answer cannot be used; they are sent again as they are: {error}"
                )),
                _ => self
                    .shared
                    .is_stuck(format_args!("{kind}s cannot be delivered now and will be sent again: {error}")),
            }
            let asked = error.asked_to_wait(self.shared.host.now()).filter(|asked| *asked <= self.policy.longest_asked);
            if let Some(asked) = asked {
                self.shared.ask(Instant::now() + asked);
            }
            if self.tries == Tries::Once {
                return Sent::Undecided(error);
            }
            doubt = part.suspicion.failed(error.verdict(), part.items.len() == 1, self.shared.traffic());
            if doubt == Doubt::Unclear && asked.is_none() {
                // Somebody else may get through.
                let (taken, customers) = (self.finished.taken, self.customers.iter().copied().collect());
                let _ = self.tell.send(DispatchEvent::Doubt { taken, customers, is_old: is_old(part) });
            }
            let attempts = part.suspicion.attempts();
            let is_useless = matches!(error.verdict(), Verdict::BadKey | Verdict::Misdirected);
            if !self.pause(attempts, asked, is_useless).await {
                return Sent::GivenUp(Some(error));
            }
            self.shared.counts.retries.add(1);
            if doubt == Doubt::Founded {
                return Sent::Stuck(error);
            }
            if doubt == Doubt::Unclear && part.items.len() == 1 && has_more {
                return Sent::Unclear;
            }
        }
    }

    /// Every second attempt of a part in doubt is one of its records, another one each time: first the customers' first
    /// ones, which keeps the order, and at last any.
    fn choose(&self, part: &Part, doubt: Doubt) -> Choice {
        let (attempts, records) = (part.suspicion.attempts() as usize, part.items.len());
        if doubt != Doubt::Unclear || records < 2 || attempts.is_multiple_of(2) {
            return Choice::All;
        }
        let may_overtake = is_old(part) && !self.policy.keeps_order;
        let places = if may_overtake { (0..records).collect() } else { firsts(&part.items) };
        places.get(attempts / 2 % places.len()).map_or(Choice::All, |place| Choice::One(*place))
    }

    /// One attempt; `None` if time ran out, an error if the sink said nothing about the content.
    async fn try_once(&mut self, part: &Part, choice: Choice) -> Option<Result<Sent, Error>> {
        let items = match choice {
            Choice::All => &*part.items,
            Choice::One(place) => std::slice::from_ref(part.items.get(place)?),
        };
        let (begun, asked) = (Instant::now(), self.shared.asks());
        let answer = before(self.end.clone(), self.attempt(items)).await?;
        drop(asked);
        self.shared.answered(items.len(), begun.elapsed());
        match answer {
            Ok(counts) => {
                self.shared.gets_through();
                Some(Ok(Sent::Answered(counts)))
            }
            Err(error) if error.verdict() == Verdict::BadContent => {
                if error.is_answer() {
                    self.shared.gets_through();
                }
                Some(Ok(Sent::Refused(error)))
            }
            Err(error) => {
                self.shared.fails();
                Some(Err(error))
            }
        }
    }

    /// A sink that panics has said nothing: nobody knows what it did.
    async fn attempt(&self, items: &[Item]) -> Result<Counts, Error> {
        let sending = async { self.sink.send(Batch::new(items)).await };
        let mut sending = std::pin::pin!(foreign::outcome(sending));
        let answer = match tokio::time::timeout(SLOW, &mut sending).await {
            Ok(answer) => answer,
            Err(_) => {
                self.shared.is_slow(self.policy.kind, items.len(), SLOW);
                sending.await
            }
        };
        answer.unwrap_or_else(|_| Err(Error::unavailable("the sink panicked")))
    }

    fn has_given_up(&self) -> bool {
        self.end.borrow().is_some_and(|end| Instant::now() >= end)
    }

    /// Waits before the next attempt; returns false if time has run out, or if the end has come and waiting is useless.
    async fn pause(&mut self, attempts: u32, asked: Option<Duration>, is_useless: bool) -> bool {
        let own = self.policy.backoff.wait(attempts, fastrand::f64());
        // A server that names a time that is past, or none at all, gets a pause all the same.
        self.wait(Instant::now() + own.max(asked.unwrap_or_default()), is_useless).await
    }

    /// Waits until then; returns false if time has run out, or if the end has come and waiting is useless.
    async fn wait(&mut self, until: Instant, is_useless: bool) -> bool {
        let mut end = self.end.clone();
        let was_ending = end.borrow().is_some();
        let is_ending = tokio::time::timeout_at(until, end.wait_for(Option::is_some)).await.is_ok();
        if !is_ending {
            return true;
        }
        if was_ending && is_useless {
            return false;
        }
        // During a shutdown there is no time for long waits.
        let last = self.end.borrow().unwrap_or(until);
        let left = last.saturating_duration_since(Instant::now());
        let until = until.min(Instant::now() + (left / 4).max(LAST_WAIT)).min(last);
        let is_awake = before(self.end.clone(), tokio::time::sleep_until(until)).await.is_some();
        is_awake && Instant::now() < last
    }
}

/// Returns true if the server has failed on a part for long.
fn is_old(part: &Part) -> bool {
    part.failing_since.is_some_and(|since| since.elapsed() >= LONG)
}

/// The places of each customer's first record.
fn firsts(items: &[Item]) -> Vec<usize> {
    let mut known = std::collections::BTreeSet::new();
    (0..items.len()).filter(|place| items.get(*place).is_some_and(|item| known.insert(item.record.lane()))).collect()
}
