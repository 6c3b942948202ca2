//! What dispatch needs to know about the records it carries.

use std::borrow::Cow;

use super::disk::OpenedDisk;
use super::record::RecordWriter;
use crate::error::ConfigError;
use crate::report::RecordKind;

/// A kind of load: signals, cost records or spans. Callers hand loads in, and dispatch's thread writes them as records.
pub(crate) trait Cargo: Send + Sync + 'static {
    /// What callers hand in.
    type Load: Send + 'static;

    /// What is the same for all loads that are written together.
    type Ink;

    /// The kind of most loads, for messages about many.
    const KIND: RecordKind;

    /// Whether some loads make way for others in a full queue.
    const HAS_RANKS: bool = false;

    /// Called when an outbox is open, before anything is sent; may add to its damage.
    ///
    /// # Errors
    ///
    /// If nothing may be sent.
    fn opened(&self, _: &mut OpenedDisk) -> Result<(), ConfigError> {
        Ok(())
    }

    /// The kind of this load.
    fn kind(_: &Self::Load) -> RecordKind {
        Self::KIND
    }

    /// The event name of a signal, the name of a span.
    fn name(load: &Self::Load) -> Cow<'static, str>;

    /// The approximate size of a load in memory, in bytes.
    fn weight(load: &Self::Load) -> usize;

    /// Returns true if the load makes way in a full queue for one that does not.
    fn makes_way(_: &Self::Load) -> bool {
        false
    }

    /// Called before loads are written.
    fn ink(&self) -> Self::Ink;

    /// Writes a load as a record.
    fn write(load: Self::Load, ink: &Self::Ink, page: &mut RecordWriter);
}
