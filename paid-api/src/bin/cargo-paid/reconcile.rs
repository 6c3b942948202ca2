//! `cargo paid reconcile`: what was emitted against what Paid has.

mod billing;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use paid::Timestamp;
use paid::account::{self, Billed, Counted, Discrepancy, Reconcile, Reconciliation, Resent, Tally};
use paid::outbox::{Entry, entries};
use serde_json::{Value, json};

use crate::options::{Account, CHECK_CODES};
use crate::out;
use crate::outcome::Outcome;

/// How many signals of each kind are shown.
const SHOWN: usize = 20;

/// Compare what was emitted with what Paid has: matched, missing, extra, still pending.
#[derive(Args)]
#[command(after_help = CHECK_CODES)]
pub(crate) struct Arguments {
    /// What was emitted: ledgers (folders, as given to `Emitter::builder(..).ledger(..)`), or exports (files of JSON lines, each a
    /// signal as `POST /signals/bulk` takes it).
    #[arg(value_name = "PATH", required = true)]
    emitted: Vec<PathBuf>,
    #[command(flatten)]
    account: Account,
    /// Compare what Paid acknowledged at this time or later, such as 2026-01-31 or 2026-01-31T23:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Compare what Paid acknowledged before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// How long a signal may take to appear in Paid's list before it counts as missing.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    settled: u64,
    /// Send what is missing again, with the keys that it had. What is uncertain is not sent.
    #[arg(long)]
    resend: bool,
    /// Also show what bills the signals that Paid has, credit transactions and lines of invoices, and say which nothing bills, and
    /// why. It asks for the orders and the invoices of each customer.
    #[arg(long)]
    unpriced: bool,
    /// Print JSON: the numbers, `missing`, `uncertain`, `unacknowledged`, `extra`, `tallies`, `billed` and `resent`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn reconcile(arguments: &Arguments) -> Outcome {
    let client = crate::account::client(&arguments.account)?;
    crate::account::say(&arguments.account, &client);
    let mut reconcile = Reconcile::new(client.clone()).settled(Duration::from_secs(arguments.settled));
    if let Some(from) = arguments.from {
        reconcile = reconcile.from(from);
    }
    if let Some(to) = arguments.to {
        reconcile = reconcile.to(to);
    }
    let mut bar = out::Bar::new("signals of Paid read");
    let mut report = crate::account::wait(reconcile.run(read(arguments)?, |done, of| bar.is_at(done, of)))??;
    report.not_known = gaps(arguments)?;
    bar.done();
    let resent = match arguments.resend && !report.missing.is_empty() {
        true => Some(crate::account::wait(account::resend(&client, read(arguments)?, &report.missing))??),
        false => None,
    };
    let billed = match arguments.unpriced {
        true => crate::account::wait(account::billed(&client, &report))??,
        false => Vec::new(),
    };
    if arguments.json {
        let report = in_json(&report, &billed, resent.as_ref());
        out::line(out::safe_json(&serde_json::to_string_pretty(&report)?))?;
    } else {
        show(&report)?;
        billing::show(&billed)?;
        if let Some(resent) = &resent {
            told(resent)?;
        }
    }
    let is_mended = resent.is_some_and(|resent| {
        // "Duplicate" of a signal that Paid does not list mends nothing.
        resent.ingested == report.missing.len() as u64
    });
    if report.is_clean() || is_mended && report.uncertain.is_empty() && report.not_known == 0 {
        return match billed.iter().map(Billed::unpriced).sum() {
            0 => Ok(()),
            signals => Err(format!("{} counted and not priced", out::counted(signals, "signal")).into()),
        };
    }
    let mut problem = format!(
        "{} missing, {} uncertain",
        out::counted(report.missing.len() as u64, "signal"),
        out::counted(report.uncertain.len() as u64, "signal")
    );
    if report.not_known > 0 {
        problem.push_str(&format!(", {} not in the ledger", out::counted(report.not_known, "signal")));
    }
    if !arguments.resend && !report.missing.is_empty() {
        problem.push_str("; `--resend` sends what is missing again");
    }
    Err(problem.into())
}

/// All that was emitted, path after path.
fn read(arguments: &Arguments) -> io::Result<impl Iterator<Item = io::Result<Entry>>> {
    let named = |path: &PathBuf| {
        entries(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    };
    let all = arguments.emitted.iter().map(named).collect::<io::Result<Vec<_>>>()?;
    Ok(all.into_iter().flatten())
}

/// Says what a ledger does not hold: what is not in it cannot be compared.
fn gaps(arguments: &Arguments) -> io::Result<u64> {
    let mut not_known = 0;
    for path in &arguments.emitted {
        let mut all = entries(path)?;
        all.by_ref().for_each(drop);
        if all.begins_late() {
            let shown = path.display();
            out::note(&format!(
                "{shown} has reached its size: the first files are gone, and their signals are `extra` here"
            ));
        }
        if all.missing() > 0 {
            let missing = out::counted(all.missing(), "signal");
            out::note(&format!("{}: {missing} could not be written down", path.display()));
        }
        if all.unreadable() > 0 {
            out::note(&format!("{}: {} cannot be read", path.display(), out::counted(all.unreadable(), "line")));
        }
        not_known += all.missing() + all.unreadable();
    }
    Ok(not_known)
}

fn show(report: &Reconciliation) -> io::Result<()> {
    let row = |(Counted { customer, product, name, .. }, tally): (&Counted, &Tally)| {
        let Tally { emitted, matched, missing, uncertain, unacknowledged, pending, extra, .. } = *tally;
        let numbers =
            [emitted, matched, missing, uncertain, pending, unacknowledged, extra].map(|number| match number {
                0 => String::new(),
                number => number.to_string(),
            });
        let mut row = vec![out::visible(customer), out::visible(product), out::visible(name)];
        row.extend(numbers);
        <[String; 10]>::try_from(row).unwrap_or_default()
    };
    let head = [
        "customer",
        "product",
        "event",
        "emitted",
        "matched",
        "missing",
        "uncertain",
        "pending",
        "unacknowledged",
        "extra",
    ];
    if !report.tallies.is_empty() {
        out::line(out::table(report.tallies.iter().map(row), head))?;
    }
    out::line(format_args!("{} emitted, {} found", out::counted(report.emitted, "signal"), report.found))?;
    listed("missing: Paid acknowledged them and does not have them", &report.missing)?;
    listed("uncertain: Paid has fewer like them than were emitted, or one under another customer", &report.uncertain)?;
    listed(
        "without an answer, and not in Paid's list: in an outbox still, reported as lost, or the answer could not be written down",
        &report.unacknowledged,
    )?;
    if report.pending > 0 {
        out::line(format_args!("{} may still appear", out::counted(report.pending, "signal")))?;
    }
    if !report.extra.is_empty() {
        let extra = out::counted(report.extra.len() as u64, "signal");
        out::line(format_args!("{extra} of Paid's were not emitted here"))?;
    }
    Ok(())
}

fn listed(title: &str, signals: &[Discrepancy]) -> io::Result<()> {
    if signals.is_empty() {
        return Ok(());
    }
    out::line(format_args!("{title}:"))?;
    for Discrepancy { at, name, customer, was_suspect, .. } in signals.iter().take(SHOWN) {
        let at = at.map_or_else(|| "at an unknown time".to_owned(), |at| at.to_string());
        let mark = if *was_suspect { "; Paid called a signal of its request a duplicate" } else { "" };
        out::line(format_args!("  {} of {}, {at}{mark}", out::visible(name), out::visible(customer)))?;
    }
    if signals.len() > SHOWN {
        out::line(format_args!("  and {} more; `--json` shows all", signals.len() - SHOWN))?;
    }
    Ok(())
}

fn told(resent: &Resent) -> io::Result<()> {
    let Resent { ingested, duplicates, failed, not_found, without_key, .. } = resent;
    out::line(format_args!("sent again: {ingested} ingested, {duplicates} duplicates, {failed} failed"))?;
    if *duplicates > 0 {
        let text =
            "Paid says that it has the keys of these duplicates, and does not list the signals: ask Paid's support";
        out::line(text)?;
    }
    if *not_found > 0 {
        out::line(format_args!("not sent again, because they are not in the entries any more: {not_found}"))?;
    }
    if *without_key > 0 {
        out::line(format_args!(
            "not sent again, because nothing would keep Paid from billing twice: {without_key} without a key"
        ))?;
    }
    Ok(())
}

fn in_json(report: &Reconciliation, billed: &[Billed], resent: Option<&Resent>) -> Value {
    let signal = |one: &Discrepancy| json!({ "at": one.at, "name": one.name, "customer": one.customer, "position": one.position, "was_suspect": one.was_suspect });
    let signals = |all: &[Discrepancy]| all.iter().map(signal).collect::<Vec<_>>();
    let tally = |(Counted { customer, product, name, .. }, tally): (&Counted, &Tally)| {
        json!({ "customer": customer, "product": product, "name": name, "emitted": tally.emitted, "matched": tally.matched,
            "missing": tally.missing, "uncertain": tally.uncertain, "pending": tally.pending,
            "unacknowledged": tally.unacknowledged, "extra": tally.extra })
    };
    json!({
        "emitted": report.emitted,
        "found": report.found,
        "pending": report.pending,
        "not_known": report.not_known,
        "missing": signals(&report.missing),
        "uncertain": signals(&report.uncertain),
        "unacknowledged": signals(&report.unacknowledged),
        "extra": report.extra,
        "tallies": report.tallies.iter().map(tally).collect::<Vec<_>>(),
        "billed": billed.iter().map(billing::in_json).collect::<Vec<_>>(),
        "resent": resent.map(|resent| json!({ "ingested": resent.ingested, "duplicates": resent.duplicates,
            "failed": resent.failed, "not_found": resent.not_found, "without_key": resent.without_key })),
    })
}
