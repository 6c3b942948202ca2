//! What stands in the queue: loads and flushes.

use std::borrow::Cow;

use crate::dispatch::cargo::Cargo;
use crate::dispatch::receipt::Outcome;
use crate::dispatch::record::{Record, RecordWriter};
use crate::dispatch::tell::Tell;
use crate::report::RecordKind;

/// A load in the queue.
pub(in crate::dispatch) struct Queued<C: Cargo> {
    pub(in crate::dispatch) content: Content<C>,
    pub(in crate::dispatch) receipt: Option<Tell<Outcome>>,
    /// Told when the load is on disk.
    pub(in crate::dispatch) stored: Option<Tell<()>>,
}

/// A load, or one that is already written as a record.
pub(in crate::dispatch) enum Content<C: Cargo> {
    Load(C::Load),
    Record(Record),
}

impl<C: Cargo> Content<C> {
    pub(in crate::dispatch) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Load(load) => C::name(load),
            Self::Record(record) => record.name().to_owned().into(),
        }
    }

    pub(in crate::dispatch) fn kind(&self) -> RecordKind {
        match self {
            Self::Load(load) => C::kind(load),
            Self::Record(record) => record.kind(),
        }
    }

    /// The approximate size in memory, in bytes.
    pub(in crate::dispatch) fn weight(&self) -> usize {
        match self {
            Self::Load(load) => C::weight(load),
            Self::Record(record) => record.weight(),
        }
    }

    pub(super) fn makes_way(&self) -> bool {
        match self {
            Self::Load(load) => C::makes_way(load),
            Self::Record(_) => false,
        }
    }

    pub(in crate::dispatch) fn write(self, ink: &C::Ink, page: &mut RecordWriter) {
        match self {
            Self::Load(load) => C::write(load, ink, page),
            Self::Record(record) => page.copy(&record),
        }
    }
}

impl<C: Cargo> Queued<C> {
    pub(in crate::dispatch) fn answer(self, outcome: Outcome) {
        if let Some(receipt) = self.receipt {
            // The receipt may have been dropped.
            receipt.send(outcome);
        }
    }
}

/// An entry of the queue. Loads stand in the queue itself, which saves one allocation each.
#[allow(clippy::large_enum_variant)]
pub(super) enum Order<C: Cargo> {
    Load(Queued<C>),
    /// Answered when everything before it is done.
    Flush(FlushTell),
}

/// Where a flush is answered.
pub(in crate::dispatch) enum FlushTell {
    Task(Tell<()>),
    Thread(std::sync::mpsc::Sender<()>),
}

impl FlushTell {
    pub(in crate::dispatch) fn tell(self) {
        match self {
            Self::Task(tell) => tell.send(()),
            Self::Thread(tell) => drop(tell.send(())),
        }
    }
}
