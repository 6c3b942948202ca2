//! `cargo paid init`: a catalogue, a first annotated function and its test, in a crate that has none.

mod package;
mod template;

use std::path::Path;
use std::process::Command;

use clap::Args;
use paid::account;
use paid_catalog::{Catalog, FILE_NAME, Found, VARIABLE};

use crate::options::{Account, EXIT_CODES};
use crate::outcome::Outcome;
use crate::{catalogue, out};
use package::Package;
use template::{First, MODULE};

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Init {
    /// Take products, prices and signals from the account, as `cargo paid signals pull` does.
    #[arg(long)]
    from_account: bool,
    #[command(flatten)]
    account: Account,
    /// Add the dependency `paid-api`, by `cargo add`, if the crate lacks it. Otherwise the command is printed.
    #[arg(long)]
    add: bool,
}

pub(crate) fn init(init: &Init) -> Outcome {
    let package = Package::here()?;
    refuse_to_overwrite(&package)?;
    let catalogue = if init.from_account { pulled(init)? } else { String::new() };
    let (catalogue, first) = template::catalogue(&catalogue, &package.name)?;
    let name = match (&package.library, init.add) {
        (Some(name), _) => name.clone(),
        (None, true) => added(&package)?,
        (None, false) => "paid".to_owned(),
    };
    write(&package, &catalogue, &first, &name)?;
    if package.library.is_none() && !init.add {
        out::line("to do: the crate does not depend on the library yet: cargo add paid-api")?;
    }
    out::line("next: run `cargo test`, call the function from your program, then `cargo paid signals check`")?;
    Ok(())
}

fn refuse_to_overwrite(package: &Package) -> Outcome {
    match paid_catalog::find(&package.folder, std::env::var(VARIABLE).ok().as_deref()) {
        Found::At(path) => return Err(format!("the crate has a catalogue already: {}", path.display()).into()),
        Found::Misnamed(why) => return Err(why.into()),
        Found::OptedOut => return Err(catalogue::OPTED_OUT.into()),
        Found::Nowhere(_) => {}
    }
    let module = package.sources().join(format!("{MODULE}.rs"));
    let folder = package.sources().join(MODULE);
    for path in [&module, &folder] {
        if path.exists() {
            return Err(format!("{} exists already, and is not overwritten", path.display()).into());
        }
    }
    let sources = account::sources_below(&package.folder, None)?;
    if let Some(first) = sources.emissions.first() {
        let (file, line) = (first.place.file.display(), first.place.line);
        let hint = "write its signals.toml with `cargo paid signals pull`, or by hand";
        return Err(format!("the crate sends a signal already, at {file}:{line}; {hint}").into());
    }
    Ok(())
}

fn pulled(init: &Init) -> Result<String, Box<dyn std::error::Error>> {
    let client = crate::account::client(&init.account)?;
    crate::account::say(&init.account, &client);
    let wait = out::Waiting::new("reading the account");
    let (account, observed) = crate::account::wait(async {
        let account = account::read(&client).await?;
        Ok::<_, account::AccountError>((account, account::observed(&client).await?))
    })??;
    wait.done();
    let pulled = account::pull("", &account, observed.as_ref())?;
    for line in &pulled.to_decide {
        out::line(format_args!("to decide: {}", out::visible(line)))?;
    }
    Ok(pulled.text)
}

/// Adds the dependency; nothing has been written before.
fn added(package: &Package) -> Result<String, Box<dyn std::error::Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = package.folder.join("Cargo.toml");
    let status = Command::new(cargo).args(["add", "paid-api", "--manifest-path"]).arg(manifest).status();
    match status.map_err(|error| format!("cannot run cargo: {error}"))?.success() {
        true => Ok("paid".to_owned()),
        false => Err("`cargo add paid-api` failed, so nothing was written".into()),
    }
}

fn write(package: &Package, catalogue: &str, first: &First, library: &str) -> Outcome {
    Catalog::parse(catalogue).map_err(|problems| problems.to_string())?;
    let path = package.folder.join(FILE_NAME);
    catalogue::write(&path, catalogue)?;
    wrote(&path)?;
    let module = package.sources().join(format!("{MODULE}.rs"));
    catalogue::write(&module, &template::module(first, library, package.is_library))?;
    wrote(&module)?;
    let root = std::fs::read_to_string(&package.root)
        .map_err(|error| format!("cannot read {}: {error}", package.root.display()))?;
    let line = if package.is_library { format!("pub mod {MODULE};") } else { format!("mod {MODULE};") };
    let gap = if root.is_empty() || root.ends_with('\n') { "" } else { "\n" };
    catalogue::write(&package.root, &format!("{root}{gap}\n{line}\n"))?;
    Ok(out::line(format_args!("added `{line}` to {}", package.root.display()))?)
}

fn wrote(path: &Path) -> std::io::Result<()> {
    out::line(format_args!("wrote {}", path.display()))
}
