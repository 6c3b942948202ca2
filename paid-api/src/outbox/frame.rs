//! The format of an outbox's data on disk: version 2. Pure.
//!
//! A frame is some hundreds of records that were accepted together. All numbers are little-endian:
//!
//! ```text
//! "PAIDFRM2"  number u64  since u64 (ms since 1970)  records u32  bytes u32  crc32 of the 32 bytes before
//! then for each record:  length u32  name u32  key u32  lane u32  crc32 of the three before and the text  text
//! ```
//!
//! The text of a record is its name, its key and its body, concatenated; `name` and `key` are the lengths of the first
//! two.

use bytes::Bytes;

use crate::dispatch::{Frame, Record};
use crate::report::RecordKind;

pub(crate) const MAGIC: [u8; 8] = *b"PAIDFRM2";
pub(crate) const HEAD: usize = 36;
const RECORD_HEAD: usize = 20;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) number: u64,
    pub(crate) since: u64,
    pub(crate) records: u32,
    /// How many bytes follow the head.
    pub(crate) bytes: u32,
}

fn length(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Writes a frame.
pub(crate) fn encode(number: u64, since: u64, records: &[Record]) -> Vec<u8> {
    let bytes: usize = records.iter().map(|record| RECORD_HEAD + record.text().0.len()).sum();
    let mut out = Vec::with_capacity(HEAD + bytes);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&since.to_le_bytes());
    out.extend_from_slice(&length(records.len()).to_le_bytes());
    out.extend_from_slice(&length(bytes).to_le_bytes());
    let sum = crc32fast::hash(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    for record in records {
        let (text, name, key) = record.text();
        out.extend_from_slice(&length(text.len()).to_le_bytes());
        let parts = [name, key, record.lane()];
        for part in parts {
            out.extend_from_slice(&part.to_le_bytes());
        }
        out.extend_from_slice(&checksum(parts, text).to_le_bytes());
        out.extend_from_slice(text);
    }
    out
}

fn checksum(parts: [u32; 3], text: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for part in parts {
        sum.update(&part.to_le_bytes());
    }
    sum.update(text);
    sum.finalize()
}

/// Reads numbers from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

/// Reads the head of a frame, if there is one.
pub(crate) fn head(bytes: &[u8]) -> Option<FrameHead> {
    let mut reader = Reader(bytes);
    if reader.take::<8>()? != MAGIC {
        return None;
    }
    let head = FrameHead { number: reader.u64()?, since: reader.u64()?, records: reader.u32()?, bytes: reader.u32()? };
    (reader.u32()? == crc32fast::hash(bytes.get(..HEAD - 4)?)).then_some(head)
}

/// Decodes the readable records of a frame of one kind; returns `None` if not even the head is readable.
pub(crate) fn decode(kind: RecordKind, bytes: &Bytes) -> Option<Frame> {
    let head = head(bytes)?;
    let end = HEAD.saturating_add(head.bytes as usize).min(bytes.len());
    let mut records = records(kind, &bytes.slice(HEAD..end));
    records.truncate(head.records as usize);
    let lost = head.records - length(records.len());
    Some(Frame { number: head.number, since: head.since, records, lost })
}

/// Decodes what stands behind a damaged head. How many records are lost is not known: one, if not everything is readable.
pub(crate) fn decode_headless(kind: RecordKind, number: u64, bytes: &Bytes) -> Frame {
    let body = bytes.slice(HEAD.min(bytes.len())..);
    // The next frame begins at its own head.
    let end = body.windows(MAGIC.len()).position(|window| *window == MAGIC).unwrap_or(body.len());
    let records = records(kind, &body.slice(..end));
    let read: usize = records.iter().map(|record| RECORD_HEAD + record.text().0.len()).sum();
    let at_least = u32::from(read < end || records.is_empty());
    // What the head says about it, if that can be.
    let said = bytes.get(24..28).and_then(|number| number.try_into().ok()).map_or(0, u32::from_le_bytes);
    let is_possible = (said as usize).saturating_mul(RECORD_HEAD) <= end;
    let lost = if is_possible { said.saturating_sub(length(records.len())).max(at_least) } else { at_least };
    Frame { number, since: 0, records, lost }
}

/// All whole records. Behind a damaged one, the next is the first place that reads as one.
fn records(kind: RecordKind, bytes: &Bytes) -> Vec<Record> {
    let mut records = Vec::new();
    let mut at = 0;
    while at + RECORD_HEAD <= bytes.len() {
        match record(kind, bytes, at) {
            Some((record, end)) => {
                records.push(record);
                at = end;
            }
            None => at += 1,
        }
    }
    records
}

/// The record that begins here, and where it ends.
fn record(kind: RecordKind, bytes: &Bytes, at: usize) -> Option<(Record, usize)> {
    let mut reader = Reader(bytes.get(at..)?);
    let (size, name, key) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let (lane, sum) = (reader.u32()?, reader.u32()?);
    let begin = at + RECORD_HEAD;
    let end = begin.checked_add(size as usize).filter(|end| *end <= bytes.len())?;
    let text = bytes.slice(begin..end);
    let is_whole = u64::from(name) + u64::from(key) <= u64::from(size) && checksum([name, key, lane], &text) == sum;
    let record = if is_whole { Record::from_text(kind, text, name, key, lane) } else { None };
    record.map(|record| (record, end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(texts: &[Vec<u8>]) -> Vec<Record> {
        let record = |(number, text): (usize, &Vec<u8>)| {
            Record::new(RecordKind::Signal, &format!("e{number}"), "key", length(number), text)
        };
        texts.iter().enumerate().map(record).collect()
    }

    fn decoded(bytes: Vec<u8>) -> Option<Frame> {
        decode(RecordKind::Signal, &bytes.into())
    }

    #[test]
    fn the_format_of_version_2_stays_what_it_is() {
        let written = encode(7, 1_700_000_000_000, &records(&[b"{}".to_vec()]));
        let expected = "5041494446524d320700000000000000\
                        0068e5cf8b010000010000001b0000005258b4b6\
                        07000000020000000300000000000000067e7039\
                        65306b65797b7d";
        let shown: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_written(
            number: u64,
            since: u64,
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        ) {
            let records = records(&texts);
            let frame = decoded(encode(number, since, &records)).unwrap();
            prop_assert_eq!(frame, Frame { number, since, records, lost: 0 });
        }

        /// Whatever happens to the bytes: no panic, no record that was never written, and lost records are counted.
        #[test]
        fn a_damaged_frame_gives_what_is_left_and_counts_the_rest(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..20),
            cut in 0_usize..400,
            flips in prop::collection::vec((0_usize..400, 1_u8..), 0..4),
        ) {
            let records = records(&texts);
            let mut bytes = encode(1, 2, &records);
            bytes.truncate(cut.max(HEAD));
            for (at, flip) in flips {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= flip;
                }
            }
            if let Some(frame) = decoded(bytes) {
                prop_assert_eq!(frame.records.len() + frame.lost as usize, records.len());
                for record in &frame.records {
                    prop_assert!(records.contains(record));
                }
            }
        }

        #[test]
        fn arbitrary_bytes_are_no_danger(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = MAGIC.to_vec();
            framed.extend_from_slice(&bytes);
            let _ = (decoded(bytes), decoded(framed));
        }
    }
}
