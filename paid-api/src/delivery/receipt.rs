//! What became of one signal.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::emit::EmitError;

pub(super) type Outcome = Result<Delivery, EmitError>;

/// That Paid has a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// It has it. Paid counts the duplicates of a batch without saying which they are, so this may be one.
    Delivered,
    /// It had one with this idempotency key before; nothing is billed again.
    Duplicate,
}

/// What becomes of an emitted signal: await it, or drop it and let the emitter work.
#[derive(Debug)]
pub struct Receipt {
    outcome: oneshot::Receiver<Outcome>,
}

impl Receipt {
    pub(super) fn new() -> (oneshot::Sender<Outcome>, Self) {
        let (tell, outcome) = oneshot::channel();
        (tell, Self { outcome })
    }
}

impl Future for Receipt {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let outcome = Pin::new(&mut self.outcome).poll(context);
        outcome.map(|outcome| outcome.unwrap_or(Err(EmitError::ShutDown { name: "".into() })))
    }
}
