//! A journal that can be read and not written: nothing is sent that may be there, and nothing that could not be noted.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use paid::costs::CostEmitter;

use super::restarts::{JOURNAL, killed, left_behind, until};
use super::server::{Answer, SECOND, Server, builder, cost};

/// What keeps a file from being changed, until it is dropped.
enum Obstacle {
    /// A folder stands where a new version is made.
    FolderInTheWay(std::path::PathBuf),
    /// The file is mounted over itself, read-only: root may write whatever its rights say.
    Mount(std::path::PathBuf),
}

impl Obstacle {
    fn folder_in_the_way(folder: &Path) -> Self {
        let path = folder.join(format!(".{JOURNAL}.new"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("x"), "").unwrap();
        Self::FolderInTheWay(path)
    }

    fn read_only(file: &Path) -> Option<Self> {
        let mount = |options: &[&str]| {
            let done = Command::new("mount").args(options).arg(file).arg(file).output();
            done.is_ok_and(|output| output.status.success())
        };
        if !mount(&["--bind"]) {
            eprintln!("skipped: a file cannot be made read-only here (it takes root, on Linux)");
            return None;
        }
        let mounted = Self::Mount(file.to_owned());
        assert!(mount(&["-o", "remount,ro,bind"]) && File::options().append(true).open(file).is_err());
        Some(mounted)
    }
}

impl Drop for Obstacle {
    fn drop(&mut self) {
        match self {
            Self::FolderInTheWay(path) => drop(fs::remove_dir_all(path)),
            Self::Mount(file) => drop(Command::new("umount").arg("-l").arg(file).status()),
        }
    }
}

type Heard = Arc<Mutex<Vec<String>>>;

fn open(server: &Server, folder: &Path) -> (CostEmitter, Heard) {
    let heard = Heard::default();
    let hears = Arc::clone(&heard);
    let costs = builder(server.url(), 5 * SECOND)
        .outbox(folder)
        .on_error(move |failure| hears.lock().unwrap().push(failure.to_string()));
    (costs.build().unwrap(), heard)
}

/// An outbox with a record on its way and one that waits.
async fn outbox() -> tempfile::TempDir {
    let first = Server::start(|_| Answer::STORED.after(60 * SECOND));
    left_behind(&first).await
}

#[tokio::test]
async fn a_whole_journal_that_cannot_be_replaced_is_gone_on_with() {
    let folder = outbox().await;
    let _obstacle = Obstacle::folder_in_the_way(folder.path());
    let server = Server::start(|_| Answer::STORED);
    for attempt in 0..3 {
        let (costs, _) = open(&server, folder.path());
        costs.record(cost(&format!("new {attempt}"), "c"));
        costs.flush(10 * SECOND).await.unwrap();
        costs.shutdown(10 * SECOND).await.unwrap();
        assert_eq!(costs.uncertain(), 1);
    }
    let mut seen = server.seen();
    // Customers have lanes of their own: which of them is heard first is not promised.
    seen.sort();
    assert_eq!(seen, ["new 0", "new 1", "new 2", "waits"]);
}

/// What a test does to a journal.
type Spoil = fn(&Path) -> Option<Obstacle>;

#[tokio::test]
async fn while_the_journal_cannot_be_written_no_cost_record_is_sent_and_afterwards_each_once() {
    let left = outbox().await;
    let ways: [(&str, bool, Spoil); 3] = [
        ("a damaged one that cannot be replaced", false, |folder| {
            fs::write(folder.join(JOURNAL), "+something\n").unwrap();
            Some(Obstacle::folder_in_the_way(folder))
        }),
        ("a missing one that cannot be made", false, |folder| {
            fs::remove_file(folder.join(JOURNAL)).unwrap();
            Some(Obstacle::folder_in_the_way(folder))
        }),
        ("a whole one that is read-only", true, |folder| Obstacle::read_only(&folder.join(JOURNAL))),
    ];
    for (name, is_whole, spoil) in ways {
        let folder = killed(left.path());
        let Some(obstacle) = spoil(folder.path()) else { continue };
        let server = Server::start(|_| Answer::STORED);
        for attempt in 0..3 {
            let (costs, heard) = open(&server, folder.path());
            costs.record(cost(&format!("new {attempt}"), "c"));
            assert!(costs.flush(SECOND / 2).await.unwrap_err().left >= 1, "{name}, {attempt}");
            assert!(costs.stats().circuit_open, "{name}, {attempt}");
            let says = |part: &str| heard.lock().unwrap().iter().any(|failure| failure.contains(part));
            // What is uncertain is said once, and a lost journal at every start.
            until("uncertain", || says("uncertain") || is_whole && attempt > 0).await;
            assert!(!says("set aside"), "nothing gets through: {heard:?}");
            until("a lost journal", || says("its journal is") || is_whole).await;
            // Without a journal, whatever an earlier run left may be there.
            assert!(costs.uncertain() >= 1, "{name}, {attempt}");
            let _ = costs.shutdown(SECOND / 10).await;
        }
        assert!(server.seen().is_empty(), "{name}: {:?}", server.seen());
        drop(obstacle);
        let (costs, _) = open(&server, folder.path());
        costs.flush(10 * SECOND).await.unwrap();
        let by_itself: &[_] = if is_whole { &["new 0", "new 1", "new 2", "waits"] } else { &[] };
        assert_eq!(sorted(server.seen()), by_itself, "{name}");
        // The rest is the user's to decide about.
        until("dead letters", || costs.stats().dead_lettered > 0 || is_whole).await;
        costs.resubmit().await.unwrap();
        assert_eq!(sorted(server.seen()), ["new 0", "new 1", "new 2", "on its way", "waits"], "{name}");
        assert_eq!(costs.uncertain(), 0, "{name}");
    }
}

fn sorted(mut vendors: Vec<String>) -> Vec<String> {
    vendors.sort();
    vendors
}
