//! How a process ends, and what becomes of what is queued: `main` returns, panics or calls `exit`, or the process is told
//! to end. Everything is delivered, or the log says how much is not. The test runs itself again with a role.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use paid::costs::{CostEmitter, CostRecord};
use paid::emulator::Emulator;
use paid::{
    Batch, Client, Counts, Currency, Emitter, EmitterBuilder, Error, Money, RetryPolicy, Signal, Sink, SinkFuture,
};

const ROLE: &str = "PAID_ENDING_ROLE";
const END: &str = "PAID_ENDING_END";
const URL: &str = "PAID_ENDING_URL";
const SPANS: &str = "PAID_ENDING_SPANS";
const FOLDER: &str = "PAID_ENDING_FOLDER";
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";
/// What is queued is sent only because the process ends.
const NEVER: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(30);

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
    Signal::new(name).customer("acme")
}

fn three_from(emitter: &Emitter) {
    for _ in 0..3 {
        emitter.emit(signal("sent"));
    }
}

static KEPT: Mutex<Vec<Emitter>> = Mutex::new(Vec::new());
static COSTS: OnceLock<CostEmitter> = OnceLock::new();
static SCOPE: OnceLock<paid::Scope> = OnceLock::new();

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

/// Builds what the role says, and queues what is to be delivered.
fn build(role: &str) {
    match role {
        "installed" => {
            paid::install(to_paid().build().unwrap());
            (0..3).for_each(|_| paid::emit(signal("sent")));
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
fn child() {
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

struct Ended {
    status: ExitStatus,
    out: String,
    err: String,
    took: Duration,
}

fn again(role: &str, end: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // On one thread: the test runs on the main thread.
    command.args(["child", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(END, end).env(URL, NOWHERE).env(SPANS, NOWHERE);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command, sends the signals as soon as the process is ready, and waits for its end.
fn run(mut command: Command, signals: &[&str]) -> Ended {
    let mut child = command.spawn().unwrap();
    let (mut out, mut err) = (BufReader::new(child.stdout.take().unwrap()), child.stderr.take().unwrap());
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).map(|_| text).unwrap()
    });
    let mut text = String::new();
    while !signals.is_empty() && !text.ends_with("ready\n") {
        assert!(out.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let begun = Instant::now();
    for signal in signals {
        let id = child.id().to_string();
        assert!(Command::new("kill").args([*signal, &id]).status().unwrap().success());
        std::thread::sleep(SHORT / 3);
    }
    let status = wait(&mut child, LONG * 2);
    let took = begun.elapsed();
    out.read_to_string(&mut text).unwrap();
    Ended { status, out: text, err: err.join().unwrap(), took }
}

fn wait(child: &mut Child, limit: Duration) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > limit {
            child.kill().unwrap();
            panic!("the process did not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An exit code, or minus the signal.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().unwrap())
}

fn sent(emulator: &Emulator, list: &str) -> usize {
    emulator.requests().iter().map(|request| request.body[list].as_array().map_or(0, Vec::len)).sum()
}

const ENDS: [(&str, i32); 5] = [("return", 0), ("exit", 7), ("panic", 101), ("-TERM", -15), ("-INT", -2)];

fn signals(end: &'static str) -> Vec<&'static str> {
    if end.starts_with('-') { vec![end] } else { Vec::new() }
}

async fn all_is_delivered(roles: &[&str], (signals_of, costs_of, spans_of): (usize, usize, usize)) {
    let emulator = Emulator::start().await.unwrap();
    for role in roles {
        for (end, expected) in ENDS {
            let mut command = again(role, end);
            command.env(URL, emulator.url()).env(SPANS, emulator.collector_url());
            let ended = tokio::task::spawn_blocking(move || run(command, &signals(end))).await.unwrap();
            let Ended { status, out, err, .. } = ended;
            assert_eq!(code(status), expected, "{role}, {end}: {out}\n{err}");
            let delivered = (sent(&emulator, "signals"), sent(&emulator, "costs"), emulator.spans().len());
            assert_eq!(delivered, (signals_of, costs_of, spans_of), "{role}, {end}: {out}\n{err}");
            emulator.reset();
        }
    }
}

#[tokio::test]
async fn wherever_an_emitter_is_kept_its_signals_are_delivered_however_the_process_ends() {
    all_is_delivered(&["installed", "in a static", "leaked", "in a scope"], (3, 0, 0)).await;
}

#[tokio::test]
async fn neither_a_runtime_that_is_gone_nor_time_without_limit_keeps_signals_from_being_delivered() {
    all_is_delivered(&["its runtime is gone", "without limit"], (3, 0, 0)).await;
}

#[tokio::test]
async fn signals_cost_records_and_spans_are_all_delivered() {
    all_is_delivered(&["everything"], (3, 2, 1)).await;
}

#[test]
fn a_quick_emitter_does_not_cut_off_a_slow_one() {
    for (end, expected) in ENDS {
        let ended = run(again("quick and slow", end), &signals(end));
        assert_eq!(code(ended.status), expected, "{end}: {}", ended.err);
        assert!(ended.out.contains("quick got 3") && ended.out.contains("slow got 3"), "{end}: {}", ended.out);
    }
}

#[test]
fn what_cannot_be_delivered_is_reported_with_its_number() {
    for (end, expected) in ENDS {
        for (role, says) in [("nowhere", "3 signals not delivered"), ("stuck", "3 signals not delivered")] {
            let ended = run(again(role, end), &signals(end));
            assert_eq!(code(ended.status), expected, "{role}, {end}: {}", ended.err);
            assert!(ended.err.contains(says), "{role}, {end}: {}", ended.err);
            assert!(ended.took < Duration::from_secs(10), "{role}, {end}: {:?}", ended.took);
            assert!(role != "nowhere" || ended.out.contains("hook: 3 signals not delivered"), "{end}: {}", ended.out);
        }
    }
}

#[tokio::test]
async fn signals_in_an_outbox_stay_there_until_it_is_opened_again() {
    for (end, expected) in ENDS {
        let folder = tempfile::tempdir().unwrap();
        let mut command = again("outbox", end);
        command.env(FOLDER, folder.path());
        let ended = tokio::task::spawn_blocking(move || run(command, &signals(end))).await.unwrap();
        assert_eq!(code(ended.status), expected, "{end}: {}", ended.err);
        assert!(ended.err.contains("3 signals stayed in the outbox"), "{end}: {}", ended.err);

        let emulator = Emulator::start().await.unwrap();
        let mut command = again("outbox", "return");
        command.env(FOLDER, folder.path()).env(URL, emulator.url());
        let ended = tokio::task::spawn_blocking(move || run(command, &[])).await.unwrap();
        assert_eq!(emulator.idempotency_keys().len(), 6, "{end}: {}", ended.err);
    }
}

#[test]
fn a_hook_may_end_the_process_and_only_what_waits_for_it_is_left() {
    let ended = run(again("exit in a hook", ""), &[]);
    assert_eq!(code(ended.status), 7, "{}", ended.err);
    assert!(ended.out.contains("other got 3"), "{}", ended.out);
    assert!(ended.err.contains("3 signals not delivered"), "{}", ended.err);
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
}

#[test]
fn a_lock_that_is_held_does_not_keep_the_process_from_ending() {
    let ended = run(again("stderr is locked", ""), &[]);
    assert_eq!(code(ended.status), 7);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[test]
fn a_second_signal_changes_nothing() {
    let ended = run(again("quick and slow", "-TERM"), &["-TERM", "-TERM", "-INT"]);
    assert_eq!(code(ended.status), -15, "{}", ended.err);
    assert!(ended.out.contains("slow got 3"), "{}", ended.out);
}

#[test]
fn a_shutdown_that_is_under_way_is_waited_for() {
    let ended = run(again("shutdown is under way", ""), &["-TERM"]);
    assert_eq!(code(ended.status), -15, "{}", ended.err);
    assert!(ended.out.contains("slow got 3"), "{}", ended.out);
}

#[test]
fn what_is_built_while_the_process_ends_takes_nothing_more_and_says_so() {
    let ended = run(again("builds while it ends", ""), &["-TERM"]);
    assert_eq!(code(ended.status), -15, "{}", ended.err);
    assert!(ended.out.contains("slow got 3"), "{}", ended.out);
    assert!(ended.err.contains("signal `sent`: delivery is shut down"), "{}", ended.err);
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
}

#[test]
fn a_handler_of_the_programs_own_decides_its_exit_code() {
    let ended = run(again("own handler", ""), &["-TERM"]);
    assert_eq!(code(ended.status), 5, "{}", ended.err);
    assert!(ended.out.contains("slow got 3"), "{}", ended.out);
}

#[test]
fn the_last_handle_may_be_dropped_on_the_emitters_own_thread() {
    let ended = run(again("dropped in a hook", ""), &[]);
    assert_eq!(code(ended.status), 0, "{}", ended.err);
    assert!(ended.out.contains("dropped within a second: true"), "{}", ended.out);
    assert!(ended.out.contains("refusing got"), "the good ones are sent: {}", ended.out);
}

#[test]
fn a_shutdown_returns_in_time_even_if_the_emitters_thread_is_stuck() {
    let ended = run(again("shutdown while stuck", ""), &[]);
    assert!(ended.out.contains("3 signals not delivered after 300ms"), "{}", ended.out);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[tokio::test]
async fn an_emitter_that_has_ended_is_not_waited_for_again() {
    let emulator = Emulator::start().await.unwrap();
    let mut command = again("uninstalled", "");
    command.env(URL, emulator.url());
    let ended = tokio::task::spawn_blocking(move || run(command, &[])).await.unwrap();
    assert_eq!((code(ended.status), sent(&emulator, "signals")), (0, 3), "{}", ended.err);
    assert!(!ended.err.contains("paid:"), "{}", ended.err);
}
