//! `cargo paid doctor`: what keeps signals from being billed.

mod surroundings;

use std::path::PathBuf;

use clap::Args;
use paid::Timestamp;
use paid::account::{self, Question, Reason};
use paid_catalog::{Catalog, nearest_of};
use serde_json::json;

use crate::options::{Account, CHECK_CODES, Catalogue};
use crate::outcome::Outcome;
use crate::{catalogue, out};

/// Find what keeps signals from being billed: key, connection, clock, catalogue, outbox; and why one signal would not be.
#[derive(Args)]
#[command(after_help = CHECK_CODES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) account: Account,
    #[command(flatten)]
    pub(crate) catalogue: Catalogue,
    /// The folder of an outbox to look at.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) outbox: Vec<PathBuf>,
    /// Say why a signal of this event name would not be billed.
    #[arg(long, value_name = "NAME", requires = "customer")]
    signal: Option<String>,
    /// The customer of the signal: your own id, or Paid's.
    #[arg(long, value_name = "ID", requires = "signal")]
    customer: Option<String>,
    /// The product of the signal: your own id, or Paid's. By default the one that the catalogue names.
    #[arg(long, value_name = "ID", requires = "signal")]
    product: Option<String>,
    /// When the signal happened; now by default.
    #[arg(long, value_name = "TIME", requires = "signal")]
    at: Option<Timestamp>,
    /// Print JSON: a list of `rule`, `ok`, `problem` and `fix`.
    #[arg(long)]
    json: bool,
}

/// What was looked at, and what is wrong with it.
pub(crate) struct Finding {
    /// Its name.
    pub(crate) rule: &'static str,
    /// What is so.
    pub(crate) text: String,
    /// What to do about it; `None` if nothing is wrong.
    pub(crate) fix: Option<String>,
}

impl Finding {
    pub(crate) fn good(rule: &'static str, text: impl Into<String>) -> Self {
        Self { rule, text: text.into(), fix: None }
    }

    pub(crate) fn bad(rule: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { rule, text: text.into(), fix: Some(fix.into()) }
    }
}

impl From<Reason> for Finding {
    fn from(reason: Reason) -> Self {
        Self::bad(reason.rule, reason.problem, reason.fix)
    }
}

pub(crate) fn doctor(arguments: &Arguments) -> Outcome {
    let mut findings = surroundings::look(arguments)?;
    if let (Some(name), Some(customer)) = (&arguments.signal, &arguments.customer) {
        let client = crate::account::client(&arguments.account)?;
        let known = catalogue::path(&arguments.catalogue).and_then(|path| catalogue::read(&path)).ok();
        findings.extend(known.as_ref().and_then(|catalog| unknown(catalog, name)));
        let of_catalogue = known.as_ref().and_then(|catalog| catalog.signal(name)?.product.clone());
        let product = arguments.product.clone().or(of_catalogue);
        let mut question = Question::new(name, customer, product);
        if let Some(at) = arguments.at {
            question = question.at(at);
        }
        let reasons = crate::account::wait(account::why_unbilled(&client, &question))??;
        if reasons.is_empty() {
            findings.push(Finding::good("signal", format!("a signal {name} of {customer} is billed")));
        }
        findings.extend(reasons.into_iter().map(Finding::from));
    }
    if arguments.json {
        let shown = |finding: &Finding| json!({ "rule": finding.rule, "ok": finding.fix.is_none(), "problem": finding.text, "fix": finding.fix });
        let shown: Vec<_> = findings.iter().map(shown).collect();
        out::line(out::safe_json(&serde_json::to_string_pretty(&shown)?))?;
    } else {
        for Finding { rule, text, fix } in &findings {
            let mark = if fix.is_some() { "problem" } else { "ok" };
            out::line(format_args!("{mark:8}{}: {}", rule, out::visible(text)))?;
            if let Some(fix) = fix {
                out::line(format_args!("        {}", out::visible(fix)))?;
            }
        }
    }
    let bad = findings.iter().filter(|finding| finding.fix.is_some()).count();
    if bad == 0 { Ok(()) } else { Err(format!("{} found", out::counted(bad as u64, "problem")).into()) }
}

fn unknown(catalog: &Catalog, name: &str) -> Option<Finding> {
    if catalog.signal(name).is_some() {
        return None;
    }
    let fix = match nearest_of(name, catalog.signals.keys().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("add it: [signals.{name}]"),
    };
    Some(Finding::bad("unknown_signal", format!("the catalogue has no signal {name}"), fix))
}
