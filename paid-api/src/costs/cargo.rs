//! Cost records as cargo.

use std::borrow::Cow;

use crate::dispatch::{Cargo, Record, RecordWriter};
use crate::report::RecordKind;

pub(super) struct Costs;

impl Cargo for Costs {
    /// Written when it is recorded, so that an invalid record is refused at once.
    type Load = Record;
    type Ink = ();

    const KIND: RecordKind = RecordKind::Cost;

    fn name(_: &Record) -> Cow<'static, str> {
        Cow::Borrowed("")
    }

    fn weight(record: &Record) -> usize {
        record.weight()
    }

    fn ink(&self) {}

    fn write(record: Record, (): &(), page: &mut RecordWriter) {
        page.copy(&record);
    }
}
