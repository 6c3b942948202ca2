//! Prints on stderr from a thread of its own: a pipe that is closed or that nobody reads must not stop the caller.

use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a caller waits for its line, so that lines are in the order of what the program does. Only as long as every
/// line before was printed in time.
const COURTESY: Duration = Duration::from_millis(100);

/// Lines that may wait. Further ones are left out, and their number is printed later.
const LONGEST: usize = 1_000;

struct Printer {
    lines: Vec<String>,
    left_out: u64,
    queued: u64,
    printed: u64,
    has_thread: bool,
}

static PRINTER: Mutex<Printer> =
    Mutex::new(Printer { lines: Vec::new(), left_out: 0, queued: 0, printed: 0, has_thread: false });
static PRINTED: Condvar = Condvar::new();
static QUEUED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Printer> {
    PRINTER.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn print(line: String) {
    let mut printer = lock();
    if printer.lines.len() >= LONGEST {
        printer.left_out += 1;
        return;
    }
    let is_behind = printer.printed < printer.queued;
    printer.lines.push(line);
    printer.queued += 1;
    let own = printer.queued;
    if !printer.has_thread {
        printer.has_thread = std::thread::Builder::new().name("paid-stderr".into()).spawn(run).is_ok();
        if !printer.has_thread {
            let lines = std::mem::take(&mut printer.lines);
            printer.printed = own;
            drop(printer);
            return write(&lines, 0);
        }
    }
    QUEUED.notify_one();
    if is_behind {
        return;
    }
    let until = Instant::now() + COURTESY;
    while printer.printed < own {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        printer = PRINTED.wait_timeout(printer, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn run() {
    let mut printer = lock();
    loop {
        while printer.lines.is_empty() {
            printer = QUEUED.wait(printer).unwrap_or_else(PoisonError::into_inner);
        }
        let lines = std::mem::take(&mut printer.lines);
        let left_out = std::mem::take(&mut printer.left_out);
        drop(printer);
        write(&lines, left_out);
        printer = lock();
        printer.printed += lines.len() as u64;
        PRINTED.notify_all();
    }
}

/// What stderr says does not matter: there is nobody else to tell.
fn write(lines: &[String], left_out: u64) {
    let mut stderr = std::io::stderr();
    for line in lines {
        let _ = stderr.write_all(line.as_bytes());
    }
    if left_out > 0 {
        let _ = writeln!(stderr, "paid: {left_out} more lines are left out, because stderr was not read in time");
    }
}
