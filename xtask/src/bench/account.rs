//! What `cargo paid` needs to compare a million signals with the account, and to check many sources: the released programs, over
//! loopback.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::emulator::{Connection, Emulator, build};
use super::measure;
use super::row::{Bar, Row};
use crate::project;

const SIGNALS: u64 = 1_000_000;
/// Signals in a request.
const BATCH: u64 = 500;
/// Of so many signals, one is emitted and never reaches the account: 137 of a million.
const LOST: u64 = 7_300;
const FILES: usize = 200;

pub(crate) fn rows() -> Result<Vec<Row>> {
    let root = project::root()?;
    let target = root.join("target");
    eprintln!("  building");
    build(&root, &target, &["--bin", "paid-emulator", "--bin", "cargo-paid", "--features", "cli,emulator-cli"])?;
    let folder = tempfile::tempdir()?;
    let emulator = Emulator::start(&target.join("release/paid-emulator"))?;
    emulator.prepare()?;
    let export = folder.path().join("emitted.jsonl");
    eprintln!("  {SIGNALS} signals");
    let lost = emit(&emulator, &export)?;
    let mut command = Command::new(target.join("release/cargo-paid"));
    command.env("PAID_API_KEY", "paid_bench").env("PAID_BASE_URL", format!("http://127.0.0.1:{}", emulator.port));
    command.current_dir(folder.path());
    command.args(["reconcile", "--settled", "0", "--json", "--resend"]).arg(&export);
    let taken = measure::command(&command)?;
    let after = command.output().context("cannot run cargo-paid")?;
    let report: serde_json::Value = serde_json::from_slice(&after.stdout)?;
    if report["found"] != SIGNALS || report["emitted"] != SIGNALS {
        bail!("what was missing was not sent again: {}", report["found"]);
    }
    #[allow(clippy::cast_precision_loss)]
    let mended = (report["found"].as_u64().unwrap_or(0) - (SIGNALS - lost)) as f64;
    #[allow(clippy::cast_precision_loss)]
    let expected = lost as f64;
    let checked = sources(folder.path(), &target.join("release/cargo-paid"))?;
    Ok(vec![
        Row::new(
            "a million signals reconciled, s",
            taken.seconds,
            Bar::AtMost(60.0),
            "read from the account, 500 a page",
        ),
        Row::new("its peak resident memory, MiB", taken.peak_mib, Bar::Below(286.0), "300 MB"),
        Row::new("lost signals that were named and sent again", mended, Bar::Exactly(expected), "and no other"),
        Row::new("200 source files checked, s", checked, Bar::Below(1.0), "`signals check`, 2,000 annotations"),
    ])
}

/// Writes the export of all signals, and sends all but the lost ones. Returns how many are lost.
fn emit(emulator: &Emulator, export: &Path) -> Result<u64> {
    let mut file = BufWriter::new(std::fs::File::create(export)?);
    let mut connection = Connection::open(emulator.port)?;
    let mut lost = 0;
    for first in (0..SIGNALS).step_by(usize::try_from(BATCH)?) {
        let mut sent = Vec::new();
        for number in first..first + BATCH {
            let key = format!("0192f0c0-7e3a-7000-8000-{number:012}");
            let customer = number % 100;
            let signal = format!(
                r#"{{"eventName":"email_sent","customer":{{"externalCustomerId":"customer-{customer}"}},"attribution":{{"externalProductId":"p"}},"idempotencyKey":"{key}","data":{{"lead_id":"lead-{number}","paid_ref":"{key}"}}}}"#
            );
            writeln!(file, "{signal}")?;
            if number % LOST == LOST - 1 {
                lost += 1;
            } else {
                sent.push(signal);
            }
        }
        let body = format!("{{\"signals\":[{}]}}", sent.join(","));
        let answer = connection.call("POST", "/api/v2/signals/bulk", &body)?;
        if !answer.contains(&format!("\"ingested\":{}", sent.len())) {
            bail!("not every signal was taken: {answer}");
        }
    }
    file.flush()?;
    Ok(lost)
}

/// A crate of many files with annotations, checked.
fn sources(folder: &Path, program: &Path) -> Result<f64> {
    let sources = folder.join("crate");
    std::fs::create_dir_all(sources.join("src"))?;
    std::fs::write(sources.join("Cargo.toml"), "[package]\nname = \"many\"\nedition = \"2024\"\n")?;
    let mut catalogue = String::new();
    for file in 0..FILES {
        let mut text = String::new();
        for number in 0..10 {
            let name = format!("event_of_{file}_and_{number}");
            writeln!(catalogue, "[signals.{name}]\ntype = \"activity\"\n")?;
            writeln!(
                text,
                "#[paid::signal(\"{name}\", customer = lead.customer, data(words = text.len()))]\npub async fn work_{number}(lead: &Lead, text: &str) -> Result<usize, Error> {{\n    let mut all = Vec::new();\n    for word in text.split(' ') {{\n        all.push(word.to_owned());\n    }}\n    send(lead, &all).await?;\n    Ok(all.len())\n}}\n"
            )?;
        }
        std::fs::write(sources.join(format!("src/file_{file}.rs")), text)?;
    }
    catalogue.push_str("[lints]\nsimilar_names = \"allow\"\n");
    std::fs::write(sources.join("signals.toml"), catalogue)?;
    let mut command = Command::new(program);
    command.current_dir(&sources).args(["signals", "check"]);
    Ok(measure::command(&command)?.seconds)
}
