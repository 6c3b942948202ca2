//! `cargo paid import`: signals of a file, once each.

use std::path::PathBuf;

use clap::Args;
use paid::account::{self, FileSignal, simulation};

use crate::options::{Account, EXIT_CODES};
use crate::outcome::Outcome;
use crate::{out, simulate};

/// How many problems of a file are shown.
const SHOWN: usize = 20;

/// Send the signals of a file, once each, however often it is tried.
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// JSON lines, each a signal as `POST /signals/bulk` takes it, a ledger's line or a request that the emulator recorded; or CSV with
    /// the columns event_name, customer, product, timestamp, and if you want idempotency_key, unit, quantity, data.NAME and
    /// data.NAME:number. A signal without a key gets one that is made of what it says.
    file: PathBuf,
    #[command(flatten)]
    account: Account,
    /// Send nothing; show what it would cost each customer by the account's prices.
    #[arg(long)]
    dry_run: bool,
    /// The currency of the dry run, if the prices have several.
    #[arg(long, value_name = "CODE", requires = "dry_run")]
    currency: Option<String>,
    /// Send the good signals of a file that has bad ones.
    #[arg(long)]
    skip_bad: bool,
    /// Print JSON: `before`, `ingested`, `duplicates` and `failed`.
    #[arg(long, conflicts_with = "dry_run")]
    json: bool,
}

pub(crate) fn import(arguments: &Arguments) -> Outcome {
    let signals = read(&arguments.file, arguments.skip_bad)?;
    let client = crate::account::client(&arguments.account)?;
    crate::account::say(&arguments.account, &client);
    if arguments.dry_run {
        let account = crate::account::wait(account::read(&client))??;
        let catalog = simulate::of_account(&account)?;
        let currency = simulate::currency(arguments.currency.as_deref(), &[&catalog])?;
        let bill = simulation::bill(&catalog, &signals, &currency)?;
        out::line(simulate::table(&[&bill], &currency))?;
        out::line(format_args!("{} would be sent; nothing was", out::counted(signals.len() as u64, "signal")))?;
        return Ok(());
    }
    let mut bar = out::Bar::new("signals sent");
    let sending = account::import(&client, &arguments.file, &signals, |done, of| bar.is_at(done, of));
    let imported =
        crate::account::wait(sending)?.map_err(|error| format!("{error}\nrun it again: it goes on where it was"))?;
    bar.done();
    if arguments.json {
        let sent = imported.sent;
        let report = serde_json::json!({ "before": imported.before, "ingested": sent.ingested,
            "duplicates": sent.duplicates, "failed": sent.failed });
        out::line(serde_json::to_string_pretty(&report)?)?;
    } else if imported.before > 0 {
        out::line(format_args!("{} had been sent by an earlier run", out::counted(imported.before, "signal")))?;
    }
    let sent = imported.sent;
    if !arguments.json {
        out::line(format_args!("{} ingested, {} duplicates, {} failed", sent.ingested, sent.duplicates, sent.failed))?;
    }
    match sent.failed {
        0 => Ok(()),
        failed => Err(format!(
            "Paid refused {}: `cargo paid doctor --signal NAME --customer ID` says why",
            out::counted(failed, "signal")
        )
        .into()),
    }
}

/// The signals of a file. One that has a problem stops everything, unless it may be skipped.
pub(crate) fn read(path: &std::path::Path, skip_bad: bool) -> Result<Vec<FileSignal>, Box<dyn std::error::Error>> {
    let read = account::read_file(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    for (line, problem) in read.problems.iter().take(SHOWN) {
        out::note(&format!("{}:{line}: {problem}", path.display()));
    }
    let more = read.problems.len().saturating_sub(SHOWN);
    if more > 0 {
        out::note(&format!("and {more} more"));
    }
    if !read.problems.is_empty() && !skip_bad {
        let number = out::counted(read.problems.len() as u64, "line");
        return Err(format!("{number} cannot be sent, so nothing was; `--skip-bad` sends the others").into());
    }
    Ok(read.signals)
}
