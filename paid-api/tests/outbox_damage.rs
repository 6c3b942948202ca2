//! An outbox's file whose bytes are changed or cut off at random, again and again: the emitter starts, sends what is whole,
//! counts and reports what is lost, and goes on. `PAID_DAMAGE=1000` is the long version.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::emulator::Emulator;
use paid::{Client, Emitter, RetryPolicy, Signal};

const FILE: &str = "outbox.redb";
const SIGNALS: usize = 600;
const SOON: Duration = Duration::from_secs(60);
const NOWHERE: &str = "http://127.0.0.1:1/api/v2";

/// What redb's panics print is of no interest: they are caught. Another panic is the library's.
fn hush() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.location().is_none_or(|place| !place.file().contains("redb")) {
            print(info);
        }
    }));
}

fn signal(key: &str) -> Signal {
    Signal::new("sent")
        .customer(format!("c{}", key.len()))
        .product("p")
        .idempotency_key(key.to_owned())
        .field("pad", &"x".repeat(200))
}

/// One run of a program with this outbox, and what it heard.
struct Run {
    emitter: Emitter,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Run {
    fn start(folder: &Path, url: &str, name: &str) -> Self {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let hears = Arc::clone(&heard);
        let client = Client::builder().api_key("paid_x").base_url(url).retry(RetryPolicy::never()).build().unwrap();
        let emitter = Emitter::builder(client)
            .outbox(folder)
            .max_batch(50)
            .retry_delays(Duration::from_millis(10), Duration::from_millis(50))
            .on_error(move |failure| hears.lock().unwrap().push(failure.to_string()))
            .build()
            .unwrap_or_else(|problem| panic!("{name}: it does not start: {problem}"));
        Self { emitter, heard }
    }

    async fn store(&self, key: &str, name: &str) {
        let stored = tokio::time::timeout(SOON, self.emitter.store(signal(key))).await;
        drop(stored.unwrap_or_else(|_| panic!("{name}: a store waits for ever")).unwrap());
    }

    /// Ends it, and returns how many signals it lost.
    async fn end(self, name: &str) -> u64 {
        let _ = self.emitter.shutdown(Duration::from_millis(100)).await;
        let lost = self.emitter.stats().dropped;
        drop(self.emitter);
        let said = self.heard.lock().unwrap();
        assert!(
            lost == 0 || said.iter().any(|failure| failure.starts_with("the outbox of signals: ")),
            "{name}: {lost} lost; {said:?}"
        );
        lost
    }
}

/// Leaves signals in an outbox, in several frames.
async fn fill(folder: &Path) -> BTreeSet<String> {
    let run = Run::start(folder, NOWHERE, "filling");
    let keys: Vec<_> = (0..SIGNALS).map(|number| format!("key-{number}")).collect();
    for part in keys.chunks(50) {
        part[1..].iter().for_each(|key| drop(run.emitter.emit(signal(key))));
        run.store(&part[0], "filling").await;
    }
    assert_eq!(run.end("filling").await, 0);
    keys.into_iter().collect()
}

/// Changes or cuts off bytes of a file; says how.
fn spoil(path: &Path, random: &mut fastrand::Rng) -> String {
    let mut bytes = fs::read(path).unwrap();
    let at = random.usize(0..bytes.len());
    let page = at / 4096 * 4096..(at / 4096 * 4096 + 4096).min(bytes.len());
    let how = match random.u8(0..5) {
        0 => {
            bytes[at] ^= 1 << random.u8(0..8);
            "a bit flipped at"
        }
        1 => {
            bytes[page].fill(0);
            "zeros in the page of"
        }
        2 => {
            bytes[page].fill_with(|| random.u8(..));
            "noise in the page of"
        }
        3 => {
            bytes.truncate(at);
            "cut off at"
        }
        _ => {
            for _ in 0..200 {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            "200 bytes, not at"
        }
    };
    fs::write(path, bytes).unwrap();
    format!("{how} {at}")
}

fn copy(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_damaged_again_and_again_loses_only_what_is_counted_and_reported() {
    hush();
    let cases = std::env::var("PAID_DAMAGE").map_or(16, |cases| cases.parse().unwrap());
    let first = std::env::var("PAID_SEED").map_or(0, |seed| seed.parse().unwrap());
    let whole = tempfile::tempdir().unwrap();
    let left = fill(whole.path()).await;
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let (mut lost_in, mut whole_in) = (0, 0);
    for seed in first..first + cases {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = copy(whole.path());
        let file = folder.path().join(FILE);
        let (mut name, mut expected, mut lost) = (format!("seed {seed}"), left.clone(), 0);
        // Paid cannot be reached at first.
        for (turn, url) in [NOWHERE, NOWHERE, &emulator.url()].into_iter().enumerate() {
            if turn == 0 || random.bool() {
                name = format!("{name}, {}", spoil(&file, &mut random));
            }
            let run = Run::start(folder.path(), url, &name);
            let key = format!("later-{turn}");
            run.store(&key, &name).await;
            expected.insert(key);
            if url != NOWHERE {
                run.emitter.flush(SOON).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            lost += run.end(&name).await;
        }
        let sent = emulator.idempotency_keys();
        assert!(sent.is_subset(&expected), "{name}");
        let missing = expected.difference(&sent).count() as u64;
        assert!(missing <= lost, "{name}: {missing} missing, {lost} counted");
        // What was lost from the disk may have been in memory.
        assert!(lost <= missing + 3 * 50, "{name}: {missing} missing, {lost} counted");
        lost_in += usize::from(missing > 0);
        whole_in += usize::from(missing == 0);
        // What was sent is not sent again, and nothing else is left.
        let run = Run::start(folder.path(), &emulator.url(), &name);
        assert_eq!((run.emitter.stats().recovered, run.end(&name).await), (0, 0), "{name}");
        emulator.reset();
        emulator.add_product("p");
    }
    println!("{cases} files: {lost_in} lost signals, {whole_in} none");
    assert!(first > 0 || lost_in > 0 && whole_in > 0, "{lost_in}, {whole_in}");
}
