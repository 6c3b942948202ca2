//! The delivery of one batch: it is repeated until the server answers about its content, and halved until each bad
//! record is alone.

mod attempt;
mod outcome;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::doubt::Suspicion;
use super::end::EndTime;
use super::event::{DispatchEvent, Finished};
use super::mode::Mode;
use super::record::Item;
use super::settings::Partial;
use super::shared::DispatchShared;
use super::sink::Sink;
use crate::error::Error;
use crate::report::{Counts, RecordKind};
use crate::verdict::Backoff;

pub(super) use outcome::lose;

/// How couriers deliver their batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct CourierPolicy {
    pub(super) kind: RecordKind,
    pub(super) backoff: Backoff,
    /// A server that asks for a longer wait is not believed.
    pub(super) longest_asked: Duration,
    pub(super) partial: Partial,
    pub(super) mode: Mode,
    pub(super) has_disk: bool,
    /// Whether the records of a customer wait while one of theirs is set aside.
    pub(super) keeps_order: bool,
}

/// What a courier does if the server says nothing about the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tries {
    /// Tries until the server does, or the batch is in doubt.
    UntilDecided,
    /// Tries once, and brings the records back.
    Once,
}

/// Records that are sent together.
struct Part {
    items: Vec<Item>,
    /// Whether the server may have some of them already.
    sent_before: bool,
    suspicion: Suspicion,
    /// When it, or the part it is a half of, first failed.
    failing_since: Option<Instant>,
}

pub(super) struct Courier {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) shared: Arc<DispatchShared>,
    pub(super) policy: CourierPolicy,
    pub(super) tries: Tries,
    pub(super) end: EndTime,
    /// Tells dispatch's thread of doubts.
    pub(super) tell: tokio::sync::mpsc::UnboundedSender<DispatchEvent>,
    /// The customer of each record that is not decided.
    pub(super) customers: Vec<u32>,
    pub(super) finished: Finished,
}

/// How sending a part ended.
enum Sent {
    /// The sink answered.
    Answered(Counts),
    /// The sink refused the content.
    Refused(Error),
    /// The part fails again and again while other records get through.
    Stuck(Error),
    /// A single record fails, and it is not known whether those behind it, of the same batch, would get through.
    Unclear,
    /// The sink said nothing about the content, and no more attempts are wanted now.
    Undecided(Error),
    /// Time ran out; with the last error, if there was one.
    GivenUp(Option<Error>),
}

impl Part {
    /// The first half goes first, which keeps the order.
    fn halves(self, suspicion: Suspicion) -> [Self; 2] {
        let (mut first, failing_since) = (self.items, self.failing_since);
        let second = first.split_off(first.len() / 2);
        [second, first].map(|items| Self { items, sent_before: true, suspicion, failing_since })
    }
}

impl Courier {
    pub(super) async fn deliver(mut self, items: Vec<Item>) -> Finished {
        let mut parts = vec![Part { items, sent_before: false, suspicion: Suspicion::none(), failing_since: None }];
        while let Some(mut part) = parts.pop() {
            if part.items.is_empty() {
                continue;
            }
            // Those of a record that is set aside wait for it, too.
            let aside = self.finished.aside.iter().map(|(item, _)| item).chain(&self.finished.behind);
            let left = parts.iter().chain([&part]).flat_map(|part| &part.items).chain(aside);
            self.customers = left.map(|item| item.record.lane()).collect();
            match self.send(&mut part, !parts.is_empty()).await {
                Sent::GivenUp(error) => {
                    // Later records must not overtake.
                    let later = parts.drain(..).rev().flat_map(|part| part.items);
                    part.items.extend(later);
                    self.left(part, error);
                }
                Sent::Unclear => {
                    let later = parts.drain(..).rev().flat_map(|part| part.items);
                    part.items.extend(later);
                    parts.push(part);
                }
                Sent::Undecided(error) => self.bring_back(part, error),
                Sent::Stuck(error) if part.items.len() == 1 => {
                    self.set_aside(part, error);
                    self.hold_back(&mut parts);
                }
                Sent::Stuck(_) => {
                    let suspicion = part.suspicion.of_a_half();
                    parts.extend(part.halves(suspicion));
                }
                Sent::Answered(counts) => parts.extend(self.answered(part, counts)),
                Sent::Refused(error) => parts.extend(self.refused(part, error)),
            }
        }
        self.finished
    }
}
