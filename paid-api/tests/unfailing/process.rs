//! What can end or stop a whole process: stderr that is closed or that nobody reads, and the subscriber of the process.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use paid::{EmitterBuilder, Error, Signal};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::{Server, block_on, signal};

const CASE: &str = "PAID_UNFAILING_CASE";

/// How the child ends, and how its stderr is.
enum Stderr {
    Closed,
    /// Open, but nobody reads it.
    Full,
}

/// Runs the test `child` of this binary in a process of its own and returns what it says.
fn run(case: &str, stderr: Stderr) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "process::child", "--nocapture"]).env(CASE, case).env("RUST_BACKTRACE", "0");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    if let Stderr::Closed = stderr {
        drop(child.stderr.take());
    }
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.read_to_string(&mut text);
        text
    });
    let until = Instant::now() + Duration::from_secs(60);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("{case} does not end: {}", reader.join().unwrap());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let text = reader.join().unwrap();
    assert!(status.success(), "{case}: {status}: {text}");
    text
}

/// The process in which the cases happen.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    if case == "panicking subscriber" || case == "emitting subscriber" {
        let panics = case == "panicking subscriber";
        tracing::subscriber::set_global_default(Foreign { panics }).unwrap();
    }
    let server = Server::default();
    let sink = Flaky::over(server.clone());
    let (base, max) = (Duration::from_millis(1), Duration::from_millis(2));
    let emitter = EmitterBuilder::over(sink).retry_delays(base, max).build().unwrap();
    paid::emit(Signal::new("before_install"));
    paid::install(emitter.clone());
    paid::install(emitter.clone());
    let begun = Instant::now();
    for _ in 0..3_000 {
        paid::emit(Signal::new("no_customer_and_a_name_that_fills_a_pipe_soon_because_it_is_rather_long"));
    }
    paid::emit(signal("refused"));
    paid::emit(signal("good"));
    paid::scope().customer("acme").traced().run_sync(|| paid::emit(Signal::new("traced").cost_attributed()));
    let took = begun.elapsed();
    block_on(emitter.flush(Duration::from_secs(20))).unwrap();
    let stats = emitter.stats();
    block_on(emitter.shutdown(Duration::from_secs(20))).unwrap();
    drop(emitter);
    let emitted = EMITTED.load(Ordering::SeqCst);
    println!("good {:?} rejected {} refused {}", server.names(), stats.rejected, stats.refused - emitted as u64);
    assert!(took < Duration::from_secs(30), "{took:?}");
}

/// A sink that cannot deliver at first.
pub(super) struct Flaky {
    inner: Server,
    attempts: AtomicUsize,
}

impl Flaky {
    pub(super) fn over(inner: Server) -> Self {
        Self { inner, attempts: AtomicUsize::new(0) }
    }
}

impl paid::Sink for Flaky {
    fn send<'a>(&'a self, batch: paid::Batch<'a>) -> paid::SinkFuture<'a> {
        if self.attempts.fetch_add(1, Ordering::SeqCst) < 2 {
            return Box::pin(async { Err(Error::unavailable("on purpose")) });
        }
        self.inner.send(batch)
    }
}

static EMITTED: AtomicUsize = AtomicUsize::new(0);

/// A subscriber that panics, or emits a signal that fails, whatever it hears from the library.
struct Foreign {
    panics: bool,
}

impl Foreign {
    fn hears(&self) {
        assert!(!self.panics, "a subscriber panics on purpose");
        let lost = paid::lost_signals();
        paid::emit(Signal::new("from_a_subscriber").customer(""));
        // Before an emitter is installed it is lost, and not refused.
        if lost == paid::lost_signals() {
            EMITTED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Subscriber for Foreign {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if !metadata.target().starts_with("paid") {
            return false;
        }
        if self.panics {
            self.hears();
        }
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        self.hears();
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {
        self.hears();
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.hears();
    }

    fn enter(&self, _: &Id) {
        self.hears();
    }

    fn exit(&self, _: &Id) {
        self.hears();
    }
}

const OUTCOME: &str = "good [\"good\", \"traced\"] rejected 1 refused 3000";

#[test]
fn a_closed_stderr_ends_nothing() {
    assert!(run("stderr", Stderr::Closed).contains(OUTCOME));
}

#[test]
fn a_stderr_that_nobody_reads_stops_nothing() {
    assert!(run("stderr", Stderr::Full).contains(OUTCOME));
}

#[test]
fn a_subscriber_that_panics_ends_nothing() {
    // Not a full stderr: the standard library's own report of a panic waits for it.
    assert!(run("panicking subscriber", Stderr::Closed).contains(OUTCOME));
}

#[test]
fn a_subscriber_that_emits_does_not_hear_of_itself_for_ever() {
    assert!(run("emitting subscriber", Stderr::Closed).contains(OUTCOME));
}
