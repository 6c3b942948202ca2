//! The entry point of fuzz targets to the outbox's format.

/// Decodes bytes as a frame of the outbox, and checks that the decoded frame is encoded to the same bytes.
///
/// # Panics
///
/// If the two differ, which would be a bug in the format's code.
pub fn read_frame(bytes: &[u8]) {
    use super::frame;
    let kind = crate::RecordKind::Signal;
    let Some(read) = frame::decode(kind, &bytes::Bytes::copy_from_slice(bytes)) else { return };
    let written = frame::encode(read.number, read.since, &read.records);
    let again = frame::decode(kind, &written.into());
    assert_eq!(
        again.map(|frame| (frame.number, frame.since, frame.records)),
        Some((read.number, read.since, read.records))
    );
}
