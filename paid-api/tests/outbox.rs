//! The outbox: nothing is lost by crashes, restarts, outages and full queues, and nothing is sent in vain.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::future::IntoFuture;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::outbox::{Fsync, Waiting};
use paid::{Batch, Counts, DeliveryError, EmitterBuilder, Overflow, Signal, Sink, SinkFuture};
use serde_json::Value;

/// Paid, as far as signals go: up or down, and strict about the name `bad`.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_down: bool,
    billed: BTreeSet<String>,
    /// Customer and key, in the order of arrival.
    order: Vec<(String, String)>,
    attempts: usize,
}

impl Server {
    fn down() -> Self {
        let server = Self::default();
        server.set_down(true);
        server
    }

    fn set_down(&self, is_down: bool) {
        self.0.lock().unwrap().is_down = is_down;
    }

    fn billed(&self) -> usize {
        self.0.lock().unwrap().billed.len()
    }

    fn keys_of(&self, customer: &str) -> Vec<String> {
        let state = self.0.lock().unwrap();
        state.order.iter().filter(|(name, _)| name == customer).map(|(_, key)| key.clone()).collect()
    }
}

impl Sink for Server {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let body: Value = serde_json::from_slice(&batch.to_body()).unwrap();
        Box::pin(async move {
            let mut state = self.0.lock().unwrap();
            state.attempts += 1;
            if state.is_down {
                return Err(paid::Error::unavailable("down on purpose"));
            }
            let mut counts = Counts::default();
            for signal in body["signals"].as_array().unwrap() {
                let key = signal["idempotencyKey"].as_str().unwrap().to_owned();
                let customer = signal["customer"]["externalCustomerId"].as_str().unwrap().to_owned();
                if signal["eventName"] == "bad" {
                    counts.failed += 1;
                } else if state.billed.insert(key.clone()) {
                    counts.ingested += 1;
                    state.order.push((customer, key));
                } else {
                    counts.duplicates += 1;
                }
            }
            Ok(counts)
        })
    }
}

fn builder(server: &Server, folder: &Path) -> EmitterBuilder {
    let quick = Duration::from_millis(20);
    EmitterBuilder::over(server.clone())
        .outbox(folder)
        .linger(Duration::from_millis(5))
        .retry_delays(quick, quick)
        .patience(Duration::from_millis(200))
}

fn signal(number: usize) -> Signal {
    Signal::new("sent").customer(format!("c{}", number % 7)).idempotency_key(format!("{number:06}"))
}

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_an_earlier_run_left_is_sent_first_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::down();
    let started = paid::Timestamp::now();
    let emitter = builder(&server, folder.path()).build().unwrap();
    for number in 0..1_000 {
        emitter.emit(signal(number));
    }
    let kept = emitter.emit(signal(1_000));
    assert_eq!(paid::outbox::waiting_since(folder.path()).unwrap(), None, "the emitter has it open");
    let left = emitter.shutdown(Duration::from_millis(300)).await.unwrap_err().left;
    assert_eq!(left, 1_001);
    assert!(matches!(kept.await, Err(DeliveryError::InOutbox { .. })));
    assert_eq!((server.billed(), emitter.stats().dropped), (0, 0));
    drop(emitter);
    assert_eq!(paid::outbox::waiting(folder.path()).unwrap(), Waiting::Signals(1_001));
    let since = paid::outbox::waiting_since(folder.path()).unwrap().unwrap();
    assert!((started..=paid::Timestamp::now()).contains(&since), "{since}");

    server.set_down(false);
    let emitter = builder(&server, folder.path()).build().unwrap();
    assert_eq!(emitter.stats().recovered, 1_001);
    for number in 1_001..2_000 {
        emitter.emit(signal(number));
    }
    emitter.flush(SOON).await.unwrap();
    let stats = emitter.stats();
    assert_eq!((stats.delivered, stats.duplicates, stats.queued(), server.billed()), (2_000, 0, 0, 2_000));
    for customer in 0..7 {
        let keys = server.keys_of(&format!("c{customer}"));
        assert!(keys.is_sorted(), "old before new, in order: {keys:?}");
    }
    emitter.shutdown(SOON).await.unwrap();
    drop(emitter);
    assert_eq!(paid::outbox::waiting(folder.path()).unwrap(), Waiting::Signals(0));
    assert_eq!(paid::outbox::waiting_since(folder.path()).unwrap(), None);
}

#[tokio::test]
async fn a_full_queue_spills_to_disk_and_refuses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::down();
    let emitter = builder(&server, folder.path()).queue(500).max_batch(100).build().unwrap();
    let receipt = emitter.emit(signal(0));
    for number in 1..20_000 {
        emitter.emit(signal(number));
    }
    let last = emitter.emit(signal(20_000));
    let stats = emitter.stats();
    assert_eq!((stats.accepted, stats.refused), (20_001, 0));
    assert!(stats.spilled > 19_000, "{stats:?}");
    server.set_down(false);
    emitter.flush(SOON).await.unwrap();
    assert!(receipt.await.is_ok() && last.await.is_ok());
    let stats = emitter.stats();
    assert_eq!((stats.delivered, stats.duplicates, stats.spilled, server.billed()), (20_001, 0, 0, 20_001));
    for customer in 0..7 {
        assert!(server.keys_of(&format!("c{customer}")).is_sorted());
    }
}

#[tokio::test]
async fn rare_commits_do_not_hold_up_a_full_queue() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::down();
    let rare = Fsync::Every(Duration::from_secs(60));
    let emitter =
        builder(&server, folder.path()).fsync(rare).linger(Duration::from_secs(60)).queue(200).build().unwrap();
    for number in 0..3_000 {
        emitter.emit(signal(number));
    }
    assert_eq!((emitter.stats().accepted, emitter.stats().refused), (3_000, 0));
    server.set_down(false);
    emitter.flush(SOON).await.unwrap();
    assert_eq!(server.billed(), 3_000);
}

#[tokio::test]
async fn large_signals_spill_by_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::down();
    let emitter = builder(&server, folder.path()).queue_bytes(1 << 20).build().unwrap();
    let text = "x".repeat(20_000);
    for number in 0..400 {
        emitter.emit(signal(number).field("text", &text));
    }
    assert_eq!((emitter.stats().accepted, emitter.stats().refused), (400, 0));
    server.set_down(false);
    emitter.flush(SOON).await.unwrap();
    assert_eq!(server.billed(), 400);
}

#[tokio::test]
async fn store_returns_when_the_signal_is_on_disk() {
    for fsync in [Fsync::EveryCommit, Fsync::default(), Fsync::Never] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::down();
        let emitter = builder(&server, folder.path()).fsync(fsync).patience(Duration::ZERO).build().unwrap();
        let receipt = emitter.store(signal(1)).await.unwrap();
        drop(emitter);
        assert!(receipt.await.is_err());
        assert_eq!(paid::outbox::waiting(folder.path()).unwrap(), Waiting::Signals(1), "{fsync:?}");
    }
    let emitter = EmitterBuilder::over(Server::default()).build().unwrap();
    assert!(matches!(emitter.store(signal(1)).await, Err(DeliveryError::NoOutbox { .. })));
}

#[tokio::test]
async fn a_second_process_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let _first = builder(&Server::default(), folder.path()).build().unwrap();
    let problem = builder(&Server::default(), folder.path()).build().unwrap_err().to_string();
    assert!(problem.contains(&format!("is held by process {} (outbox-", std::process::id())), "{problem}");
    assert!(problem.ends_with("give each its own folder"), "{problem}");
    let Waiting::HeldBy(holder) = paid::outbox::waiting(folder.path()).unwrap() else { panic!() };
    assert!(holder.starts_with("process "), "{holder}");
}

#[tokio::test]
async fn what_paid_refuses_is_kept_as_a_dead_letter_and_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::default();
    let emitter = builder(&server, folder.path()).build().unwrap();
    for number in 0..50 {
        emitter.emit(signal(number));
    }
    let bad = Signal::new("bad").customer("acme").idempotency_key("b-1").field("x", &1);
    assert!(matches!(emitter.send(bad).await, Err(DeliveryError::Failed { .. })));
    emitter.flush(SOON).await.unwrap();
    emitter.shutdown(SOON).await.unwrap();
    let stats = emitter.stats();
    assert_eq!((stats.delivered, stats.rejected, stats.dead_lettered), (50, 1, 1));
    drop(emitter);

    let found = paid::outbox::dead_letters(folder.path()).unwrap();
    let [letter] = found.letters.as_slice() else { panic!("{found:?}") };
    assert_eq!((letter.name.as_str(), letter.key.as_str()), ("bad", "b-1"));
    assert!(letter.reason.starts_with("Paid counted signal `bad` as failed"), "{}", letter.reason);
    assert!(letter.record.get().contains(r#""data":{"x":1}"#));

    // Still refused: it stays, with what was said this time. Then corrected: it goes through.
    let emitter = builder(&server, folder.path()).build().unwrap();
    let outcome = emitter.resubmit(folder.path()).await.unwrap();
    assert_eq!((outcome.delivered, outcome.refused.len(), outcome.unanswered.len()), (0, 1, 0));
    let [again] = paid::outbox::dead_letters(folder.path()).unwrap().letters.try_into().unwrap();
    assert!(again.at > letter.at && again.reason == outcome.refused[0].1, "{again:?}");
    let record = again.record.get().replace(r#""eventName":"bad""#, r#""eventName":"good""#);
    paid::outbox::replace_letter(folder.path(), "b-1", &record).unwrap();
    let outcome = emitter.resubmit(folder.path()).await.unwrap();
    assert_eq!((outcome.delivered, outcome.refused.len()), (1, 0));
    assert!(paid::outbox::dead_letters(folder.path()).unwrap().letters.is_empty());
    assert_eq!(server.billed(), 51);
}

#[tokio::test]
async fn dead_letters_that_are_not_answered_in_time_stay() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::default();
    let emitter = builder(&server, folder.path()).build().unwrap();
    for key in ["b-1", "b-2"] {
        emitter.send(Signal::new("bad").customer("acme").idempotency_key(key)).await.unwrap_err();
    }
    emitter.flush(SOON).await.unwrap();
    while emitter.stats().dead_lettered < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = fs::read(folder.path().join("dead-letters.jsonl")).unwrap();
    server.set_down(true);
    // While the emitter has the outbox open, and from two places at once: one of them sends.
    let first = emitter.resubmit(folder.path()).timeout(Duration::from_secs(1));
    let second = emitter.resubmit(folder.path()).timeout(Duration::from_secs(1)).keys(["b-2"]);
    let (first, second) = tokio::join!(first.into_future(), second.into_future());
    let first = first.unwrap();
    assert_eq!((first.delivered, first.refused.len(), first.unanswered.len()), (0, 0, 2));
    assert_eq!(first.stopped.unwrap(), "not answered within 1s: down on purpose");
    assert!(second.unwrap_err().to_string().contains("already being sent again"));
    assert_eq!(fs::read(folder.path().join("dead-letters.jsonl")).unwrap(), before);

    server.set_down(false);
    let mut told = Vec::new();
    let (tell, progress) = std::sync::mpsc::channel();
    let second = emitter.resubmit(folder.path()).keys(["b-2"]).on_progress(move |now| tell.send(now).unwrap());
    assert_eq!(second.await.unwrap().refused.len(), 1);
    told.extend(progress.iter().map(|progress| (progress.answered, progress.of)));
    assert_eq!(told, [(1, 1)]);
    // The emitter's own counters are about what the program emits.
    assert_eq!((emitter.stats().rejected, emitter.stats().dead_lettered), (2, 2));
}

/// Leaves 3,000 signals in an outbox.
async fn filled(folder: &Path) {
    let emitter = builder(&Server::down(), folder).patience(Duration::ZERO).build().unwrap();
    for number in 0..3_000 {
        emitter.emit(signal(number));
    }
    emitter.store(signal(3_000)).await.unwrap();
    drop(emitter);
}

#[tokio::test]
async fn a_damaged_outbox_is_reported_and_what_can_be_read_is_sent() {
    type Spoil = fn(&Path);
    let ways: [(&str, Spoil, usize); 4] = [
        (
            "cut in half",
            |path| {
                File::options().write(true).open(path).unwrap().set_len(fs::metadata(path).unwrap().len() / 2).unwrap()
            },
            1,
        ),
        ("head overwritten", |path| overwrite(path, 0, 4_096), 2_900),
        ("all of it noise", |path| overwrite(path, 0, 100_000_000), 0),
        ("emptied", |path| fs::write(path, "").unwrap(), 0),
    ];
    for (way, spoil, at_least) in ways {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path()).await;
        spoil(&folder.path().join("outbox.redb"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&heard);
        let server = Server::default();
        let emitter = builder(&server, folder.path())
            .on_error(move |failure| listener.lock().unwrap().push(failure.to_string()))
            .build()
            .unwrap();
        emitter.emit(signal(9_999));
        emitter.flush(SOON).await.unwrap();
        let heard = heard.lock().unwrap().clone();
        assert!(server.billed() > at_least, "{way}: {} of 3,001 saved; {heard:?}", server.billed() - 1);
        if way != "emptied" {
            assert!(heard[0].starts_with("the outbox of signals: it was damaged"), "{way}: {heard:?}");
            let kept = fs::read_dir(folder.path()).unwrap().flatten();
            let kept = kept.filter(|entry| entry.file_name().to_string_lossy().contains("damaged")).count();
            assert_eq!(kept, 1, "{way}");
        }
    }
}

/// Puts noise in a file, without making it longer.
fn overwrite(path: &Path, at: usize, length: usize) {
    let mut bytes = fs::read(path).unwrap();
    let end = bytes.len().min(at + length);
    for (number, byte) in bytes[at..end].iter_mut().enumerate() {
        *byte = u8::try_from(number * 7 % 251).unwrap();
    }
    File::create(path).unwrap().write_all(&bytes).unwrap();
}

#[tokio::test]
async fn noise_in_the_middle_costs_only_what_stood_there() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let path = folder.path().join("outbox.redb");
    // Inside the text of a signal in the middle of the file.
    let bytes = fs::read(&path).unwrap();
    let needle = b"\"idempotencyKey\":\"001500\"";
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    overwrite(&path, at, 10);
    let server = Server::default();
    let emitter = builder(&server, folder.path()).build().unwrap();
    emitter.flush(SOON).await.unwrap();
    let stats = emitter.stats();
    assert_eq!((server.billed(), stats.dropped, stats.recovered), (3_000, 1, 3_001));
}

#[tokio::test]
async fn an_outbox_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let path = folder.path().join("outbox.redb");
    {
        let database = redb::Database::open(&path).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(redb::TableDefinition::<&str, u64>::new("meta")).unwrap().insert("format", 3).unwrap();
        write.commit().unwrap();
    }
    let before = fs::metadata(&path).unwrap().len();
    let problem = builder(&Server::default(), folder.path()).build().unwrap_err().to_string();
    assert!(problem.contains("has format 3, but this version knows 2"), "{problem}");
    assert_eq!(fs::metadata(&path).unwrap().len(), before);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused_at_the_start() {
    let problem = builder(&Server::default(), Path::new("/proc/paid")).build().unwrap_err().to_string();
    assert!(problem.starts_with("cannot use /proc/paid as an outbox: "), "{problem}");
}

#[tokio::test]
async fn policies_for_a_full_queue_without_an_outbox() {
    let quick = Duration::from_millis(20);
    let emitter = |overflow| {
        let server = Server::down();
        let builder = EmitterBuilder::over(server.clone()).queue(10).max_batch(2).linger(Duration::ZERO);
        (server, builder.retry_delays(quick, quick).overflow(overflow).build().unwrap())
    };
    let (server, dropping) = emitter(Overflow::DropOldest);
    let mut receipts: Vec<_> = (0..30).map(|number| dropping.emit(signal(number))).collect();
    server.set_down(false);
    dropping.flush(SOON).await.unwrap();
    let stats = dropping.stats();
    assert_eq!((stats.accepted, stats.dropped, stats.delivered, stats.refused), (30, 20, 10, 0));
    assert!(receipts.pop().unwrap().await.is_ok(), "the newest are kept");
    let mut dropped = 0;
    for receipt in receipts {
        dropped += usize::from(matches!(receipt.await, Err(DeliveryError::Dropped { .. })));
    }
    assert_eq!(dropped, 20);

    let (server, waiting) = emitter(Overflow::Wait);
    let tasks: Vec<_> = (0..30)
        .map(|number| {
            let waiting = waiting.clone();
            tokio::spawn(async move { waiting.send(signal(number)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(waiting.stats().accepted <= 10);
    server.set_down(false);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!((server.billed(), waiting.stats().refused), (30, 0));
}

#[tokio::test]
async fn store_does_not_wait_for_a_rare_commit() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::default());
    let emitter =
        builder(&server, folder.path()).fsync(Fsync::Every(Duration::MAX)).linger(Duration::MAX).build().unwrap();
    for number in 0..3 {
        let stored = emitter.store(Signal::new("email_sent").customer("acme").idempotency_key(format!("k-{number}")));
        tokio::time::timeout(SOON, stored).await.expect("nothing but the caller hurries the commit").unwrap();
        assert_eq!(emitter.stats().delivered, 0, "a store sends nothing sooner");
    }
    emitter.flush(SOON).await.unwrap();
    assert_eq!(emitter.stats().delivered, 3);
}

/// A flush that says "done" says it of dead letters, too, and so does the end of the last handle.
#[tokio::test]
async fn a_dead_letter_is_there_when_a_flush_is_done_or_the_last_handle_is_dropped() {
    for drops in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let emitter = builder(&Server::default(), folder.path()).build().unwrap();
        emitter.emit(Signal::new("bad").customer("acme").idempotency_key("b-1"));
        let stored = emitter.store(Signal::new("bad").customer("acme").idempotency_key("b-2")).await;
        if drops {
            // One may be refused before it is stored.
            drop((stored, emitter));
        } else {
            emitter.flush(SOON).await.unwrap();
            assert_eq!(emitter.stats().dead_lettered, 2);
        }
        let letters = paid::outbox::dead_letters(folder.path()).unwrap().letters;
        assert_eq!(letters.into_iter().map(|letter| letter.key).collect::<BTreeSet<_>>().len(), 2, "drops: {drops}");
    }
}

/// Dead letters cannot be written, and Paid is down: what is said to be in the outbox is there.
#[tokio::test]
async fn the_number_that_stays_is_the_number_that_the_next_run_finds() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("dead-letters.jsonl")).unwrap();
    let server = Server::default();
    let emitter = builder(&server, folder.path()).patience(Duration::ZERO).build().unwrap();
    emitter.send(Signal::new("bad").customer("acme").idempotency_key("b-1")).await.unwrap_err();
    server.set_down(true);
    let receipts: Vec<_> = (0..300).map(|number| emitter.emit(signal(number))).collect();
    tokio::time::timeout(SOON, emitter.store(signal(300))).await.unwrap().unwrap();
    let left = emitter.shutdown(Duration::from_millis(300)).await.unwrap_err().left;
    drop(emitter);
    for receipt in receipts {
        assert!(matches!(receipt.await, Err(DeliveryError::InOutbox { .. })));
    }
    let Waiting::Signals(waiting) = paid::outbox::waiting(folder.path()).unwrap() else { panic!("no outbox") };
    // The one that was refused waits for its letter; it is answered, so it is not left.
    assert_eq!((waiting, left), (302, 301));

    fs::remove_dir(folder.path().join("dead-letters.jsonl")).unwrap();
    server.set_down(false);
    let emitter = builder(&server, folder.path()).build().unwrap();
    assert_eq!(emitter.stats().recovered, waiting);
    emitter.flush(SOON).await.unwrap();
    assert_eq!((server.billed(), emitter.stats().rejected), (301, 1));
}
