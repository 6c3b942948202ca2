//! `signals pull`: the account's products and prices become the catalogue's.

use clap::Args;
use paid::account::{self, Pulled};
use serde_json::json;

use crate::options::{Account, CHECK_CODES, Catalogue};
use crate::outcome::Outcome;
use crate::{catalogue, out};

#[derive(Args)]
#[command(after_help = CHECK_CODES)]
pub(crate) struct Pull {
    #[command(flatten)]
    catalogue: Catalogue,
    #[command(flatten)]
    account: Account,
    /// Write nothing; exit with 1 if the catalogue does not have what the account has. For CI.
    #[arg(long)]
    check: bool,
    /// Print JSON: `catalogue`, `up_to_date`, `added`, `changed`, `only_in_catalogue` and `to_decide`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn pull(pull: &Pull) -> Outcome {
    let path = catalogue::path(&pull.catalogue)?;
    let text = catalogue::text(&path)?;
    let client = crate::account::client(&pull.account)?;
    crate::account::say(&pull.account, &client);
    let wait = out::Waiting::new("reading the account");
    let (account, observed) = crate::account::wait(async {
        let account = account::read(&client).await?;
        Ok::<_, account::AccountError>((account, account::observed(&client).await?))
    })??;
    wait.done();
    let pulled = account::pull(&text, &account, observed.as_ref()).map_err(|error| match error {
        account::AccountError::Catalogue(problems) => named(&path.display().to_string(), &problems),
        other => other.to_string(),
    })?;
    if !pull.check && pulled.text != text {
        catalogue::write(&path, &pulled.text)?;
    }
    let shown = path.display().to_string();
    if pull.json {
        let report = json!({
            "catalogue": shown,
            "up_to_date": pulled.is_up_to_date(),
            "added": pulled.added,
            "changed": pulled.changed,
            "only_in_catalogue": pulled.only_in_catalogue,
            "to_decide": pulled.to_decide,
        });
        out::line(out::safe_json(&serde_json::to_string_pretty(&report)?))?;
    } else {
        report(&shown, &pulled, pull.check)?;
    }
    if pull.check && !pulled.is_up_to_date() {
        return Err(format!("{shown} does not have what the account has: run `cargo paid signals pull`").into());
    }
    Ok(())
}

fn named(path: &str, problems: &str) -> String {
    problems.lines().map(|line| format!("{path}:{line}")).collect::<Vec<_>>().join("\n")
}

fn report(path: &str, pulled: &Pulled, is_check: bool) -> std::io::Result<()> {
    let sections = [
        (if is_check { "would be added" } else { "added" }, &pulled.added),
        (if is_check { "would change" } else { "changed" }, &pulled.changed),
        ("only in the catalogue, and left there", &pulled.only_in_catalogue),
        ("to decide", &pulled.to_decide),
    ];
    for (title, lines) in sections.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        out::line(format_args!("{title}:"))?;
        for line in lines {
            out::line(format_args!("  {}", out::visible(line)))?;
        }
    }
    if pulled.is_up_to_date() {
        out::line(format_args!("{path} has what the account has"))?;
    } else if !is_check {
        out::line(format_args!("wrote {path}"))?;
    }
    Ok(())
}
