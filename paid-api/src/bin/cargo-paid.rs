//! `cargo paid`: shows and resubmits the undelivered records of a program that bills through Paid. Feature `cli`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use paid::outbox::{DeadLetters, Waiting};
use paid::{Client, Emitter, RecordKind};

/// The arguments as cargo passes them: `cargo paid ...` runs `cargo-paid paid ...`.
#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo")]
enum Cargo {
    Paid(Paid),
}

#[derive(Args)]
#[command(version, about = "Shows and resubmits the undelivered records of a program that bills through Paid")]
struct Paid {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The pending records on disk, and those that Paid permanently refused.
    #[command(subcommand)]
    Outbox(Outbox),
}

#[derive(Subcommand)]
enum Outbox {
    /// Show how many records are pending, and the dead letters: what Paid refused, and why.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Write the dead letters to a file or to standard output, one JSON object a line.
    Export {
        #[command(flatten)]
        place: Place,
        /// The file, which must not exist yet.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Send the dead letters again, with their original idempotency keys, and remove those that Paid accepts. Uses
    /// PAID_API_KEY and, if it is set, PAID_BASE_URL.
    Resubmit {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
struct Place {
    /// The outbox's folder, as given to `Emitter::builder(..).outbox(..)`.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    // If the program is run directly, the argument `paid` is missing.
    let is_called_by_cargo = std::env::args_os().nth(1).is_some_and(|first| first == "paid");
    let own = std::env::args_os().skip(1);
    let Cargo::Paid(Paid { command }) = match is_called_by_cargo {
        true => Cargo::parse(),
        false => Cargo::parse_from(["cargo".into(), "paid".into()].into_iter().chain(own)),
    };
    let Command::Outbox(command) = command;
    let outcome = match command {
        Outbox::List { place } => list(&place.folder),
        Outbox::Export { place, output } => export(&place.folder, output.as_deref()),
        Outbox::Resubmit { place } => resubmit(&place.folder),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The dead letters of an existing folder.
fn read(folder: &Path) -> Result<DeadLetters, Box<dyn std::error::Error>> {
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", folder.display()).into());
    }
    let found = paid::outbox::dead_letters(folder).map_err(|error| format!("cannot read the dead letters: {error}"))?;
    if !found.unreadable.is_empty() {
        eprintln!("note: {} line(s) of dead-letters.jsonl cannot be parsed; they stay there", found.unreadable.len());
    }
    Ok(found)
}

fn list(folder: &Path) -> Outcome {
    let found = read(folder)?;
    match paid::outbox::waiting(folder).map_err(|error| format!("cannot read the outbox: {error}"))? {
        Waiting::Signals(0) => println!("no pending signals"),
        Waiting::Signals(signals) => {
            println!("{signals} pending signal(s); they are sent when the program that uses this outbox starts");
        }
        Waiting::Costs(records) => {
            println!("{records} pending cost record(s); they are sent when the program that uses this outbox starts");
        }
        Waiting::HeldBy(holder) => {
            println!("{holder} has this outbox open and sends the pending records; its stats say how many")
        }
        Waiting::None => println!("there is no outbox in this folder"),
        _ => {}
    }
    if found.letters.is_empty() {
        println!("no dead letters");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["refused at", "what", "key", "why"]);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    for letter in &found.letters {
        let what = if letter.name.is_empty() { letter.kind.to_string() } else { letter.name.clone() };
        table.add_row([letter.at.to_string(), what, letter.key.clone(), letter.reason.clone()]);
    }
    // A cost record that is sent again may count twice: only `CostEmitter` does it.
    let of_costs = found.letters.iter().any(|letter| letter.kind == RecordKind::Cost);
    let again = if of_costs { "CostEmitter::resubmit" } else { "cargo paid outbox resubmit" };
    println!("{table}\n{} dead letter(s); `{again}` sends them again", found.letters.len());
    Ok(())
}

fn export(folder: &Path, output: Option<&Path>) -> Outcome {
    let found = read(folder)?;
    let mut text = Vec::new();
    for letter in &found.letters {
        serde_json::to_writer(&mut text, letter)?;
        text.push(b'\n');
    }
    match output {
        Some(path) => {
            let mut file = std::fs::File::create_new(path)
                .map_err(|error| format!("cannot create {}: {error}", path.display()))?;
            file.write_all(&text)?;
            println!("{} dead letter(s) written to {}", found.letters.len(), path.display());
        }
        None => std::io::stdout().write_all(&text)?,
    }
    Ok(())
}

fn resubmit(folder: &Path) -> Outcome {
    let found = read(folder)?;
    if found.letters.is_empty() {
        println!("no dead letters");
        return Ok(());
    }
    let emitter = Emitter::new(Client::from_env()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    eprintln!(
        "sending {} signal(s); Ctrl-C stops; signals that are not sent yet stay dead letters",
        found.letters.len()
    );
    let outcome = runtime.block_on(std::future::IntoFuture::into_future(emitter.resubmit(folder)))?;
    let _ = runtime.block_on(emitter.shutdown(Duration::from_secs(10)));
    println!("{} accepted by Paid and removed from the dead letters", outcome.delivered);
    if outcome.refused.is_empty() {
        return Ok(());
    }
    for (letter, why) in &outcome.refused {
        eprintln!("{} {}: {why}", letter.name, letter.key);
    }
    Err(format!("{} refused again; they stay in dead-letters.jsonl: correct them there", outcome.refused.len()).into())
}
