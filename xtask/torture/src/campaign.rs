//! Many stories, on several threads, and what is shown of them.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;

use crate::Options;
use torture::{Failure, Outcome, Story};

/// A story that takes longer on the real clock hangs.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Sums {
    stories: u64,
    killed: u64,
    kills: u64,
    power: u64,
    disks: u64,
    claims: u64,
    /// How often each claim failed, and the first seed in which it did.
    failed: BTreeMap<&'static str, (u64, u64)>,
    shown: Vec<(Story, Failure)>,
}

/// Tells the story of one seed.
pub(crate) fn tell(seed: u64) -> bool {
    let story = torture::story(seed);
    println!("The story of seed {seed}\n\n{story}");
    let outcome = torture::run(&story, true);
    for line in &outcome.lines {
        println!("{line}");
    }
    println!("\n{} claims were checked; fingerprint {:016x}", outcome.claims, outcome.hash);
    let again = torture::run(&story, true);
    if again.hash != outcome.hash {
        let differs = again.lines.iter().zip(&outcome.lines).find(|(second, first)| second != first);
        println!("The second run differed: {differs:?}");
    }
    match &outcome.failure {
        Some(failure) => println!("BROKEN: {}: {}", failure.claim, failure.seen),
        None => println!("All claims hold."),
    }
    if let Some(failure) = &outcome.failure {
        show(&torture::shrink(&story, failure.claim), failure);
    }
    outcome.failure.is_none() && again.hash == outcome.hash
}

/// Runs the stories of many seeds.
pub(crate) fn run(options: &Options) -> bool {
    let jobs = match options.jobs {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        jobs => jobs,
    };
    let begun = Instant::now();
    let next = AtomicU64::new(options.from);
    let end = options.from + options.seeds;
    let sums = Mutex::new(Sums::default());
    let running: Vec<_> = (0..jobs).map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for place in &running {
            let (sums, next) = (&sums, &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || is_enough(sums, options) {
                        break;
                    }
                    *lock(place) = Some((seed, Instant::now()));
                    one(seed, options, sums);
                    *lock(place) = None;
                }
            });
        }
        watch(&running, &sums, options, end);
    });
    let sums = sums.into_inner().unwrap_or_else(PoisonError::into_inner);
    if options.brief {
        for (claim, (_, seed)) in &sums.failed {
            println!("seed {seed}: {claim}");
        }
        return sums.failed.is_empty();
    }
    for (story, failure) in &sums.shown {
        let story = if options.whole { story.clone() } else { torture::shrink(story, failure.claim) };
        show(&story, failure);
    }
    println!("{}", table(&sums, begun.elapsed(), jobs));
    sums.failed.is_empty()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_enough(sums: &Mutex<Sums>, options: &Options) -> bool {
    let most = match (options.brief, options.first) {
        (true, true) => 1,
        (true, false) => usize::MAX,
        (false, _) => options.failures,
    };
    lock(sums).shown.len() >= most
}

fn one(seed: u64, options: &Options, sums: &Mutex<Sums>) {
    let story = torture::story(seed);
    let mut outcome = torture::run(&story, false);
    // A panic may leave traces on the thread.
    let is_doubtful = outcome.failure.as_ref().is_some_and(|failure| failure.claim != "nobody panics");
    if (options.check_determinism || is_doubtful) && torture::run(&story, false).hash != outcome.hash {
        let seen = "two runs of this story differ".to_owned();
        outcome.failure = Some(Failure { claim: "a story is the same every time", seen });
    }
    lock(sums).add(story, outcome);
}

impl Sums {
    fn add(&mut self, story: Story, outcome: Outcome) {
        self.stories += 1;
        self.killed += u64::from(outcome.kills.0 > 0);
        self.kills += u64::from(outcome.kills.0);
        self.power += u64::from(outcome.kills.1);
        self.disks += u64::from(story.setup.outbox.is_some());
        self.claims += outcome.claims;
        if let Some(failure) = outcome.failure {
            let (count, first) = self.failed.entry(failure.claim).or_insert((0, u64::MAX));
            *count += 1;
            *first = (*first).min(story.seed);
            if *count == 1 {
                self.shown.push((story, failure));
            }
        }
    }
}

/// Shows progress, and ends the program if a story hangs on the real clock.
fn watch(running: &[Mutex<Option<(u64, Instant)>>], sums: &Mutex<Sums>, options: &Options, end: u64) {
    let mut shown = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let stories = lock(sums).stories;
        let is_over = running.iter().all(|place| lock(place).is_none());
        if is_over && (stories >= end - options.from || is_enough(sums, options)) {
            return;
        }
        for place in running {
            let Some((seed, since)) = *lock(place) else { continue };
            if since.elapsed() > LONGEST {
                println!("BROKEN: the story of seed {seed} hangs: nothing waits for the clock, and nothing ends");
                println!("{}", torture::story(seed));
                std::process::exit(1);
            }
        }
        if shown.elapsed() > Duration::from_secs(5) && std::io::stderr().is_terminal() {
            shown = Instant::now();
            eprint!("\r  {stories} of {} stories", options.seeds);
            let _ = std::io::stderr().flush();
        }
    }
}

fn show(story: &Story, failure: &Failure) {
    let again = torture::run(story, true);
    println!("\nBROKEN: {}: {}\n", failure.claim, failure.seen);
    println!("The shortest story found, from seed {}:\n\n{story}", story.seed);
    println!("What happened in it:\n");
    const MOST: usize = 120;
    for line in again.lines.iter().filter(|line| !line.contains(" disk ")).take(MOST) {
        println!("  {line}");
    }
    if let Some(failure) = &again.failure {
        println!("\n  {}: {}", failure.claim, failure.seen);
    }
    println!("\nThe whole story: cargo xtask torture --seed {}\n", story.seed);
}

fn table(sums: &Sums, took: Duration, jobs: usize) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["what", "number"]);
    let seconds = took.as_secs_f64();
    let each = seconds * 1000.0 * jobs as f64 / (sums.stories.max(1) as f64);
    for (what, number) in [
        ("stories", sums.stories.to_string()),
        ("of them with an outbox", sums.disks.to_string()),
        ("of them with a kill", sums.killed.to_string()),
        ("processes killed", sums.kills.to_string()),
        ("of them by a loss of power", sums.power.to_string()),
        ("claims checked", sums.claims.to_string()),
        ("seconds", format!("{seconds:.1}")),
        ("milliseconds a story and processor", format!("{each:.2}")),
        ("stories that failed", sums.failed.values().map(|(count, _)| count).sum::<u64>().to_string()),
    ] {
        table.add_row([what.to_owned(), number]);
    }
    for (claim, (number, _)) in &sums.failed {
        table.add_row([format!("  {claim}"), number.to_string()]);
    }
    table
}
