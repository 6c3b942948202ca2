//! What is known about every record that Paid may have: it is on its way, there, or uncertain. In memory, and in the
//! journal if there is an outbox.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::journal::{Found, Journal, Line, Mark, is_key};
use crate::dispatch::{Folder, OpenedDisk};
use crate::report::{RecordKind, log};

/// A record's key, and the chunk that it was accepted with.
pub(super) type Place<'a> = (&'a str, u64);

/// What is known about one record. A record without an entry is not there.
#[derive(Debug, Default)]
struct Entry {
    stage: Stage,
    /// It was sent before without an answer: only [`Stage::There`] settles that.
    is_doubtful: bool,
    /// The chunks on disk that hold it, in order. A resubmitted record is in several.
    chunks: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    OnItsWay,
    There,
}

impl Entry {
    fn is_uncertain(&self) -> bool {
        self.is_doubtful && self.stage == Stage::Idle
    }

    fn mark(&self) -> Mark {
        if self.stage == Stage::There { Mark::There } else { Mark::OnItsWay }
    }
}

/// What is to be done with the records of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    /// The places in the batch of those that can be sent.
    pub(super) free: Vec<usize>,
    /// How many Paid has already, or will have when the free ones are sent.
    pub(super) there: u64,
    pub(super) uncertain: usize,
    /// A copy of one is on its way: its answer must be awaited.
    pub(super) is_early: bool,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    entries: BTreeMap<String, Entry>,
    /// Everything in chunks before this one is uncertain, unless it is known to be there.
    doubt_before: u64,
    /// Dead letters that are being sent again at the user's wish.
    resubmitted: BTreeSet<String>,
    journal: Option<Journal>,
    journal_fails: bool,
    /// Records whose frames are removed, and since when.
    leaving: VecDeque<(Instant, Vec<String>)>,
    /// How long the removal of a frame may take to reach the disk.
    removal: Duration,
    /// How many uncertain records were refused without an outbox, where nothing can send them again.
    refused: usize,
    /// Dead letters whose answer was lost when they were sent again, without an outbox.
    lost_again: BTreeSet<String>,
}

impl Known {
    /// Reads the journal of an outbox that is open, before anything is sent. `letters` are the keys of its dead letters.
    /// Returns what must be reported.
    pub(super) fn start(
        &mut self,
        folder: Arc<dyn Folder>,
        removal: Duration,
        opened: &OpenedDisk,
        letters: impl FnOnce() -> Option<BTreeSet<String>>,
    ) -> io::Result<Option<String>> {
        let (journal, found) = Journal::open(folder)?;
        (self.journal, self.removal) = (Some(journal), removal);
        for line in &found.lines {
            self.replay(line);
        }
        let doubt = doubt(&found, opened);
        // Numbers begin again if a user removed the outbox's file.
        self.doubt_before = if doubt.is_some() { opened.next } else { self.doubt_before.min(opened.next) };
        if opened.first.is_none_or(|first| first >= self.doubt_before) {
            self.doubt_before = 0;
        }
        let lost = self.leave_behind(opened.first, letters);
        // Without this the file is written before the first request.
        self.note(Vec::new());
        let lost = (lost > 0).then(|| {
            let lost = RecordKind::Cost.counted(lost);
            format!("an earlier run ended while it was sending {lost} of which nothing is on disk: only Paid knows what arrived")
        });
        let doubt = doubt.filter(|_| self.doubt_before > 0);
        Ok([doubt, lost].into_iter().flatten().reduce(|one, other| format!("{one}; {other}")))
    }

    fn replay(&mut self, line: &Line) {
        match line.mark {
            Mark::DoubtBefore => self.doubt_before = line.chunk,
            Mark::NotThere | Mark::Forgotten => drop(self.entries.remove(&line.key)),
            Mark::OnItsWay | Mark::There => {
                let entry = self.entry(&line.key, line.chunk);
                entry.is_doubtful = true;
                entry.stage = if line.mark == Mark::There { Stage::There } else { Stage::Idle };
            }
        }
    }

    /// Forgets records of an earlier run that are no longer on disk, and returns how many of them are uncertain.
    fn leave_behind(&mut self, first: Option<u64>, letters: impl FnOnce() -> Option<BTreeSet<String>>) -> usize {
        let is_left = |entry: &Entry| first.is_none_or(|first| entry.chunks.iter().all(|chunk| *chunk < first));
        let left: Vec<_> =
            self.entries.iter().filter(|(_, entry)| is_left(entry)).map(|(key, _)| key.clone()).collect();
        // If the letters cannot be read, nothing is forgotten.
        let Some(letters) = (if left.is_empty() { None } else { letters() }) else { return 0 };
        let (mut lost, mut leaving) = (0, Vec::new());
        for key in left {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            entry.chunks.clear();
            if letters.contains(&key) {
                continue;
            }
            lost += usize::from(entry.stage != Stage::There);
            // Nothing is left to be sent twice.
            entry.stage = Stage::There;
            leaving.push(key);
        }
        self.leave(leaving);
        lost
    }

    fn entry(&mut self, key: &str, chunk: u64) -> &mut Entry {
        let entry = self.entries.entry(key.to_owned()).or_default();
        if let Err(place) = entry.chunks.binary_search(&chunk) {
            entry.chunks.insert(place, chunk);
        }
        entry
    }

    /// A letter that is sent again by itself is in no chunk, and has the number 0.
    fn entry_of(&mut self, (key, chunk): Place<'_>) -> &mut Entry {
        if chunk == 0 && self.resubmitted.contains(key) {
            return self.entries.entry(key.to_owned()).or_default();
        }
        self.entry(key, chunk)
    }

    /// How many records are uncertain.
    pub(super) fn uncertain(&self) -> usize {
        self.refused + self.lost_again.len() + self.entries.values().filter(|entry| entry.is_uncertain()).count()
    }

    /// Decides what is to be done with the records of a batch.
    pub(super) fn sort(&mut self, places: &[Place<'_>], resend: bool) -> Sorted {
        let mut sorted = Sorted::default();
        let mut seen = BTreeSet::new();
        let mut doubted = Vec::new();
        for (index, (key, chunk)) in places.iter().enumerate() {
            let entry = self.entries.get(*key);
            let may_be_sent = resend || self.resubmitted.contains(*key);
            match entry.map(|entry| entry.stage) {
                Some(Stage::There) => sorted.there += 1,
                Some(Stage::OnItsWay) => sorted.is_early = true,
                _ if !seen.insert(*key) => sorted.there += 1,
                _ if may_be_sent => sorted.free.push(index),
                Some(Stage::Idle) => sorted.uncertain += 1,
                None if *chunk < self.doubt_before => doubted.push((*key, *chunk)),
                None => sorted.free.push(index),
            }
        }
        sorted.uncertain += doubted.len();
        self.doubt(&doubted);
        sorted
    }

    /// Marks records as uncertain that nothing is known about.
    fn doubt(&mut self, places: &[Place<'_>]) {
        for (key, chunk) in places {
            self.entry(key, *chunk).is_doubtful = true;
        }
        self.note(lines(Mark::OnItsWay, places));
    }

    /// Notes what is about to be sent; it is on disk when this returns. Changes nothing if that fails.
    pub(super) fn begin(&mut self, places: &[Place<'_>]) -> io::Result<()> {
        if let Some((key, _)) = places.iter().find(|(key, _)| !is_key(key)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{key:?} is no key of a cost record")));
        }
        for place in places {
            self.entry_of(*place).stage = Stage::OnItsWay;
        }
        let written = self.write(&lines(Mark::OnItsWay, places), true);
        if written.is_err() {
            self.step_back(places);
        }
        written
    }

    /// Paid has these records.
    pub(super) fn there(&mut self, places: &[Place<'_>]) {
        if self.journal.is_none() {
            for (key, _) in places {
                self.entries.remove(*key);
                self.lost_again.remove(*key);
            }
            return;
        }
        for place in places {
            self.entry_of(*place).stage = Stage::There;
        }
        self.note(lines(Mark::There, places));
    }

    /// This attempt brought Paid nothing.
    pub(super) fn not_there(&mut self, places: &[Place<'_>]) {
        let settled = self.step_back(places);
        let settled: Vec<_> = places.iter().copied().filter(|(key, _)| settled.contains(*key)).collect();
        self.note(lines(Mark::NotThere, &settled));
    }

    /// Takes records back from their way; returns the keys of those that are not doubtful.
    fn step_back(&mut self, places: &[Place<'_>]) -> BTreeSet<String> {
        let mut settled = BTreeSet::new();
        for (key, _) in places {
            let Some(entry) = self.entries.get_mut(*key) else { continue };
            entry.stage = Stage::Idle;
            if !entry.is_doubtful {
                self.entries.remove(*key);
                settled.insert((*key).to_owned());
            }
        }
        settled
    }

    /// It is not known whether Paid has these records. The journal says so since they were sent.
    pub(super) fn lost(&mut self, places: &[Place<'_>]) {
        for (key, chunk) in places {
            let entry = self.entry_of((*key, *chunk));
            (entry.stage, entry.is_doubtful) = (Stage::Idle, true);
            if self.resubmitted.remove(*key) && self.journal.is_none() {
                self.lost_again.insert((*key).to_owned());
            }
        }
    }

    /// An uncertain record is refused for good. Without an outbox, nothing can send it again.
    pub(super) fn refused(&mut self, key: &str) {
        if self.journal.is_none() && self.entries.remove(key).is_some() && !self.lost_again.contains(key) {
            self.refused += 1;
        }
    }

    /// Permits to send this dead letter again.
    pub(super) fn resubmit(&mut self, key: &str) {
        self.resubmitted.insert(key.to_owned());
    }

    /// All that were sent again are no longer dead letters, or are refused again.
    pub(super) fn resubmission_is_over(&mut self) {
        let keys = std::mem::take(&mut self.resubmitted);
        self.leave(
            keys.into_iter().filter(|key| self.entries.get(key).is_some_and(|entry| entry.chunks.is_empty())).collect(),
        );
    }

    /// A frame with these records has left the disk.
    pub(super) fn gone(&mut self, keys: Vec<String>) {
        for key in &keys {
            if let Some(entry) = self.entries.get_mut(key)
                && !entry.chunks.is_empty()
            {
                // If it is another one, a later one is awaited in vain: the safe side.
                entry.chunks.remove(0);
            }
        }
        self.leave(keys);
    }

    /// Forgets records that are there and not on disk, when their removal must have reached it.
    fn leave(&mut self, keys: Vec<String>) {
        let now = Instant::now();
        self.leaving.push_back((now, keys));
        let mut forgotten = Vec::new();
        while self.leaving.front().is_some_and(|(since, _)| now.duration_since(*since) >= self.removal) {
            for key in self.leaving.pop_front().map(|(_, keys)| keys).unwrap_or_default() {
                let is_over = |entry: &Entry| entry.stage == Stage::There && entry.chunks.is_empty();
                if self.entries.get(&key).is_some_and(is_over) && !self.resubmitted.contains(&key) {
                    self.entries.remove(&key);
                    forgotten.push(Line::new(Mark::Forgotten, &key, 0));
                }
            }
        }
        self.note(forgotten);
    }

    /// Writes lines whose loss makes records uncertain, no more.
    fn note(&mut self, lines: Vec<Line>) {
        let written = self.write(&lines, false);
        if let Err(error) = &written
            && !self.journal_fails
        {
            log(&format_args!(
                "the journal of cost records cannot be written: none is sent until it can, and after a crash more may be \
                 uncertain: {error}"
            ));
        }
        self.journal_fails = written.is_err();
    }

    fn write(&mut self, lines: &[Line], sync: bool) -> io::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let (entries, doubt_before) = (&self.entries, self.doubt_before);
        journal.write(lines, sync, || living(entries, doubt_before))
    }
}

fn lines(mark: Mark, places: &[Place<'_>]) -> Vec<Line> {
    places.iter().map(|(key, chunk)| Line::new(mark, key, *chunk)).collect()
}

/// Everything that a rewritten journal says.
fn living(entries: &BTreeMap<String, Entry>, doubt_before: u64) -> Vec<Line> {
    let doubt = (doubt_before > 0).then(|| Line::new(Mark::DoubtBefore, "", doubt_before));
    let of_entry = |(key, entry): (&String, &Entry)| {
        let chunks = if entry.chunks.is_empty() { vec![0] } else { entry.chunks.clone() };
        chunks.into_iter().map(|chunk| Line::new(entry.mark(), key, chunk)).collect::<Vec<_>>()
    };
    doubt.into_iter().chain(entries.iter().flat_map(of_entry)).collect()
}

/// Why every record of an earlier run may be there.
fn doubt(found: &Found, opened: &OpenedDisk) -> Option<String> {
    let why = match (&found.damage, &opened.damage) {
        (Some(damage), _) => format!("its journal is damaged ({damage})"),
        (None, Some(_)) => "it was damaged, and may give back what was sent".to_owned(),
        (None, None) if found.is_missing => "its journal is missing".to_owned(),
        (None, None) => return None,
    };
    let records = RecordKind::Cost.counted(opened.records);
    Some(format!("{why}: it is not known which of its {records} Paid has, so they are uncertain and none is sent"))
}

#[cfg(test)]
mod tests;
