//! The outbox: signals on disk until Paid has them. Feature `outbox`.

mod backend;
mod dead_letters;
pub(crate) mod frame;
mod keeper;
mod store;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::chunk::Record;
use super::courier::Rejected;
use super::worker::Event;
use crate::error::ConfigError;
use crate::{Emitter, Timestamp};

use backend::Medium;
pub use dead_letters::{DeadLetter, DeadLetters};
pub(super) use frame::Frame;
pub(super) use keeper::News;
use keeper::{Command, Keeper};
use store::{Damage, OpenError, Store};

/// When signals in an outbox are made safe against crashes: signals go to disk together, in commits.
///
/// What a commit holds is there after the process was killed. What it holds is also there after the machine lost power,
/// unless syncing is left to the operating system. A signal that is delivered before its commit is not written at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fsync {
    /// A commit as soon as there is a signal, and the disk is asked to have it. A crash loses what was emitted in the
    /// milliseconds before it that one commit takes. [`Emitter::store`] waits for it.
    EveryCommit,
    /// A commit this often, while there are signals, and the disk is asked to have it. A crash loses at most what was
    /// emitted in this time and that of one commit. The default, with 50 ms.
    Every(Duration),
    /// A commit every 50 ms, and the operating system writes it to disk when it likes. A killed process loses at most
    /// what was emitted in this time. A machine that loses power loses what the system had not written, often half a
    /// minute's signals, and may leave a damaged file, of which everything readable is saved.
    Never,
}

impl Default for Fsync {
    fn default() -> Self {
        Self::Every(Duration::from_millis(50))
    }
}

impl Fsync {
    /// How long a signal may wait for its commit.
    pub(super) fn pace(self) -> Duration {
        match self {
            Self::EveryCommit => Duration::ZERO,
            Self::Every(pace) => pace,
            Self::Never => Duration::from_millis(50),
        }
    }
}

/// An opened outbox, and what was found in it.
pub(super) struct Opened {
    keeper: Keeper,
    commands: mpsc::UnboundedReceiver<Command>,
    pub(super) outbox: Outbox,
    /// The first frame of an earlier run.
    pub(super) first: Option<u64>,
    pub(super) next: u64,
    pub(super) signals: u64,
    pub(super) damage: Option<String>,
}

/// The way to the outbox's thread.
pub(super) struct Outbox {
    commands: mpsc::UnboundedSender<Command>,
    news: mpsc::UnboundedSender<Event>,
    is_gone: AtomicBool,
}

impl From<OpenError> for ConfigError {
    fn from(error: OpenError) -> Self {
        Self::new(error.to_string())
    }
}

pub(super) fn open(folder: &Path, fsync: Fsync, news: mpsc::UnboundedSender<Event>) -> Result<Opened, ConfigError> {
    let medium = Medium::new(fsync != Fsync::Never);
    open_with(folder, fsync, medium, news)
}

fn open_with(
    folder: &Path,
    fsync: Fsync,
    medium: Medium,
    news: mpsc::UnboundedSender<Event>,
) -> Result<Opened, ConfigError> {
    let (store, contents, damage) = Store::open(folder, &medium)?;
    let (sender, commands) = mpsc::unbounded_channel();
    let outbox = Outbox { commands: sender, news: news.clone(), is_gone: AtomicBool::new(false) };
    let keeper = Keeper::new(folder.to_owned(), medium, fsync, store, news);
    Ok(Opened {
        keeper,
        commands,
        outbox,
        first: contents.first,
        next: contents.next,
        signals: contents.signals,
        damage: damage.as_ref().map(damage_in_words),
    })
}

fn damage_in_words(damage: &Damage) -> String {
    format!(
        "the outbox was damaged ({}): {} signal(s) that could be read are sent, the damaged file is kept as {}",
        damage.problem,
        damage.saved,
        damage.kept_as.display()
    )
}

#[cfg(test)]
pub(super) fn open_store(folder: &Path) -> (Store, store::Contents, Option<Damage>) {
    Store::open(folder, &Medium::new(true)).unwrap()
}

impl Opened {
    /// The work of the outbox's thread.
    pub(super) fn split(self) -> (Outbox, impl Future<Output = ()> + Send) {
        (self.outbox, self.keeper.run(self.commands))
    }
}

impl Outbox {
    fn say(&self, command: Command) {
        // The thread ends only when told to, or when the store panics.
        if self.commands.send(command).is_err() && !self.is_gone.swap(true, Ordering::Relaxed) {
            let problem = "its thread has ended; signals are in memory only until the program starts again".to_owned();
            let _ = self.news.send(Event::Outbox(News::Failing(problem)));
        }
    }

    pub(super) fn add(&self, number: u64, since: u64, records: Vec<Record>) {
        self.say(Command::Add { number, since, records });
    }

    /// Somebody waits for room: what is there is to be written now.
    pub(super) fn hurry(&self) {
        self.say(Command::Hurry);
    }

    pub(super) fn done(&self, number: u64) {
        self.say(Command::Done(number));
    }

    pub(super) fn bury(&self, rejected: Vec<Rejected>) {
        let at = Timestamp::now();
        let letters = rejected.into_iter().filter_map(|rejected| {
            // Damaged JSON is kept as text.
            let signal = serde_json::from_slice(&rejected.json)
                .or_else(|_| serde_json::value::to_raw_value(&String::from_utf8_lossy(&rejected.json)));
            Some(DeadLetter { at, reason: rejected.reason, signal: signal.ok()? })
        });
        self.say(Command::Bury(letters.collect()));
    }

    pub(super) fn load(&self, from: u64, until: u64, signals: usize, bytes: usize) {
        self.say(Command::Load { from, until, signals: signals as u64, bytes });
    }

    /// Writes everything; the answer comes when it is on disk.
    pub(super) fn end(&self) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.say(Command::End(tell));
        told
    }
}

/// What is in an outbox. Costs that were sent as signals would be lost, and signals as costs too: a file tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Signals,
    #[cfg_attr(not(feature = "cost-emitter"), allow(dead_code))]
    Costs,
}

/// In the folder of an outbox of costs, from the beginning: which records are on their way.
pub(crate) const COSTS_MARK: &str = "costs-on-their-way";

impl Kind {
    fn found(folder: &Path) -> Option<Self> {
        if folder.join(COSTS_MARK).exists() {
            return Some(Self::Costs);
        }
        (store::exists(folder) || dead_letters::path(folder).exists()).then_some(Self::Signals)
    }

    /// Makes the folder one of this kind, if it is not one of the other.
    pub(crate) fn claim(self, folder: &Path) -> Result<(), crate::ConfigError> {
        let shown = folder.display();
        match (self, Self::found(folder)) {
            (Self::Signals, Some(Self::Costs)) => Err(crate::ConfigError::new(format!(
                "{shown} is an outbox of cost records: open it with `CostEmitter`, and give signals a folder of their own"
            ))),
            (Self::Costs, Some(Self::Signals)) => Err(crate::ConfigError::new(format!(
                "{shown} is an outbox of signals: give cost records a folder of their own"
            ))),
            (Self::Costs, None) => std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::File::create(folder.join(COSTS_MARK)))
                .map(drop)
                .map_err(|error| crate::ConfigError::new(format!("cannot write {shown}: {error}"))),
            _ => Ok(()),
        }
    }
}

/// What an outbox holds, without an emitter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// So many signals wait to be sent.
    Signals(u64),
    /// A running process has it; who, as far as is known. Its own [`Stats`](crate::Stats) say what waits.
    HeldBy(String),
    /// There is no outbox in the folder.
    None,
}

/// How many signals wait in an outbox, when no process has it.
///
/// # Errors
///
/// When it cannot be read.
pub fn waiting(folder: impl AsRef<Path>) -> io::Result<Waiting> {
    let folder = folder.as_ref();
    if !store::exists(folder) {
        return Ok(Waiting::None);
    }
    match Store::open(folder, &Medium::new(true)) {
        Ok((_, contents, _)) => Ok(Waiting::Signals(contents.signals)),
        Err(OpenError::Held { holder, .. }) => Ok(Waiting::HeldBy(holder)),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// The signals that Paid refused for good, from the dead-letter file of an outbox. Works while a process has the outbox.
///
/// # Errors
///
/// When the file cannot be read. That there is none is no error.
pub fn dead_letters(folder: impl AsRef<Path>) -> io::Result<DeadLetters> {
    dead_letters::read(folder.as_ref())
}

/// What became of dead letters that were sent again.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Resubmitted {
    /// Signals that Paid took now; they are no dead letters any more.
    pub delivered: u64,
    /// Signals that stay in the file, with the reason.
    pub refused: Vec<(DeadLetter, String)>,
}

/// Sends all dead letters of an outbox again, with the keys they had, and removes from the file what Paid takes.
///
/// The emitter may be any, also one without an outbox; one with this outbox writes what is refused again to the file anew.
///
/// # Errors
///
/// When the file cannot be read or written.
pub async fn resubmit(folder: impl Into<PathBuf>, emitter: &Emitter) -> io::Result<Resubmitted> {
    let folder = folder.into();
    if Kind::found(&folder).is_some_and(|kind| kind != emitter.inner.kind) {
        let problem = "these dead letters are cost records: send them again with `CostEmitter::resubmit`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let found = dead_letters::read(&folder)?;
    let mut receipts = Vec::new();
    for letter in found.letters {
        receipts.push((emitter.emit_json(letter.signal.get().to_owned().into()).await, letter));
    }
    let mut outcome = Resubmitted::default();
    let mut keys = BTreeSet::new();
    for (receipt, letter) in receipts {
        match receipt.await {
            Ok(_) => {
                outcome.delivered += 1;
                keys.extend(letter.idempotency_key());
            }
            Err(failure) => outcome.refused.push((letter, failure.to_string())),
        }
    }
    if !keys.is_empty() {
        dead_letters::remove(&folder, &keys)?;
    }
    Ok(outcome)
}
