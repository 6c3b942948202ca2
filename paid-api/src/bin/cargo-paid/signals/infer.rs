//! `signals infer`: fields and types from what Paid has seen; a person accepts.

use std::io::IsTerminal;

use clap::Args;
use paid::account::{self, Inferred, Proposal};
use paid_catalog::Catalog;
use serde_json::{Value, json};
use similar::TextDiff;

use super::workspace::named;
use crate::options::{Account, Catalogue, EXIT_CODES};
use crate::outcome::Outcome;
use crate::{catalogue, out};

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Infer {
    #[command(flatten)]
    catalogue: Catalogue,
    #[command(flatten)]
    account: Account,
    /// Accept all. Otherwise a terminal is asked for each, and without a terminal nothing is written.
    #[arg(long, short)]
    yes: bool,
    /// Print JSON: `proposals` (`signal`, `field`, `types`, `new`), `to_decide` and `written`, whether the file was changed.
    /// Asks nothing: only --yes accepts.
    #[arg(long)]
    json: bool,
}

pub(crate) fn infer(infer: &Infer) -> Outcome {
    let path = catalogue::path(&infer.catalogue)?;
    let text = catalogue::text(&path)?;
    let catalog = Catalog::parse(&text).map_err(|problems| named(&path, &problems.to_string()))?;
    let client = crate::account::client(&infer.account)?;
    crate::account::say(&infer.account, &client);
    let wait = out::Waiting::new("reading what Paid has seen");
    let observed = crate::account::wait(account::observed(&client))??;
    wait.done();
    let observed = observed.ok_or("this account does not tell which signals it has seen")?;
    let inferred = account::infer(&catalog, &observed);
    let accepted = if infer.yes { inferred.proposals.clone() } else { asked(&text, &inferred, infer.json)? };
    let written = account::accept(&text, &accepted)?;
    let is_changed = written != text;
    if is_changed {
        catalogue::write(&path, &written)?;
    }
    if infer.json {
        return Ok(out::line(out::safe_json(&format!("{:#}", json(&inferred, is_changed))))?);
    }
    if infer.yes {
        show(&text, &written)?;
    }
    for line in &inferred.to_decide {
        out::line(format_args!("to decide: {}", out::visible(line)))?;
    }
    let shown = path.display();
    let end = match (is_changed, inferred.proposals.is_empty()) {
        (true, _) => format!("wrote {shown}"),
        (false, true) => format!("{shown} has every field and type that Paid has seen"),
        (false, false) => "wrote nothing: --yes accepts all".to_owned(),
    };
    Ok(out::line(end)?)
}

/// Shows each proposal as a change of the file, and asks for it. Where nobody can be asked, all are shown and none is accepted.
fn asked(text: &str, inferred: &Inferred, is_quiet: bool) -> Result<Vec<Proposal>, Box<dyn std::error::Error>> {
    let mut accepted = Vec::new();
    if is_quiet {
        return Ok(accepted);
    }
    if !std::io::stdin().is_terminal() {
        show(text, &account::accept(text, &inferred.proposals)?)?;
        return Ok(accepted);
    }
    for proposal in &inferred.proposals {
        show(text, &account::accept(text, std::slice::from_ref(proposal))?)?;
        if out::confirmed(&out::visible(&format!("{proposal}?")))? {
            accepted.push(proposal.clone());
        }
    }
    Ok(accepted)
}

fn show(old: &str, new: &str) -> std::io::Result<()> {
    let diff = TextDiff::from_lines(old, new).unified_diff().context_radius(2).to_string();
    diff.lines().try_for_each(|line| out::line(out::visible(line)))
}

fn json(inferred: &Inferred, is_written: bool) -> Value {
    let proposal = |proposal: &Proposal| {
        let types: Vec<&str> = proposal.types.iter().map(|kind| kind.as_str()).collect();
        json!({ "signal": proposal.signal, "field": proposal.field, "types": types, "new": proposal.is_new })
    };
    let proposals: Vec<Value> = inferred.proposals.iter().map(proposal).collect();
    json!({ "proposals": proposals, "to_decide": inferred.to_decide, "written": is_written })
}
