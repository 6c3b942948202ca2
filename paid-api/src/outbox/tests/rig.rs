//! An outbox whose keeper runs on the test's own runtime, and a folder that fails on command.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;

use crate::dispatch::{
    Disk, DiskNews, DiskSettings, Ended, Folder, News, OpenedDisk, Record, Rejected, Storage, TellGone,
};
use crate::error::ConfigError;
use crate::files;
use crate::outbox::for_tests;
use crate::report::RecordKind;

pub(super) struct Rig {
    pub(super) disk: Box<dyn Disk>,
    pub(super) opened: Found,
    keeper: JoinHandle<()>,
    next_news: Box<dyn FnMut() -> Option<News> + Send>,
}

/// What an outbox held.
pub(super) struct Found {
    pub(super) next: u64,
    pub(super) first: Option<u64>,
    pub(super) records: u64,
    pub(super) lost: u64,
    pub(super) damage: Option<String>,
}

/// What has been told.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) stored: BTreeSet<u64>,
    pub(super) loaded: Vec<String>,
    pub(super) next: Option<u64>,
    pub(super) lost: u64,
    /// The chunks that damage concerns.
    pub(super) torn: BTreeSet<u64>,
    pub(super) damage: Vec<String>,
    pub(super) buried: u64,
    pub(super) letters_failing: usize,
    pub(super) handled: u64,
    pub(super) problems: Vec<String>,
    pub(super) failing: usize,
    pub(super) working: usize,
}

impl Rig {
    pub(super) fn open(folder: Arc<dyn Folder>) -> Self {
        Self::try_open(folder, None).unwrap()
    }

    pub(super) fn try_open(folder: Arc<dyn Folder>, gone: Option<TellGone>) -> Result<Self, ConfigError> {
        let settings = DiskSettings {
            folder: Some(Arc::new(move || Ok(Arc::clone(&folder)))),
            gone,
            ..DiskSettings::none(RecordKind::Signal)
        };
        let (news, next_news) = DiskNews::for_tests();
        let (opened, keeping) = for_tests::try_open(&settings, news)?;
        let OpenedDisk { disk, first, next, records, damage, lost } = opened;
        let opened = Found { next, first, records, lost, damage };
        Ok(Self { disk, opened, keeper: tokio::spawn(keeping), next_news: Box::new(next_news) })
    }

    /// Adds a frame of some records, with keys such as `7-0`.
    pub(super) fn add(&self, number: u64, records: usize) {
        self.disk.add(number, 0, records_of(number, records), true);
    }

    /// Adds a frame that is also in memory.
    pub(super) fn add_in_memory(&self, number: u64, records: usize) {
        self.disk.add(number, 0, records_of(number, records), false);
    }

    /// Buries a record of so many bytes.
    pub(super) fn bury_large(&self, number: u64, bytes: usize) {
        let body = format!(r#"{{"data":"{}"}}"#, "x".repeat(bytes));
        let record = Record::new(RecordKind::Signal, "sent", &format!("{number}-0"), 1, body.as_bytes());
        self.disk.bury(vec![Rejected { chunk: number, record, reason: "no".to_owned() }]);
    }

    pub(super) fn bury(&self, number: u64, key: &str) {
        self.disk.bury(vec![Rejected { chunk: number, record: record(key), reason: "no".to_owned() }]);
    }

    /// Everything told in the next seconds.
    pub(super) async fn hear(&mut self) -> Heard {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        let mut heard = Heard::default();
        while let Some(news) = (self.next_news)() {
            match news {
                News::Stored(chunks) => heard.stored.extend(chunks),
                News::Loaded { frames, next } => {
                    let records = frames.iter().flat_map(|frame| &frame.records);
                    heard.loaded.extend(records.map(|record| record.key().to_owned()));
                    heard.next = Some(next);
                }
                News::Lost(records) => heard.lost += records,
                News::Damaged(damaged) => {
                    heard.torn.extend((0..damaged.until).filter(|chunk| damaged.concerns(*chunk)));
                    heard.damage.push(damaged.problem);
                    heard.lost += damaged.lost;
                }
                News::Buried(letters) => heard.buried += letters,
                News::LettersFailing(_) => heard.letters_failing += 1,
                News::LettersHandled(_) => heard.handled += 1,
                News::Problem(problem) => heard.problems.push(problem),
                News::Failing(_) => heard.failing += 1,
                News::Working => heard.working += 1,
            }
        }
        heard
    }

    /// Reads everything back.
    pub(super) async fn load_all(&mut self) -> Heard {
        let mut all = Heard::default();
        let mut from = 0;
        while from < self.opened.next {
            self.disk.load(from, self.opened.next, 500, 1 << 20);
            let heard = self.hear().await;
            all.loaded.extend(heard.loaded);
            all.lost += heard.lost;
            all.damage.extend(heard.damage);
            from = heard.next.expect("a load is answered");
        }
        all
    }

    pub(super) async fn end(self) -> Ended {
        let ended = self.disk.end().await.unwrap();
        self.keeper.await.unwrap();
        ended
    }
}

fn records_of(number: u64, records: usize) -> Vec<Record> {
    (0..records).map(|place| record(&format!("{number}-{place}"))).collect()
}

pub(super) fn record(key: &str) -> Record {
    let body = format!(r#"{{"eventName":"sent","idempotencyKey":"{key}","data":{{"pad":"{}"}}}}"#, "x".repeat(200));
    Record::new(RecordKind::Signal, "sent", key, 1, body.as_bytes())
}

/// A folder on this disk, parts of which fail when they are told to.
#[derive(Debug)]
pub(super) struct Frail {
    folder: Arc<dyn Folder>,
    pub(super) is_full: Arc<AtomicBool>,
    pub(super) letters_fail: AtomicBool,
}

impl Frail {
    pub(super) fn at(path: &Path) -> Arc<Self> {
        let folder = files::folder(path).unwrap();
        Arc::new(Self { folder, is_full: Arc::default(), letters_fail: AtomicBool::new(false) })
    }

    fn check(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Folder for Frail {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        self.folder.read(file)
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        self.folder.length(file)
    }

    fn replace(&self, file: &str, text: &[u8]) -> io::Result<()> {
        self.check()?;
        self.folder.replace(file, text)
    }

    fn append(&self, file: &str, text: &[u8], sync: bool) -> io::Result<()> {
        self.check()?;
        if self.letters_fail.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.folder.append(file, text, sync)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.folder.rename(from, to)
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.folder.remove(file)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.folder.list()
    }

    fn lock(&self, file: &str) -> io::Result<Box<dyn Send>> {
        self.folder.lock(file)
    }

    fn open(&self, file: &str) -> io::Result<Box<dyn Storage>> {
        let file = self.folder.open(file)?;
        Ok(Box::new(FrailFile { file, is_full: Arc::clone(&self.is_full) }))
    }
}

/// On a full disk, what is there can be read and written over, but the file does not grow.
#[derive(Debug)]
struct FrailFile {
    file: Box<dyn Storage>,
    is_full: Arc<AtomicBool>,
}

impl Storage for FrailFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) && length > self.file.length()? {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.set_length(length)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(at, out)
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        // Larger pages stand where there was nothing before.
        if self.is_full.load(Ordering::Relaxed) && data.len() > 4096 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(at, data)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.file.try_lock()
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.file.is_in_place()
    }
}
