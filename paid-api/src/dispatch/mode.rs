//! Whether records are sent, shown instead, or skipped: `PAID_ENABLED`, and a dry run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::record::Record;
use super::sink::{Batch, Sink, SinkFuture};
use crate::aloud;
use crate::report::Counts;

/// What becomes of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They are sent.
    #[default]
    Live,
    /// They are batched and logged, and not sent.
    DryRun,
    /// They are counted, and that is all.
    Off,
}

impl Mode {
    /// Says in the log what is not done, once in the process.
    pub(super) fn announce(self) {
        static TOLD_OF_RUN: AtomicBool = AtomicBool::new(false);
        match self {
            Self::Live => {}
            Self::Off => say_that_it_is_off(),
            Self::DryRun => once(
                &TOLD_OF_RUN,
                "this is a dry run of an emitter: what it would send is logged with its content, and not sent",
            ),
        }
    }

    /// Where records go in this mode.
    pub(super) fn sink(self, live: Arc<dyn Sink>) -> Arc<dyn Sink> {
        if self == Self::Live { live } else { Arc::new(Shown) }
    }
}

/// Says in the log, once in the process, that nothing is sent.
pub(crate) fn say_that_it_is_off() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    once(
        &TOLD,
        "sending is turned off (`PAID_ENABLED=false`, or `enabled(false)` on a builder): what is emitted there is discarded",
    );
}

/// No `Once`: whoever is told may do the same again.
fn once(told: &AtomicBool, what: &str) {
    if !told.swap(true, Ordering::Relaxed) {
        aloud::notice(&what);
    }
}

/// Logs records in place of sending them.
struct Shown;

impl Sink for Shown {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let number = batch.len();
        for (index, record) in batch.records().enumerate() {
            aloud::notice(&format_args!("dry run, {} of {number} in a request: {}", index + 1, shown(record)));
        }
        Box::pin(async move { Ok(Counts { ingested: number as u64, ..Counts::default() }) })
    }
}

fn shown(record: &Record) -> String {
    match std::str::from_utf8(record.body()) {
        Ok(json) if json.starts_with('{') => json.to_owned(),
        // What goes to the collector is protobuf, which is nothing to read.
        _ => format!("{} `{}`, {} bytes", record.kind(), record.name(), record.body().len()),
    }
}
