//! What fuzz targets and the simulator reach. Not part of the public API.

pub mod simulation;

use crate::RecordKind;
use crate::dispatch::Record;
use crate::outbox::frame;

/// Decodes bytes as a frame of the outbox, and checks that the decoded frame is encoded to the same bytes.
///
/// # Panics
///
/// If the two differ, which would be a bug in the format's code.
pub fn read_frame(bytes: &[u8]) {
    let kind = RecordKind::Signal;
    let Some(read) = frame::decode(kind, &bytes::Bytes::copy_from_slice(bytes)) else { return };
    let written = frame::encode(read.number, read.since, &read.records);
    let again = frame::decode(kind, &written.into());
    assert_eq!(
        again.map(|frame| (frame.number, frame.since, frame.records)),
        Some((read.number, read.since, read.records))
    );
}

/// Encodes a frame, damages it, and checks that what is decoded was encoded, and that what is missing is counted.
///
/// # Panics
///
/// If a record is decoded that was never encoded, or one that is missing is not counted.
pub fn damage_frame(texts: &[(String, String, Vec<u8>)], damage: &[(u16, u8)], length: u16) {
    let kind = RecordKind::Signal;
    let record = |(name, key, body): &(String, String, Vec<u8>)| Record::new(kind, name, key, 7, body);
    let records: Vec<_> = texts.iter().map(record).collect();
    let mut bytes = frame::encode(1, 2, &records);
    bytes.truncate(usize::from(length).max(frame::HEAD));
    for (place, flip) in damage {
        if let Some(byte) = bytes.get_mut(usize::from(*place)) {
            *byte ^= flip;
        }
    }
    read_frame(&bytes);
    let Some(read) = frame::decode(kind, &bytes.into()) else { return };
    assert_eq!(read.records.len() + read.lost as usize, records.len());
    assert!(read.records.iter().all(|record| records.contains(record)));
}
