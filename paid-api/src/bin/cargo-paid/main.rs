//! `cargo paid`: ties a program that bills through Paid to its account. Feature `cli`.

mod account;
mod arguments;
mod catalogue;
mod doctor;
mod help;
mod import;
mod init;
mod options;
mod out;
mod outbox;
mod outcome;
mod products;
mod reconcile;
mod signals;
mod simulate;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Cargo, Command, Paid};

fn main() -> ExitCode {
    // If the program is run directly, the argument `paid` is missing.
    let is_called_by_cargo = std::env::args_os().nth(1).is_some_and(|first| first == "paid");
    let own = std::env::args_os().skip(1);
    let Cargo::Paid(Paid { command }) = match is_called_by_cargo {
        true => Cargo::parse(),
        false => Cargo::parse_from(["cargo".into(), "paid".into()].into_iter().chain(own)),
    };
    out::own_the_log();
    let outcome = match &command {
        Command::Init(command) => init::init(command),
        Command::Signals(command) => signals::run(command),
        Command::Products(command) => products::run(command),
        Command::Doctor(arguments) => doctor::doctor(arguments),
        Command::Import(arguments) => import::import(arguments),
        Command::Simulate(arguments) => simulate::simulate(arguments),
        Command::Reconcile(arguments) => reconcile::reconcile(arguments),
        Command::Outbox(command) => outbox::run(command),
        Command::Completions(shell) => help::completions(shell),
        Command::Man(man) => help::man(man),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = error.to_string();
            // A finding has been shown already.
            if !text.is_empty() {
                out::note(&format!("error: {text}"));
            }
            ExitCode::FAILURE
        }
    }
}
