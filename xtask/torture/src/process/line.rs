//! What is delivered in a story: signals or cost records.

use std::time::Duration;

use paid::costs::CostEmitter;
use paid::{Emitter, FlushError, Stats};

/// A handle of an emitter.
#[derive(Clone)]
pub(super) enum Line {
    Signals(Emitter),
    Costs(CostEmitter),
}

impl Line {
    pub(super) fn stats(&self) -> Stats {
        match self {
            Self::Signals(emitter) => emitter.stats(),
            Self::Costs(emitter) => emitter.stats(),
        }
    }

    pub(super) async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        match self {
            Self::Signals(emitter) => emitter.flush(within).await,
            Self::Costs(emitter) => emitter.flush(within).await,
        }
    }

    pub(super) async fn shutdown(&self, within: Duration) -> Result<(), FlushError> {
        match self {
            Self::Signals(emitter) => emitter.shutdown(within).await,
            Self::Costs(emitter) => emitter.shutdown(within).await,
        }
    }
}
