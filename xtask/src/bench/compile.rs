//! Compile time and memory of the client, compared with progenitor's default output for the same document.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::measure::{self, Taken};
use super::row::{Bar, Row};
use super::stock;
use crate::codegen::{self, Options};
use crate::{document, project};

const ROUNDS: usize = 4;
/// A check that takes less is made several times a round.
const SHORT: f64 = 1.5;
const TIMES: usize = 4;

/// A set of features, and its bars: the largest share of the stock crate's time and memory.
const VARIANTS: [(&str, &str, Option<f64>, Option<f64>); 3] = [
    ("default features", "default", Some(0.22), Some(0.5)),
    ("all resources", "all-resources,experimental", Some(0.35), Some(0.65)),
    ("signals alone", "signals", Some(0.04), None),
];

pub(crate) fn rows() -> Result<Vec<Row>> {
    let root = project::root()?;
    let mut rows = vec![operations(&root)?, lines(&root)?, codegen_time(&root)?, guide(&root)];
    let measured = Measured::new(&root)?;
    match &measured.stock {
        Ok((lines, whose, taken)) => {
            let note = format!("{lines} lines from {whose}; best of {ROUNDS}, in turns");
            rows.push(Row::new("check of stock output, s", taken.seconds, Bar::None, note));
            rows.push(Row::new("peak memory of stock output, MiB", taken.peak_mib, Bar::None, ""));
        }
        Err(error) => rows.push(Row::not_run("check of stock output, s", Bar::None, format!("{error:#}"))),
    }
    for ((name, _, time, memory), ours) in VARIANTS.iter().zip(&measured.ours) {
        for (what, own, limit, pick) in [
            ("time", ours.seconds, time, (|taken: &Taken| taken.seconds) as fn(&Taken) -> f64),
            ("peak memory", ours.peak_mib, memory, |taken: &Taken| taken.peak_mib),
        ] {
            let Some(limit) = *limit else { continue };
            let label = format!("{what} of {name}, share of stock");
            let note = if what == "time" { format!("{own:.2} s") } else { format!("{own:.0} MiB") };
            rows.push(match &measured.stock {
                Ok((.., taken)) => Row::new(label, own / pick(taken), Bar::AtMost(limit), note),
                Err(_) => Row::not_run(label, Bar::AtMost(limit), note),
            });
        }
    }
    Ok(rows)
}

/// The best of several rounds of each crate. They are checked in turns, so that a busy moment of the machine affects all.
struct Measured {
    /// Its lines, and whose document it is made of.
    stock: Result<(usize, &'static str, Taken)>,
    ours: Vec<Taken>,
}

impl Measured {
    fn new(root: &Path) -> Result<Self> {
        let scratch = scratch(root);
        let target = scratch.join("target");
        let (path, whose) = stock::published(root);
        let folder = scratch.join("stock");
        let stock = document::load(&path).and_then(|document| stock::write(document, &folder));
        let mut users = Vec::new();
        for (name, features, ..) in VARIANTS {
            users.push((name, user(root, &scratch, name, features)?));
        }
        let (mut of_stock, mut ours) = (None, vec![None; users.len()]);
        // The first round builds the dependencies.
        for round in 0..=ROUNDS {
            eprintln!("  round {round} of {ROUNDS}: stock progenitor on {whose}");
            if stock.is_ok() {
                let taken = check(&folder, &target, "stock", &[])?;
                of_stock = (round > 0).then(|| better(of_stock.take(), taken));
            }
            for ((name, folder), best) in users.iter().zip(&mut ours) {
                eprintln!("  round {round} of {ROUNDS}: paid-api, {name}");
                let mut taken = check(folder, &target, "paid-api", &[])?;
                // A moment of the machine is a large part of a short check.
                for _ in 1..if taken.seconds < SHORT { TIMES } else { 1 } {
                    taken = better(Some(taken), check(folder, &target, "paid-api", &[])?);
                }
                *best = (round > 0).then(|| better(best.take(), taken));
            }
        }
        let stock = stock.and_then(|lines| Ok((lines, whose, of_stock.context("no round")?)));
        Ok(Self { stock, ours: ours.into_iter().collect::<Option<_>>().context("no round")? })
    }
}

/// A crate that depends on the client, as a user has it: the work of cargo on this workspace is no part of the client.
fn user(root: &Path, scratch: &Path, name: &str, features: &str) -> Result<PathBuf> {
    let name = format!("user-of-{}", name.replace(' ', "-"));
    let folder = scratch.join(&name);
    std::fs::create_dir_all(folder.join("src"))?;
    let features: Vec<_> = features.split(',').collect();
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\npaid-api = {{ path = {:?}, default-features = false, features = {features:?} }}\n",
        root.join("paid-api")
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    std::fs::write(folder.join("src/lib.rs"), "")?;
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder)
}

pub(super) fn scratch(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("bench-compile")
}

/// Runs one `cargo check` of one package from scratch.
pub(super) fn check(folder: &Path, target: &Path, package: &str, features: &[&str]) -> Result<Taken> {
    let check: Vec<_> = ["check", "--quiet", "-p", package].iter().chain(features).copied().collect();
    measure::command(&measure::cargo(folder, target, &["clean", "--quiet", "-p", package]))?;
    measure::command(&measure::cargo(folder, target, &check))
}

pub(super) fn better(best: Option<Taken>, taken: Taken) -> Taken {
    best.map_or(taken, |best| Taken {
        seconds: best.seconds.min(taken.seconds),
        peak_mib: best.peak_mib.min(taken.peak_mib),
    })
}

#[allow(clippy::cast_precision_loss)]
fn operations(root: &Path) -> Result<Row> {
    let document = codegen::Overlays::load(root)?.apply(document::load(&root.join("openapi/paid-v2.json"))?)?;
    let mut all = 0;
    document::for_each_operation(&document, |_, _, _, _| {
        all += 1;
        Ok(())
    })?;
    let calls = std::fs::read_to_string(root.join("paid-api/tests/round_trip/calls.rs"))?;
    let called = calls.matches("async fn ").count();
    let note = "each is called by the test `every_operation_makes_a_round_trip`";
    Ok(Row::new("operations generated and round-tripped", called as f64, Bar::Exactly(f64::from(all)), note))
}

#[allow(clippy::cast_precision_loss)]
fn lines(root: &Path) -> Result<Row> {
    let mut lines = std::fs::read_to_string(root.join("paid-api/src/generated.rs"))?.lines().count();
    for entry in std::fs::read_dir(root.join("paid-api/src/generated"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "rs") {
            lines += std::fs::read_to_string(path)?.lines().count();
        }
    }
    Ok(Row::new("generated lines", lines as f64, Bar::Below(25_000.0), "158 an operation"))
}

fn codegen_time(root: &Path) -> Result<Row> {
    let mut command = Command::new(std::env::current_exe()?);
    let folder = tempfile::tempdir()?;
    command.current_dir(root).args(["codegen", "--out"]).arg(folder.path());
    let taken = measure::command(&command)?;
    codegen::run(&Options { check: true, ..Options::default() })?;
    Ok(Row::new("cargo xtask codegen, s", taken.seconds, Bar::Below(3.0), "once built; the files are fresh"))
}

/// The AI sales rep example, and the total of its invoice.
fn guide(root: &Path) -> Row {
    let name = "cargo run -p ai-sdr: total of the invoice, USD";
    let bar = Bar::Exactly(654.0);
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["run", "--quiet", "-p", "ai-sdr"]);
    command.env_remove("PAID_API_KEY").env_remove("PAID_BASE_URL");
    let shown = match command.output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => return Row::not_run(name, bar, String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => return Row::not_run(name, bar, error.to_string()),
    };
    let total = shown.lines().find(|line| line.contains("Total"));
    let amount = total.and_then(|line| line.split_whitespace().find_map(|word| word.parse::<f64>().ok()));
    Row::new(name, amount.unwrap_or_default(), bar, "against the emulator")
}
