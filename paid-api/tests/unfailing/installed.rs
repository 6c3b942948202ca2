//! An error hook that emits through the installed emitter, which is one for the whole process: in a process of its own.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use paid::{DeliveryError, EmitterBuilder, Overflow};

use super::{Gate, flush, signal};

const CASE: &str = "PAID_UNFAILING_INSTALLED";
const ROOM: u64 = 2;
const EMITTED: u64 = 200;

/// The process in which it happens.
#[test]
fn child() {
    if std::env::var(CASE).is_err() {
        return;
    }
    let (gate, calls, told) = (Gate::default(), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (counts, tells) = (Arc::clone(&calls), Arc::clone(&told));
    let hook = move |failure: &DeliveryError| {
        counts.fetch_add(1, Ordering::SeqCst);
        tells.fetch_add(
            if let DeliveryError::Untold { records, .. } = failure { *records } else { 1 },
            Ordering::SeqCst,
        );
        paid::emit(signal("billing_error"));
    };
    let builder = EmitterBuilder::over(gate.clone()).queue(ROOM as usize).overflow(Overflow::Reject);
    let emitter = builder.on_error(hook).build().unwrap();
    paid::install(emitter.clone());
    for _ in 0..EMITTED {
        paid::emit(signal("good"));
    }
    // Whatever did not fit is told; whatever the hook emits does not fit either, and is told to nobody.
    let refused = EMITTED - ROOM;
    let until = Instant::now() + Duration::from_secs(20);
    let is_all =
        || told.load(Ordering::SeqCst) == refused && emitter.stats().refused == refused + calls.load(Ordering::SeqCst);
    while !is_all() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Calls that go on without end would show now.
    std::thread::sleep(Duration::from_millis(100));
    let stats = emitter.stats();
    println!("told {} of {refused}", told.load(Ordering::SeqCst));
    println!("counted {} of {}", stats.accepted + stats.refused, EMITTED + calls.load(Ordering::SeqCst));
    gate.open();
    flush(&emitter);
    // There is room again.
    paid::emit(signal("good"));
    flush(&emitter);
    println!("delivered {}", emitter.stats().delivered);
    std::process::exit(0);
}

#[test]
fn a_hook_that_emits_into_the_full_queue_of_the_installed_emitter_neither_blocks_nor_calls_itself() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.args(["--exact", "installed::child", "--nocapture"]).env(CASE, "1");
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let ended = super::outputs::output_within(child, Duration::from_secs(60));
    let out = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{ended:?}");
    for line in ["told 198 of 198", "delivered 3"] {
        assert!(out.contains(line), "no {line:?}: {out}");
    }
    let counted = out.lines().find_map(|line| line.strip_prefix("counted ")?.split_once(" of ")).unwrap();
    assert_eq!(counted.0, counted.1, "{out}");
}
