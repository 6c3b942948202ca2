//! `signals check`: the catalogue against the sources and, with `--online`, against the account.

use clap::Args;
use paid::account::{self, Checked, Finding};
use paid_catalog::Level;

use super::findings::{Format, Report};
use super::workspace;
use crate::options::{Account, Catalogue};
use crate::out;
use crate::outcome::Outcome;

const CODES: &str = "Exit codes:
  0  no finding of level deny (with --deny-warnings: no finding)
  1  findings, or something failed: standard error says what
  2  the arguments are wrong

[lints] of signals.toml sets the level of each rule; `allow = [\"rule\"]` of a signal allows it there. What only tests send is
left out.";

#[derive(Args)]
#[command(after_help = CODES)]
pub(crate) struct Check {
    #[command(flatten)]
    catalogue: Catalogue,
    /// Also check against the account: its prices, and its active orders.
    #[arg(long)]
    online: bool,
    #[command(flatten)]
    account: Account,
    /// Exit with 1 if there are warnings, too.
    #[arg(long)]
    deny_warnings: bool,
    /// How findings are written: for people, as JSON, as SARIF 2.1.0, or as annotations of GitHub Actions.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(crate) fn check(check: &Check) -> Outcome {
    let read = workspace::read(&check.catalogue)?;
    let mut notes = Vec::new();
    let online = if check.online { Some(online(check, &read.checked, &mut notes)?) } else { None };
    let today = chrono::Utc::now().date_naive().to_string();
    let account = online.as_ref().map(|(account, ordered)| (account, ordered));
    let findings = read.checked.findings(&read.sources, &today, account);
    let report = Report {
        findings: &findings,
        notes: &notes,
        files: read.sources.files,
        signals: read.checked.catalog().signals.len(),
        is_online: check.online,
    };
    report.print(check.format)?;
    let fails = |finding: &Finding| finding.level == Level::Deny || check.deny_warnings;
    if findings.iter().any(fails) { Err(String::new().into()) } else { Ok(()) }
}

fn online(
    check: &Check,
    checked: &Checked,
    notes: &mut Vec<String>,
) -> Result<(account::Account, account::Ordered), Box<dyn std::error::Error>> {
    let client = crate::account::client(&check.account)?;
    crate::account::say(&check.account, &client);
    let wait = out::Waiting::new("reading the account");
    let read = crate::account::wait(async {
        let account = account::read(&client).await?;
        let ordered = account::ordered(&client, &checked.products_in(&account)).await?;
        Ok::<_, account::AccountError>((account, ordered))
    })??;
    wait.done();
    notes.extend(read.0.left_out.iter().cloned());
    Ok(read)
}
