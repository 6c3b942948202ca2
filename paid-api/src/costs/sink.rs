//! Cost records to `POST /costs/bulk`. What may be there already is not sent again.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::journal::Journal;
use crate::delivery::{Counts, SignalBatch, Sink, SinkFuture};
use crate::error::Error;
use crate::types::CreateCostsResponse;
use crate::{Call, Client, Method};

/// What a record is called where signals have their event's name.
pub(super) const NAME: &str = "cost";

const UNCERTAIN: &str = "uncertain: it was sent and the answer was lost, so Paid may have it; it is sent again only by \
                         `CostEmitter::resubmit`, or with `resend_uncertain`";

#[derive(Debug)]
pub(super) struct CostSink {
    client: Client,
    resend: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    uncertain: BTreeSet<String>,
    journal: Option<Journal>,
}

/// Held while it is not known yet what an earlier run left.
#[cfg_attr(not(feature = "outbox"), allow(dead_code))]
pub(super) struct Opening<'a>(MutexGuard<'a, State>);

impl Opening<'_> {
    #[cfg(feature = "outbox")]
    pub(super) fn with(mut self, folder: &std::path::Path) -> Result<(), crate::ConfigError> {
        let (journal, left) = Journal::open(folder)
            .map_err(|error| crate::ConfigError::new(format!("cannot use {}: {error}", folder.display())))?;
        self.0.uncertain = left;
        self.0.journal = Some(journal);
        Ok(())
    }

    pub(super) fn without(self) {}
}

/// A record as it stands in the queue.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    idempotency_key: String,
    #[serde(borrow)]
    record: &'a RawValue,
}

impl CostSink {
    pub(super) fn new(client: Client, resend: bool) -> Self {
        Self { client, resend, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn opening(&self) -> Opening<'_> {
        Opening(self.state())
    }

    pub(super) fn uncertain(&self) -> usize {
        self.state().uncertain.len()
    }

    /// This one may be sent again.
    #[cfg(feature = "outbox")]
    pub(super) fn allow(&self, key: &str) {
        self.state().uncertain.remove(key);
    }

    /// Writes down what is about to be sent, unless some of it may be there already.
    fn begin(&self, keys: &[String]) -> Result<(), Error> {
        let mut state = self.state();
        if !self.resend && keys.iter().any(|key| state.uncertain.contains(key)) {
            return Err(Error::refused(UNCERTAIN));
        }
        match &mut state.journal {
            Some(journal) => journal.begin(keys).map_err(Error::unavailable),
            None => Ok(()),
        }
    }

    /// There was an answer that says what became of them.
    fn certain(&self, keys: &[String]) {
        let mut state = self.state();
        for key in keys {
            state.uncertain.remove(key);
        }
        if let Some(Err(error)) = state.journal.as_mut().map(|journal| journal.end(keys)) {
            tracing::warn!("cost records are delivered, and that cannot be written down: {error}");
        }
    }

    async fn send_records(&self, texts: Vec<bytes::Bytes>) -> Result<Counts, Error> {
        let mut keys = Vec::with_capacity(texts.len());
        let mut body = b"{\"costs\":[".to_vec();
        for text in &texts {
            let envelope: Envelope<'_> = serde_json::from_slice(text).map_err(Error::refused)?;
            if !keys.is_empty() {
                body.push(b',');
            }
            body.extend_from_slice(envelope.record.get().as_bytes());
            keys.push(envelope.idempotency_key);
        }
        body.extend_from_slice(b"]}");
        self.begin(&keys)?;
        let call = Call::<CreateCostsResponse>::new(&self.client, "create-costs", Method::POST, "/costs/bulk")
            .json_text(body)
            .repeatable_if(self.resend);
        match call.await {
            Ok(answer) => {
                self.certain(&keys);
                // All or nothing: an answer is for all.
                let duplicates = u64::try_from(answer.duplicates).unwrap_or(0).min(keys.len() as u64);
                Ok(Counts { ingested: keys.len() as u64 - duplicates, duplicates, failed: 0 })
            }
            Err(error) if self.resend || cannot_be_there(&error) => {
                if cannot_be_there(&error) {
                    self.certain(&keys);
                }
                Err(error)
            }
            Err(error) => {
                tracing::error!("{} cost record(s) are uncertain: the answer was lost: {error}", keys.len());
                self.state().uncertain.extend(keys);
                Err(Error::refused(UNCERTAIN))
            }
        }
    }
}

impl Sink for CostSink {
    fn send<'a>(&'a self, batch: SignalBatch<'a>) -> SinkFuture<'a> {
        Box::pin(self.send_records(batch.signals().cloned().collect()))
    }
}

/// Whether Paid has nothing of a request that failed like this.
fn cannot_be_there(error: &Error) -> bool {
    match error {
        Error::Api(error) => {
            let status = error.status.as_u16();
            status == 503 || ((400..500).contains(&status) && status != 408)
        }
        Error::Transport(error) => error.connect,
        Error::Request(_) | Error::Config(_) | Error::Elsewhere(_) => true,
        Error::Timeout { .. } | Error::Decode(_) => false,
    }
}
