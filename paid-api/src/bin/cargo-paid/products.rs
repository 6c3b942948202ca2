//! `cargo paid products`: the catalogue's prices against the account's.

use clap::{Args, Subcommand};
use paid::account::{self, Difference, Differences};
use serde_json::{Value, json};

use crate::options::{Account, CHECK_CODES, Catalogue, EXIT_CODES};
use crate::outcome::Outcome;
use crate::{catalogue, out};

#[derive(Subcommand)]
pub(crate) enum Products {
    /// Show where the account is not what the catalogue says.
    Diff(Diff),
    /// Make the account what the catalogue says: creates products and prices and changes them. Nothing is deleted.
    Push(Push),
}

#[derive(Args)]
#[command(after_help = CHECK_CODES)]
pub(crate) struct Diff {
    #[command(flatten)]
    catalogue: Catalogue,
    #[command(flatten)]
    account: Account,
    /// Print JSON: `changes` (`product`, `price`, `setting`, `account`, `catalogue`), `only_in_account` and `not_compared`.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Push {
    #[command(flatten)]
    catalogue: Catalogue,
    #[command(flatten)]
    account: Account,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Print JSON: `done` and `left`, each as `diff` prints it. Does not ask.
    #[arg(long, requires = "yes")]
    json: bool,
}

pub(crate) fn run(command: &Products) -> Outcome {
    match command {
        Products::Diff(diff) => show(diff),
        Products::Push(push) => make_so(push),
    }
}

fn show(diff: &Diff) -> Outcome {
    let catalog = catalogue::read(&catalogue::path(&diff.catalogue)?)?;
    let client = crate::account::client(&diff.account)?;
    let wait = out::Waiting::new("reading the account");
    let account = crate::account::wait(account::read(&client))??;
    wait.done();
    let differences = account::compare(&catalog, &account);
    if diff.json {
        out::line(out::safe_json(&serde_json::to_string_pretty(&in_json(&differences))?))?;
    } else {
        report(&differences)?;
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "the account differs in {}: `cargo paid products push` makes it what the catalogue says, `cargo paid signals pull` the other way round",
            out::counted(differences.changes.len() as u64, "place")
        )
        .into()),
    }
}

fn make_so(push: &Push) -> Outcome {
    let catalog = catalogue::read(&catalogue::path(&push.catalogue)?)?;
    let client = crate::account::client(&push.account)?;
    crate::account::say(&push.account, &client);
    if !push.yes {
        let wait = out::Waiting::new("reading the account");
        let account = crate::account::wait(account::read(&client))??;
        wait.done();
        let differences = account::compare(&catalog, &account);
        report(&differences)?;
        if differences.is_empty() {
            return Ok(());
        }
        if !out::confirmed(&format!("Change the account at {}?", client.base_url()))? {
            return Err("nothing was changed; `--yes` does not ask".into());
        }
    }
    let wait = out::Waiting::new("changing the account");
    let pushed = crate::account::wait(account::push(&client, &catalog))??;
    wait.done();
    if push.json {
        let report = json!({ "done": in_json(&pushed.done), "left": in_json(&pushed.left) });
        out::line(out::safe_json(&serde_json::to_string_pretty(&report)?))?;
    } else if pushed.done.is_empty() {
        out::line("the account is what the catalogue says: nothing was changed")?;
    } else if push.yes {
        report(&pushed.done)?;
    }
    if !pushed.left.is_empty() {
        out::note("after the push, the account still differs:");
        out::note(&table(&pushed.left).to_string());
        return Err("Paid took the requests and kept something else".into());
    }
    if !pushed.done.is_empty() && !push.json {
        out::line(format_args!("changed {}", out::counted(pushed.done.changes.len() as u64, "place")))?;
    }
    Ok(())
}

fn report(differences: &Differences) -> std::io::Result<()> {
    if differences.is_empty() {
        out::line("the account is what the catalogue says")?;
    } else {
        out::line(table(differences))?;
    }
    for line in &differences.only_in_account {
        out::line(format_args!("only in the account: {}", out::visible(line)))?;
    }
    for line in &differences.not_compared {
        out::line(format_args!("not compared: {}", out::visible(line)))?;
    }
    Ok(())
}

fn table(differences: &Differences) -> comfy_table::Table {
    let row = |change: &Difference| {
        let text = |text: &Option<String>, else_: &str| out::visible(text.as_deref().unwrap_or(else_));
        [
            out::visible(&change.product),
            text(&change.price, ""),
            text(&change.setting, "(new)"),
            text(&change.account, "(nothing)"),
            out::visible(&change.catalogue),
        ]
    };
    out::table(differences.changes.iter().map(row), ["product", "price", "what", "account", "catalogue"])
}

fn in_json(differences: &Differences) -> Value {
    let change = |change: &Difference| {
        json!({
            "product": change.product, "price": change.price, "setting": change.setting, "account": change.account,
            "catalogue": change.catalogue,
        })
    };
    json!({
        "changes": differences.changes.iter().map(change).collect::<Vec<_>>(),
        "only_in_account": differences.only_in_account,
        "not_compared": differences.not_compared,
    })
}
