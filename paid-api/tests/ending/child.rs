//! What the processes do whose end is tested.

use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use paid::costs::{CostEmitter, CostRecord};
use paid::{
    Batch, Client, Counts, Currency, Emitter, EmitterBuilder, Error, Money, RetryPolicy, Signal, Sink, SinkFuture,
};

pub(super) const ROLE: &str = "PAID_ENDING_ROLE";
pub(super) const END: &str = "PAID_ENDING_END";
pub(super) const URL: &str = "PAID_ENDING_URL";
pub(super) const SPANS: &str = "PAID_ENDING_SPANS";
pub(super) const FOLDER: &str = "PAID_ENDING_FOLDER";
/// Nobody listens there.
pub(super) const NOWHERE: &str = "http://127.0.0.1:1";
/// What is queued is sent only because the process ends.
const NEVER: Duration = Duration::from_secs(3_600);
pub(super) const SHORT: Duration = Duration::from_millis(300);
pub(super) const LONG: Duration = Duration::from_secs(30);

/// Takes its time for each batch, and prints how many signals it has got.
struct Printer(&'static str, Duration);

impl Sink for Printer {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            tokio::time::sleep(self.1).await;
            println!("{} got {}", self.0, batch.len());
            Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
        })
    }
}

/// Refuses signals called `bad`.
struct Refusing;

impl Sink for Refusing {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            if batch.records().any(|record| record.name() == "bad") {
                return Err(Error::refused("bad"));
            }
            println!("refusing got {}", batch.len());
            Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
        })
    }
}

/// Blocks its thread.
struct Stuck;

impl Sink for Stuck {
    fn send<'a>(&'a self, _: Batch<'a>) -> SinkFuture<'a> {
        std::thread::sleep(NEVER);
        Box::pin(std::future::pending())
    }
}

fn client() -> Client {
    let url = std::env::var(URL).unwrap();
    Client::builder().api_key("paid_x").base_url(url).retry(RetryPolicy::never()).build().unwrap()
}

fn to_paid() -> EmitterBuilder {
    Emitter::builder(client()).linger(NEVER).on_error(|failure| println!("hook: {failure}"))
}

fn printing(name: &'static str, delay: Duration) -> Emitter {
    EmitterBuilder::over(Printer(name, delay)).linger(NEVER).build().unwrap()
}

fn signal(name: &'static str) -> Signal {
    Signal::new(name).customer("acme").product("p")
}

fn three_from(emitter: &Emitter) {
    for _ in 0..3 {
        emitter.emit(signal("sent"));
    }
}

static KEPT: Mutex<Vec<Emitter>> = Mutex::new(Vec::new());
static COSTS: OnceLock<CostEmitter> = OnceLock::new();
static SCOPE: OnceLock<paid::Scope> = OnceLock::new();

thread_local! {
    static LAST_WORDS: LastWords = const { LastWords };
}

/// Emits when its thread ends.
struct LastWords;

impl Drop for LastWords {
    fn drop(&mut self) {
        paid::emit(signal("sent"));
    }
}

/// Keeps an emitter in a static, with three signals that are not sent yet.
fn keep(emitter: Emitter) {
    three_from(&emitter);
    KEPT.lock().unwrap().push(emitter);
}

fn costs_and_spans() {
    let costs = COSTS.get_or_init(|| CostEmitter::builder(client()).linger(NEVER).build().unwrap());
    for _ in 0..2 {
        costs.record(CostRecord::amount(Money::parse("1", Currency::USD).unwrap()).customer("acme").vendor("v"));
    }
    let spans = std::env::var(SPANS).unwrap();
    let guard = paid::trace::builder().api_key("paid_x").endpoint(spans).linger(NEVER).build().unwrap();
    guard.scope().customer("acme").product("p").run_sync(|| ());
    std::mem::forget(guard);
}

/// Four parts: each has little patience, names its own time for the end, and is kept. One sends its signals one after the
/// other, one never ends.
fn each_names_its_own_time() {
    let one_by_one = EmitterBuilder::over(Printer("slow", SHORT * 2)).in_flight(1).max_batch(1).linger(NEVER);
    let slow = one_by_one.patience(Duration::ZERO).build().unwrap();
    slow.shutdown_on_sigterm(LONG).unwrap();
    keep(slow);
    let spans = paid::trace::builder().api_key("paid_x").endpoint(std::env::var(SPANS).unwrap()).linger(NEVER);
    let guard = spans.patience(Duration::ZERO).build().unwrap();
    guard.shutdown_on_sigterm(LONG).unwrap();
    guard.scope().customer("acme").product("p").run_sync(|| ());
    std::mem::forget(guard);
    let costs = CostEmitter::builder(client()).linger(NEVER).patience(Duration::ZERO).build().unwrap();
    costs.shutdown_on_sigterm(LONG).unwrap();
    costs.record(CostRecord::amount(Money::parse("1", Currency::USD).unwrap()).customer("acme").vendor("v"));
    assert!(COSTS.set(costs).is_ok());
    // Last, so that its time is the last that was named.
    let stuck = EmitterBuilder::over(Stuck).linger(NEVER).patience(LONG * 2).build().unwrap();
    stuck.shutdown_on_sigterm(SHORT).unwrap();
    keep(stuck);
}

/// Builds what the role says, and queues what is to be delivered.
fn build(role: &str) {
    match role {
        "installed" => {
            paid::install(to_paid().build().unwrap());
            (0..3).for_each(|_| paid::emit(signal("sent")));
        }
        "emits when its thread ends" => {
            // Before the scope, so that it is dropped after it.
            LAST_WORDS.with(|_| ());
            build("installed");
        }
        "in a static" => keep(to_paid().build().unwrap()),
        "leaked" => {
            let emitter = to_paid().build().unwrap();
            three_from(&emitter);
            std::mem::forget(emitter);
        }
        "in a scope" => {
            let scope = SCOPE.get_or_init(|| paid::scope().emitter(to_paid().build().unwrap()));
            scope.clone().run_sync(|| (0..3).for_each(|_| paid::emit(signal("sent"))));
        }
        "its runtime is gone" => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            let emitter = runtime.block_on(async { to_paid().build().unwrap() });
            drop(runtime);
            keep(emitter);
        }
        "without limit" => {
            let emitter = to_paid().patience(Duration::MAX).build().unwrap();
            emitter.shutdown_on_sigterm(Duration::MAX).unwrap();
            keep(emitter);
        }
        "everything" => {
            build("installed");
            costs_and_spans();
        }
        "quick and slow" => {
            keep(printing("quick", Duration::ZERO));
            keep(printing("slow", SHORT * 3));
        }
        "nowhere" => keep(to_paid().patience(SHORT).build().unwrap()),
        "outbox" => {
            let folder = std::env::var(FOLDER).unwrap();
            keep(to_paid().outbox(folder).patience(SHORT).build().unwrap());
        }
        "stuck" => keep(EmitterBuilder::over(Stuck).linger(NEVER).patience(SHORT).build().unwrap()),
        "exit in a hook" => {
            keep(printing("other", SHORT));
            let hook = |_: &_| std::process::exit(7);
            let emitter =
                EmitterBuilder::over(Refusing).max_batch(1).in_flight(1).patience(Duration::MAX).on_error(hook);
            let emitter = emitter.build().unwrap();
            emitter.emit(signal("bad"));
            keep(emitter);
            std::thread::sleep(LONG);
        }
        "stderr is locked" => {
            build("nowhere");
            let _locked = std::io::stderr().lock();
            std::process::exit(7);
        }
        other => panic!("no such role: {other}"),
    }
}

fn waits_for_a_signal() {
    println!("ready");
    std::thread::sleep(LONG);
    std::process::exit(9);
}

/// What a process does that was started again; nothing in the test itself.
#[test]
fn process() {
    let (Ok(role), Ok(end)) = (std::env::var(ROLE), std::env::var(END)) else { return };
    if let Some(special) = special(&role) {
        return special();
    }
    build(&role);
    match &*end {
        "return" => {}
        "exit" => std::process::exit(7),
        "panic" => panic!("as it was told"),
        _ => {
            // Asked for once: it holds for everything that was built.
            printing("empty", Duration::ZERO).shutdown_on_sigterm(LONG).unwrap();
            waits_for_a_signal();
        }
    }
}

/// Roles that end in their own way.
fn special(role: &str) -> Option<fn()> {
    let special: fn() = match role {
        "each names its own time" => || {
            each_names_its_own_time();
            waits_for_a_signal();
        },
        "shutdown is under way" => || {
            let slow = printing("slow", SHORT * 3);
            slow.shutdown_on_sigterm(LONG).unwrap();
            three_from(&slow);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(slow.shutdown(LONG))
            });
            waits_for_a_signal();
        },
        "builds while it ends" => || {
            let slow = printing("slow", SHORT * 3);
            slow.shutdown_on_sigterm(LONG).unwrap();
            three_from(&slow);
            std::thread::spawn(|| {
                loop {
                    std::thread::sleep(SHORT / 3);
                    keep(printing("late", Duration::ZERO));
                }
            });
            waits_for_a_signal();
        },
        "own handler" => || {
            let slow = printing("slow", SHORT * 3);
            slow.shutdown_on_sigterm(LONG).unwrap();
            three_from(&slow);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let kind = tokio::signal::unix::SignalKind::terminate();
                let mut told = tokio::signal::unix::signal(kind).unwrap();
                println!("ready");
                told.recv().await;
            });
            KEPT.lock().unwrap().push(slow);
            std::process::exit(5);
        },
        "dropped in a hook" => || {
            let hook = |_: &_| {
                let begun = Instant::now();
                KEPT.lock().unwrap().clear();
                println!("dropped within a second: {}", begun.elapsed() < Duration::from_secs(1));
            };
            let emitter = EmitterBuilder::over(Refusing).linger(SHORT).on_error(hook).build().unwrap();
            emitter.emit(signal("bad"));
            keep(emitter);
            std::thread::sleep(SHORT * 2);
        },
        "shutdown while stuck" => || {
            let emitter = EmitterBuilder::over(Stuck).patience(SHORT).build().unwrap();
            three_from(&emitter);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            println!("{}", runtime.block_on(emitter.shutdown(SHORT)).unwrap_err());
        },
        "uninstalled" => || {
            build("installed");
            drop(paid::uninstall());
            println!("uninstalled");
            std::thread::sleep(SHORT);
        },
        _ => return None,
    };
    Some(special)
}
