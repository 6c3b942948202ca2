//! The emitter's throughput, durability and cost, compared with raw reqwest and Paid's own clients. The programs are in
//! `xtask/delivery`; the figures of a ratio come from the same run, against one server in its own process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::row::{Bar, Row};
use super::{compile, emit};
use crate::project;

/// The port in the scripts for Paid's clients.
const PORT: u16 = 4999;
const SIGNALS: usize = 1_000_000;
const ROUNDS: usize = 7;
/// How many signals are emitted while the server is down.
const OUTAGE: usize = 10_000_000;
/// Dead letters that are read.
const LETTERS: usize = 100_000;

/// The time and resources that a load took.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Taken {
    signals: f64,
    seconds: f64,
    cpu_seconds: f64,
    resident_mib: f64,
}

impl Taken {
    fn per_second(self) -> f64 {
        self.signals / self.seconds
    }

    fn cpu_us(self) -> f64 {
        self.cpu_seconds / self.signals * 1e6
    }
}

pub(crate) fn rows() -> Result<Vec<Row>> {
    let root = project::root()?;
    eprintln!("  building");
    let built = Command::new("cargo")
        .current_dir(&root)
        .args(["build", "--quiet", "--release", "-p", "bench-delivery"])
        .status()?;
    if !built.success() {
        bail!("the loads do not build");
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let loads =
        Loads { program: folder.join("release/bench-delivery"), scratch: compile::scratch(&root).join("delivery") };
    std::fs::create_dir_all(&loads.scratch)?;
    let mut rows = hot(&loads)?;
    rows.push(idle()?);
    let (measured, ours, one_by_one) = throughput(&loads)?;
    rows.extend(measured);
    rows.extend(against_peers(&root, &loads, ours, one_by_one)?);
    rows.extend(outage(&loads)?);
    rows.push(letters(&loads)?);
    rows.push(losses(&root)?);
    Ok(rows)
}

struct Loads {
    program: PathBuf,
    scratch: PathBuf,
}

impl Loads {
    fn run<T: for<'de> Deserialize<'de>>(&self, arguments: &[&str]) -> Result<T> {
        let output = Command::new(&self.program).args(arguments).stderr(Stdio::piped()).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).chars().take(2_000).collect::<String>();
            bail!("{arguments:?} failed:\n{said}");
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("{arguments:?} gave no figures"))
    }

    fn outbox(&self) -> Result<String> {
        let folder = self.scratch.join("outbox");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        folder.to_str().map(str::to_owned).context("a path that is not valid Unicode")
    }
}

/// A server process, which is stopped when it is dropped.
struct Server(Child);

impl Server {
    fn start(loads: &Loads) -> Result<Self> {
        let mut command = Command::new(&loads.program);
        let mut child = command.args(["server", "--port", &PORT.to_string()]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("the server prints nothing")?;
        BufReader::new(output).read_line(&mut line)?;
        if line.is_empty() {
            bail!("the server does not start: is port {PORT} taken?");
        }
        Ok(Self(child))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hot(loads: &Loads) -> Result<Vec<Row>> {
    eprintln!("  single emissions");
    let times: Value = loads.run(&["hot", "1000000"])?;
    let time = |key: &str| times[key].as_f64().unwrap_or(f64::NAN);
    let note = format!("99.9 %: {:.0} ns; with the reading of the clock", time("p999_ns"));
    Ok(vec![
        Row::new("emit of a derived signal, median, ns", time("median_ns"), Bar::Below(1_000.0), note),
        Row::new("emit of a derived signal, 99 %, ns", time("p99_ns"), Bar::Below(10_000.0), ""),
    ])
}

fn idle() -> Result<Row> {
    eprintln!("  a call without an installed emitter");
    emit::rows()?.into_iter().next().context("no figure")
}

/// The results of the loads in one round.
#[derive(Clone, Copy)]
struct Round {
    raw_1: Taken,
    raw_4: Taken,
    ours: Taken,
    outbox: Taken,
}

impl Round {
    fn run(loads: &Loads) -> Result<Self> {
        let url = format!("http://127.0.0.1:{PORT}");
        let signals = SIGNALS.to_string();
        let outbox = loads.outbox()?;
        let run = |arguments: &[&str]| {
            let _server = Server::start(loads)?;
            loads.run(arguments)
        };
        Ok(Self {
            raw_1: run(&["raw", &url, &signals, "500", "1"])?,
            raw_4: run(&["raw", &url, &signals, "500", "4"])?,
            ours: run(&["emit", &url, &signals, "500"])?,
            outbox: run(&["emit", &url, &signals, "500", "--outbox", &outbox])?,
        })
    }

    fn of_raw(&self) -> f64 {
        self.ours.per_second() / self.raw_1.per_second().max(self.raw_4.per_second())
    }

    fn of_no_outbox(&self) -> f64 {
        self.outbox.per_second() / self.ours.per_second()
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs several rounds, each load against a fresh server. A ratio is computed in each round, and the median counts: the
/// speed of a shared machine changes between rounds by more than what is measured. Rates are the best ones.
fn throughput(loads: &Loads) -> Result<(Vec<Row>, Taken, Taken)> {
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        eprintln!("  throughput, round {round} of {ROUNDS}");
        rounds.push(Round::run(loads)?);
    }
    let best = |pick: fn(&Round) -> Taken| {
        let faster = |best: Taken, next: Taken| if next.seconds < best.seconds { next } else { best };
        rounds.iter().map(pick).reduce(faster).context("no round")
    };
    let (raw_1, raw_4) = (best(|round| round.raw_1)?, best(|round| round.raw_4)?);
    let (ours, outbox) = (best(|round| round.ours)?, best(|round| round.outbox)?);
    let one_by_one = {
        let _server = Server::start(loads)?;
        loads.run(&["emit", &format!("http://127.0.0.1:{PORT}"), "20000", "1"])?
    };
    let rate = |taken: Taken| format!("{:.0} signals/s, {:.2} us of CPU each", taken.per_second(), taken.cpu_us());
    let spread = |ratio: fn(&Round) -> f64| {
        let ratios = rounds.iter().map(ratio);
        let (least, most) =
            ratios.fold((f64::MAX, f64::MIN), |(least, most), ratio| (least.min(ratio), most.max(ratio)));
        format!("{least:.2} to {most:.2}")
    };
    let note = format!(
        "{}; {}; raw: {:.0} one at a time, {:.0} four at once",
        spread(Round::of_raw),
        rate(ours),
        raw_1.per_second(),
        raw_4.per_second()
    );
    let rows = vec![
        Row::new("delivered, share of raw reqwest", median(rounds.iter().map(Round::of_raw)), Bar::AtLeast(0.8), note),
        Row::new(
            "delivered with outbox, share of that without",
            median(rounds.iter().map(Round::of_no_outbox)),
            Bar::AtLeast(0.5),
            format!("{}; {}", spread(Round::of_no_outbox), rate(outbox)),
        ),
    ];
    Ok((rows, ours, one_by_one))
}

/// Paid's own clients, if they can be installed here.
fn against_peers(root: &Path, loads: &Loads, ours: Taken, one_by_one: Taken) -> Result<Vec<Row>> {
    const NODE: &str = "delivered, times the Node client in batches of 500";
    const NODE_ALONE: &str = "delivered, times the Node client one by one";
    const PYTHON: &str = "CPU a signal, share of the Python client in batches of 500";
    let scripts = root.join("../shared/bench");
    let peers = loads.scratch.join("peers");
    std::fs::create_dir_all(&peers)?;
    let mut rows = Vec::new();
    match node(&scripts, &peers) {
        Ok(program) => {
            let _server = Server::start(loads)?;
            let batched = peer(&program, &["50000", "500"])?;
            let alone = peer(&program, &["2000", "1"])?;
            let note = format!("{:.0} signals/s, {} us of CPU each", batched.0, batched.1);
            rows.push(Row::new(NODE, ours.per_second() / batched.0, Bar::AtLeast(2.0), note));
            let note = format!("{:.0} signals/s there; ours, also one by one, {:.0}", alone.0, one_by_one.per_second());
            rows.push(Row::new(NODE_ALONE, ours.per_second() / alone.0, Bar::AtLeast(100.0), note));
        }
        Err(why) => {
            rows.push(Row::not_run(NODE, Bar::AtLeast(2.0), format!("{why:#}")));
            rows.push(Row::not_run(NODE_ALONE, Bar::AtLeast(100.0), format!("{why:#}")));
        }
    }
    match python(&scripts, &peers) {
        Ok(program) => {
            let _server = Server::start(loads)?;
            let (rate, cpu) = peer(&program, &["50000", "500"])?;
            let note = format!("{cpu} us there, {:.2} here; {rate:.0} signals/s there", ours.cpu_us());
            rows.push(Row::new(PYTHON, ours.cpu_us() / cpu, Bar::AtMost(0.02), note));
        }
        Err(why) => rows.push(Row::not_run(PYTHON, Bar::AtMost(0.02), format!("{why:#}"))),
    }
    Ok(rows)
}

type Program = (PathBuf, PathBuf, PathBuf);

/// The interpreter, the script and its folder.
fn node(scripts: &Path, peers: &Path) -> Result<Program> {
    let script = copied(scripts, peers, "node.js")?;
    if !peers.join("node_modules/@paid-ai/paid-node").exists() {
        eprintln!("  installing Paid's Node client");
        std::fs::write(peers.join("package.json"), "{}")?;
        quietly(Command::new("npm").current_dir(peers).args([
            "install",
            "--no-audit",
            "--no-fund",
            "@paid-ai/paid-node",
        ]))?;
    }
    Ok(("node".into(), script, peers.to_owned()))
}

fn python(scripts: &Path, peers: &Path) -> Result<Program> {
    let script = copied(scripts, peers, "python.py")?;
    let environment = peers.join("python");
    let interpreter = environment.join("bin/python");
    if !interpreter.exists() {
        quietly(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    let known = Command::new(&interpreter).args(["-c", "import paid"]).stderr(Stdio::null()).status()?;
    if !known.success() {
        eprintln!("  installing Paid's Python client");
        quietly(Command::new(&interpreter).args(["-m", "pip", "install", "--quiet", "paid-python"]))?;
    }
    Ok((interpreter, script, peers.to_owned()))
}

fn copied(scripts: &Path, peers: &Path, name: &str) -> Result<PathBuf> {
    let copy = peers.join(name);
    let text = std::fs::read(scripts.join(name)).with_context(|| format!("no ../shared/bench/{name} here"))?;
    std::fs::write(&copy, text)?;
    Ok(copy)
}

fn quietly(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
        bail!("cannot be installed here: {said}");
    }
    Ok(())
}

/// The best signals per second and the CPU time of a signal in microseconds, from lines such as
/// `node 50000 500 224000 signals/s cpu 5.0 us/signal`.
fn peer((interpreter, script, folder): &Program, arguments: &[&str]) -> Result<(f64, f64)> {
    let mut best: Option<(f64, f64)> = None;
    for _ in 0..3 {
        let output = Command::new(interpreter).arg(script).args(arguments).current_dir(folder).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let words: Vec<&str> = said.split_whitespace().collect();
        let number = |after: usize| words.get(after).and_then(|word| word.parse::<f64>().ok());
        let (Some(rate), Some(cpu)) = (number(3), number(6)) else {
            bail!("{} gave no figures: {said}{}", script.display(), String::from_utf8_lossy(&output.stderr));
        };
        best = Some(best.map_or((rate, cpu), |(rates, cpus)| (rate.max(rates), cpu.min(cpus))));
    }
    best.context("no round")
}

fn outage(loads: &Loads) -> Result<Vec<Row>> {
    eprintln!("  {OUTAGE} signals while the server is down");
    let outbox = loads.outbox()?;
    let taken: Taken = loads.run(&["accept", &OUTAGE.to_string(), "--outbox", &outbox])?;
    loads.outbox()?;
    let note = format!("{OUTAGE} signals, server down, commits every 50 ms");
    Ok(vec![
        Row::new("accepted into the outbox, signals/s", taken.per_second(), Bar::AtLeast(100_000.0), note),
        Row::new("resident memory at most, MiB", taken.resident_mib, Bar::Below(100.0), "the peak, in the same run"),
    ])
}

/// The time that reading dead letters takes.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Reading {
    seconds: f64,
}

fn letters(loads: &Loads) -> Result<Row> {
    eprintln!("  {LETTERS} dead letters");
    let outbox = loads.outbox()?;
    let reading: Reading = loads.run(&["letters", &LETTERS.to_string(), "--outbox", &outbox])?;
    loads.outbox()?;
    let note = "`paid::outbox::dead_letters`, best of 5";
    Ok(Row::new(format!("{LETTERS} dead letters read, s"), reading.seconds, Bar::Below(1.0), note))
}

/// The crash and fault tests count lost and duplicate signals; either fails a test.
fn losses(root: &Path) -> Result<Row> {
    eprintln!("  crash and fault tests");
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["test", "--quiet", "-p", "paid-api", "--all-features"]);
    for test in ["crash", "faults", "outbox", "emitter"] {
        command.args(["--test", test]);
    }
    let output = command.output()?;
    let failed = f64::from(u8::from(!output.status.success()));
    let note = if failed > 0.0 { "run `cargo test -p paid-api --all-features` to see" } else { "50 kills among them" };
    Ok(Row::new("crash and fault tests with a loss or a duplicate", failed, Bar::Exactly(0.0), note))
}
