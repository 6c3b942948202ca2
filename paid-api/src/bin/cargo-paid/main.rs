//! `cargo paid`: shows, corrects, discards and resubmits the undelivered records of a program that bills through Paid.
//! Feature `cli`.

mod arguments;
mod discard;
mod edit;
mod json;
mod letters;
mod list;
mod out;
mod resubmit;
mod show;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Cargo, Command, Outbox, Paid};

/// What went wrong, for people; or success.
type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    // If the program is run directly, the argument `paid` is missing.
    let is_called_by_cargo = std::env::args_os().nth(1).is_some_and(|first| first == "paid");
    let own = std::env::args_os().skip(1);
    let Cargo::Paid(Paid { command }) = match is_called_by_cargo {
        true => Cargo::parse(),
        false => Cargo::parse_from(["cargo".into(), "paid".into()].into_iter().chain(own)),
    };
    out::own_the_log();
    let Command::Outbox(command) = command;
    let outcome = match command {
        Outbox::List(list) => list::list(&list),
        Outbox::Show(show) => show::show(&show),
        Outbox::Export(export) => show::export(&export),
        Outbox::Edit(edit) => edit::edit(&edit),
        Outbox::Discard(discard) => discard::discard(&discard),
        Outbox::Resubmit(resubmit) => resubmit::resubmit(&resubmit),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::note(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
