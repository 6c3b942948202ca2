//! An outbox keeps records on disk until they are delivered: feature `outbox`. See
//! [`EmitterBuilder::outbox`](crate::EmitterBuilder::outbox).
//!
//! An outbox is a folder. `outbox.redb` holds the records that Paid does not have yet, `dead-letters.jsonl` those that
//! Paid permanently refused, one JSON object a line, and `contents` says whether they are signals or cost records.
//! `cargo paid outbox` (feature `cli`) shows both.

mod backend;
mod contents;
mod dead_letters;
pub(crate) mod frame;
mod keeper;
mod resubmission;
mod store;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::Timestamp;
pub use crate::dispatch::Fsync;
use crate::dispatch::{
    Disk, DiskNews, DiskSettings, Folder, Host, Machine, News, OpenedDisk, Record, Rejected, SetAside,
};
use crate::error::ConfigError;
use crate::files::PrivateFolder;
use crate::report::RecordKind;

pub use dead_letters::{DeadLetter, DeadLetters};
use keeper::{Keeper, KeeperCommand};
pub use resubmission::Resubmitted;
pub(crate) use resubmission::resubmit_with;
use store::{Damage, OpenError, Place, Store};

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
    let place = Place { folder, kind, sync: settings.fsync != Fsync::Never, host: Arc::clone(host) };
    contents::claim(&*place.folder, kind)?;
    let (store, found, damage) = Store::open(&place)?;
    let (sender, commands) = mpsc::unbounded_channel();
    let outbox =
        Outbox { commands: sender, host: Arc::clone(host), news: news.clone(), is_gone: AtomicBool::new(false) };
    let keeper = Keeper::new(place, settings, store, news);
    let opened = OpenedDisk {
        disk: Box::new(outbox),
        first: found.first,
        next: found.next,
        records: found.records,
        damage: damage.map(|damage| damage_in_words(kind, &damage)),
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
    format!(
        "it was damaged ({}): {} that could be read {} sent; the damaged file is kept as {}",
        damage.problem,
        kind.counted(damage.saved),
        if damage.saved == 1 { "is" } else { "are" },
        damage.kept_as
    )
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
        if self.commands.send(command).is_err() && !self.is_gone.swap(true, Ordering::Relaxed) {
            let problem = "its thread has ended; everything is in memory only until the program starts again";
            self.news.tell(News::Failing(problem.to_owned()));
        }
    }
}

impl Disk for Outbox {
    fn add(&self, number: u64, since: u64, records: Vec<Record>) {
        self.say(KeeperCommand::Add { number, since, records });
    }

    fn hurry(&self) {
        self.say(KeeperCommand::Hurry);
    }

    fn done(&self, number: u64) {
        self.say(KeeperCommand::Done(number));
    }

    fn bury(&self, rejected: Vec<Rejected>) {
        let at = Timestamp::from(chrono::DateTime::from(self.host.now()));
        self.say(KeeperCommand::Bury(
            rejected.into_iter().filter_map(|rejected| DeadLetter::of(rejected, at)).collect(),
        ));
    }

    fn show_aside(&self, _: Vec<SetAside>) {}

    fn load(&self, from: u64, until: u64, records: usize, bytes: usize) {
        self.say(KeeperCommand::Load { from, until, records: records as u64, bytes });
    }

    fn end(&self) -> oneshot::Receiver<()> {
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
    let folder = match PrivateFolder::find(folder.as_ref())? {
        Some(folder) if store::exists(&folder) => folder,
        _ => return Ok(Waiting::None),
    };
    let kind = kind_of(&folder)?.unwrap_or(RecordKind::Signal);
    match Store::open(&Place { folder: Arc::new(folder), kind, sync: true, host: Arc::new(Machine) }) {
        Ok((_, found, _)) if kind == RecordKind::Cost => Ok(Waiting::Costs(found.records)),
        Ok((_, found, _)) => Ok(Waiting::Signals(found.records)),
        Err(OpenError::Held { holder, .. }) => Ok(Waiting::HeldBy(holder)),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// The kind of records in the outbox of a folder, if there is one.
pub(crate) fn kind_of(folder: &dyn Folder) -> io::Result<Option<RecordKind>> {
    contents::found(folder).map_err(io::Error::other)
}

/// Reads the dead-letter file of an outbox: the records that Paid permanently refused. Works while a process has the
/// outbox open.
///
/// # Errors
///
/// If the file cannot be read. If there is no file, there are no dead letters.
pub fn dead_letters(folder: impl AsRef<Path>) -> io::Result<DeadLetters> {
    match PrivateFolder::find(folder.as_ref())? {
        Some(folder) => letters_of(&folder),
        None => Ok(DeadLetters::default()),
    }
}

/// The dead letters in a folder.
pub(crate) fn letters_of(folder: &dyn Folder) -> io::Result<DeadLetters> {
    dead_letters::read(folder)
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
        let (opened, keeping) = open_with(settings, &(Arc::new(Machine) as Arc<dyn Host>), news).unwrap();
        (opened, keeping.run())
    }

    pub(crate) fn write(folder: Arc<dyn Folder>, number: u64, since: u64, records: &[Record]) {
        contents::claim(&*folder, RecordKind::Signal).unwrap();
        let place = Place { folder, kind: RecordKind::Signal, sync: true, host: Arc::new(Machine) };
        let (store, _, _) = Store::open(&place).unwrap();
        let frame = frame::encode(number, since, records);
        store.commit(&[(number, frame)].into(), &BTreeSet::new()).unwrap();
    }
}
