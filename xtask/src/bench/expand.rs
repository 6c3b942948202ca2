//! Compile time of the macros: a crate of annotated functions and derived structs, compared with the same crate with
//! all code written by hand, and with functions under `tracing::instrument`.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use super::compile;
use super::measure::Taken;
use super::row::{Bar, Row};
use crate::project;

const FUNCTIONS: usize = 1_000;
const STRUCTS: usize = 1_000;
const ROUNDS: usize = 5;

pub(crate) fn rows() -> Result<Vec<Row>> {
    let everyday = compared(&EVERYDAY)?;
    let tiny = compared(&TINY)?;
    let seconds = |taken: Taken| (taken.seconds, format!("{:.0} MiB", taken.peak_mib));
    let rounds = format!("dependencies built, best of {ROUNDS}, in turns");
    let over_instrument = |taken: &Measured| taken.signals.seconds / taken.instrumented.seconds;
    let (by_hand, of_hand) = seconds(everyday.by_hand);
    let (annotated, of_annotated) = seconds(everyday.annotated);
    let (instrumented, of_instrumented) = seconds(everyday.instrumented);
    Ok(vec![
        Row::new("check by hand, s", by_hand, Bar::None, of_hand),
        Row::new("check annotated, s", annotated, Bar::None, of_annotated),
        Row::new("check of the functions with `tracing::instrument`, s", instrumented, Bar::None, of_instrumented),
        Row::new("annotated, times by hand", annotated / by_hand, Bar::AtMost(1.5), rounds),
        Row::new(
            "the same with bodies of one call",
            tiny.annotated.seconds / tiny.by_hand.seconds,
            Bar::None,
            "for reference: nothing but signals",
        ),
        Row::new(
            "annotated functions, times `tracing::instrument`",
            over_instrument(&everyday),
            Bar::AtMost(0.45),
            "`skip_all`, the same fields, `err`",
        ),
        Row::new("the same with bodies of one call", over_instrument(&tiny), Bar::AtMost(0.3), ""),
    ])
}

/// The four crates: functions and structs, by hand and annotated; the functions alone, annotated and with
/// `tracing::instrument`.
struct Measured {
    by_hand: Taken,
    annotated: Taken,
    signals: Taken,
    instrumented: Taken,
}

fn compared(bodies: &Bodies) -> Result<Measured> {
    let root = project::root()?;
    let scratch = compile::scratch(&root);
    let target = scratch.join("target");
    let structs = |way| (0..STRUCTS).map(move |number| structure(number, way)).collect::<String>();
    let crates = [
        ("by-hand", functions(bodies, Way::ByHand) + &structs(Way::ByHand)),
        ("annotated", functions(bodies, Way::Annotated) + &structs(Way::Annotated)),
        ("signals", functions(bodies, Way::Annotated)),
        ("instrumented", functions(bodies, Way::Instrumented)),
    ];
    let mut best = [None; 4];
    // In turns, so that a busy moment of the machine affects all; the first round builds the dependencies.
    for round in 0..=ROUNDS {
        eprintln!("  {FUNCTIONS} functions ({}) and {STRUCTS} structs, round {round} of {ROUNDS}", bodies.name);
        for ((name, text), best) in crates.iter().zip(&mut best) {
            let folder = write(&root, &scratch.join(name), name, "lib.rs", text)?;
            let taken = compile::check(&folder, &target, name, &[])?;
            if round > 0 {
                *best = Some(compile::better(*best, taken));
            }
        }
    }
    match best {
        [Some(by_hand), Some(annotated), Some(signals), Some(instrumented)] => {
            Ok(Measured { by_hand, annotated, signals, instrumented })
        }
        _ => anyhow::bail!("no round"),
    }
}

/// How a signal is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ByHand,
    Annotated,
    /// No signal, but a span with the same fields.
    Instrumented,
}

/// The functions' bodies, the same in both crates.
struct Bodies {
    name: &'static str,
    asynchronous: &'static str,
    synchronous: &'static str,
}

const EVERYDAY: Bodies = Bodies { name: "everyday bodies", asynchronous: ASYNC_BODY, synchronous: SYNC_BODY };
const TINY: Bodies = Bodies {
    name: "bodies of one call",
    asynchronous: "    let done = book(lead, 30, \"\").await?;\n",
    synchronous: "    let done = send(lead, \"\")?;\n",
};

/// Writes a crate with one file.
pub(super) fn write(root: &Path, folder: &Path, name: &str, file: &str, source: &str) -> Result<std::path::PathBuf> {
    std::fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\npaid-api = {{ path = {:?}, default-features = false, features = [\"emit\"] }}\ntracing = \"0.1\"\n",
        root.join("paid-api")
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    std::fs::write(folder.join("src").join(file), source)?;
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder.to_owned())
}

const TYPES: &str = "#![allow(dead_code)]
pub struct Lead { pub id: String, pub account: String, pub notes: Vec<String>, pub score: f64 }
pub struct Meeting { pub minutes: u32, pub title: String }
#[derive(Debug)]
pub enum Failed { Calendar(String), NoTime { asked: u32 } }
pub async fn free(lead: &Lead, minutes: u32) -> Result<Option<u32>, Failed> { if lead.id.is_empty() { Err(Failed::NoTime { asked: minutes }) } else { Ok(Some(minutes)) } }
pub async fn book(lead: &Lead, minutes: u32, title: &str) -> Result<Meeting, Failed> { free(lead, minutes).await?; Ok(Meeting { minutes, title: title.to_owned() }) }
pub fn send(lead: &Lead, text: &str) -> Result<u32, Failed> { if text.is_empty() { Err(Failed::Calendar(lead.id.clone())) } else { Ok(7) } }
";

/// Bodies of average length.
const ASYNC_BODY: &str = "    let wanted = if lead.score > 0.5 { 45 } else { 15 };
    let title = format!(\"{} and {}\", lead.account, lead.id);
    let mut minutes = None;
    for length in [wanted, 30, 15] {
        if let Some(free) = free(lead, length).await? {
            minutes = Some(free.min(length));
            break;
        }
    }
    let minutes = minutes.ok_or(Failed::NoTime { asked: wanted })?;
    let done = book(lead, minutes, &title).await?;
";
const SYNC_BODY: &str = "    let mut text = String::from(\"Hello \");
    text.push_str(lead.account.trim());
    for note in lead.notes.iter().filter(|note| note.len() > 3) {
        text.push_str(&format!(\", {note}\"));
    }
    let words = text.split_whitespace().count();
    if words > 200 {
        return Err(Failed::Calendar(format!(\"{words} words\")));
    }
    let done = send(lead, &text)?;
";

/// Half of the functions are async; all do a little work.
fn functions(bodies: &Bodies, way: Way) -> String {
    let mut text = TYPES.to_owned();
    for number in 0..FUNCTIONS {
        let is_async = number % 2 == 0;
        let (keyword, returns, body) =
            if is_async { ("async ", "Meeting", bodies.asynchronous) } else { ("", "u32", bodies.synchronous) };
        let field = if is_async { "ret.minutes" } else { "*ret" };
        let signature = format!("pub {keyword}fn work_{number}(lead: &Lead) -> Result<{returns}, Failed>");
        let _ = match way {
            Way::Annotated => writeln!(
                text,
                "#[paid::signal(\"work_{number}\", customer = lead.account, data(lead_id = lead.id, amount = {field}))]\n{signature} {{\n{body}    Ok(done)\n}}"
            ),
            Way::ByHand => writeln!(
                text,
                "{signature} {{\n{body}    let ret = &done; paid::emit(paid::Signal::new(\"work_{number}\").customer(lead.account.as_str()).field(\"lead_id\", &lead.id).field(\"amount\", &{field})); Ok(done)\n}}"
            ),
            // What is returned can be a field only if the body records it.
            Way::Instrumented => writeln!(
                text,
                "#[tracing::instrument(name = \"work_{number}\", skip_all, fields(customer = %lead.account, lead_id = %lead.id, amount = tracing::field::Empty), err(Debug))]\n{signature} {{\n{body}    Ok(done)\n}}"
            ),
        };
    }
    text
}

fn structure(number: usize, way: Way) -> String {
    if way == Way::Annotated {
        format!(
            "#[derive(paid::PaidSignal)]\n#[paid(signal = \"done_{number}\")]\npub struct Done{number} {{ #[paid(customer)] pub account: String, #[paid(idempotency_key)] pub key: String, pub lead_id: String, pub minutes: u32 }}\n"
        )
    } else {
        format!(
            "pub struct Done{number} {{ pub account: String, pub key: String, pub lead_id: String, pub minutes: u32 }}\nimpl paid::PaidSignal for Done{number} {{\n    const NAMES: &'static [&'static str] = &[\"done_{number}\"];\n    fn customer(&self) -> Option<paid::types::CustomerAttribution> {{ Some(self.account.as_str().into()) }}\n    fn idempotency_key(&self) -> Option<String> {{ Some(self.key.clone()) }}\n    fn write_data(&self, data: &mut paid::signal::Data) {{ data.field(\"lead_id\", &self.lead_id); data.field(\"minutes\", &self.minutes); }}\n}}\n"
        )
    }
}
