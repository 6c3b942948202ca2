//! The result of delivering one record.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::tell::{self, Tell};
use crate::report::{DeliveryError, RecordKind};

pub(crate) type Outcome = Result<Delivery, DeliveryError>;

/// Paid has the signal or cost record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// Paid has it. Paid counts the duplicates of a batch without saying which records they are, so this may be one.
    Delivered,
    /// Paid already had a record with this idempotency key; nothing is billed again.
    Duplicate,
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

    /// The receipt of a record that is already delivered.
    pub(crate) fn of_delivery(kind: RecordKind, delivery: Delivery) -> Self {
        let (tell, receipt) = Self::new(kind);
        tell.send(Ok(delivery));
        receipt
    }

    /// The receipt of a record that was not accepted.
    pub(crate) fn of_failure(failure: DeliveryError) -> Self {
        let (tell, receipt) = Self::new(failure.kind());
        tell.send(Err(failure));
        receipt
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
