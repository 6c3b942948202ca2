//! `cargo paid signals`: the catalogue.

mod check;
mod diff;
mod findings;
mod infer;
mod list;
mod pull;
mod workspace;

use clap::Subcommand;

use crate::outcome::Outcome;

#[derive(Subcommand)]
pub(crate) enum Signals {
    /// Take the account's products, prices and the signals that they bill into the catalogue. Comments, order and what a person
    /// wrote stay.
    Pull(pull::Pull),
    /// Hold the catalogue against what the sources send, both ways; with --online, against the account's prices and orders, too.
    Check(check::Check),
    /// Show every signal with its type, product, price and the places that send it.
    List(list::List),
    /// Show what changed in the catalogue since a git revision, and whether it breaks programs.
    Diff(diff::Diff),
    /// Propose fields and types from the signals that Paid has seen; you accept.
    Infer(infer::Infer),
}

pub(crate) fn run(command: &Signals) -> Outcome {
    match command {
        Signals::Pull(pull) => pull::pull(pull),
        Signals::Check(check) => check::check(check),
        Signals::List(list) => list::list(list),
        Signals::Diff(diff) => diff::diff(diff),
        Signals::Infer(infer) => infer::infer(infer),
    }
}
