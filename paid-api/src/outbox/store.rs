//! The store in the outbox's folder: opened, locked, and made anew from what can be read if it is damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::aside;
use super::database::{Database, Trouble};
use super::frame;
use super::holder::Holder;
use super::mark::{self, Mark};
use super::opening::{self, DATABASE, Look, Ready};
use super::salvage::Wreck;
use crate::dispatch::{Folder, Frame, Host, Storage, ms};
use crate::report::RecordKind;

/// A larger file is compacted when it is opened and empty.
const ROOMY: u64 = 64 << 20;
/// How many bytes of salvaged frames are written at once.
const PORTION: usize = 8 << 20;

/// Why an outbox cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(
        "the outbox {folder} is held by {holder}; only one process at a time can open it: give each its own folder"
    )]
    Held { folder: String, holder: String },
    #[error("cannot use {folder} as an outbox: {problem}")]
    Folder { folder: String, problem: String },
    #[error("the outbox {folder} has format {found}, but this version knows {known}: use the version that wrote it")]
    Format { folder: String, found: u64, known: u64 },
    #[error("{folder} is an outbox of {found}s: use another folder for {wanted}s")]
    Kind { folder: String, found: RecordKind, wanted: RecordKind },
}

/// What was wrong with an outbox, and what was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) problem: String,
    /// The name of the damaged file now; `None` if nothing was left of it.
    pub(crate) kept_as: Option<String>,
    /// How many records could be read from it.
    pub(crate) saved: u64,
    /// How many records can no longer be read, as far as is known.
    pub(crate) lost: u64,
    /// The frames of which only some could be read.
    pub(crate) torn: Vec<u64>,
}

/// The contents of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The first frame.
    pub(crate) first: Option<u64>,
    /// The number of the next frame.
    pub(crate) next: u64,
    pub(crate) records: u64,
}

/// Where an outbox is, and how it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) folder: Arc<dyn Folder>,
    pub(crate) kind: RecordKind,
    /// False if only the records themselves can tell whether they are of this kind.
    pub(crate) is_sure: bool,
    /// Whether a commit waits until the data is on disk.
    pub(crate) sync: bool,
    pub(crate) host: Arc<dyn Host>,
}

impl Place {
    pub(super) fn shown(&self) -> String {
        self.folder.path().display().to_string()
    }

    pub(super) fn problem(&self, problem: impl ToString) -> OpenError {
        OpenError::Folder { folder: self.shown(), problem: problem.to_string() }
    }

    pub(super) fn put_aside(&self) -> Result<(), OpenError> {
        aside::put(&*self.folder, DATABASE, ms(self.host.now())).map_err(|error| self.problem(error))
    }

    /// Signals have an event name, cost records have none.
    fn may_hold(&self, frame: &Frame) -> Result<(), OpenError> {
        let Some(record) = frame.records.first().filter(|_| !self.is_sure) else { return Ok(()) };
        let found = if record.name().is_empty() { RecordKind::Cost } else { RecordKind::Signal };
        let wanted = self.kind;
        if found == wanted { Ok(()) } else { Err(OpenError::Kind { folder: self.shown(), found, wanted }) }
    }
}

pub(crate) struct Store {
    database: Database,
    place: Place,
    mark: Mark,
    mark_file: Option<Box<dyn Storage>>,
    _holder: Holder,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Store({})", self.place.shown())
    }
}

/// A store that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) found: Contents,
    pub(crate) damage: Option<Damage>,
}

impl Store {
    /// Opens or creates the store of a folder. A damaged file is put aside, and its readable records are copied to a
    /// new one. `known` is what is known of the frames if the store was open before.
    pub(crate) fn open(place: &Place, known: Option<Mark>) -> Result<Opened, OpenError> {
        let is_reopened = known.is_some();
        let known = known.or_else(|| Mark::read(&*place.folder));
        let look = match is_reopened {
            _ if !aside::unread(&*place.folder).is_empty() => Look::Everywhere,
            true => Look::Nowhere,
            false => Look::IfSmall,
        };
        let Ready { database, head, problem, frames } = opening::ready(place, known.as_ref(), look)?;
        let wrecks = aside::unread(&*place.folder);
        // What a damaged file holds is done only if the mark says so.
        let first = if wrecks.is_empty() { head.first.unwrap_or(head.next) } else { 0 };
        let mut mark = known.clone().unwrap_or_else(|| Mark::new(first, head.next, 0));
        mark.known_until(head.next);
        mark.records = head.records;
        let _holder = Holder::new(&place.folder);
        let mark_file = place.folder.open(mark::FILE).ok();
        let mut store = Self { database, place: place.clone(), mark, mark_file, _holder };
        let mut first = head.first;
        let damage = if problem.is_some() || !wrecks.is_empty() {
            let frames = frames.unwrap_or_default();
            let (damage, saved) = store.recover(problem, wrecks, frames, known)?;
            first = first.into_iter().chain(saved).min();
            Some(damage)
        } else {
            if let Some(frames) = frames {
                store.mark.only(&frames);
            }
            None
        };
        if head.kind.is_none() {
            store.look_at_first(first)?;
            // On a full disk it is said later.
            let _ = store.database.set_kind(place.kind);
        }
        store.write_mark();
        let found = Contents { first, next: store.mark.next(), records: store.mark.records };
        if found.records == 0 && store.database.length() > ROOMY {
            // After a long outage.
            store.database.compact();
        }
        Ok(Opened { store, found, damage })
    }

    /// When the records of a frame were accepted, in milliseconds since 1970; `None` if that cannot be read.
    pub(super) fn accepted_at(&self, number: u64) -> Option<u64> {
        let frames = self.load(number, number + 1, 1, 1).ok()?;
        frames.iter().find_map(|(_, bytes)| frame::decode(self.place.kind, bytes)).map(|frame| frame.since)
    }

    /// Fails if the first frame holds records of another kind.
    fn look_at_first(&self, first: Option<u64>) -> Result<(), OpenError> {
        let Some(first) = first.filter(|_| !self.place.is_sure) else { return Ok(()) };
        let found = self.load(first, first + 1, 1, 1).unwrap_or_default();
        let frames = found.iter().filter_map(|(_, bytes)| frame::decode(self.place.kind, bytes));
        frames.into_iter().try_for_each(|frame| self.place.may_hold(&frame))
    }

    /// Copies what can be read of damaged files to the new one; also returns the first frame of them.
    fn recover(
        &mut self,
        problem: Option<String>,
        wrecks: Vec<String>,
        mut frames: BTreeSet<u64>,
        known: Option<Mark>,
    ) -> Result<(Damage, Option<u64>), OpenError> {
        let before = self.mark.records;
        // The frames that were saved, and how many records of each were not.
        let mut saved = BTreeMap::new();
        let mut kept_as = None;
        for wreck in wrecks {
            self.salvage(&wreck, opening::most(known.as_ref()), &frames, &mut saved)?;
            let name = aside::has_been_read(&*self.place.folder, &wreck).map_err(|error| self.place.problem(error))?;
            kept_as = Some(self.place.folder.path().join(name).display().to_string());
        }
        frames.extend(saved.keys());
        self.mark.only(&frames);
        aside::tidy(&*self.place.folder);
        let missing = known.map(|known| known.records.saturating_sub(self.mark.records));
        let damage = Damage {
            problem: problem.unwrap_or_else(|| "an earlier file could not be read".to_owned()),
            kept_as,
            saved: self.mark.records.saturating_sub(before),
            lost: missing.unwrap_or_else(|| saved.values().sum()),
            torn: saved.iter().filter(|(_, lost)| **lost > 0).map(|(number, _)| *number).collect(),
        };
        Ok((damage, saved.first_key_value().map(|(number, _)| *number)))
    }

    fn salvage(
        &mut self,
        wreck: &str,
        most: u64,
        there: &BTreeSet<u64>,
        saved: &mut BTreeMap<u64, u64>,
    ) -> Result<(), OpenError> {
        let place = self.place.clone();
        // What was a folder holds nothing.
        let Ok(file) = place.folder.open(wreck) else { return Ok(()) };
        let wreck = Wreck::new(&*file, place.kind).map_err(|error| place.problem(error))?;
        let known = self.mark.clone();
        let (mut portion, mut bytes) = (BTreeMap::new(), 0);
        wreck.frames(
            |number| !known.is_done(number) && !there.contains(&number) && number < most,
            |frame| {
                place.may_hold(&frame)?;
                let encoded = frame::encode(frame.number, frame.since, &frame.records);
                saved.insert(frame.number, u64::from(frame.lost));
                bytes += encoded.len();
                portion.insert(frame.number, encoded);
                if bytes < PORTION {
                    return Ok(());
                }
                bytes = 0;
                self.add(&std::mem::take(&mut portion)).map_err(|trouble| place.problem(trouble))
            },
        )?;
        self.add(&portion).map_err(|trouble| place.problem(trouble))
    }

    fn add(&mut self, added: &BTreeMap<u64, Vec<u8>>) -> Result<(), Trouble> {
        self.write(added, &BTreeSet::new(), |_, _| ())
    }

    /// Adds and removes frames atomically, and shows what is removed.
    pub(crate) fn commit(
        &mut self,
        added: &BTreeMap<u64, Vec<u8>>,
        removed: &BTreeSet<u64>,
        leave: impl FnMut(u64, Option<&[u8]>),
    ) -> Result<(), Trouble> {
        self.write(added, removed, leave)?;
        self.write_mark();
        Ok(())
    }

    fn write(
        &mut self,
        added: &BTreeMap<u64, Vec<u8>>,
        removed: &BTreeSet<u64>,
        leave: impl FnMut(u64, Option<&[u8]>),
    ) -> Result<(), Trouble> {
        let records = self.database.commit(added, removed, leave)?;
        match self.database.is_in_place() {
            Ok(true) => {}
            Ok(false) => return Err(Trouble::Unusable(format!("its file {DATABASE} was removed or replaced"))),
            Err(error) => return Err(Trouble::Unusable(error.to_string())),
        }
        self.mark.records = records;
        added.keys().for_each(|number| self.mark.keep(*number));
        removed.iter().for_each(|number| self.mark.done(*number));
        Ok(())
    }

    /// Only a salvage reads the mark, and it works without one.
    fn write_mark(&self) {
        if let Some(file) = &self.mark_file {
            let _ = file.write(0, self.mark.text().as_bytes());
        }
    }

    /// Reads frames in order from number `from` up to but not including `until`, until there are enough records or
    /// bytes.
    pub(crate) fn load(&self, from: u64, until: u64, records: u64, bytes: usize) -> Result<Vec<(u64, Bytes)>, Trouble> {
        self.database.load(from, until, records, bytes)
    }

    /// How many records are in the frames from number `from` on.
    pub(crate) fn count(&self, from: u64) -> Result<u64, Trouble> {
        self.database.count(from)
    }

    pub(crate) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// For a frame that was done before it was written.
    pub(crate) fn skip(&mut self, number: u64) {
        self.mark.done(number);
    }

    /// Gives up a damaged file: it is put aside now, and read when the store is opened again.
    pub(crate) fn give_up(self) -> Result<Mark, OpenError> {
        let Self { database, place, mark, .. } = self;
        if let Some(file) = database.seize()
            && file.is_in_place().unwrap_or(true)
        {
            place.put_aside()?;
        }
        Ok(mark)
    }
}

/// Returns true if a folder has a store, or what was left of one.
pub(crate) fn exists(folder: &dyn Folder) -> bool {
    folder.length(DATABASE).is_ok() || !aside::unread(folder).is_empty()
}
