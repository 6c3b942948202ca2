//! The owner of the store: writes accepted records together, removes delivered ones, and reads records back. Runs on
//! its own thread, because disk I/O blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::dead_letters::{self, DeadLetter};
use super::frame;
use super::store::{Place, Store};
use crate::dispatch::{DiskNews, DiskSettings, Frame, Gone, News, Record};
use crate::report::log;

/// This many bytes are written at once, before the next commit is due.
const EAGER: usize = 1 << 20;
/// How long removals may wait for a commit: a delivered frame that is sent again is a duplicate to Paid.
const REMOVALS: Duration = Duration::from_millis(200);
/// How long to wait before a failed store is tried again.
const RECOVERY: Duration = Duration::from_millis(500);

pub(crate) enum KeeperCommand {
    /// Keep these records.
    Add {
        number: u64,
        since: u64,
        records: Vec<Record>,
    },
    /// Commit now, before the next commit is due.
    Hurry,
    /// All records of a frame are done.
    Done(u64),
    Bury(Vec<DeadLetter>),
    /// Read the frames from number `from` up to but not including `until`.
    Load {
        from: u64,
        until: u64,
        records: u64,
        bytes: usize,
    },
    /// Write everything, and end.
    End(oneshot::Sender<()>),
}

pub(crate) struct Keeper {
    place: Place,
    every: Duration,
    /// `None` while the store cannot be used.
    store: Option<Store>,
    added: BTreeMap<u64, Vec<u8>>,
    added_bytes: usize,
    done: BTreeSet<u64>,
    dead: Vec<DeadLetter>,
    /// A load that waits until the store works again.
    load: Option<KeeperCommand>,
    due: Option<Instant>,
    failing: bool,
    news: DiskNews,
    gone: Option<Gone>,
}

impl Keeper {
    pub(crate) fn new(place: Place, settings: &DiskSettings, store: Store, news: DiskNews) -> Self {
        Self {
            place,
            every: settings.fsync.pace(),
            store: Some(store),
            added: BTreeMap::new(),
            added_bytes: 0,
            done: BTreeSet::new(),
            dead: Vec::new(),
            load: None,
            due: None,
            failing: false,
            news,
            gone: settings.gone.clone(),
        }
    }

    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<KeeperCommand>) {
        loop {
            let next = match self.due {
                Some(due) => tokio::time::timeout_at(due, commands.recv()).await,
                None => Ok(commands.recv().await),
            };
            match next {
                Ok(Some(KeeperCommand::End(tell))) => {
                    self.commit();
                    drop(self);
                    let _ = tell.send(());
                    return;
                }
                Ok(Some(command)) => self.take(command),
                // Dispatch's thread ended without a command: keep what can be kept.
                Ok(None) => return self.commit(),
                Err(_) => self.commit(),
            }
            if self.added_bytes >= EAGER && !self.failing {
                self.commit();
            }
        }
    }

    fn tell(&self, news: News) {
        self.news.tell(news);
    }

    fn wait_at_most(&mut self, wait: Duration) {
        let due = Instant::now() + wait;
        // While the store fails, the time of the next attempt stays.
        if !self.failing {
            self.due = Some(self.due.map_or(due, |before| before.min(due)));
        }
    }

    fn take(&mut self, command: KeeperCommand) {
        match command {
            KeeperCommand::Add { number, since, records } => {
                let bytes = frame::encode(number, since, &records);
                self.added_bytes += bytes.len();
                self.added.insert(number, bytes);
                self.wait_at_most(self.every);
            }
            KeeperCommand::Done(number) => match self.added.remove(&number) {
                // Delivered before it was written: nothing to do.
                Some(bytes) if !self.failing => {
                    self.added_bytes -= bytes.len();
                    self.leaves(&[bytes.into()]);
                }
                // A commit that failed may have written it.
                bytes => {
                    self.added_bytes -= bytes.map_or(0, |bytes| bytes.len());
                    self.done.insert(number);
                    self.wait_at_most(self.every.max(REMOVALS));
                }
            },
            KeeperCommand::Hurry => self.wait_at_most(Duration::ZERO),
            KeeperCommand::Bury(letters) => {
                self.dead.extend(letters);
                self.bury();
            }
            KeeperCommand::Load { .. } => self.load(command),
            KeeperCommand::End(_) => {}
        }
    }

    /// Writes dead letters first, then removes the frames that they are in: a crash in between duplicates letters, but
    /// loses none.
    fn commit(&mut self) {
        self.due = None;
        if !self.bury() {
            return;
        }
        if self.added.is_empty() && self.done.is_empty() && self.load.is_none() && self.store.is_some() {
            self.works();
            return;
        }
        let removed = match self.write() {
            Ok(removed) => removed,
            Err(problem) => {
                self.store = None;
                self.fails(problem);
                return;
            }
        };
        self.works();
        self.leaves(&removed);
        let stored: Vec<_> = std::mem::take(&mut self.added).into_keys().collect();
        self.added_bytes = 0;
        self.done.clear();
        if !stored.is_empty() {
            self.tell(News::Stored(stored));
        }
        if let Some(load) = self.load.take() {
            self.load(load);
        }
    }

    /// Returns the frames that were removed, if somebody wants to hear of them.
    fn write(&mut self) -> Result<Vec<Bytes>, String> {
        self.open()?;
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        let removed = if self.gone.is_some() { store.frames(&self.done) } else { Ok(Vec::new()) };
        let removed = removed.map_err(|error| error.to_string())?;
        store.commit(&self.added, &self.done).map_err(|error| error.to_string())?;
        Ok(removed)
    }

    /// Tells which records are no longer on disk.
    fn leaves(&self, frames: &[Bytes]) {
        let Some(gone) = &self.gone else { return };
        let frames = frames.iter().filter_map(|bytes| frame::decode(self.place.kind, bytes));
        let keys: Vec<_> = frames.flat_map(|frame| frame.records).map(|record| record.key().to_owned()).collect();
        if !keys.is_empty() {
            gone(keys);
        }
    }

    /// Opens the store again after it failed, as redb requires.
    fn open(&mut self) -> Result<(), String> {
        if self.store.is_none() {
            let (store, _, damage) = Store::open(&self.place).map_err(|error| error.to_string())?;
            if let Some(damage) = damage {
                log(&super::damage_in_words(self.place.kind, &damage));
            }
            self.store = Some(store);
        }
        Ok(())
    }

    fn bury(&mut self) -> bool {
        if self.dead.is_empty() {
            return true;
        }
        match dead_letters::append(&*self.place.folder, &self.dead) {
            Ok(()) => {
                let buried = self.dead.len() as u64;
                self.dead.clear();
                self.tell(News::Buried(buried));
                true
            }
            Err(error) => {
                self.fails(format!(
                    "cannot write {}: {error}",
                    self.place.folder.path().join(dead_letters::FILE).display()
                ));
                false
            }
        }
    }

    fn fails(&mut self, problem: String) {
        self.due = Some(Instant::now() + RECOVERY);
        if !std::mem::replace(&mut self.failing, true) {
            self.tell(News::Failing(problem));
        }
    }

    fn works(&mut self) {
        if std::mem::replace(&mut self.failing, false) {
            self.tell(News::Working);
        }
    }

    fn load(&mut self, command: KeeperCommand) {
        let KeeperCommand::Load { from, until, records, bytes } = command else { return };
        let stored = self.open().and_then(|()| match &self.store {
            Some(store) => store.load(from, until, records, bytes).map_err(|error| error.to_string()),
            None => Ok(Vec::new()),
        });
        let mut found: Vec<(u64, Bytes)> = match stored {
            Ok(stored) => stored,
            Err(problem) => {
                self.store = None;
                self.load = Some(command);
                return self.fails(problem);
            }
        };
        // Frames that are not written yet are newer than all that are.
        let (mut count, mut size) =
            found.iter().fold((0, 0), |(count, size), (_, bytes)| (count + records_of(bytes), size + bytes.len()));
        for (number, bytes_of_frame) in self.added.range(from..until) {
            if count >= records || size >= bytes {
                break;
            }
            if found.last().is_none_or(|(last, _)| last < number) {
                count += records_of(bytes_of_frame);
                size += bytes_of_frame.len();
                found.push((*number, Bytes::copy_from_slice(bytes_of_frame)));
            }
        }
        let next = found.last().map_or(until, |(last, _)| last + 1);
        let mut lost = 0;
        let mut frames = Vec::new();
        for (number, bytes) in found {
            match frame::decode(self.place.kind, &bytes) {
                // The number is that of the key; the one in the frame is only for salvage.
                Some(frame) if !self.done.contains(&number) => {
                    lost += u64::from(frame.lost);
                    frames.push(Frame { number, ..frame });
                }
                Some(_) => {}
                // Not even the number of its records is readable.
                None => {
                    lost += 1;
                    self.done.insert(number);
                    self.wait_at_most(self.every.max(REMOVALS));
                }
            }
        }
        if lost > 0 {
            self.tell(News::Lost(lost));
        }
        self.tell(News::Loaded { frames, next });
    }
}

fn records_of(bytes: &[u8]) -> u64 {
    frame::head(bytes).map_or(0, |head| u64::from(head.records))
}
