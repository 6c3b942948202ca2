//! What fuzz targets reach of the outbox's format.

/// Reads bytes as a frame of the outbox; checks that what can be read is written the same way again.
///
/// # Panics
///
/// When it is not, which would be a mistake in the format's code.
pub fn read_frame(bytes: &[u8]) {
    use super::outbox::frame;
    let Some(read) = frame::decode(&bytes::Bytes::copy_from_slice(bytes)) else { return };
    let written = frame::encode(read.number, read.since, &read.records);
    let again = frame::decode(&written.into());
    assert_eq!(
        again.map(|frame| (frame.number, frame.since, frame.records)),
        Some((read.number, read.since, read.records))
    );
}
