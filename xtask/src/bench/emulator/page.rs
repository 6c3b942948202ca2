//! The emulator's page in a browser, while signals come in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::browser::Browser;
use super::{BATCH, Connection, Emulator, bulk};
use crate::bench::row::{Bar, Row};

/// Signals a second.
const RATE: u64 = 1_000;
/// How long the page is looked at.
const LONG: Duration = Duration::from_secs(20);

const PAINT: (&str, Bar) = ("the page's first paint, ms", Bar::Below(200.0));
/// A browser calls a task of 50 ms long.
const WORK: (&str, Bar) = ("the page's work to show a state with 1,000 signals a second, ms", Bar::Below(50.0));
/// With what the machine does besides.
const PAUSE: (&str, Bar) = ("longest pause of the page meanwhile, ms", Bar::None);
const MEMORY: (&str, Bar) = ("memory that its script holds after 20 s of it, MiB", Bar::Below(32.0));
const GROWTH: (&str, Bar) = ("what that grew by in the second 10 s, MiB", Bar::Below(2.0));

/// The longest time between two turns of the page, in milliseconds, while the promise runs.
const WATCH: &str = "new Promise((done) => { const end = performance.now() + 8000; let last = performance.now(); let longest = 0; \
    const turn = () => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; \
    if (now < end) setTimeout(turn, 0); else done(longest); }; turn(); })";

/// How long it takes to show the latest state, and to lay it out.
const SHOW: &str = "(() => { const state = JSON.parse(shown); const begun = performance.now(); \
    for (let turn = 0; turn < 20; turn++) { show(state); document.body.offsetHeight; } return (performance.now() - begun) / 20; })()";

/// Of the best of five visits: the first may find the disk cold.
const FIRST_PAINT: &str = "performance.getEntriesByType('paint').find((one) => one.name === 'first-paint')?.startTime";

pub(super) fn rows(emulator: &Emulator) -> Result<Vec<Row>> {
    let Some(mut browser) = Browser::start()? else {
        let why = "no Chromium is here";
        return Ok([PAINT, WORK, PAUSE, MEMORY, GROWTH].map(|(name, bar)| Row::not_run(name, bar, why)).into());
    };
    let url = format!("http://127.0.0.1:{}/", emulator.port);
    let mut paint = f64::INFINITY;
    for _ in 0..5 {
        browser.open(&url)?;
        paint = paint.min(browser.number(FIRST_PAINT)?);
    }
    let is_over = AtomicBool::new(false);
    let Looked { work, pause, first, second } = std::thread::scope(|scope| {
        let sender = scope.spawn(|| send(emulator, &is_over));
        let looked = look(&mut browser);
        is_over.store(true, Ordering::Relaxed);
        let sent = sender.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the sender panicked")));
        sent.and(looked)
    })?;
    let rows = browser.number("document.querySelectorAll('#signal-rows tr').length")?;
    Ok(vec![
        Row::new(PAINT.0, paint, PAINT.1, "headless Chromium, the best of five visits"),
        Row::new(WORK.0, work, WORK.1, format!("{rows} signals are shown, twice a second")),
        Row::new(PAUSE.0, pause, PAUSE.1, "with what else the machine does"),
        Row::new(MEMORY.0, second, MEMORY.1, "after garbage is collected"),
        Row::new(GROWTH.0, second - first, GROWTH.1, ""),
    ])
}

/// What was seen: times in milliseconds, and the memory in the middle and at the end, in MiB.
struct Looked {
    work: f64,
    pause: f64,
    first: f64,
    second: f64,
}

fn look(browser: &mut Browser) -> Result<Looked> {
    let pause = browser.number(WATCH)?;
    std::thread::sleep(LONG / 2 - Duration::from_secs(8));
    let first = browser.heap_mib()?;
    let pause = pause.max(browser.number(WATCH)?);
    std::thread::sleep(LONG / 2 - Duration::from_secs(8));
    Ok(Looked { work: browser.number(SHOW)?, pause, first, second: browser.heap_mib()? })
}

/// Sends signals at the rate until it is over.
fn send(emulator: &Emulator, is_over: &AtomicBool) -> Result<()> {
    let mut connection = Connection::open(emulator.port)?;
    let begun = Instant::now();
    // Keys of their own.
    let mut sent = 100_000_000_000;
    let first = sent;
    while !is_over.load(Ordering::Relaxed) {
        connection.call("POST", "/api/v2/signals/bulk", &bulk(sent))?;
        sent += BATCH;
        let due = begun + Duration::from_millis((sent - first) * 1_000 / RATE);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}
