//! Resubmission of dead letters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::IntoFuture;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::dead_letters::{self, DeadLetter, Fate, with_fields};
use super::kind_of;
use crate::Timestamp;
use crate::dispatch::{Answer, Errand, Folder, Host, Record, Storage};
use crate::report::RecordKind;

const LOCK: &str = "resubmission.lock";
/// Letters are sent in parts of at least this many, each followed by an update of the files.
const PART: usize = 500;
/// The files are updated at most about this often, since that moves all letters.
const UPDATES: usize = 20;

/// The result of resubmitting dead letters.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Resubmitted {
    /// How many records Paid accepted; they are no longer dead letters.
    pub delivered: u64,
    /// The records that were refused again, each with the reason. They stay dead letters, with this reason.
    pub refused: Vec<(DeadLetter, String)>,
    /// The records that were not answered in time. They stay dead letters.
    pub unanswered: Vec<DeadLetter>,
    /// Why records are unanswered.
    pub stopped: Option<String>,
}

/// How far a resubmission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many letters are answered.
    pub answered: usize,
    /// How many letters are sent in all.
    pub of: usize,
}

/// Dead letters that are sent again when this is awaited; see [`Emitter::resubmit`](crate::Emitter::resubmit).
///
/// They are sent beside the emitter's queue, in batches, and do not count in its [`Stats`](crate::Stats). If the API key
/// is refused or the address is wrong, the resubmission ends after a few attempts, and otherwise after its time limit:
/// what is not answered then stays a dead letter. One resubmission at a time runs in a folder.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// let emitter = paid::Emitter::new(paid::Client::from_env()?)?;
/// let outcome = emitter.resubmit("/var/lib/agent/outbox").keys(["m-1"]).timeout(Duration::from_secs(10)).await?;
/// println!("{} accepted, {} refused again", outcome.delivered, outcome.refused.len());
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent until it is awaited"]
pub struct Resubmission {
    folder: io::Result<Option<Arc<dyn Folder>>>,
    errand: Errand,
    record: fn(&DeadLetter) -> Option<Record>,
    /// Called for each letter before it is sent.
    allow: Box<dyn Fn(&DeadLetter) + Send>,
    /// Called when the letters that were delivered are no longer in the files.
    settled: Box<dyn Fn() + Send>,
    keys: Option<BTreeSet<String>>,
    timeout: Duration,
    progress: Box<dyn FnMut(Progress) + Send>,
}

impl Resubmission {
    /// `record` makes the record that is sent; it returns `None` for a letter that cannot be.
    pub(crate) fn new(
        folder: io::Result<Option<Arc<dyn Folder>>>,
        errand: Errand,
        record: fn(&DeadLetter) -> Option<Record>,
        allow: impl Fn(&DeadLetter) + Send + 'static,
        settled: impl Fn() + Send + 'static,
    ) -> Self {
        let timeout = Duration::from_secs(60);
        Self {
            folder,
            errand,
            record,
            allow: Box::new(allow),
            settled: Box::new(settled),
            keys: None,
            timeout,
            progress: Box::new(|_| {}),
        }
    }

    /// Sends only the letters with these keys; all letters by default.
    pub fn keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys = Some(keys.into_iter().map(Into::into).collect());
        self
    }

    /// Sets after which time letters without an answer are left; a minute by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets a function that is called after each answer.
    pub fn on_progress(mut self, progress: impl FnMut(Progress) + Send + 'static) -> Self {
        self.progress = Box::new(progress);
        self
    }

    async fn run(self) -> io::Result<Resubmitted> {
        let host = Arc::clone(&self.errand.host);
        let begun = host.instant();
        let kind = self.errand.kind;
        let mut outcome = Resubmitted::default();
        let Some(folder) = self.folder? else { return Ok(outcome) };
        let folder = &*folder;
        check_kind(kind, kind_of(folder)?)?;
        if dead_letters::read(folder)?.letters.is_empty() {
            return Ok(outcome);
        }
        let alone: Arc<dyn Storage> = alone(folder)?.into();
        let mut letters = Vec::new();
        for letter in dead_letters::read(folder)?.letters {
            if self.keys.as_ref().is_some_and(|keys| !keys.contains(&letter.key)) {
                continue;
            }
            match (self.record)(&letter).filter(|_| letter.kind == kind) {
                Some(record) => letters.push((letter, record)),
                None => outcome.refused.push((letter, format!("it is not a complete {kind}, and was not sent"))),
            }
        }
        let mut progress = Progress { answered: 0, of: letters.len() };
        let mut tell = self.progress;
        let part = PART.max(letters.len().div_ceil(UPDATES));
        let mut letters = letters.into_iter();
        while outcome.stopped.is_none() {
            let (part, records): (Vec<_>, Vec<_>) = letters.by_ref().take(part).unzip();
            if part.is_empty() {
                break;
            }
            part.iter().for_each(&self.allow);
            if kind == RecordKind::Cost {
                mark_as_sent(folder, &part, time_of(&*host))?;
            }
            let left = self.timeout.saturating_sub(host.instant().saturating_duration_since(begun));
            let answers = self.errand.run(records, left, Arc::clone(&alone), || {
                progress.answered += 1;
                tell(progress);
            });
            let answers = answers.await?;
            settle(folder, part, answers.answers, time_of(&*host), &mut outcome)?;
            (self.settled)();
            let in_all = format!("not answered within {:?}", self.timeout);
            let of_part = format!("not answered within {left:?}");
            outcome.stopped = answers.stopped.map(|why| why.replacen(&of_part, &in_all, 1));
        }
        outcome.unanswered.extend(letters.map(|(letter, _)| letter));
        if outcome.unanswered.is_empty() {
            outcome.stopped = None;
        }
        Ok(outcome)
    }
}

impl IntoFuture for Resubmission {
    type Output = io::Result<Resubmitted>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Resubmission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Resubmission")
            .field("folder", &self.folder)
            .field("keys", &self.keys)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn time_of(host: &dyn Host) -> Timestamp {
    Timestamp::from(chrono::DateTime::from(host.now()))
}

fn check_kind(kind: RecordKind, of_outbox: Option<RecordKind>) -> io::Result<()> {
    let problem = match (kind, of_outbox) {
        (RecordKind::Signal, Some(RecordKind::Cost)) => {
            "these dead letters are cost records: send them again with `CostEmitter::resubmit`"
        }
        (RecordKind::Cost, Some(RecordKind::Signal)) => {
            "these dead letters are signals: send them again with `Emitter::resubmit`"
        }
        _ => return Ok(()),
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// Makes sure that nobody else sends the same letters: cost records would count twice.
fn alone(folder: &dyn Folder) -> io::Result<Box<dyn Storage>> {
    let path = folder.path().join(LOCK);
    let lock = folder.open(LOCK).map_err(|error| dead_letters::explained("lock", &path, &error))?;
    if lock.try_lock()? {
        return Ok(lock);
    }
    let problem = format!("the dead letters in {} are already being sent again", folder.path().display());
    Err(io::Error::new(io::ErrorKind::WouldBlock, problem))
}

/// Notes that records are being sent: if this process ends now, Paid may have them.
fn mark_as_sent(folder: &dyn Folder, letters: &[DeadLetter], at: Timestamp) -> io::Result<()> {
    let why = format!("uncertain: sent again at {at}, and this process ended before the answer; Paid may have it");
    let changes = letters.iter().map(|letter| (letter.key.as_str(), Some((letter.at, why.clone())))).collect();
    update(folder, changes)
}

/// Removes delivered letters from the files, and notes why the others are still there.
fn settle(
    folder: &dyn Folder,
    letters: Vec<DeadLetter>,
    answers: Vec<Answer>,
    now: Timestamp,
    outcome: &mut Resubmitted,
) -> io::Result<()> {
    let mut changes = BTreeMap::new();
    for (letter, answer) in letters.iter().zip(&answers) {
        let change = match answer {
            Answer::Delivered => None,
            Answer::Refused(failure) => Some((now, failure.to_string())),
            // The mark of a record that was sent stays.
            Answer::Unanswered { is_sent: true } => continue,
            Answer::Unanswered { is_sent: false } => Some((letter.at, letter.reason.clone())),
        };
        if letter.kind == RecordKind::Cost || !matches!(answer, Answer::Unanswered { .. }) {
            changes.insert(letter.key.as_str(), change);
        }
    }
    update(folder, changes)?;
    for (letter, answer) in letters.into_iter().zip(answers) {
        match answer {
            Answer::Delivered => outcome.delivered += 1,
            Answer::Refused(failure) => outcome.refused.push((letter, failure.to_string())),
            Answer::Unanswered { .. } => outcome.unanswered.push(letter),
        }
    }
    Ok(())
}

/// Gives letters another time and reason, or removes them. Letters that were added in the meantime stay.
fn update(folder: &dyn Folder, changes: BTreeMap<&str, Option<(Timestamp, String)>>) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    dead_letters::rewrite(folder, |entry| match entry.letter().and_then(|letter| changes.get(letter.key.as_str())) {
        None => Fate::Keep,
        Some(None) => Fate::Drop,
        Some(Some((at, reason))) => {
            let fields = [("at", in_json(at)), ("reason", in_json(reason))];
            with_fields(entry.text(), &fields).map_or(Fate::Keep, Fate::Change)
        }
    })
}

fn in_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "\"\"".to_owned())
}
