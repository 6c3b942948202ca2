//! The owner of the store: writes accepted records together, removes delivered ones, and reads records back. Runs on
//! its own thread, because disk I/O blocks.

mod letters;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::database::{Trouble, records_of};
use super::dead_letters::DeadLetter;
use super::frame;
use super::mark::Mark;
use super::set_aside::{SetAside, write_set_aside};
use super::store::{self, Contents, Damage, Opened, Place, Store};
use crate::dispatch::{Damaged, DiskNews, Ended, Fsync, News, Record, TellGone};
use letters::Letters;

/// This many bytes are written at once, before the next commit is due.
const EAGER: usize = 1 << 20;
/// One commit writes about this many bytes.
const PORTION: usize = 8 << 20;
/// One that follows a failure writes less: on a disk that is almost full it may fit.
const SMALL_PORTION: usize = 128 << 10;
/// While nothing can be written, so many bytes are kept only because dead letters are in them.
const MOST_UNWRITTEN: usize = 64 << 20;
/// How long removals may wait for a commit: a delivered frame that is sent again is a duplicate to Paid.
const REMOVALS: Duration = Duration::from_millis(200);
/// How long to wait before a failed store is tried again: at least so long, and so many times as long as it took.
const RECOVERY: (Duration, u32) = (Duration::from_millis(500), 4);

pub(crate) enum KeeperCommand {
    /// Keep these records.
    Add {
        number: u64,
        since: u64,
        records: Vec<Record>,
        is_spilled: bool,
    },
    /// Commit now, before the next commit is due.
    Hurry,
    /// All records of a frame are done.
    Done(u64),
    /// Write these letters, each with its frame. They are of so many records.
    Bury(Vec<(u64, DeadLetter)>, u64),
    /// Show which records are set aside.
    ShowAside(Vec<SetAside>),
    Load(Load),
    /// Write everything, and end.
    End(oneshot::Sender<Ended>),
}

/// Which frames to read, until there are enough records or bytes.
pub(crate) struct Load {
    pub(crate) frames: Range<u64>,
    pub(crate) records: u64,
    pub(crate) bytes: usize,
}

/// The frames that dispatch does not have in memory.
struct Spilled {
    /// All from this one on.
    from: Option<u64>,
    records: u64,
}

pub(crate) struct Keeper {
    place: Place,
    every: Duration,
    /// `None` while the store cannot be used.
    store: Option<Store>,
    /// What was known of the store when it was last open.
    mark: Mark,
    /// Why it was given up, if it was damaged.
    reason: Option<String>,
    /// Frames that are not written yet.
    added: BTreeMap<u64, Vec<u8>>,
    added_bytes: usize,
    /// Of those, and of what left them: frames in a commit that failed. It may have been written all the same.
    doubtful: BTreeSet<u64>,
    /// Frames to be removed.
    done: BTreeSet<u64>,
    /// The keys in those that are perhaps not there.
    going: BTreeMap<u64, Vec<String>>,
    /// How many records of which frame cannot be read; they have been told of.
    torn: BTreeMap<u64, u64>,
    letters: Letters,
    /// What is only here, and nowhere in memory.
    spilled: Spilled,
    /// A load that waits until the store works again.
    load: Option<Load>,
    due: Option<Instant>,
    failing: bool,
    gone: Option<TellGone>,
    news: DiskNews,
}

impl Spilled {
    fn add(&mut self, number: u64, records: u64, is_spilled: bool) {
        if is_spilled {
            self.from.get_or_insert(number);
            self.records += records;
        } else {
            *self = Self { from: None, records: 0 };
        }
    }

    /// These records were read back, and dispatch goes on with the frame `next`.
    fn read(&mut self, records: u64, next: u64) {
        self.from = Some(next);
        self.records = self.records.saturating_sub(records);
    }
}

impl Keeper {
    pub(crate) fn new(
        place: Place,
        fsync: Fsync,
        (store, found): (Store, Contents),
        gone: Option<TellGone>,
        news: DiskNews,
    ) -> Self {
        Self {
            spilled: Spilled { from: found.first, records: found.records },
            place,
            every: fsync.pace(),
            mark: store.mark().clone(),
            store: Some(store),
            reason: None,
            added: BTreeMap::new(),
            added_bytes: 0,
            doubtful: BTreeSet::new(),
            done: BTreeSet::new(),
            going: BTreeMap::new(),
            torn: BTreeMap::new(),
            letters: Letters::default(),
            load: None,
            due: None,
            failing: false,
            gone,
            news,
        }
    }

    pub(crate) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<KeeperCommand>) {
        loop {
            let next = match [self.due, self.letters.due()].into_iter().flatten().min() {
                Some(due) => tokio::time::timeout_at(due, commands.recv()).await,
                None => Ok(commands.recv().await),
            };
            match next {
                Ok(Some(KeeperCommand::End(tell))) => {
                    let _ = tell.send(self.end());
                    return;
                }
                Ok(Some(command)) => self.take(command),
                // Dispatch's thread ended without a command: keep what can be kept.
                Ok(None) => return drop(self.end()),
                Err(_) => self.act(),
            }
            if self.added_bytes >= EAGER && !self.failing {
                self.commit();
            }
        }
    }

    fn tell(&self, news: News) {
        self.news.tell(news);
    }

    /// Does what is due.
    fn act(&mut self) {
        if self.letters.try_again(&*self.place.folder, &self.news) {
            self.wait_at_most(REMOVALS);
        }
        if self.due.is_some_and(|due| due <= Instant::now()) {
            self.commit();
        }
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
            KeeperCommand::Add { number, since, records, is_spilled } => {
                self.spilled.add(number, records.len() as u64, is_spilled);
                let bytes = frame::encode(number, since, &records);
                self.added_bytes += bytes.len();
                self.added.insert(number, bytes);
                self.wait_at_most(self.every);
            }
            KeeperCommand::Done(number) => self.finish(number),
            KeeperCommand::Hurry => self.wait_at_most(Duration::ZERO),
            KeeperCommand::Bury(letters, records) => {
                self.letters.bury(letters, records, &*self.place.folder, &self.news);
                self.tell(News::LettersHandled(records));
            }
            // For people only: nothing depends on it.
            KeeperCommand::ShowAside(records) => drop(write_set_aside(&*self.place.folder, &records)),
            KeeperCommand::Load(load) => self.load(load),
            KeeperCommand::End(_) => {}
        }
    }

    /// A frame is done. One that was never written need not be, unless it holds the only copy of a letter, and memory has
    /// room for it.
    fn finish(&mut self, number: u64) {
        if (!self.letters.need(number) || self.added_bytes > MOST_UNWRITTEN)
            && let Some(bytes) = self.added.remove(&number)
        {
            self.added_bytes -= bytes.len();
            self.letters.give_up(number, &self.news);
            let keys = self.keys_of(&bytes);
            if !self.doubtful.remove(&number) {
                self.skip(number);
                return self.tell_gone(keys);
            }
            self.going.insert(number, keys);
        }
        self.done.insert(number);
        self.wait_at_most(self.every.max(REMOVALS));
    }

    fn skip(&mut self, number: u64) {
        match &mut self.store {
            Some(store) => store.skip(number),
            None => self.mark.done(number),
        }
    }

    fn keys_of(&self, bytes: &[u8]) -> Vec<String> {
        let frame = self.gone.as_ref().and_then(|_| frame::decode(self.place.kind, &bytes.to_vec().into()));
        frame.map(|frame| frame.records.iter().map(|record| record.key().to_owned()).collect()).unwrap_or_default()
    }

    fn tell_gone(&self, keys: Vec<String>) {
        if let Some(gone) = self.gone.as_ref().filter(|_| !keys.is_empty()) {
            gone(keys);
        }
    }

    fn commit(&mut self) {
        self.due = None;
        let begun = Instant::now();
        match self.write() {
            Ok(()) => self.works(),
            Err(trouble) => {
                self.close();
                self.fails(trouble.to_string());
                let (least, times) = RECOVERY;
                self.due = Some(Instant::now() + least.max(begun.elapsed() * times));
                return;
            }
        }
        if let Some(load) = self.load.take() {
            self.load(load);
        }
    }

    /// Writes everything. If only removals fit, at least those.
    fn write(&mut self) -> Result<(), Trouble> {
        let result = self.write_portions().or_else(|trouble| {
            self.mend(trouble)?;
            self.write_portions()
        });
        if result.is_err() && !self.added.is_empty() && !self.removable().is_empty() {
            self.close();
            let _ = self.write_portion(&BTreeMap::new());
        }
        result
    }

    fn write_portions(&mut self) -> Result<(), Trouble> {
        loop {
            // While all that is not written is where damage can be told from it.
            self.open()?;
            if self.added.is_empty() && self.removable().is_empty() {
                return Ok(());
            }
            let limit = if self.failing { SMALL_PORTION } else { PORTION };
            let mut portion = BTreeMap::new();
            let mut bytes = 0;
            while bytes < limit
                && let Some((number, frame)) = self.added.pop_first()
            {
                bytes += frame.len();
                portion.insert(number, frame);
            }
            if let Err(trouble) = self.write_portion(&portion) {
                self.doubtful.extend(portion.keys());
                self.added.append(&mut portion);
                return Err(trouble);
            }
            self.added_bytes -= bytes;
            let stored: Vec<_> = portion.into_keys().collect();
            self.doubtful.retain(|number| !stored.contains(number));
            if !stored.is_empty() {
                self.tell(News::Stored(stored));
            }
        }
    }

    /// Adds these frames, and removes those that are done.
    fn write_portion(&mut self, added: &BTreeMap<u64, Vec<u8>>) -> Result<(), Trouble> {
        let mut removed = self.removable();
        // One that is not added yet is removed later.
        removed.retain(|number| !self.added.contains_key(number));
        let tells = self.gone.is_some();
        let (mut left, mut missing) = (Vec::new(), Vec::new());
        let leave = |number, bytes: Option<&[u8]>| match bytes {
            Some(bytes) => left.push((number, if tells { bytes.to_vec() } else { Vec::new() })),
            None => missing.push(number),
        };
        let committed = self.open().and_then(|store| {
            let before = store.mark().clone();
            store.commit(added, &removed, leave).map(|()| before)
        });
        let left: Vec<_> = left.into_iter().map(|(number, bytes)| (number, self.keys_of(&bytes))).collect();
        let before = match committed {
            Ok(before) => before,
            Err(trouble) => {
                // It may have removed them all the same.
                self.going.extend(left);
                return Err(trouble);
            }
        };
        // Damage can hide a frame from a search that a walk over all frames finds.
        if missing.iter().any(|number| !before.is_done(*number) && !self.going.contains_key(number)) {
            return Err(Trouble::Damaged("frames that were written cannot be found".to_owned()));
        }
        self.done.retain(|number| !removed.contains(number));
        self.torn.retain(|number, _| !removed.contains(number));
        let mut keys: Vec<_> = missing.iter().filter_map(|number| self.going.remove(number)).flatten().collect();
        for (number, own) in left {
            self.going.remove(&number);
            keys.extend(own);
        }
        self.tell_gone(keys);
        Ok(())
    }

    /// The frames that can be removed: a letter must be in its file first.
    fn removable(&self) -> BTreeSet<u64> {
        if self.letters.is_empty() {
            return self.done.clone();
        }
        self.done.iter().copied().filter(|number| !self.letters.need(*number)).collect()
    }

    /// The store, opened again if it failed.
    fn open(&mut self) -> Result<&mut Store, Trouble> {
        if self.store.is_none() {
            let opened = Store::open(&self.place, Some(self.mark.clone()));
            let Opened { store, damage, .. } = opened.map_err(|error| Trouble::Unusable(error.to_string()))?;
            let found = self.store.insert(store);
            if let Some(damage) = damage {
                let (left, mark) = (found.count(self.spilled.from.unwrap_or(u64::MAX)), found.mark().clone());
                self.tell_damage(damage, left.ok(), mark);
            }
        }
        self.store.as_mut().ok_or_else(|| Trouble::Unusable("it is closed".to_owned()))
    }

    /// Tells what is lost. Of the spilled records, so many are `left` on disk.
    fn tell_damage(&mut self, mut damage: Damage, left: Option<u64>, mut mark: Mark) {
        self.torn.clear();
        // What dispatch has in memory is not lost, nor is what it has delivered.
        let from = self.spilled.from.unwrap_or(u64::MAX);
        let unwritten = self.added.range(from..).filter(|(number, _)| !mark.has(**number));
        let unwritten: u64 = unwritten.map(|(_, bytes)| records_of(bytes)).sum();
        let left = left.map_or(0, |left| left + unwritten);
        damage.lost = self.spilled.records.saturating_sub(left);
        self.spilled.records -= damage.lost;
        if let Some(reason) = self.reason.take() {
            damage.problem = reason;
        }
        let until = mark.next();
        damage.torn.iter().for_each(|number| mark.done(*number));
        self.added.keys().for_each(|number| mark.keep(*number));
        let problem = super::damage_in_words(self.place.kind, &damage);
        self.tell(News::Damaged(Damaged { problem, lost: damage.lost, until, whole: mark.live().collect() }));
    }

    /// Closes a store that failed, as redb requires.
    fn close(&mut self) {
        if let Some(store) = self.store.take() {
            self.mark = store.mark().clone();
        }
    }

    /// Makes a damaged store anew, from what can be read. Other trouble stays.
    fn mend(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        let Trouble::Damaged(reason) = trouble else { return Err(trouble) };
        self.reason = Some(reason);
        if let Some(store) = self.store.take() {
            self.mark = store.mark().clone();
            store.give_up().map_err(|error| Trouble::Unusable(error.to_string()))?;
        }
        self.open().map(drop)
    }

    fn fails(&mut self, problem: String) {
        self.due = Some(Instant::now() + RECOVERY.0);
        if !std::mem::replace(&mut self.failing, true) {
            self.tell(News::Failing(problem));
        }
    }

    fn works(&mut self) {
        if std::mem::replace(&mut self.failing, false) {
            self.tell(News::Working);
        }
    }

    /// Writes what can be written, closes the store, and says what is there.
    fn end(mut self) -> Ended {
        let _ = self.letters.write(&*self.place.folder, &self.news);
        self.commit();
        if self.failing {
            // Perhaps less fits.
            self.commit();
        }
        self.close();
        if !store::exists(&*self.place.folder) {
            return Ended::default();
        }
        self.added.keys().for_each(|number| self.mark.done(*number));
        Ended { on_disk: self.mark.live().collect(), records: self.mark.records }
    }
}
