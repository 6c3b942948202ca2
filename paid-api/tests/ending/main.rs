//! How a process ends, and what becomes of what is queued: `main` returns, panics or calls `exit`, or the process is told
//! to end. Everything is delivered, or the log says how much is not. The test runs itself again with a role.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

mod child;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use paid::costs::{CostEmitter, CostRecord};
use paid::emulator::Emulator;
use paid::{Currency, Emitter, Money, Signal};

use child::{END, FOLDER, LONG, NOWHERE, ROLE, SHORT, SPANS, URL};

struct Ended {
    status: ExitStatus,
    out: String,
    err: String,
    took: Duration,
}

fn again(role: &str, end: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // On one thread: the test runs on the main thread.
    command.args(["child::process", "--exact", "--nocapture", "--test-threads=1"]);
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
    emulator.add_product("p");
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
            emulator.add_product("p");
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
        emulator.add_product("p");
        let mut command = again("outbox", "return");
        command.env(FOLDER, folder.path()).env(URL, emulator.url());
        let ended = tokio::task::spawn_blocking(move || run(command, &[])).await.unwrap();
        assert_eq!(emulator.idempotency_keys().len(), 6, "{end}: {}", ended.err);
    }
}

#[test]
fn a_hook_may_end_the_process_and_what_is_queued_is_sent_first() {
    let ended = run(again("exit in a hook", ""), &[]);
    assert_eq!(code(ended.status), 7, "{}", ended.err);
    assert!(ended.out.contains("other got 3"), "{}", ended.out);
    assert_eq!(ended.out.matches("refusing got 1").count(), 3, "{}", ended.out);
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
}

#[test]
fn a_lock_that_is_held_does_not_keep_the_process_from_ending() {
    let ended = run(again("stderr is locked", ""), &[]);
    assert_eq!(code(ended.status), 7);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[tokio::test]
async fn parts_that_name_their_own_time_all_get_it_and_then_the_signal_ends_the_process() {
    for (signal, expected) in [("-TERM", -15), ("-INT", -2)] {
        let emulator = Emulator::start().await.unwrap();
        let mut command = again("each names its own time", "");
        command.env(URL, emulator.url()).env(SPANS, emulator.collector_url());
        let Ended { status, out, err, took } =
            tokio::task::spawn_blocking(move || run(command, &[signal])).await.unwrap();
        assert_eq!(code(status), expected, "{out}\n{err}");
        assert_eq!(out.matches("slow got 1").count(), 3, "{out}\n{err}");
        assert_eq!((sent(&emulator, "costs"), emulator.spans().len()), (1, 1), "{out}\n{err}");
        // The one that never ends has its own time, and not that of the others.
        assert!(err.contains("3 signals not delivered") && took < LONG, "{took:?}: {err}");
    }
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
    emulator.add_product("p");
    let mut command = again("uninstalled", "");
    command.env(URL, emulator.url());
    let ended = tokio::task::spawn_blocking(move || run(command, &[])).await.unwrap();
    assert_eq!((code(ended.status), sent(&emulator, "signals")), (0, 3), "{}", ended.err);
    assert!(!ended.err.contains("paid:"), "{}", ended.err);
}

#[tokio::test]
async fn a_destructor_at_the_end_of_a_thread_may_still_emit() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let mut command = again("emits when its thread ends", "return");
    command.env(URL, emulator.url());
    let ended = tokio::task::spawn_blocking(move || run(command, &[])).await.unwrap();
    assert_eq!((code(ended.status), sent(&emulator, "signals")), (0, 4), "{}", ended.err);
}

#[tokio::test]
async fn time_without_limit_lasts_until_all_is_delivered() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let emitter = Emitter::new(emulator.client()).unwrap();
    let costs = CostEmitter::new(emulator.client()).unwrap();
    let spans = paid::trace::builder().api_key("paid_x").endpoint(emulator.collector_url()).build().unwrap();
    for round in 1..=2 {
        emitter.emit(Signal::new("sent").customer("acme").product("p"));
        costs.record(CostRecord::amount(Money::parse("1", Currency::USD).unwrap()).customer("acme").vendor("v"));
        spans.scope().customer("acme").product("p").run_sync(|| ());
        if round == 1 {
            emitter.flush(Duration::MAX).await.unwrap();
            costs.flush(Duration::MAX).await.unwrap();
            spans.flush(Duration::MAX).await.unwrap();
        } else {
            emitter.shutdown(Duration::MAX).await.unwrap();
            costs.shutdown(Duration::MAX).await.unwrap();
            spans.shutdown(Duration::MAX).await.unwrap();
        }
        let delivered = (sent(&emulator, "signals"), sent(&emulator, "costs"), emulator.spans().len());
        assert_eq!(delivered, (round, round, round));
    }
}
