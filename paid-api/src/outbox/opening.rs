//! Opens the file of a store: locked, of this version, of this kind, and as whole as can be told.

use std::collections::BTreeSet;
use std::io;

use super::database::{Census, Database, Head, Trouble};
use super::holder;
use super::mark::Mark;
use super::store::{OpenError, Place};
use crate::dispatch::Storage;

pub(super) const DATABASE: &str = "outbox.redb";
/// The format version of everything in the folder.
const FORMAT: u64 = 2;
/// No version is as high: such a number is noise.
const NO_FORMAT: u64 = 1_000;
/// No frame has a number as high.
const NO_NUMBER: u64 = 1 << 48;
/// No commit adds as many frames.
const COMMIT: u64 = 1 << 20;
/// In a file that is not larger, every frame is looked at. Damage in a larger one shows when the place is read.
const SMALL: u64 = 64 << 20;

/// Where to look at every frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Nowhere,
    IfSmall,
    Everywhere,
}

/// An open file.
pub(super) struct Ready {
    pub(super) database: Database,
    pub(super) head: Head,
    /// What was wrong with the file that was there before.
    pub(super) problem: Option<String>,
    /// All frames, if they were looked at.
    pub(super) frames: Option<BTreeSet<u64>>,
}

enum Refusal {
    /// The file is damaged, and of no use.
    Damaged(String),
    Error(OpenError),
}

/// The number that no frame can have. The mark may be one commit behind, but not more.
pub(super) fn most(known: Option<&Mark>) -> u64 {
    known.map_or(NO_NUMBER, |known| known.next().saturating_add(COMMIT))
}

/// Opens the file, or makes it. A damaged one is put aside.
pub(super) fn ready(place: &Place, known: Option<&Mark>, look: Look) -> Result<Ready, OpenError> {
    match attempt(place, known, look) {
        Ok(ready) => Ok(ready),
        Err(Refusal::Error(error)) => Err(error),
        Err(Refusal::Damaged(problem)) => {
            place.put_aside()?;
            match attempt(place, known, look) {
                Ok(ready) => Ok(Ready { problem: Some(problem), ..ready }),
                Err(Refusal::Error(error)) => Err(error),
                Err(Refusal::Damaged(problem)) => Err(place.problem(problem)),
            }
        }
    }
}

fn attempt(place: &Place, known: Option<&Mark>, look: Look) -> Result<Ready, Refusal> {
    let file = locked(place)?;
    let is_new = file.length().map_err(|error| unusable(place, error))? == 0;
    let database = match Database::open(file, place.sync) {
        Ok(database) => database,
        Err((trouble, file)) => {
            // A new file that could not be made, for example on a full disk, must not look like a damaged one.
            if let Some(file) = file.filter(|_| is_new) {
                let _ = file.set_length(0);
                return Err(unusable(place, trouble));
            }
            return Err(refusal(place, trouble));
        }
    };
    let trouble = |trouble| refusal(place, trouble);
    let most = most(known);
    let head = checked(place, database.head().map_err(trouble)?, most)?;
    if head.format.is_none() {
        let next = known.map_or(0, Mark::next);
        database.begin(FORMAT, next).map_err(trouble)?;
        let is_lost = known.is_some_and(|known| known.records > 0);
        let problem = is_lost.then(|| format!("its file {DATABASE} was removed or emptied"));
        return Ok(Ready { database, head: Head { next, ..head }, problem, frames: Some(BTreeSet::new()) });
    }
    if look == Look::Nowhere || (look == Look::IfSmall && database.length() > SMALL) {
        return Ok(Ready { database, head, problem: None, frames: None });
    }
    let Census { frames, records } = database.census().map_err(trouble)?;
    if frames.last().is_some_and(|last| *last >= most) {
        return Err(Refusal::Damaged("its numbers are wrong".to_owned()));
    }
    if records != head.records {
        // On a full disk it stays wrong in the file.
        let _ = database.set_records(records);
    }
    let next = head.next.max(frames.last().map_or(0, |last| last + 1));
    let head = Head { first: frames.first().copied(), next, records, ..head };
    Ok(Ready { database, head, problem: None, frames: Some(frames) })
}

fn locked(place: &Place) -> Result<Box<dyn Storage>, Refusal> {
    let folder = &place.folder;
    let file = folder.open(DATABASE).map_err(|error| match error.kind() {
        io::ErrorKind::IsADirectory => Refusal::Damaged("a folder is in the place of its file".to_owned()),
        _ => unusable(place, error),
    })?;
    if !file.try_lock().map_err(|error| unusable(place, error))? {
        let holder = holder::of(&**folder);
        return Err(Refusal::Error(OpenError::Held { folder: place.shown(), holder }));
    }
    // Another process may have put it aside before it was locked.
    if !file.is_in_place().map_err(|error| unusable(place, error))? {
        return Err(unusable(place, "its file was replaced while it was opened"));
    }
    Ok(file)
}

fn checked(place: &Place, head: Head, most: u64) -> Result<Head, Refusal> {
    let folder = place.shown();
    match (head.format, head.kind) {
        (Some(0 | NO_FORMAT..), _) => Err(Refusal::Damaged("its format is unknown".to_owned())),
        (Some(found), _) if found != FORMAT => Err(Refusal::Error(OpenError::Format { folder, found, known: FORMAT })),
        (_, Some(found)) if found != place.kind => {
            Err(Refusal::Error(OpenError::Kind { folder, found, wanted: place.kind }))
        }
        _ if head.next < most && head.first.is_none_or(|first| first < most) => Ok(head),
        _ => Err(Refusal::Damaged("its numbers are wrong".to_owned())),
    }
}

fn refusal(place: &Place, trouble: Trouble) -> Refusal {
    match trouble {
        Trouble::Damaged(problem) => Refusal::Damaged(problem),
        Trouble::Unusable(problem) => unusable(place, problem),
    }
}

fn unusable(place: &Place, problem: impl ToString) -> Refusal {
    Refusal::Error(place.problem(problem))
}
