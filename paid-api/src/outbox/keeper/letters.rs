//! The dead letters that are not in their file yet. A file that cannot be written holds up nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::dispatch::{DiskNews, Folder, News};
use crate::outbox::dead_letters::{self, DeadLetter};

/// The first wait before another attempt, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(8)];

/// So many bytes of letters wait in memory. The records of others stay on disk in their frames, and are refused again at
/// the next start.
const MOST_BYTES: usize = 16 << 20;
/// So many frames are kept for that.
const MOST_FRAMES: usize = 100_000;

#[derive(Default)]
pub(super) struct Letters {
    /// By the number of the frame that holds the record until then.
    waiting: BTreeMap<u64, Vec<DeadLetter>>,
    /// Their size in bytes.
    bytes: usize,
    /// The frames of letters for which memory had no room.
    left: BTreeSet<u64>,
    said_kept: bool,
    said_lost: bool,
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
        let mut records = records;
        let (mut kept, mut lost) = (0, 0);
        for (frame, letter) in letters {
            let size = letter.record.get().len() + letter.reason.len();
            if self.waiting.is_empty() || self.bytes + size <= MOST_BYTES {
                self.bytes += size;
                self.waiting.entry(frame).or_default().push(letter);
                continue;
            }
            records = records.saturating_sub(1);
            if self.left.len() < MOST_FRAMES || self.left.contains(&frame) {
                kept += 1;
                self.left.insert(frame);
            } else {
                lost += 1;
            }
        }
        self.say(kept, lost, news);
        self.records += records;
        if self.due().is_some_and(|due| due > Instant::now()) {
            return news.tell(News::LettersFailing(self.problem.clone()));
        }
        if let Err(problem) = self.write(folder, news) {
            news.tell(News::LettersFailing(problem));
        }
    }

    /// The frame of letters can no longer be kept.
    pub(super) fn give_up(&mut self, frame: u64, news: &DiskNews) {
        if self.left.remove(&frame) {
            self.say(0, 1, news);
        }
    }

    /// Says, once each, that records stay in their frames, and that some are not even kept there.
    fn say(&mut self, kept: u64, lost: u64, news: &DiskNews) {
        if kept > 0 && !std::mem::replace(&mut self.said_kept, true) {
            let problem = "more dead letters wait to be written than memory has room for: the records of further ones stay \
                           in the outbox, and are sent and refused again when it is opened again";
            news.tell(News::Problem(problem.to_owned()));
        }
        if lost > 0 && !std::mem::replace(&mut self.said_lost, true) {
            let problem = "neither dead letters nor the outbox can be written, and there are too many: records that are \
                           refused from now on are kept nowhere";
            news.tell(News::Problem(problem.to_owned()));
        }
    }

    /// Writes everything that waits.
    pub(super) fn write(&mut self, folder: &dyn Folder, news: &DiskNews) -> Result<(), String> {
        let letters: Vec<_> = self.waiting.values().flatten().cloned().collect();
        let written = if letters.is_empty() { Ok(()) } else { dead_letters::append(folder, &letters) };
        match written {
            Ok(()) => {
                self.waiting.clear();
                self.bytes = 0;
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
        self.waiting.is_empty() && self.left.is_empty()
    }

    /// Whether a frame holds a record of which the letter is not written yet.
    pub(super) fn need(&self, frame: u64) -> bool {
        self.waiting.contains_key(&frame) || self.left.contains(&frame)
    }
}
