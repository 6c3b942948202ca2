//! Crashes and restarts, in virtual time, with a store on a real disk.

use std::path::Path;

use super::*;
use crate::dispatch::disk::{DiskSettings, Fsync};
use crate::dispatch::folder::OpenFolder;
use crate::dispatch::record::Record;
use crate::dispatch::stats::now_ms;
use crate::outbox::for_tests;

fn on_disk() -> Settings {
    Settings {
        has_disk: true,
        take_in: Fsync::default().pace(),
        window: Some(Limits { records: 20, bytes: 1 << 20 }),
        ..Settings::default()
    }
}

impl Rig {
    /// With an outbox, whose keeper runs on this runtime too.
    fn with_outbox(server: Arc<Server>, folder: &Path, max_batch: usize) -> Self {
        Self::with_outbox_in_order(server, folder, max_batch, true)
    }

    fn with_outbox_in_order(server: Arc<Server>, folder: &Path, max_batch: usize, keeps_order: bool) -> Self {
        Self::with_outbox_and(server, folder, Settings { max_batch, keeps_order, ..on_disk() })
    }

    fn with_outbox_and(server: Arc<Server>, folder: &Path, settings: Settings) -> Self {
        let mut keeper = None;
        let mut rig = Self::assemble(server, settings, |worker, news| {
            let folder = folder.to_owned();
            let open: OpenFolder = Arc::new(move || crate::files::folder(&folder));
            let disk = DiskSettings { folder: Some(open), ..DiskSettings::none(RecordKind::Signal) };
            let (opened, keeping) = for_tests::open(&disk, news);
            keeper = Some(tokio::spawn(keeping));
            worker.with_disk(opened.disk, opened.first, opened.next, opened.records)
        });
        rig.keeper = keeper;
        rig
    }

    /// As a killed process: nothing is said to anybody any more.
    async fn crash(self) {
        self.task.abort();
        let keeper = self.keeper.unwrap();
        keeper.abort();
        let _ = (self.task.await, keeper.await);
    }

    fn store(&self, lane: u32, name: &'static str, key: &str) -> oneshot::Receiver<()> {
        let (tell, stored) = crate::dispatch::tell::channel();
        let parcel = Parcel { name, key: key.to_owned(), lane };
        self.shared.counts.accepted.add(1);
        let queued = Queued { content: Content::Load(parcel), receipt: None, stored: Some(tell) };
        assert!(matches!(self.queue.push(queued), Pushed::Queued));
        stored
    }
}

#[tokio::test(start_paused = true)]
async fn an_outbox_whose_thread_dies_is_reported_and_signals_go_through_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::with_outbox(Arc::default(), folder.path(), 10);
    let keeper = rig.keeper.take().unwrap();
    keeper.abort();
    assert!(keeper.await.is_err());
    rig.emit_for(1, "x", "k");
    rig.flush().await;
    let (server, _, failures) = rig.close().await;
    assert_eq!(*server.order.lock().unwrap(), ["k"]);
    assert_eq!(failures.len(), 1);
    assert!(failures[0].starts_with("the outbox of signals: its thread has ended"), "{failures:?}");
}

#[tokio::test(start_paused = true)]
async fn what_memory_has_no_room_for_is_on_disk_as_soon_as_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let down = std::iter::repeat_n(Act::Status(503), 100).collect();
    let server = Arc::new(Server { acts: Mutex::new(down), ..Server::default() });
    // Apart from the keeper's own pace, so that the two never fall together.
    let take_in = Fsync::default().pace() + Duration::from_millis(10);
    let rig = Rig::with_outbox_and(server, folder.path(), Settings { take_in, ..on_disk() });
    let receipts: Vec<_> = (0..25).map(|number| rig.emit_for(number, "good", &number.to_string())).collect();
    tokio::time::sleep(take_in + Fsync::default().pace() + Duration::from_millis(5)).await;
    rig.crash().await;
    drop(receipts);
    let rig = Rig::with_outbox(Arc::default(), folder.path(), 500);
    assert_eq!(rig.shared.counts.read().recovered, 25);
}

#[tokio::test(start_paused = true)]
async fn a_refused_record_counts_as_unwritten_until_its_letter_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let acts = [Act::Status(400), Act::Status(400), Act::Hang];
    let server = Arc::new(Server { acts: Mutex::new(acts.into()), ..Server::default() });
    let rig = Rig::with_outbox(Arc::clone(&server), folder.path(), 500);
    for key in ["a", "b"] {
        drop(rig.store(0, "ok", key));
    }
    // The batch is not done: the other record hangs.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((rig.shared.counts.read().rejected, rig.shared.counts.unwritten.read()), (1, 1));
    assert_eq!(crate::outbox::dead_letters(folder.path()).unwrap().letters.len(), 0);
    let shared = Arc::clone(&rig.shared);
    rig.close().await;
    assert_eq!(shared.counts.unwritten.read(), 0);
    assert_eq!(crate::outbox::dead_letters(folder.path()).unwrap().letters.len(), 1);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// For which customer.
    Emit(u8),
    EmitBad,
    Pause(u64),
    Crash,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0_u8..5).prop_map(Step::Emit),
        1 => Just(Step::EmitBad),
        4 => (0_u64..400).prop_map(Step::Pause),
        1 => Just(Step::Crash),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever happens, in whatever order: what was on disk is billed, what no crash hit is billed, nothing is
    /// billed twice, and each customer's signals arrive in order.
    #[test]
    fn delivered_is_accepted_over_crashes_and_restarts(
        steps in prop::collection::vec(step(), 1..120),
        acts in prop::collection::vec(act(), 0..60),
        max_batch in 1_usize..12,
    ) {
        let refusals = acts.iter().filter(|act| matches!(act, Act::Status(400 | 409 | 413))).count();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let server = Arc::new(Server { acts: Mutex::new(acts.into_iter().collect()), ..Server::default() });
            let mut rig = Rig::with_outbox(Arc::clone(&server), folder.path(), max_batch);
            let mut safe = BTreeSet::new();
            // Emitted in this run, with who hears that it is on disk.
            let mut open: Vec<(String, oneshot::Receiver<()>)> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Emit(customer) => {
                        let key = format!("{customer}-{number:03}");
                        let stored = rig.store(u32::from(customer), "good", &key);
                        open.push((key, stored));
                    }
                    Step::EmitBad => drop(rig.store(0, "bad", &format!("bad-{number}"))),
                    Step::Pause(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                    Step::Crash => {
                        for (key, mut stored) in open.drain(..) {
                            if stored.try_recv().is_ok() {
                                safe.insert(key);
                            }
                        }
                        rig.crash().await;
                        rig = Rig::with_outbox(Arc::clone(&server), folder.path(), max_batch);
                    }
                    Step::Restart => {
                        safe.extend(open.drain(..).map(|(key, _)| key));
                        rig.close().await;
                        rig = Rig::with_outbox(Arc::clone(&server), folder.path(), max_batch);
                    }
                }
            }
            safe.extend(open.drain(..).map(|(key, _)| key));
            rig.flush().await;
            let (_, shared, _) = rig.close().await;
            prop_assert_eq!(shared.counts.read().queued(), 0);
            let billed = server.billed.lock().unwrap().clone();
            // Only what the server refused when it stood alone may be missing.
            let missing: Vec<_> = safe.difference(&billed).collect();
            prop_assert!(missing.len() <= refusals, "{:?} after {} refusals", missing, refusals);
            let order = server.order.lock().unwrap().clone();
            prop_assert_eq!(order.len(), billed.len());
            // A signal that was refused once for no fault of its own comes again after a crash, late.
            let customers = if refusals == 0 { 0..5 } else { 0..0 };
            for customer in customers {
                let prefix = format!("{customer}-");
                let own: Vec<_> = order.iter().filter(|key| key.starts_with(&prefix)).collect();
                prop_assert!(own.is_sorted(), "{:?}", own);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn those_that_wait_for_one_of_their_customer_do_not_take_the_memory_of_others_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let server = Arc::new(Server { poison: Mutex::new(Some(Poison::Status(500))), ..Server::default() });
    let rig = Rig::with_outbox(Arc::clone(&server), folder.path(), 5);
    drop(rig.store(1, "poison", "poison"));
    drop(rig.store(2, "good", "2-first"));
    tokio::time::sleep(Duration::from_secs(60)).await;
    for number in 0..100 {
        drop(rig.store(1, "good", &format!("1-{number:03}")));
        if number % 10 == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    for number in 0..100 {
        drop(rig.store(2, "good", &format!("2-{number:03}")));
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
    let stats = rig.shared.counts.read();
    assert_eq!((stats.delivered, stats.rejected, stats.dead_lettered, stats.queued()), (201, 1, 1, 0), "{stats:?}");
    let failures = rig.failures.lock().unwrap().clone();
    assert!(failures.last().unwrap().ends_with("(`poison`, key poison)"), "{failures:?}");
}

#[tokio::test(start_paused = true)]
async fn in_any_order_a_slow_answer_makes_no_dead_letter_of_what_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let server = Arc::new(Server { poison: Mutex::new(Some(Poison::Status(500))), ..Server::default() });
    let rig = Rig::with_outbox_in_order(Arc::clone(&server), folder.path(), 5, false);
    drop(rig.store(1, "poison", "poison"));
    drop(rig.store(2, "good", "2-first"));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.shared.counts.read().set_aside, 1);
    *server.poison.lock().unwrap() = Some(Poison::Hang);
    drop(rig.store(2, "poison", "2-poison"));
    for number in 0..100 {
        drop(rig.store(2, "good", &format!("2-{number:03}")));
    }
    tokio::time::sleep(Duration::from_secs(1800)).await;
    let stats = rig.shared.counts.read();
    assert_eq!((stats.delivered, stats.set_aside, stats.dead_lettered, stats.rejected), (101, 2, 0, 0), "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_vanishes_drops_only_what_is_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Arc::new(Server { acts: Mutex::new([Act::Status(503); 200].into()), ..Server::default() });
    let rig = Rig::with_outbox(Arc::clone(&server), folder.path(), 5);
    for number in 0..100 {
        drop(rig.store(1, "good", &format!("{number:03}")));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Everything is on disk.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = rig.shared.counts.read();
    assert!(before.spilled > 50, "{before:?}");
    std::fs::remove_file(folder.path().join("outbox.redb")).unwrap();
    drop(rig.store(1, "good", "after"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let stats = rig.shared.counts.read();
    assert_eq!((stats.dropped, stats.queued()), (before.spilled, 101 - before.spilled), "{stats:?}");
    server.acts.lock().unwrap().clear();
    rig.flush().await;
    let (server, shared, _) = rig.close().await;
    let stats = shared.counts.read();
    assert_eq!((stats.delivered + stats.dropped, stats.queued()), (101, 0), "{stats:?}");
    assert_eq!(server.order.lock().unwrap().len() as u64, stats.delivered);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_put_back_changes_nothing_but_the_age() {
    let folder = tempfile::tempdir().unwrap();
    {
        // Taken in next year, as it seems.
        let body = br#"{"eventName":"x","idempotencyKey":"k"}"#;
        let record = Record::new(RecordKind::Signal, "x", "k", 1, body);
        for_tests::write(crate::files::folder(folder.path()).unwrap(), 0, now_ms() + 31_536_000_000, &[record]);
    }
    let server = Arc::new(Server { acts: Mutex::new([Act::Status(503); 5].into()), ..Server::default() });
    let rig = Rig::with_outbox(Arc::clone(&server), folder.path(), 10);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stats = rig.shared.counts.read();
    assert_eq!((stats.queued(), stats.oldest_age()), (1, Duration::ZERO));
    rig.emit_for(1, "x", "later");
    rig.flush().await;
    assert_eq!(*server.order.lock().unwrap(), ["k", "later"]);
}
