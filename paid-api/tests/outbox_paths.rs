//! Where an outbox is: every kind of path, and who may read what is in it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use paid::outbox::Waiting;
use paid::{Batch, Counts, Emitter, EmitterBuilder, Signal, Sink, SinkFuture};

/// Refuses signals called `bad`, and is down for others.
struct Strict;

impl Sink for Strict {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let body = batch.to_body();
        let is_bad = body.windows(5).any(|window| window == b"\"bad\"");
        Box::pin(async move {
            if is_bad {
                return Ok(Counts { failed: 1, ..Counts::default() });
            }
            Err(paid::Error::unavailable("down on purpose"))
        })
    }
}

fn builder(folder: impl Into<PathBuf>) -> EmitterBuilder {
    EmitterBuilder::over(Strict).outbox(folder).patience(Duration::ZERO).linger(Duration::ZERO)
}

fn signal(key: &str) -> Signal {
    Signal::new("sent").customer("acme").idempotency_key(key.to_owned())
}

async fn store(emitter: &Emitter, key: &str) {
    tokio::time::timeout(Duration::from_secs(10), emitter.store(signal(key))).await.unwrap().unwrap();
}

#[tokio::test]
async fn any_path_to_a_folder_will_do() {
    let place = tempfile::tempdir().unwrap();
    let real = place.path().join("real");
    fs::create_dir(&real).unwrap();
    symlink(&real, place.path().join("link")).unwrap();
    let not_text = std::ffi::OsString::from_vec(b"out\xffbox".to_vec());
    let paths = [
        place.path().join(not_text),
        place.path().join("trailing/"),
        place.path().join("new/../dots"),
        place.path().join("link"),
    ];
    fs::create_dir(place.path().join("new")).unwrap();
    for path in paths {
        let emitter = builder(&path).build().unwrap();
        store(&emitter, "k").await;
        drop(emitter);
        assert_eq!(paid::outbox::waiting(&path).unwrap(), Waiting::Signals(1), "{path:?}");
    }
    // Two ways to one folder are one outbox.
    let first = builder(&real).build().unwrap();
    let refused = builder(place.path().join("link")).build().unwrap_err().to_string();
    assert!(refused.contains("is held by process"), "{refused}");
    drop(first);
}

#[tokio::test]
async fn what_is_no_folder_is_refused_at_the_start_and_reading_makes_none() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "x").unwrap();
    symlink(place.path().join("nowhere"), place.path().join("dangling")).unwrap();
    for path in [
        PathBuf::new(),
        place.path().join("file"),
        place.path().join("file/below"),
        "/proc/outbox".into(),
        place.path().join("dangling"),
    ] {
        let problem = builder(&path).build().unwrap_err().to_string();
        assert!(problem.starts_with("cannot use "), "{problem}");
    }
    let missing = place.path().join("missing");
    assert_eq!(paid::outbox::waiting(&missing).unwrap(), Waiting::None);
    assert!(paid::outbox::dead_letters(&missing).unwrap().letters.is_empty());
    assert!(!missing.exists());
}

const HERE: &str = "PAID_RELATIVE_PATH";

/// Changes its working directory after it has opened an outbox, as daemons do. In a process of its own.
#[tokio::test]
async fn child() {
    let Ok(here) = std::env::var(HERE) else { return };
    std::env::set_current_dir(&here).unwrap();
    let emitter = builder("outbox").build().unwrap();
    store(&emitter, "before").await;
    std::env::set_current_dir("/").unwrap();
    store(&emitter, "after").await;
    assert!(emitter.emit(Signal::new("bad").customer("other").idempotency_key("bad")).await.is_err());
    while emitter.stats().dead_lettered == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let _ = emitter.shutdown(Duration::ZERO).await;
}

#[test]
fn an_outbox_stays_where_it_is_when_the_working_directory_changes() {
    let place = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    let status = child.args(["--exact", "child"]).env(HERE, place.path()).status().unwrap();
    assert!(status.success());
    let folder = place.path().join("outbox");
    assert_eq!(paid::outbox::waiting(&folder).unwrap(), Waiting::Signals(2));
    assert_eq!(paid::outbox::dead_letters(&folder).unwrap().letters.len(), 1);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_the_owner_can_read_what_is_in_an_outbox() {
    let place = tempfile::tempdir().unwrap();
    for (is_there_before, wanted) in [(false, 0o700), (true, 0o755)] {
        let folder = place.path().join(wanted.to_string());
        if is_there_before {
            // Made by an earlier version, or by hand.
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
            for file in ["contents", "mark", "holder", "dead-letters.jsonl", "dead-letters.lock"] {
                fs::write(folder.join(file), if file == "contents" { "signals" } else { "" }).unwrap();
                fs::set_permissions(folder.join(file), fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
        let emitter = builder(&folder).build().unwrap();
        emitter.send(Signal::new("bad").customer("acme")).await.unwrap_err();
        store(&emitter, "k").await;
        while emitter.stats().dead_lettered == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let names: Vec<_> = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(names.len() >= 6, "{names:?}");
        for path in names {
            // `contents` alone is only read, and says nothing of customers.
            assert!(mode(&path) == 0o600 || is_there_before && path.ends_with("contents"), "{path:?}");
        }
        // A folder that was there keeps its rights: it may hold other things.
        assert_eq!(mode(&folder), wanted);
        drop(emitter);
        // A damaged file that is kept.
        fs::write(folder.join("outbox.redb"), vec![7; 9_000]).unwrap();
        drop(builder(&folder).build().unwrap());
        let kept = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
        let kept: Vec<_> = kept.filter(|path| path.to_string_lossy().contains("damaged")).collect();
        assert!(kept.len() == 1 && mode(&kept[0]) == 0o600, "{kept:?}");
    }
}
