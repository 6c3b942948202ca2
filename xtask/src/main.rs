//! The repository's own commands; `cargo xtask help` lists them.

mod bench;
mod book;
mod codegen;
mod diff;
mod document;
mod downlevel;
mod emulator;
mod facts;
mod floors;
mod generate;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
mod import;
#[cfg(test)]
mod lossless;
#[cfg(test)]
mod mutations;
mod names;
mod normal;
mod null;
mod overlay;
mod project;
mod release;
mod reshape;
mod simplify;
mod spec;
mod sync;
mod tools;
mod torture;
mod update;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The repository's own commands")]
enum Command {
    /// The API's document.
    #[command(subcommand)]
    Spec(Spec),
    /// Generate the client from the document (or compare it with --check).
    Codegen {
        /// Write nothing; print a diff and fail when the generated files are stale.
        #[arg(long)]
        check: bool,
        /// Generate from this document instead of openapi/paid-v2.json.
        #[arg(long, value_name = "PATH")]
        spec: Option<PathBuf>,
        /// Write a stand-alone crate into this folder instead.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Change the document of `--spec` first: an OpenAPI Overlay, whose targets are places in the document as given.
        #[arg(long, value_name = "PATH")]
        overlay: Option<PathBuf>,
        /// Name the types of the document of `--spec`: `rename: {New: [Old]}`, where `Old` is what is chosen without it.
        #[arg(long, value_name = "PATH")]
        names: Option<PathBuf>,
    },
    /// Run a local Paid for any language's client, until it is stopped.
    Emulator {
        /// The port on 127.0.0.1; 0 takes any free one.
        #[arg(long, default_value_t = 4010)]
        port: u16,
        /// Passed on: `--seed FILE`, `--state FILE`, `--record FILE`, `--listen ADDRESS`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        others: Vec<String>,
    },
    /// Hold the sources against the floors in ARCHITECTURE.md, print them, and fail when a rule is broken.
    Floors {
        /// Check the workspace in this folder instead.
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
    },
    /// Measure, print one row a bar, and fail when one is missed.
    Bench {
        /// What to measure.
        name: bench::Bench,
    },
    /// Build the book in `docs/` with mdBook, into `target/book`.
    Book,
    /// Hold the workspace against what a release needs, print a row for each gate, and fail when one fails.
    ReleaseCheck {
        /// Only this gate; may be given several times.
        #[arg(long = "gate", value_name = "GATE")]
        gates: Vec<release::Gate>,
        /// Check the workspace in this folder instead.
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
        /// Write the listings in `api/` instead of comparing them.
        #[arg(long)]
        update: bool,
        /// Also fail if a gate cannot run, as a release asks for.
        #[arg(long)]
        all_must_run: bool,
    },
    /// Run the emitter through random stories on a simulated machine, and hold it to its claims.
    Torture {
        /// `--seeds N`, `--seed S`, `--jobs N`, `--check-determinism`, `--faults`; `--help` lists all.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a program and print what it took.
    #[command(hide = true)]
    Measured {
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        program: Vec<String>,
    },
}

#[derive(Subcommand)]
enum Spec {
    /// Take in a published OpenAPI document (3.0 or 3.1, JSON or YAML).
    Import {
        /// The published document.
        path: PathBuf,
    },
    /// Take a published document in, with all that follows: sources, changelog, names to review. If a step fails, no file
    /// has changed. Prints the page for the pull request.
    Update {
        /// A path, or a URL (https, or this machine's http).
        source: String,
        /// Give the crates the version that follows.
        #[arg(long)]
        bump: bool,
    },
    /// Say what changed between two documents. Exits with 0 for nothing, 1 for additive, 2 for breaking changes, 3 if
    /// it fails.
    Diff {
        /// The document before (3.0 or 3.1, JSON or YAML).
        old: PathBuf,
        /// The document after.
        new: PathBuf,
        /// How the changes are written.
        #[arg(long, value_enum, default_value = "text")]
        format: diff::Format,
        /// Exit with 0 if all changes are below this level. `documentation` exits with 1 for these, too.
        #[arg(long, value_enum, default_value = "additive", value_name = "LEVEL")]
        fail_on: spec::FailOn,
    },
}

/// A diff exits with its level, so a failure needs a code of its own.
const FAILED: u8 = 3;

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
        }
    };
    let failed =
        if matches!(command, Command::Spec(Spec::Diff { .. })) { ExitCode::from(FAILED) } else { ExitCode::FAILURE };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            failed
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Spec(Spec::Diff { old, new, format, fail_on }) => return spec::diff(&old, &new, format, fail_on),
        Command::Spec(Spec::Import { path }) => spec::import(&path),
        Command::Spec(Spec::Update { source, bump }) => update::run(&update::Options { source, bump }),
        Command::Emulator { port, others } => emulator::run(port, &others),
        Command::Book => book::run(),
        Command::Bench { name } => bench::run(name),
        Command::Floors { root } => project::root().and_then(|here| floors::run(&root.unwrap_or(here))),
        Command::ReleaseCheck { gates, root, update, all_must_run } => project::root().and_then(|here| {
            let root = root.unwrap_or(here);
            release::run(&release::Options { gates, root, update, all_must_run })
        }),
        Command::Torture { arguments } => torture::run(&arguments),
        Command::Measured { program } => bench::measure::run(&program),
        Command::Codegen { check, spec, out, overlay, names } => {
            codegen::run(&codegen::Options { check, spec, out, overlay, names })
        }
    }?;
    Ok(ExitCode::SUCCESS)
}
