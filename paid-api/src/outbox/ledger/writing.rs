//! Writes a ledger: a line for each signal of a request, and one for its answer.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use crate::Timestamp;
use crate::dispatch::{Batch, Folder, Record};
use crate::report::Counts;

/// The bytes that are kept are in this many files.
const FILES: u64 = 8;

/// So many bytes of answers wait for the disk. The signals of others are without an answer.
const ANSWERS: usize = 1 << 20;

pub(super) struct Writing {
    folder: Arc<dyn Folder>,
    /// How long a file becomes.
    length: u64,
    /// The number of the file that is written.
    file: u64,
    /// How long it is.
    written: u64,
    /// The number of the last request, in this run.
    request: u64,
    /// Tells the requests of this run from those of others: their names begin with it.
    run: String,
    /// Requests that are under way or failed: the first key and how many, so that a retry is not written again.
    open: Vec<(u64, String, usize)>,
    /// How many signals could not be written since the last line.
    missing: u64,
    /// Answers that could not be written yet.
    answers: String,
}

/// The name of the file with a number.
pub(super) fn name(number: u64) -> String {
    format!("ledger-{number:09}.jsonl")
}

/// The number of a file of a ledger.
pub(super) fn number(name: &str) -> Option<u64> {
    name.strip_prefix("ledger-")?.strip_suffix(".jsonl")?.parse().ok()
}

impl Writing {
    pub(super) fn open(folder: Arc<dyn Folder>, keep: u64) -> io::Result<Self> {
        let file = folder.list()?.iter().filter_map(|name| number(name)).max().unwrap_or(0) + 1;
        let run = format!("{:x}", Timestamp::now().timestamp_micros());
        let mut writing = Self {
            folder,
            length: keep / FILES,
            file,
            written: 0,
            request: 0,
            run,
            open: Vec::new(),
            missing: 0,
            answers: String::new(),
        };
        writing.forget_the_oldest();
        Ok(writing)
    }

    /// Writes the signals of a request that is about to be sent, and returns its number.
    pub(super) fn sends(&mut self, batch: &Batch<'_>) -> u64 {
        let first = batch.records().next().map(Record::key).unwrap_or_default();
        let again = self.open.iter().position(|(_, key, records)| key == first && *records == batch.len());
        if let Some((number, ..)) = again.and_then(|at| self.open.get(at)) {
            return *number;
        }
        self.request += 1;
        let number = self.request;
        // Requests that failed for good are never answered.
        if self.open.len() > 64 {
            self.open.remove(0);
        }
        self.open.push((number, first.to_owned(), batch.len()));
        let now = Timestamp::now();
        let mut lines = String::new();
        for record in batch.records() {
            let signal = String::from_utf8_lossy(record.body());
            let _ = writeln!(lines, "{{\"request\":\"{}-{number}\",\"at\":\"{now}\",\"signal\":{signal}}}", self.run);
        }
        self.append(&lines, batch.len() as u64);
        number
    }

    /// Writes what Paid answered, if its counts account for every signal: otherwise the signals are sent again.
    pub(super) fn answered(&mut self, number: u64, counts: &Counts) {
        let sent = self.open.iter().find(|(open, ..)| *open == number).map(|(_, _, records)| *records as u64);
        if counts.failed > 0 || sent.is_some_and(|sent| counts.ingested.checked_add(counts.duplicates) != Some(sent)) {
            return;
        }
        self.open.retain(|(open, ..)| *open != number);
        let now = Timestamp::now();
        let line = format!(
            "{{\"request\":\"{}-{number}\",\"at\":\"{now}\",\"ingested\":{},\"duplicates\":{}}}\n",
            self.run, counts.ingested, counts.duplicates
        );
        self.append(&line, 0);
    }

    fn append(&mut self, lines: &str, signals: u64) {
        if self.written > self.length {
            self.file += 1;
            self.written = 0;
            self.forget_the_oldest();
        }
        let mut gap = match self.missing {
            0 => String::new(),
            missing => format!("{{\"missing\":{missing}}}\n"),
        };
        gap.push_str(&self.answers);
        match self.folder.append(&name(self.file), format!("{gap}{lines}").as_bytes(), false) {
            Ok(()) => {
                self.missing = 0;
                self.answers.clear();
                self.written += (gap.len() + lines.len()) as u64;
            }
            Err(error) => {
                if self.missing == 0 {
                    let folder = self.folder.path().display();
                    tracing::warn!(%folder, %error, "the ledger cannot be written: what is sent meanwhile is not in it");
                }
                self.missing += signals;
                if signals == 0 && self.answers.len() < ANSWERS {
                    self.answers.push_str(lines);
                }
                // A part of a line may be there: what follows begins a file of its own.
                self.file += 1;
                self.written = 0;
            }
        }
    }

    fn forget_the_oldest(&mut self) {
        let first_to_keep = (self.file + 1).saturating_sub(FILES);
        for name in self.folder.list().unwrap_or_default() {
            if number(&name).is_some_and(|number| number < first_to_keep) && self.folder.remove(&name).is_ok() {
                tracing::info!(file = %name, "the ledger has reached its size: its oldest file is gone");
            }
        }
    }
}
