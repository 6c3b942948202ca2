//! The result of delivering one record.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::tell::{self, Tell};
use crate::report::{DeliveryError, RecordKind};

pub(crate) type Outcome = Result<Delivery, DeliveryError>;

/// What became of a signal or cost record that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// Paid has it. Paid counts the duplicates of a batch without saying which records they are, so this may be one.
    Delivered,
    /// Paid already had a record with this idempotency key; nothing is billed again.
    Duplicate,
    /// It was not sent, on purpose: sending is turned off (`PAID_ENABLED=false`), or this is a dry run.
    NotSent,
}

/// The pending result of a signal or cost record. Await it, or drop it: delivery continues either way.
#[derive(Debug)]
pub struct Receipt {
    kind: RecordKind,
    outcome: oneshot::Receiver<Outcome>,
}

impl Receipt {
    pub(crate) fn new(kind: RecordKind) -> (Tell<Outcome>, Self) {
        let (tell, outcome) = tell::channel();
        (tell, Self { kind, outcome })
    }

    /// The receipt of a record whose result is known.
    pub(crate) fn of_outcome(kind: RecordKind, outcome: Outcome) -> Self {
        let (tell, receipt) = Self::new(kind);
        tell.send(outcome);
        receipt
    }

    /// Waits for the result, on a thread without an async runtime.
    ///
    /// # Errors
    ///
    /// If the record was not delivered: with the reason.
    ///
    /// # Panics
    ///
    /// In async code, whose thread must not block: await the receipt there.
    pub fn blocking_wait(self) -> Result<Delivery, DeliveryError> {
        let outcome = self.outcome.blocking_recv();
        outcome.unwrap_or_else(|_| Err(DeliveryError::not_delivered(self.kind, 1, None)))
    }

    /// This receipt, once the record is on disk or delivered; its failure, if it is neither.
    pub(crate) async fn once_safe(self, stored: oneshot::Receiver<()>) -> Result<Self, DeliveryError> {
        if stored.await.is_ok() {
            return Ok(self);
        }
        let kind = self.kind;
        self.await.map(|delivery| Self::of_outcome(kind, Ok(delivery)))
    }

    /// The receipt of a record that was not accepted.
    pub(crate) fn of_failure(failure: DeliveryError) -> Self {
        Self::of_outcome(failure.kind(), Err(failure))
    }
}

impl Future for Receipt {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let outcome = Pin::new(&mut self.outcome).poll(context);
        let kind = self.kind;
        outcome.map(|outcome| outcome.unwrap_or(Err(DeliveryError::not_delivered(kind, 1, None))))
    }
}
