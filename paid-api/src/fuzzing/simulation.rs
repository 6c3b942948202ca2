//! Doors for `xtask/torture`: the emitter on a host that is simulated, and the answers that only a server gives.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

pub use crate::dispatch::{Folder, Host, OpenFolder, Storage, Work};
use crate::error::{ApiError, Error, SinkError};
use crate::verdict::Verdict;
use crate::{EmitterBuilder, Sink, outbox};

/// A builder of an emitter whose work runs on this host.
pub fn emitter(sink: impl Sink + 'static, host: Arc<dyn Host>) -> EmitterBuilder {
    let mut builder = EmitterBuilder::over(sink);
    builder.settings.host = host;
    builder
}

/// Keeps what is not delivered in this folder.
pub fn outbox(mut builder: EmitterBuilder, folder: OpenFolder) -> EmitterBuilder {
    builder.disk.folder = Some(folder);
    builder.disk.open = Some(outbox::open);
    builder
}

/// The error of an answer with this status and these headers.
///
/// # Panics
///
/// If the status or a header is none.
#[allow(clippy::unwrap_used)]
pub fn answer(status: u16, headers: &[(&'static str, &str)]) -> Error {
    let header =
        |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    let headers: HeaderMap = headers.iter().map(header).collect();
    let status = StatusCode::from_u16(status).unwrap();
    Error::Api(Box::new(ApiError::read("simulated".into(), 1, status, headers, bytes::Bytes::new())))
}

/// The error of a request that got no answer.
pub fn unanswered() -> Error {
    Error::Sink(Box::new(SinkError { verdict: Verdict::Unknown, source: "no answer".into() }))
}
