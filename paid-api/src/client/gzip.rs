//! Compression of request bodies: feature `gzip`.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{ClientBuilder, Compress};

/// Smaller bodies fit into one packet anyway.
const WORTH_COMPRESSING: usize = 1024;

impl ClientBuilder {
    /// Compresses request bodies of 1 KiB and more, such as batches of signals, with gzip. Off by default: use it only if the
    /// server accepts `Content-Encoding: gzip`, which Paid does not document. Feature `gzip`.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip.then_some(compressed as Compress);
        self
    }
}

fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < WORTH_COMPRESSING {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}
