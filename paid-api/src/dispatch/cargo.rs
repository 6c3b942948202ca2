//! What dispatch has to know of what it carries.

use std::borrow::Cow;

use super::record::Page;
use crate::report::RecordKind;

/// A sort of load: signals, cost records, spans. Each is handed in as it is and written as records by dispatch's thread.
pub(crate) trait Cargo: Send + Sync + 'static {
    /// What callers hand in.
    type Load: Send + 'static;

    /// What most of it is, for messages about many.
    const KIND: RecordKind;

    /// Whether some loads make way for others.
    const HAS_RANKS: bool = false;

    /// What a load is.
    fn kind(_: &Self::Load) -> RecordKind {
        Self::KIND
    }

    /// The event name of a signal, the name of a span.
    fn name(load: &Self::Load) -> Cow<'static, str>;

    /// About as many bytes as a load takes in memory.
    fn weight(load: &Self::Load) -> usize;

    /// Whether a load makes way in a full queue for one that does not.
    fn makes_way(_: &Self::Load) -> bool {
        false
    }

    /// Writes a load as a record.
    fn write(&self, load: Self::Load, page: &mut Page);
}
