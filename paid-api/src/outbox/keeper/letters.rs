//! The dead letters that are not in their file yet. A file that cannot be written holds up nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::dispatch::{DiskNews, Folder, News};
use crate::outbox::dead_letters::{self, DeadLetter};

/// The first wait before another attempt, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(8)];

#[derive(Default)]
pub(super) struct Letters {
    /// By the number of the frame that holds the record until then.
    waiting: BTreeMap<u64, Vec<DeadLetter>>,
    /// How many records are to be answered for.
    records: u64,
    /// The time of the next attempt, and the wait after it.
    again: Option<(Instant, Duration)>,
    /// Why the last attempt failed.
    problem: String,
}

impl Letters {
    /// Takes letters of this many records, and tries to write everything that waits, unless that failed just now; says how
    /// that went.
    pub(super) fn bury(&mut self, letters: Vec<(u64, DeadLetter)>, records: u64, folder: &dyn Folder, news: &DiskNews) {
        for (frame, letter) in letters {
            self.waiting.entry(frame).or_default().push(letter);
        }
        self.records += records;
        if self.due().is_some_and(|due| due > Instant::now()) {
            return news.tell(News::LettersFailing(self.problem.clone()));
        }
        if let Err(problem) = self.write(folder, news) {
            news.tell(News::LettersFailing(problem));
        }
    }

    /// Writes everything that waits.
    pub(super) fn write(&mut self, folder: &dyn Folder, news: &DiskNews) -> Result<(), String> {
        let letters: Vec<_> = self.waiting.values().flatten().cloned().collect();
        let written = if letters.is_empty() { Ok(()) } else { dead_letters::append(folder, &letters) };
        match written {
            Ok(()) => {
                self.waiting.clear();
                self.again = None;
                news.tell(News::Buried(std::mem::take(&mut self.records)));
                Ok(())
            }
            Err(error) => {
                let [first, longest] = PAUSES;
                let pause = self.again.map_or(first, |(_, pause)| pause);
                self.again = Some((Instant::now() + pause, longest.min(pause * 2)));
                self.problem = error.to_string();
                Err(self.problem.clone())
            }
        }
    }

    /// Tries again, if it is time; returns true if letters were written.
    pub(super) fn try_again(&mut self, folder: &dyn Folder, news: &DiskNews) -> bool {
        self.due().is_some_and(|due| due <= Instant::now()) && self.write(folder, news).is_ok()
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.again.map(|(due, _)| due)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a frame holds a record of which the letter is not written yet.
    pub(super) fn need(&self, frame: u64) -> bool {
        self.waiting.contains_key(&frame)
    }
}
