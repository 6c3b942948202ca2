//! Doors for `xtask/torture`: emitters, tracing and a forwarder on a host that is simulated, and the answers that only a
//! server gives.

mod letters;
mod messages;
mod traces;

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::costs::{Cost, CostAnswer, CostApi, CostEmitter, CostEmitterBuilder, CostRecord};
pub use crate::dispatch::{Folder, Host, OpenFolder, Storage, Work};
use crate::dispatch::{Receipt, Record};
use crate::error::{ApiError, Error, SinkError};
use crate::types::CreateCostsResponse;
use crate::verdict::Verdict;
use crate::{Counts, EmitterBuilder, RecordKind, Sink, SinkFuture, outbox};
pub use letters::{discard, letters, resubmit};
pub use messages::{Message, Reply, forward};
pub use traces::Traces;

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

/// Paid, to cost records.
pub trait CostServer: Send + Sync + 'static {
    /// Answers a request. The counts of an error do not exist.
    fn create(&self, body: Vec<u8>) -> SinkFuture<'_>;
}

struct Door<S>(S);

impl<S: CostServer> CostApi for Door<S> {
    fn create(&self, body: Vec<u8>) -> CostAnswer<'_> {
        let answer = self.0.create(body);
        Box::pin(async move {
            let Counts { ingested, duplicates, .. } = answer.await?;
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let (ingested, duplicates) = (number(ingested), number(duplicates));
            Ok(CreateCostsResponse { ingested, duplicates, other_fields: crate::JsonObject::new() })
        })
    }
}

/// A builder of an emitter of cost records whose work runs on this host, with or without an outbox.
pub fn costs(server: impl CostServer, host: Arc<dyn Host>, folder: Option<OpenFolder>) -> CostEmitterBuilder {
    let mut builder = CostEmitterBuilder::over(Arc::new(Door(server)));
    builder.settings.host = host;
    match folder {
        Some(folder) => builder.kept_in(folder),
        None => builder,
    }
}

/// Records a cost with this key, so that a simulation is the same every time.
pub fn record<C: Cost>(emitter: &CostEmitter, record: CostRecord<C>, key: &str) -> Receipt {
    match record.to_record() {
        Ok(made) => emitter.push(Record::new(RecordKind::Cost, "", key, made.lane(), made.body())),
        Err(failure) => Receipt::of_failure(failure),
    }
}

/// The error of an answer with this status and these headers.
///
/// # Panics
///
/// If the status or a header is not valid.
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
    Error::Sink(Box::new(SinkError { verdict: Verdict::Unknown, is_answer: false, source: "no answer".into() }))
}
