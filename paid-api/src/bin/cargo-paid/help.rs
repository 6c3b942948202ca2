//! What helps to type these commands: completions and manual pages.

use clap::CommandFactory;

use crate::arguments::{Cargo, Completions, Man};
use crate::out;
use crate::outcome::Outcome;

pub(crate) fn completions(wanted: &Completions) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(wanted.shell, &mut paid(), "cargo-paid", &mut text);
    Ok(out::bytes(&text)?)
}

/// The program as it is called alone.
fn paid() -> clap::Command {
    let cargo = Cargo::command();
    let paid = cargo.get_subcommands().next().cloned();
    paid.unwrap_or(cargo).name("cargo-paid").bin_name("cargo-paid")
}

pub(crate) fn man(man: &Man) -> Outcome {
    std::fs::create_dir_all(&man.folder)?;
    clap_mangen::generate_to(paid(), &man.folder)?;
    out::line(format_args!("wrote the manual pages to {}", man.folder.display()))?;
    Ok(())
}
