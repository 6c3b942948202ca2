//! The run time of an annotated call and of an emission, in a release build of a separate crate.

use anyhow::{Context, Result};

use super::row::{Bar, Row};
use super::{compile, expand, measure};
use crate::project;

const SOURCE: &str = r#"use std::hint::black_box;
use std::time::Instant;

use paid::{Emit, DeliveryError, PaidSignal, Signal};

#[paid::signal("counted", customer = name, data(name, length = *ret))]
#[inline(never)]
fn annotated(name: &str) -> usize { name.len() }

#[inline(never)]
fn plain(name: &str) -> usize { name.len() }

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked { #[paid(customer)] account: String, #[paid(idempotency_key)] key: String, lead_id: String, minutes: u32 }

struct Nowhere;
impl Emit for Nowhere {
    fn emit(&self, signal: Signal) -> bool { black_box(signal); true }
    fn fail(&self, failure: DeliveryError) { black_box(failure); }
}

fn per_call(count: u32, mut call: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        for _ in 0..count { call(); }
        best = best.min(begun.elapsed().as_nanos() as f64 / f64::from(count));
    }
    best
}

fn main() {
    annotated("the first loss is reported");
    let name = String::from("acme");
    let idle = per_call(10_000_000, || { black_box(annotated(black_box(&name))); });
    let bare = per_call(10_000_000, || { black_box(plain(black_box(&name))); });
    let booked = MeetingBooked { account: "acme".into(), key: "meeting-4711".into(), lead_id: "lead-42".into(), minutes: 30 };
    paid::install(Nowhere);
    let emitted = per_call(1_000_000, || paid::emit(black_box(&booked)));
    println!("{idle} {bare} {emitted}");
}
"#;

pub(crate) fn rows() -> Result<Vec<Row>> {
    let root = project::root()?;
    let scratch = compile::scratch(&root);
    let folder = scratch.join("emit");
    expand::write(&root, &folder, "emit", "main.rs", SOURCE)?;
    eprintln!("  building");
    let mut command = measure::cargo(&folder, &scratch.join("target"), &["run", "--quiet", "--release"]);
    let output = command.output().context("cannot start cargo")?;
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<f64> = shown.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [idle, bare, emitted] = numbers.as_slice() else {
        anyhow::bail!("the program gave no figures:\n{}", String::from_utf8_lossy(&output.stderr));
    };
    Ok(vec![
        Row::new(
            "annotated call without an emitter, ns more than plain",
            idle - bare,
            Bar::Below(10.0),
            format!("{bare:.1} ns plain"),
        ),
        Row::new("emit of a derived signal up to the emitter, ns", *emitted, Bar::None, "with key and time, no queue"),
    ])
}
