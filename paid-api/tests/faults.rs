//! Everything that goes wrong between an emitter and Paid, one at a time: what the caller sees, and that nothing is lost
//! and nothing is billed twice.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use paid::emulator::{Emulator, Fault};
use paid::types::CustomerAttribution;
use paid::{ApiKey, Client, ClientBuilder, DeliveryError, Emitter, EmitterBuilder, RetryPolicy, Signal};

const SIGNALS: usize = 60;
const SOON: Duration = Duration::from_secs(30);

fn client(url: &str) -> ClientBuilder {
    // Little patience in the transport, so that the emitter's own comes in.
    let retry = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(5));
    let retry = retry.max_retries(1).total(Duration::from_secs(2));
    Client::builder().api_key("paid_x").base_url(url).retry(retry).timeout(Duration::from_millis(400))
}

type Heard = Arc<Mutex<Vec<String>>>;

fn emitter(client: Client, outbox: Option<&Path>) -> (Emitter, Heard) {
    let heard = Heard::default();
    let listener = Arc::clone(&heard);
    let builder = Emitter::builder(client)
        .max_batch(20)
        .linger(Duration::from_millis(5))
        .retry_delays(Duration::from_millis(10), Duration::from_millis(40))
        .on_error(move |failure: &DeliveryError| listener.lock().unwrap().push(failure.to_string()));
    let with_outbox = |builder: EmitterBuilder, folder: &Path| builder.outbox(folder);
    let builder = match outbox {
        Some(folder) => with_outbox(builder, folder),
        None => builder,
    };
    (builder.build().unwrap(), heard)
}

fn keys() -> BTreeSet<String> {
    (0..SIGNALS).map(|number| format!("key-{number}")).collect()
}

fn emit_all(emitter: &Emitter) {
    for (number, key) in keys().into_iter().enumerate() {
        emitter.emit(Signal::new("sent").customer(format!("c{}", number % 5)).product("p").idempotency_key(key));
    }
}

/// Everything is delivered once, and nobody is told of a failure.
async fn survives(name: &str, emulator: &Emulator, client: Client) {
    for outbox in [None, Some(tempfile::tempdir().unwrap())] {
        let (emitter, heard) = emitter(client.clone(), outbox.as_ref().map(tempfile::TempDir::path));
        emit_all(&emitter);
        emitter.flush(SOON).await.unwrap();
        let stats = emitter.stats();
        assert_eq!((stats.delivered, stats.rejected, stats.dropped), (SIGNALS as u64, 0, 0), "{name}");
        assert_eq!(emulator.idempotency_keys(), keys(), "{name}");
        assert!(heard.lock().unwrap().is_empty(), "{name}: {heard:?}");
        assert!(!stats.circuit_open, "{name}");
        emulator.reset();
        emulator.add_product("p");
    }
}

#[tokio::test]
async fn answers_that_say_nothing_about_the_signals_lose_none() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let in_a_second = httpdate(SystemTime::now() + Duration::from_secs(1));
    let faults: Vec<(&str, Fault)> = vec![
        ("reset before the request was read", Fault::drop_connection()),
        ("reset after the request was read", Fault::drop_connection().after_work()),
        ("slow server", Fault::latency(Duration::from_millis(600))),
        ("408", Fault::status(408)),
        ("429", Fault::status(429)),
        ("429, retry-after 0", Fault::status(429).header("retry-after", "0")),
        ("429, retry-after 1", Fault::status(429).header("retry-after", "1")),
        ("429, retry-after as a date", Fault::status(429).header("retry-after", in_a_second)),
        ("429, retry-after in the past", Fault::status(429).header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")),
        ("429, retry-after that is none", Fault::status(429).header("retry-after", "soon")),
        ("429, retry-after in a thousand years", Fault::status(429).header("retry-after", "31536000000")),
        ("500", Fault::status(500)),
        ("503", Fault::status(503)),
        ("503 after the work", Fault::status(503).after_work()),
        ("502 with HTML", Fault::html(502, "<html>Bad gateway</html>")),
        ("200 with HTML", Fault::html(200, "<html>Please log in</html>")),
        ("truncated body", Fault::truncate_body()),
        ("404, a wrong address", Fault::status(404)),
        ("301, another address", Fault::status(301)),
        ("wrong counts: none of them", Fault::html(200, r#"{"ingested":0,"duplicates":0,"failed":0}"#).after_work()),
        ("wrong counts: too few", Fault::html(200, r#"{"ingested":3,"duplicates":0,"failed":0}"#)),
        ("wrong counts: negative", Fault::html(200, r#"{"ingested":-1,"duplicates":0,"failed":0}"#)),
        ("wrong counts: others failed", Fault::html(200, r#"{"ingested":0,"duplicates":0,"failed":99}"#)),
        ("401, then the key is let in", Fault::status(401)),
        ("403, then the key is let in", Fault::status(403)),
    ];
    for (name, fault) in faults {
        // Three times each: what the transport repeats, and what the emitter does. Counts halve a batch instead: more of them
        // would leave a signal alone with a wrong count, which refuses it.
        let times = if name.starts_with("wrong counts") { 1 } else { 3 };
        for _ in 0..2 {
            emulator.fault(fault.clone().operation("create-signals").times(times));
        }
        survives(name, &emulator, client(&emulator.url()).build().unwrap()).await;
    }
}

fn httpdate(time: SystemTime) -> String {
    let time: chrono::DateTime<chrono::Utc> = time.into();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn a_server_that_starts_later_gets_everything() {
    // Not one that the system hands out: another test's server would get it meanwhile.
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = std::iter::repeat_with(|| fastrand::u16(10_000..30_000)).find(is_free).unwrap();
    let (emitter, heard) = emitter(client(&format!("http://127.0.0.1:{port}/api/v2")).build().unwrap(), None);
    emit_all(&emitter);
    let error = emitter.flush(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(error.left, SIGNALS as u64);
    assert!(emitter.stats().circuit_open);
    let emulator = Emulator::start_on(port).await.unwrap();
    emulator.add_product("p");
    emitter.flush(SOON).await.unwrap();
    assert_eq!(emulator.idempotency_keys(), keys());
    assert!(heard.lock().unwrap().is_empty() && !emitter.stats().circuit_open);
}

#[tokio::test]
async fn a_key_that_is_refused_pauses_and_a_fresh_one_goes_on() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    // The emulator lets in keys that start with `paid_`.
    let key = Arc::new(Mutex::new(ApiKey::new("revoked").unwrap()));
    let current = Arc::clone(&key);
    let client = client(&emulator.url()).api_key_from(move || current.lock().unwrap().clone()).build().unwrap();
    let (emitter, heard) = emitter(client, None);
    emit_all(&emitter);
    emitter.flush(Duration::from_secs(2)).await.unwrap_err();
    assert_eq!((emitter.stats().delivered, emitter.stats().circuit_open), (0, true));
    *key.lock().unwrap() = ApiKey::new("paid_fresh").unwrap();
    emitter.flush(SOON).await.unwrap();
    assert_eq!(emulator.idempotency_keys(), keys());
    assert!(heard.lock().unwrap().is_empty());
}

/// Statuses about the content: one of a batch is bad, and only that one is refused.
#[tokio::test]
async fn one_bad_signal_of_a_batch_is_refused_alone() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let folder = tempfile::tempdir().unwrap();
    let (emitter, heard) = emitter(client(&emulator.url()).build().unwrap(), Some(folder.path()));
    emit_all(&emitter);
    // The document allows one id of a customer.
    let both = CustomerAttribution::Unknown(paid::object!({ "customerId": "c", "externalCustomerId": "c1" }));
    let bad = emitter.emit(Signal::new("sent").customer(both).product("p").idempotency_key("bad"));
    emitter.flush(SOON).await.unwrap();
    assert!(matches!(bad.await, Err(DeliveryError::NotDelivered { records: 1, .. })));
    assert_eq!(emulator.idempotency_keys(), keys());
    assert_eq!(heard.lock().unwrap().len(), 1);
    emitter.shutdown(SOON).await.unwrap();
    assert_eq!(paid::outbox::dead_letters(folder.path()).unwrap().letters.len(), 1);
}

/// A small disk of its own, where this process may mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: a small disk cannot be mounted here (it takes root, on Linux)");
        None
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", &format!("remount,{options}")]).arg(self.0.path()).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn is_about_the_outbox(heard: &Heard) -> bool {
    heard.lock().unwrap().iter().any(|failure| failure.starts_with("the outbox of signals: "))
}

#[tokio::test]
async fn a_full_disk_is_reported_once_and_signals_go_through_memory() {
    let Some(disk) = SmallDisk::mount("size=3m") else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let (emitter, heard) = emitter(client(&emulator.url()).build().unwrap(), Some(disk.0.path()));
    std::fs::write(disk.0.path().join("ballast"), vec![0; 4 << 20]).unwrap_err();
    // Nothing gets through for a while, so that signals have to be written.
    emulator.fault(Fault::status(503).operation("create-signals").times(10));
    let long = "x".repeat(10_000);
    for key in keys() {
        emitter.emit(Signal::new("sent").customer("acme").product("p").idempotency_key(key).field("text", &long));
    }
    emitter.flush(SOON).await.unwrap();
    assert_eq!(emulator.idempotency_keys(), keys());
    assert!(is_about_the_outbox(&heard), "{heard:?}");
    assert_eq!(heard.lock().unwrap().len(), 1, "once: {heard:?}");
    assert_eq!((emitter.stats().delivered, emitter.stats().refused), (SIGNALS as u64, 0));
    // There is room again: it goes on as if nothing had been.
    std::fs::remove_file(disk.0.path().join("ballast")).unwrap();
    emulator.fault(Fault::status(503).operation("create-signals").times(10));
    let later = Signal::new("sent").customer("acme").product("p").idempotency_key("later");
    tokio::time::timeout(SOON, emitter.store(later)).await.unwrap().unwrap();
    emitter.flush(SOON).await.unwrap();
    assert!(emulator.idempotency_keys().contains("later"));
}

/// A disk fills up, and the program starts again on the full disk: what was said to be stored is sent, without room.
#[tokio::test]
async fn what_was_stored_on_a_disk_that_filled_up_is_sent_after_a_restart() {
    let Some(disk) = SmallDisk::mount("size=3m") else { return };
    let folder = disk.0.path().join("outbox");
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let dead = client("http://127.0.0.1:1/api/v2").build().unwrap();
    let (first, heard) = emitter(dead, Some(&folder));
    let mut stored = BTreeSet::new();
    let pad = "x".repeat(400);
    for round in 0..200 {
        let keys: Vec<_> = (0..50).map(|number| format!("{round}-{number}")).collect();
        let signal = |key: &String| {
            Signal::new("sent").customer("acme").product("p").idempotency_key(key.clone()).field("pad", &pad)
        };
        let waits = keys.iter().map(|key| tokio::time::timeout(Duration::from_secs(2), first.store(signal(key))));
        let answers = futures_util::future::join_all(waits).await;
        let is_full = answers.iter().any(Result::is_err);
        let said = keys.into_iter().zip(answers).filter(|(_, answer)| matches!(answer, Ok(Ok(_))));
        stored.extend(said.map(|(key, _)| key));
        if is_full {
            break;
        }
    }
    assert!(stored.len() > 500 && is_about_the_outbox(&heard), "{} {heard:?}", stored.len());
    let _ = first.shutdown(Duration::from_millis(100)).await;
    drop(first);
    let (second, heard) = emitter(client(&emulator.url()).build().unwrap(), Some(&folder));
    second.flush(SOON).await.unwrap();
    let sent = emulator.idempotency_keys();
    assert!(stored.is_subset(&sent), "{} of {} lost; {heard:?}", stored.difference(&sent).count(), stored.len());
    second.shutdown(SOON).await.unwrap();
    drop(second);
    assert_eq!(paid::outbox::waiting(&folder).unwrap(), paid::outbox::Waiting::Signals(0));
    let names = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("damaged")), "a full disk is no damage");
}

#[tokio::test]
async fn a_read_only_folder_is_refused_at_the_start() {
    let Some(disk) = SmallDisk::mount("size=20m") else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let (emitter, heard) = emitter(client(&emulator.url()).build().unwrap(), Some(disk.0.path()));
    emitter.send(Signal::new("sent").customer("acme").product("p").idempotency_key("first")).await.unwrap();
    emitter.shutdown(SOON).await.unwrap();
    drop(emitter);
    disk.remount("ro");
    // At the start it is an error.
    let problem = Emitter::builder(client(&emulator.url()).build().unwrap()).outbox(disk.0.path()).build();
    let problem = problem.unwrap_err().to_string();
    assert!(problem.starts_with("cannot use ") && problem.contains("Read-only file system"), "{problem}");
    assert!(heard.lock().unwrap().is_empty());
}

/// The disk is full and the queue, too: nobody waits for either, and every number is one of what is there.
#[tokio::test]
async fn with_a_full_disk_and_a_full_queue_every_signal_is_counted_and_no_emission_waits() {
    const EMITTED: u64 = 20_000;
    let Some(disk) = SmallDisk::mount("size=2m") else { return };
    let folder = disk.0.path().join("outbox");
    let heard = Arc::new(Mutex::new(0));
    let hears = Arc::clone(&heard);
    let dead = client("http://127.0.0.1:1/api/v2").build().unwrap();
    let first = Emitter::builder(dead).outbox(&folder).queue(200).patience(Duration::ZERO);
    let first = first.on_error(move |failure: &DeliveryError| {
        *hears.lock().unwrap() += match failure {
            DeliveryError::QueueFull { .. } => 1,
            DeliveryError::NotDelivered { records, .. } => *records as u64,
            DeliveryError::Untold { records, .. } => *records,
            _ => 0,
        }
    });
    let first = first.build().unwrap();
    let begun = std::time::Instant::now();
    let emit =
        |number| first.emit(Signal::new("sent").customer("acme").product("p").idempotency_key(format!("{number:06}")));
    let receipts: Vec<_> = (0..EMITTED).map(emit).collect();
    // An emission that waited for the disk would take up to a second.
    assert!(begun.elapsed() < SOON * 2, "{:?}", begun.elapsed());

    let left = first.shutdown(Duration::from_secs(1)).await.unwrap_err().left;
    let mut kept = 0;
    for receipt in receipts {
        kept += u64::from(matches!(receipt.await, Err(DeliveryError::InOutbox { .. })));
    }
    // On a slow machine, what could not be stored within the time is dropped after it.
    let stats = first.stats();
    drop(first);
    let paid::outbox::Waiting::Signals(waiting) = paid::outbox::waiting(&folder).unwrap() else { panic!("no outbox") };
    assert!(waiting > 1_000 && stats.refused > 1_000, "{waiting} {stats:?}");
    assert_eq!(stats.accepted + stats.refused, EMITTED);
    assert_eq!(stats.accepted, waiting + stats.dropped, "{stats:?}");
    assert_eq!((kept, left), (waiting, stats.accepted), "{stats:?}");
    // The hook has a thread of its own, and hears of it when that is its turn.
    let hears_all = async {
        while *heard.lock().unwrap() < stats.refused + stats.dropped {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, hears_all).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), stats.refused + stats.dropped, "{stats:?}");

    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let (second, heard) = emitter(client(&emulator.url()).build().unwrap(), Some(&folder));
    assert_eq!(second.stats().recovered, waiting);
    second.flush(SOON).await.unwrap();
    assert_eq!(emulator.idempotency_keys().len() as u64, waiting, "{heard:?}");
}
