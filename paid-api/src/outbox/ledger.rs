//! What was sent, for whoever wants to prove later that it was billed: the ledger of an emitter.

mod read;
mod writing;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::dispatch::{Batch, Folder, Sink, SinkFuture};
use crate::files;

pub use read::{Entries, Entry, entries};
use writing::Writing;

/// Where an emitter writes down what it sent and what Paid answered.
///
/// A ledger is a folder of its own, with files of JSON lines that only their owner can read. It never holds up an emission:
/// if it cannot be written, the log says so, and a line in the ledger says how many signals are missing, as soon as it can be
/// written again. It is not synced to the disk: a loss of power may take the last seconds.
///
/// ```no_run
/// use paid::outbox::Ledger;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ledger = Ledger::new("/var/lib/agent/ledger").keep(2 << 30);
/// let emitter = paid::Emitter::builder(paid::Client::from_env()?).ledger(ledger).with_reference(true).build()?;
/// paid::install(emitter);
/// # Ok(())
/// # }
/// ```
///
/// `cargo paid reconcile` compares it with what Paid has.
#[derive(Debug, Clone)]
#[must_use = "a ledger does nothing until an emitter has it"]
pub struct Ledger {
    folder: PathBuf,
    keep: u64,
}

impl Ledger {
    /// A ledger in this folder, which is created if it does not exist. It keeps 1 GiB: some 3 million signals.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), keep: 1 << 30 }
    }

    /// Sets how many bytes are kept. When there are more, the oldest file goes; a file holds an eighth of it.
    pub fn keep(mut self, bytes: u64) -> Self {
        self.keep = bytes.max(1 << 20);
        self
    }

    /// Sends through `sink`, and writes down what was sent.
    pub(crate) fn over(self, sink: Arc<dyn Sink>) -> io::Result<Arc<dyn Sink>> {
        let folder: Arc<dyn Folder> = files::folder(&self.folder)?;
        let writing = Writing::open(folder, self.keep)?;
        Ok(Arc::new(Ledgered { sink, writing: Mutex::new(writing) }))
    }
}

struct Ledgered {
    sink: Arc<dyn Sink>,
    writing: Mutex<Writing>,
}

impl Sink for Ledgered {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let number = self.with(|writing| writing.sends(&batch));
        Box::pin(async move {
            let answer = self.sink.send(batch).await;
            if let Ok(counts) = &answer {
                self.with(|writing| writing.answered(number, counts));
            }
            answer
        })
    }
}

impl Ledgered {
    fn with<T>(&self, work: impl FnOnce(&mut Writing) -> T) -> T {
        work(&mut self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Counts;
    use crate::{EmitterBuilder, Signal};

    /// Fails its first request, then finds one duplicate in the next.
    struct Second(Mutex<u32>);

    impl Sink for Second {
        fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
            let mut calls = self.0.lock().unwrap();
            *calls += 1;
            let (first, all) = (*calls == 1, batch.len() as u64);
            Box::pin(async move {
                match first {
                    true => Err(crate::Error::unavailable("out of order")),
                    false => Ok(Counts { ingested: all - 1, duplicates: 1, failed: 0 }),
                }
            })
        }
    }

    struct Accepting;

    impl Sink for Accepting {
        fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
            Box::pin(async move { Ok(Counts { ingested: batch.len() as u64, ..Counts::default() }) })
        }
    }

    #[tokio::test]
    async fn what_was_sent_and_answered_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let builder =
            EmitterBuilder::over(Second(Mutex::new(0))).ledger(Ledger::new(folder.path())).with_reference(true);
        let short = std::time::Duration::from_millis(1);
        let emitter = builder.retry_delays(short, short).build().unwrap();
        for key in ["a", "b"] {
            drop(emitter.emit(Signal::new("email_sent").customer("acme").idempotency_key(key)));
        }
        emitter.shutdown(std::time::Duration::from_secs(60)).await.unwrap();
        let entries = entries(folder.path()).unwrap();
        let read: Vec<Entry> = entries.map(Result::unwrap).collect();
        assert_eq!(read.len(), 2, "{read:?}");
        for (entry, key) in read.iter().zip(["a", "b"]) {
            assert!(entry.acknowledged && entry.is_suspect, "{entry:?}");
            let signal: serde_json::Value = serde_json::from_str(entry.signal.get()).unwrap();
            assert_eq!((&signal["idempotencyKey"], &signal["data"]["paid_ref"]), (&key.into(), &key.into()));
        }
    }

    /// Answers the first request with counts that leave a signal out.
    struct Forgetful(Mutex<u32>);

    impl Sink for Forgetful {
        fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
            let mut calls = self.0.lock().unwrap();
            *calls += 1;
            let left_out = u64::from(*calls == 1);
            let ingested = batch.len() as u64 - left_out;
            Box::pin(async move { Ok(Counts { ingested, ..Counts::default() }) })
        }
    }

    #[tokio::test]
    async fn counts_that_leave_a_signal_out_acknowledge_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let builder = EmitterBuilder::over(Forgetful(Mutex::new(0))).ledger(Ledger::new(folder.path().join("own")));
        let short = std::time::Duration::from_millis(1);
        let emitter = builder.retry_delays(short, short).build().unwrap();
        for key in ["a", "b"] {
            drop(emitter.emit(Signal::new("e").customer("acme").idempotency_key(key)));
        }
        emitter.shutdown(std::time::Duration::from_secs(60)).await.unwrap();
        let text = std::fs::read_to_string(folder.path().join("own/ledger-000000001.jsonl")).unwrap();
        let entries: Vec<Entry> = entries(folder.path().join("own")).unwrap().map(Result::unwrap).collect();
        let unanswered = entries.iter().filter(|entry| !entry.acknowledged).count();
        assert_eq!(unanswered, 2, "the first request is not acknowledged: {text}");
    }

    #[tokio::test]
    async fn a_ledger_is_bounded_and_says_what_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let builder = EmitterBuilder::over(Accepting)
            .ledger(Ledger::new(folder.path()).keep(0))
            .linger(std::time::Duration::ZERO);
        let emitter = builder.build().unwrap();
        let long = "x".repeat(10_000);
        for number in 0..300 {
            let signal = Signal::new("e").customer("acme").idempotency_key(number.to_string()).field("text", &long);
            emitter.send(signal).await.unwrap();
        }
        emitter.shutdown(std::time::Duration::from_secs(60)).await.unwrap();
        let bytes: u64 =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes <= (1 << 20) + 200_000, "{bytes}");
        let mut entries = entries(folder.path()).unwrap();
        let keys = entries.by_ref().filter(|entry| entry.is_ok()).count();
        assert!(keys > 50 && keys < 110, "{keys}");
        assert!(entries.begins_late(), "the first files are gone");
    }
}
