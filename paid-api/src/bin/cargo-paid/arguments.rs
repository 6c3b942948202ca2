//! The arguments: what there is to do, and what several commands share.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{doctor, import, init, outbox, products, reconcile, signals, simulate};

/// The arguments as cargo passes them: `cargo paid ...` runs `cargo-paid paid ...`.
#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo")]
pub(crate) enum Cargo {
    Paid(Paid),
}

#[derive(Args)]
#[command(version, about = "Ties a program that bills through Paid to its account: catalogue, prices, deliveries")]
pub(crate) struct Paid {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write signals.toml, a first annotated function and its test into the crate in this folder, which has none.
    Init(init::Init),
    /// The catalogue of signals: taken from the account, and held against the sources.
    #[command(subcommand)]
    Signals(signals::Signals),
    /// The products and prices of the catalogue, against those of the account.
    #[command(subcommand)]
    Products(products::Products),
    Doctor(doctor::Arguments),
    Import(import::Arguments),
    Simulate(simulate::Arguments),
    Reconcile(reconcile::Arguments),
    /// The pending records on disk, and those that Paid permanently refused.
    #[command(subcommand)]
    Outbox(outbox::arguments::Outbox),
    /// Print a script that completes these commands in a shell.
    Completions(Completions),
    /// Write the manual pages.
    Man(Man),
}

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// The folder into which the pages are written.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}
