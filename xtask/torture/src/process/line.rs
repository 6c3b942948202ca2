//! What is delivered in a story: signals, cost records or spans.

use std::sync::Arc;
use std::time::Duration;

use paid::costs::CostEmitter;
use paid::fuzzing::simulation::Traces;
use paid::{Emitter, FlushError, Stats};

/// A handle of an emitter.
#[derive(Clone)]
pub(super) enum Line {
    Signals(Emitter),
    Costs(CostEmitter),
    Spans(Arc<Traces>),
}

impl Line {
    pub(super) fn stats(&self) -> Stats {
        match self {
            Self::Signals(emitter) => emitter.stats(),
            Self::Costs(emitter) => emitter.stats(),
            Self::Spans(traces) => traces.dispatched(),
        }
    }

    pub(super) async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        match self {
            Self::Signals(emitter) => emitter.flush(within).await,
            Self::Costs(emitter) => emitter.flush(within).await,
            Self::Spans(traces) => traces.flush(within).await,
        }
    }

    pub(super) async fn shutdown(&self, within: Duration) -> Result<(), FlushError> {
        match self {
            Self::Signals(emitter) => emitter.shutdown(within).await,
            Self::Costs(emitter) => emitter.shutdown(within).await,
            Self::Spans(traces) => traces.shutdown(within).await,
        }
    }
}
