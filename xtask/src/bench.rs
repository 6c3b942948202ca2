//! `cargo xtask bench NAME`: a row for each measurement, ratios measured in one run, exit code 1 if a row misses its
//! bar.

mod account;
mod compile;
mod delivery;
mod emit;
mod emulator;
mod expand;
mod foreign;
pub(crate) mod measure;
mod row;
mod stock;
mod stores;
mod trace;
mod update;

use anyhow::{Result, bail};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use row::Row;

/// The benchmarks.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Bench {
    /// What `cargo paid` needs to compare a million signals with the account, and to check many sources.
    Account,
    /// Compile time and memory of the client, compared with progenitor's default output for the same document.
    Compile,
    /// Clients of other companies' documents: generating them, and checking them beside those of other generators.
    Foreign,
    /// Compile time of annotated functions and derived structs, compared with the same code written by hand.
    Expand,
    /// Run time of an annotated call without an installed emitter, and of an emission.
    Emit,
    /// The emitter's throughput, durability and cost, compared with raw reqwest and Paid's own clients.
    Delivery,
    /// The signals that the emulator takes in, and the memory that it needs for them.
    Emulator,
    /// Embedded stores under the outbox's workload.
    Stores,
    /// The run time that tracing and a signal add to a function, compared with plain `tracing` and `opentelemetry_sdk`.
    Trace,
    /// The time that taking in a new document needs.
    Update,
}

/// Runs a benchmark and prints its table; fails if a row misses its bar.
pub(crate) fn run(bench: Bench) -> Result<()> {
    let rows = match bench {
        Bench::Compile => compile::rows()?,
        Bench::Foreign => foreign::rows()?,
        Bench::Expand => expand::rows()?,
        Bench::Account => account::rows()?,
        Bench::Emit => emit::rows()?,
        Bench::Delivery => delivery::rows()?,
        Bench::Emulator => emulator::rows()?,
        Bench::Stores => stores::rows()?,
        Bench::Trace => trace::rows()?,
        Bench::Update => update::rows()?,
    };
    println!("{}", table(&rows));
    let failed = rows.iter().filter(|row| row.verdict() == "FAIL").count();
    let skipped = rows.iter().filter(|row| row.measured.is_none()).count();
    if skipped > 0 {
        println!("{skipped} bar(s) could not be measured here; their rows say why");
    }
    if failed > 0 {
        bail!("{failed} bar(s) failed");
    }
    Ok(())
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["what", "measured", "bar", "", "note"]);
    for row in rows {
        let measured = row.measured.map_or_else(|| "-".to_owned(), short);
        table.add_row([row.name.clone(), measured, row.bar.shown(), row.verdict().to_owned(), row.note.clone()]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn short(number: f64) -> String {
    if number.fract() == 0.0 || number.abs() >= 100.0 { format!("{number:.0}") } else { format!("{number:.3}") }
}

#[cfg(test)]
mod tests {
    use super::row::Bar;
    use super::*;

    #[test]
    fn a_bar_is_met_missed_or_not_measured() {
        assert_eq!(Row::new("a", 0.3, Bar::AtMost(0.3), "").verdict(), "pass");
        assert_eq!(Row::new("a", 0.31, Bar::AtMost(0.3), "").verdict(), "FAIL");
        assert_eq!(Row::new("a", 3.0, Bar::Below(3.0), "").verdict(), "FAIL");
        assert_eq!(Row::not_run("a", Bar::Exactly(1.0), "why").verdict(), "not run");
        assert_eq!(Row::new("a", 9.0, Bar::None, "").verdict(), "");
    }
}
