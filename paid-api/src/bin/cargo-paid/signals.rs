//! `cargo paid signals`: the catalogue.

mod pull;

use clap::Subcommand;

use crate::outcome::Outcome;

#[derive(Subcommand)]
pub(crate) enum Signals {
    /// Take the account's products, prices and the signals that they bill into the catalogue. Comments, order and what a person
    /// wrote stay.
    Pull(pull::Pull),
}

pub(crate) fn run(command: &Signals) -> Outcome {
    match command {
        Signals::Pull(pull) => pull::pull(pull),
    }
}
