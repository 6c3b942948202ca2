//! What is delivered: a name, a key, a lane and bytes.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::receipt::Outcome;
use super::tell::Tell;
use crate::error::Error;
use crate::report::{DeliveryError, RecordKind};

/// One record to deliver: a signal or cost record as JSON, or a span as protobuf.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Name, key and body, concatenated.
    text: Bytes,
    name: u32,
    key: u32,
    lane: u32,
    kind: RecordKind,
}

impl Record {
    /// Whether it is a signal, a cost or a span.
    pub fn kind(&self) -> RecordKind {
        self.kind
    }

    /// The event name of a signal, the name of a span.
    pub fn name(&self) -> &str {
        self.part(0..self.name as usize)
    }

    /// The idempotency key of a signal. A cost record's key is local and is not sent to Paid; spans have no key.
    pub fn key(&self) -> &str {
        self.part(self.name as usize..self.head())
    }

    /// The bytes that are sent: JSON of signals and costs, protobuf of spans.
    pub fn body(&self) -> &[u8] {
        self.text.get(self.head()..).unwrap_or_default()
    }

    /// The record as it is sent, without a copy.
    pub fn body_bytes(&self) -> Bytes {
        self.text.slice(self.head().min(self.text.len())..)
    }

    /// The lane of the record. Records of one customer have the same lane, and are sent in order.
    pub fn lane(&self) -> u32 {
        self.lane
    }

    /// Creates a record from its parts. `text` is name, key and body, concatenated; returns `None` if the lengths do
    /// not fit it.
    pub(crate) fn from_text(kind: RecordKind, text: Bytes, name: u32, key: u32, lane: u32) -> Option<Self> {
        let record = Self { text, name, key, lane, kind };
        let head = record.name.checked_add(record.key)? as usize;
        let is_whole = std::str::from_utf8(record.text.get(..head)?).is_ok()
            && std::str::from_utf8(record.text.get(..name as usize)?).is_ok();
        is_whole.then_some(record)
    }

    pub(crate) fn new(kind: RecordKind, name: &str, key: &str, lane: u32, body: &[u8]) -> Self {
        let mut text = Vec::with_capacity(name.len() + key.len() + body.len());
        for part in [name.as_bytes(), key.as_bytes(), body] {
            text.extend_from_slice(part);
        }
        Self { text: text.into(), name: length(name.len()), key: length(key.len()), lane, kind }
    }

    /// This record was not delivered.
    pub(crate) fn not_delivered(&self, error: Arc<Error>) -> DeliveryError {
        let (name, key) = (Some(self.name().to_owned().into()), Some(self.key().to_owned()));
        DeliveryError::NotDelivered { kind: self.kind, records: 1, error: Some(error), name, key }
    }

    /// Name, key and body, concatenated, and the lengths of the first two.
    pub(crate) fn text(&self) -> (&Bytes, u32, u32) {
        (&self.text, self.name, self.key)
    }

    /// The approximate size in memory, in bytes.
    pub(crate) fn weight(&self) -> usize {
        150 + self.text.len()
    }

    pub(super) fn size(&self) -> usize {
        self.text.len() - self.head()
    }

    fn head(&self) -> usize {
        self.name as usize + self.key as usize
    }

    fn part(&self, range: Range<usize>) -> &str {
        self.text.get(range).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// Omits the body, which may hold personal data.
impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Record({} `{}`, {} bytes)", self.kind, self.name(), self.size())
    }
}

pub(super) fn length(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Writes records into one buffer.
pub(crate) struct RecordWriter {
    text: Vec<u8>,
    entries: Vec<Extent>,
}

struct Extent {
    kind: RecordKind,
    begin: usize,
    end: usize,
    name: u32,
    key: u32,
    lane: u32,
}

impl RecordWriter {
    pub(super) fn with_capacity(records: usize) -> Self {
        /// The usual size of a record, in bytes.
        const EVERYDAY: usize = 300;
        Self { text: Vec::with_capacity(records * EVERYDAY), entries: Vec::with_capacity(records) }
    }

    /// Adds a record whose body `write` appends to the given buffer.
    pub(crate) fn add(
        &mut self,
        kind: RecordKind,
        name: &str,
        key: &str,
        lane: u32,
        write_body: impl FnOnce(&mut Vec<u8>),
    ) {
        let begin = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(key.as_bytes());
        write_body(&mut self.text);
        let (name, key) = (length(name.len()), length(key.len()));
        self.entries.push(Extent { kind, begin, end: self.text.len(), name, key, lane });
    }

    /// Adds a record that is already written.
    pub(crate) fn copy(&mut self, record: &Record) {
        self.add(record.kind, record.name(), record.key(), record.lane, |text| text.extend_from_slice(record.body()));
    }

    pub(super) fn into_records(self) -> impl Iterator<Item = Record> {
        let text = Bytes::from(self.text);
        self.entries.into_iter().map(move |entry| Record {
            text: text.slice(entry.begin..entry.end),
            name: entry.name,
            key: entry.key,
            lane: entry.lane,
            kind: entry.kind,
        })
    }
}

/// A record that waits for a request or is in one.
pub(super) struct Item {
    pub(super) record: Record,
    /// The chunk it is counted with.
    pub(super) chunk: u64,
    pub(super) receipt: Option<Tell<Outcome>>,
    /// How often it was tried since it was set aside; zero if it never was.
    pub(super) tries: u32,
}

impl Item {
    pub(super) fn new(record: Record, chunk: u64, receipt: Option<Tell<Outcome>>) -> Self {
        Self { record, chunk, receipt, tries: 0 }
    }

    pub(super) fn answer(self, outcome: Outcome) {
        if let Some(receipt) = self.receipt {
            // The receipt may have been dropped.
            receipt.send(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_its_parts_and_shows_no_body() {
        let record = Record::new(RecordKind::Signal, "email_sent", "k-1", 7, b"{\"secret\":1}");
        assert_eq!((record.name(), record.key(), record.lane()), ("email_sent", "k-1", 7));
        assert_eq!(record.body(), b"{\"secret\":1}");
        assert_eq!(format!("{record:?}"), "Record(signal `email_sent`, 12 bytes)");
    }

    #[test]
    fn lengths_that_do_not_fit_make_no_record() {
        let text = Bytes::from_static("näme".as_bytes());
        for (name, key) in [(9, 0), (0, 9), (u32::MAX, 1), (2, 0)] {
            assert_eq!(Record::from_text(RecordKind::Signal, text.clone(), name, key, 0), None, "{name} {key}");
        }
    }
}
