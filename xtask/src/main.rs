//! The repository's own commands; `cargo xtask help` lists them.

mod codegen;
mod document;
mod downlevel;
mod facts;
mod generate;
mod import;
mod names;
mod overlay;
mod project;
mod reshape;
mod simplify;
mod spec;
mod sync;

use std::path::PathBuf;
use std::process::ExitCode;

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
    },
}

#[derive(Subcommand)]
enum Spec {
    /// Take in a published OpenAPI document (3.0 or 3.1, JSON or YAML).
    Import {
        /// The published document.
        path: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Spec(Spec::Import { path }) => spec::import(&path),
        Command::Codegen { check, spec, out } => codegen::run(&codegen::Options { check, spec, out }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
