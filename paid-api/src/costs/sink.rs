//! Sends cost records to `POST /costs/bulk`. A record that Paid may already have is not sent again.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::journal::Journal;
use crate::dispatch::{Batch, Sink, SinkFuture};
use crate::error::{ConfigError, Error};
use crate::foreign;
use crate::report::{Counts, RecordKind, log};
use crate::types::CreateCostsResponse;
use crate::verdict::Verdict;
use crate::{Call, Client, Method};

const UNCERTAIN: &str = "uncertain: it was sent but the response was lost, so Paid may have it; only `CostEmitter::resubmit` or \
                         `resend_uncertain` sends it again";

#[derive(Debug)]
pub(super) struct CostSink {
    client: Client,
    resend: bool,
    state: Mutex<CostState>,
}

#[derive(Debug, Default)]
pub(super) struct CostState {
    /// Why nothing may be sent: it is not known which records an earlier run was sending.
    blocked: Option<String>,
    uncertain: BTreeSet<String>,
    journal: Option<Journal>,
}

/// Held until it is known which records an earlier run was sending.
pub(super) struct Opening<'a>(MutexGuard<'a, CostState>);

impl Opening<'_> {
    /// Marks the records that an earlier run was sending as uncertain.
    pub(super) fn with_journal(mut self, folder: &Path) -> Result<(), ConfigError> {
        let (journal, left) = Journal::open(folder).map_err(|error| {
            let problem = format!("cannot use {}: {error}", folder.display());
            self.0.blocked = Some(problem.clone());
            ConfigError::new(problem)
        })?;
        self.0.uncertain = left;
        self.0.journal = Some(journal);
        Ok(())
    }
}

impl CostSink {
    pub(super) fn new(client: &Client, resend: bool) -> Self {
        Self { client: client.in_background(), resend, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, CostState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn opening(&self) -> Opening<'_> {
        Opening(self.state())
    }

    pub(super) fn uncertain(&self) -> usize {
        self.state().uncertain.len()
    }

    /// Allows this record to be sent again.
    pub(super) fn allow(&self, key: &str) {
        self.state().uncertain.remove(key);
    }

    /// Notes in the journal what is about to be sent. Fails if Paid may already have some of it.
    fn begin(&self, keys: &[String]) -> Result<(), Error> {
        let mut state = self.state();
        if let Some(problem) = &state.blocked {
            return Err(Error::unavailable(problem.clone()));
        }
        if !self.resend && keys.iter().any(|key| state.uncertain.contains(key)) {
            return Err(Error::refused(UNCERTAIN));
        }
        match &mut state.journal {
            Some(journal) => journal.begin(keys).map_err(Error::unavailable),
            None => Ok(()),
        }
    }

    /// Removes records from the journal whose result is known.
    fn certain(&self, keys: &[String]) {
        let mut state = self.state();
        for key in keys {
            state.uncertain.remove(key);
        }
        let noted = state.journal.as_mut().map(|journal| journal.end(keys));
        drop(state);
        if let Some(Err(error)) = noted {
            foreign::log(|| {
                tracing::warn!(
                    "the journal of cost records cannot be written; after a crash they may count as uncertain: {error}"
                );
            });
        }
    }

    async fn send_records(&self, keys: Vec<String>, body: Vec<u8>) -> Result<Counts, Error> {
        self.begin(&keys)?;
        let call = Call::<CreateCostsResponse>::new(&self.client, "create-costs", Method::POST, "/costs/bulk")
            .json_text(body)
            .repeatable_if(self.resend);
        let error = match call.await {
            Ok(answer) => {
                self.certain(&keys);
                // A bulk request is all or nothing: the response is about every record.
                let duplicates = u64::try_from(answer.duplicates).unwrap_or(0).min(keys.len() as u64);
                return Ok(Counts { ingested: keys.len() as u64 - duplicates, duplicates, failed: 0 });
            }
            Err(error) => error,
        };
        let may_be_there = error.verdict() == Verdict::Unknown;
        if !may_be_there {
            self.certain(&keys);
        }
        if !may_be_there || self.resend {
            return Err(error);
        }
        log(&format_args!("{} uncertain: the response was lost: {error}", RecordKind::Cost.counted(keys.len())));
        self.state().uncertain.extend(keys);
        Err(Error::refused(UNCERTAIN))
    }
}

impl Sink for CostSink {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let keys = batch.records().map(|record| record.key().to_owned()).collect();
        Box::pin(self.send_records(keys, batch.to_body()))
    }
}
