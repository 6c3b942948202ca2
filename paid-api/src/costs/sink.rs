//! Sends cost records to Paid. A record that Paid may already have is not sent again.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::api::CostApi;
use super::journal::is_key;
use super::known::{Known, Place};
use crate::dispatch::{Batch, Folder, OpenedDisk, Record, Sink, SinkFuture};
use crate::error::Error;
use crate::foreign;
use crate::report::{Counts, RecordKind, log};
use crate::verdict::Verdict;

const UNCERTAIN: &str = "uncertain: it was sent but the response was lost, so Paid may have it; only `CostEmitter::resubmit` or \
                         `resend_uncertain` sends it again";

pub(super) struct CostSink {
    api: Arc<dyn CostApi>,
    resend: bool,
    known: Mutex<Known>,
}

impl CostSink {
    pub(super) fn new(api: Arc<dyn CostApi>, resend: bool) -> Self {
        Self { api, resend, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the journal of an outbox that is open, before anything is sent. Returns what must be reported.
    pub(super) fn start(
        &self,
        folder: Arc<dyn Folder>,
        removal: Duration,
        opened: &OpenedDisk,
        letters: impl FnOnce() -> Option<BTreeSet<String>>,
    ) -> io::Result<Option<String>> {
        self.known().start(folder, removal, opened, letters)
    }

    pub(super) fn uncertain(&self) -> usize {
        self.known().uncertain()
    }

    /// A frame with these records has left the disk.
    pub(super) fn gone(&self, keys: Vec<String>) {
        self.known().gone(keys);
    }

    /// Allows this dead letter to be sent again.
    pub(super) fn allow(&self, key: &str) {
        self.known().resubmit(key);
    }

    /// The dead letters that were sent again and that Paid has are no longer in the file.
    pub(super) fn resubmission_is_over(&self) {
        self.known().resubmission_is_over();
    }

    async fn send_batch(&self, batch: Batch<'_>) -> Result<Counts, Error> {
        let records: Vec<_> = batch.records().collect();
        let places: Vec<Place<'_>> = records.iter().map(|record| record.key()).zip(batch.chunks()).collect();
        if let Some((key, _)) = places.iter().find(|(key, _)| !is_key(key)) {
            return Err(Error::refused_unanswered(format!("{key:?} is not the key of a cost record")));
        }
        let sorted = self.known().sort(&places, self.resend);
        if sorted.is_early {
            return Err(Error::unavailable("the same cost record is on its way"));
        }
        let mut counts = Counts { duplicates: sorted.there, ..Counts::default() };
        if !sorted.free.is_empty() {
            let free: Vec<_> = sorted.free.iter().filter_map(|index| places.get(*index).copied()).collect();
            let body = body(sorted.free.iter().filter_map(|index| records.get(*index).copied()));
            // A bulk request is all or nothing: the response is about every record.
            let duplicates = self.post(&free, body).await?.min(free.len() as u64);
            counts.ingested = free.len() as u64 - duplicates;
            counts.duplicates += duplicates;
        }
        if sorted.uncertain == 0 {
            return Ok(counts);
        }
        // The batch is halved until they are alone; what was just sent is then known to be there.
        if let [(key, _)] = places.as_slice() {
            self.known().refused(key);
        }
        Err(Error::refused_unanswered(UNCERTAIN))
    }

    /// Returns how many Paid had already.
    async fn post(&self, places: &[Place<'_>], body: Vec<u8>) -> Result<u64, Error> {
        self.known().begin(places).map_err(Error::unavailable)?;
        let mut trip = Trip { sink: self, places, is_over: false };
        let call = foreign::outcome(async { self.api.create(body).await }).await;
        let error = match call {
            Ok(Ok(answer)) => {
                self.known().there(places);
                trip.is_over = true;
                return Ok(u64::try_from(answer.duplicates).unwrap_or(0));
            }
            // Paid has them; only how many it had before is not known.
            Ok(Err(Error::Unreadable(_))) => {
                self.known().there(places);
                trip.is_over = true;
                return Ok(0);
            }
            Ok(Err(error)) if error.verdict() != Verdict::Unknown => {
                self.known().not_there(places);
                trip.is_over = true;
                return Err(error);
            }
            Ok(Err(error)) => error,
            Err(_) => Error::unavailable("the request panicked"),
        };
        self.lost(places, &error);
        trip.is_over = true;
        if self.resend {
            return Err(error);
        }
        if let [(key, _)] = places {
            self.known().refused(key);
        }
        Err(Error::refused_unanswered(UNCERTAIN))
    }

    fn lost(&self, places: &[Place<'_>], why: &dyn fmt::Display) {
        self.known().lost(places);
        log(&format_args!("{} uncertain: the response was lost: {why}", RecordKind::Cost.counted(places.len())));
    }
}

/// Records on their way to Paid.
struct Trip<'a> {
    sink: &'a CostSink,
    places: &'a [Place<'a>],
    is_over: bool,
}

impl Drop for Trip<'_> {
    /// Delivery ends and does not wait for the answer, or the answer could not be noted.
    fn drop(&mut self) {
        if !self.is_over {
            self.sink.lost(self.places, &"nobody waited for it; they are not sent again by themselves");
        }
    }
}

impl Sink for CostSink {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(self.send_batch(batch))
    }
}

/// The body of `POST /costs/bulk`.
fn body<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<u8> {
    let mut body = b"{\"costs\":[".to_vec();
    for (index, record) in records.enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(record.body());
    }
    body.extend_from_slice(b"]}");
    body
}

#[cfg(test)]
mod tests;
