//! An outbox keeps records on disk until they are delivered: feature `outbox`. See
//! [`EmitterBuilder::outbox`](crate::EmitterBuilder::outbox).
//!
//! An outbox is a folder. `outbox.redb` holds the records that Paid does not have yet, `dead-letters.jsonl` those that
//! Paid permanently refused, one JSON object a line, and `contents` says whether they are signals or cost records.
//! `cargo paid outbox` (feature `cli`) shows both. All files can be read by their owner only; a folder that exists keeps
//! its permissions.
//!
//! A damaged `outbox.redb` is put aside as `outbox.damaged-` with the time, in milliseconds since 1970: every whole
//! record is read from it and sent, what is missing is reported and counted as dropped, and work goes on with a new
//! file. The file `mark` says which records were delivered, so that none of those comes back. The newest five damaged
//! files are kept; older ones are removed with a line in the log.
//!
//! Dead letters stay until they are delivered ([`Emitter::resubmit`](crate::Emitter::resubmit)) or [discarded](discard):
//! each is money that was not billed. A file of them that has grown to 16 MiB is compacted, since only the last letter of
//! each key counts, and, if that does not help, continued in a new one: `dead-letters.1.jsonl` and further numbers hold
//! the earlier letters. There is no limit to their number; the log says so whenever a file is full. The files may be
//! read at any time; to change them, use the functions of this module, which respect the lock and check what they write.
//! A line that cannot be parsed stays as it is.

mod aside;
mod backend;
mod contents;
mod database;
mod dead_letters;
pub(crate) mod frame;
mod holder;
mod keeper;
pub(crate) mod ledger;
mod mark;
mod opening;
mod resubmission;
mod salvage;
mod set_aside;
mod store;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::Timestamp;
pub use crate::dispatch::Fsync;
use crate::dispatch::{
    self, Disk, DiskNews, DiskSettings, Ended, Folder, Host, Machine, News, OpenedDisk, Record, Rejected,
};
use crate::error::ConfigError;
use crate::files::PrivateFolder;
use crate::report::{RecordKind, log};

use contents::Claim;
#[allow(unused_imports, reason = "feature `fuzzing` uses it")]
pub(crate) use dead_letters::discard_from;
pub use dead_letters::{
    DeadLetter, DeadLetters, dead_letter, dead_letters, discard, discard_unreadable, replace_letter,
    replace_letter_and_key,
};
use keeper::{Keeper, KeeperCommand, Load};
pub use ledger::{Entries, Entry, Ledger, entries};
pub use resubmission::{Progress, Resubmission, Resubmitted};
pub use set_aside::{SetAside, set_aside};
use store::{Damage, OpenError, Opened, Place, Store};

/// Opens an outbox and starts its thread: disk I/O blocks.
pub(crate) fn open(settings: &DiskSettings, host: &Arc<dyn Host>, news: DiskNews) -> Result<OpenedDisk, ConfigError> {
    let (opened, keeping) = open_with(settings, host, news)?;
    let cannot_start = |error: io::Error| ConfigError::new(format!("cannot start the outbox's thread: {error}"));
    host.start("paid-outbox", Box::pin(keeping.run())).map_err(cannot_start)?;
    Ok(opened)
}

fn open_with(
    settings: &DiskSettings,
    host: &Arc<dyn Host>,
    news: DiskNews,
) -> Result<(OpenedDisk, Keeping), ConfigError> {
    let Some(open_folder) = &settings.folder else { return Err(ConfigError::new("the outbox has no folder")) };
    let folder = open_folder().map_err(|error| ConfigError::new(error.to_string()))?;
    let kind = settings.kind;
    let claim = contents::claim(&*folder, kind)?;
    let sync = settings.fsync != Fsync::Never;
    let mut place = Place { folder, kind, is_sure: claim == Claim::Sure, sync, host: Arc::clone(host) };
    if claim == Claim::New {
        contents::write(&*place.folder, kind)?;
    }
    let Opened { store, found, damage } = Store::open(&place, None)?;
    if claim == Claim::Unsure {
        contents::write(&*place.folder, kind)?;
    }
    let unsure = || format!("its file {} was missing or damaged, and is written anew", contents::FILE);
    let problem = (claim == Claim::Unsure).then(unsure);
    place.is_sure = true;
    let (sender, commands) = mpsc::unbounded_channel();
    let outbox =
        Outbox { commands: sender, host: Arc::clone(host), news: news.clone(), is_gone: AtomicBool::new(false) };
    let keeper = Keeper::new(place, settings.fsync, (store, found), settings.gone.clone(), news);
    let opened = OpenedDisk {
        disk: Box::new(outbox),
        first: found.first,
        next: found.next,
        records: found.records,
        lost: damage.as_ref().map_or(0, |damage| damage.lost),
        damage: damage.map(|damage| damage_in_words(kind, &damage)).or(problem),
    };
    Ok((opened, Keeping { keeper, commands }))
}

/// The work of the outbox's thread.
struct Keeping {
    keeper: Keeper,
    commands: mpsc::UnboundedReceiver<KeeperCommand>,
}

impl Keeping {
    async fn run(self) {
        self.keeper.run(self.commands).await;
    }
}

impl From<OpenError> for ConfigError {
    fn from(error: OpenError) -> Self {
        Self::new(error.to_string())
    }
}

fn damage_in_words(kind: RecordKind, damage: &Damage) -> String {
    let Damage { problem, kept_as, saved, lost, torn: _ } = damage;
    let are = if *saved == 1 { "is" } else { "are" };
    let mut words = format!("it was damaged ({problem}): {} that could be read {are} sent", kind.counted(*saved));
    if *lost > 0 {
        words += &format!(", {} lost", kind.counted(*lost));
    }
    if let Some(kept_as) = kept_as {
        words += &format!("; the damaged file is kept as {kept_as}");
    }
    words
}

/// Sends commands to the outbox's thread.
struct Outbox {
    commands: mpsc::UnboundedSender<KeeperCommand>,
    host: Arc<dyn Host>,
    news: DiskNews,
    is_gone: AtomicBool,
}

impl Outbox {
    fn say(&self, command: KeeperCommand) {
        // The thread ends only if it is told to, or if the store panics.
        let Err(mpsc::error::SendError(command)) = self.commands.send(command) else { return };
        let problem = "its thread has ended; everything is in memory only until the program starts again";
        if !self.is_gone.swap(true, Ordering::Relaxed) {
            self.news.tell(News::Failing(problem.to_owned()));
        }
        if let KeeperCommand::Bury(_, records) = command {
            self.news.tell(News::LettersFailing(problem.to_owned()));
            self.news.tell(News::LettersHandled(records));
        }
    }
}

impl Disk for Outbox {
    fn add(&self, number: u64, since: u64, records: Vec<Record>, is_spilled: bool) {
        self.say(KeeperCommand::Add { number, since, records, is_spilled });
    }

    fn hurry(&self) {
        self.say(KeeperCommand::Hurry);
    }

    fn done(&self, number: u64) {
        self.say(KeeperCommand::Done(number));
    }

    fn bury(&self, rejected: Vec<Rejected>) {
        let at = Timestamp::from(chrono::DateTime::from(self.host.now()));
        let records = rejected.len() as u64;
        let letter = |rejected: Rejected| Some((rejected.chunk, DeadLetter::of(rejected, at)?));
        self.say(KeeperCommand::Bury(rejected.into_iter().filter_map(letter).collect(), records));
    }

    fn show_aside(&self, records: Vec<dispatch::SetAside>) {
        let now = self.host.now();
        self.say(KeeperCommand::ShowAside(
            records.into_iter().filter_map(|record| SetAside::of(record, now)).collect(),
        ));
    }

    fn load(&self, from: u64, until: u64, records: usize, bytes: usize) {
        self.say(KeeperCommand::Load(Load { frames: from..until, records: records as u64, bytes }));
    }

    fn end(&self) -> oneshot::Receiver<Ended> {
        let (tell, told) = oneshot::channel();
        self.say(KeeperCommand::End(tell));
        told
    }
}

/// The pending records of an outbox, read without an emitter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// This many signals are pending.
    Signals(u64),
    /// This many cost records are pending.
    Costs(u64),
    /// A running process has the outbox; this names it, if it is known. Only the process's own [`Stats`](crate::Stats)
    /// say how much is pending.
    HeldBy(String),
    /// There is no outbox in the folder.
    None,
}

/// Returns how many records are pending in an outbox that no process has open.
///
/// # Errors
///
/// If the outbox cannot be read.
pub fn waiting(folder: impl AsRef<Path>) -> io::Result<Waiting> {
    let Some(place) = place_of(folder.as_ref())? else { return Ok(Waiting::None) };
    match Store::open(&place, None) {
        Ok(Opened { found, damage, .. }) => {
            tell(&place, damage.as_ref());
            let is_costs = place.kind == RecordKind::Cost;
            Ok(if is_costs { Waiting::Costs(found.records) } else { Waiting::Signals(found.records) })
        }
        Err(OpenError::Held { holder, .. }) => Ok(Waiting::HeldBy(holder)),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Returns when the oldest pending record of an outbox was accepted. `None` if none is pending, or a running process has the outbox
/// open: its [`Stats`](crate::Stats) say it.
///
/// # Errors
///
/// If the outbox cannot be read.
pub fn waiting_since(folder: impl AsRef<Path>) -> io::Result<Option<crate::Timestamp>> {
    let Some(place) = place_of(folder.as_ref())? else { return Ok(None) };
    match Store::open(&place, None) {
        Ok(Opened { store, found, damage }) => {
            tell(&place, damage.as_ref());
            let first = found.first.filter(|_| found.records > 0);
            let since = first.and_then(|first| store.accepted_at(first)).and_then(|ms| i64::try_from(ms).ok());
            Ok(since.and_then(chrono::DateTime::from_timestamp_millis).map(crate::Timestamp::from))
        }
        Err(OpenError::Held { .. }) => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// The outbox in a folder, if there is one.
fn place_of(folder: &Path) -> io::Result<Option<Place>> {
    let folder = match PrivateFolder::find(folder)? {
        Some(folder) if store::exists(&folder) => folder,
        _ => return Ok(None),
    };
    let kind = kind_of(&folder)?.unwrap_or(RecordKind::Signal);
    Ok(Some(Place { folder: Arc::new(folder), kind, is_sure: true, sync: true, host: Arc::new(Machine) }))
}

fn tell(place: &Place, damage: Option<&Damage>) {
    if let Some(damage) = damage {
        log(&format_args!("the outbox {}: {}", place.shown(), damage_in_words(place.kind, damage)));
    }
}

/// The dead letters in an open folder.
#[allow(dead_code, reason = "only cost records ask")]
pub(crate) fn letters_of(folder: &dyn Folder) -> io::Result<DeadLetters> {
    dead_letters::read(folder)
}

/// The kind of records in the outbox of a folder, if there is one.
pub(crate) fn kind_of(folder: &dyn Folder) -> io::Result<Option<RecordKind>> {
    contents::found(folder).map_err(io::Error::other)
}

/// The folder of an outbox; `None` if it does not exist. It is not created.
pub(crate) fn shared_folder(path: &Path) -> io::Result<Option<Arc<dyn Folder>>> {
    Ok(dead_letters::opened(path)?.map(|folder| Arc::new(folder) as Arc<dyn Folder>))
}

/// For tests of dispatch: an outbox without its own thread.
#[cfg(test)]
pub(crate) mod for_tests {
    use std::collections::BTreeSet;

    use super::*;

    pub(crate) fn open(
        settings: &DiskSettings,
        news: DiskNews,
    ) -> (OpenedDisk, impl Future<Output = ()> + Send + use<>) {
        try_open(settings, news).unwrap()
    }

    pub(crate) fn try_open(
        settings: &DiskSettings,
        news: DiskNews,
    ) -> Result<(OpenedDisk, impl Future<Output = ()> + Send + use<>), ConfigError> {
        let (opened, keeping) = open_with(settings, &(Arc::new(Machine) as Arc<dyn Host>), news)?;
        Ok((opened, keeping.run()))
    }

    pub(crate) fn write(folder: Arc<dyn Folder>, number: u64, since: u64, records: &[Record]) {
        let kind = RecordKind::Signal;
        contents::write(&*folder, kind).unwrap();
        let place = Place { folder, kind, is_sure: true, sync: true, host: Arc::new(Machine) };
        let Opened { mut store, .. } = Store::open(&place, None).unwrap();
        let frame = frame::encode(number, since, records);
        store.commit(&[(number, frame)].into(), &BTreeSet::new(), |_, _| ()).unwrap();
    }
}
