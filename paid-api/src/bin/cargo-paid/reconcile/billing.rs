//! What bills the signals that Paid has, shown.

use std::collections::BTreeSet;
use std::io;

use paid::account::{Billed, InvoiceLine};
use serde_json::{Value, json};

use super::SHOWN;
use crate::out;

pub(super) fn show(billed: &[Billed]) -> io::Result<()> {
    spent(billed)?;
    invoiced(billed)?;
    let unpriced = billed.iter().filter(|billed| billed.unpriced() > 0);
    let mut is_first = true;
    for billed in unpriced {
        if std::mem::take(&mut is_first) {
            out::line("counted and not priced:")?;
        }
        let (name, customer) = (out::visible(&billed.of.name), out::visible(&billed.of.customer));
        for reason in &billed.reasons {
            let signals = billed.unpriced();
            out::line(format_args!("  {signals} {name} of {customer}: {}; {}", reason.problem, reason.fix))?;
        }
    }
    Ok(())
}

fn spent(billed: &[Billed]) -> io::Result<()> {
    let with_credits: Vec<&Billed> = billed.iter().filter(|billed| billed.spent + billed.waiting > 0).collect();
    if with_credits.is_empty() {
        return Ok(());
    }
    let row = |billed: &&Billed| {
        let credits: Vec<String> =
            billed.credits.iter().map(|(currency, sum)| format!("{sum} {}", out::visible(currency))).collect();
        [
            out::visible(&billed.of.customer),
            out::visible(&billed.of.product),
            out::visible(&billed.of.name),
            billed.signals.to_string(),
            billed.spent.to_string(),
            credits.join(", "),
            billed.waiting.to_string(),
        ]
    };
    let head = ["customer", "product", "event", "signals", "spent credits", "how many", "wait for credits"];
    out::line(out::table(with_credits.iter().map(row), head))
}

fn invoiced(billed: &[Billed]) -> io::Result<()> {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for billed in billed {
        if seen.insert((&billed.of.customer, &billed.of.product)) {
            rows.extend(billed.lines.iter().map(|line| row(billed, line)));
        }
    }
    let more = rows.len().saturating_sub(SHOWN);
    if rows.is_empty() {
        return Ok(());
    }
    let head = ["customer", "product", "line of an invoice", "from", "until", "status", "units", "before tax"];
    out::line(out::table(rows.into_iter().take(SHOWN), head))?;
    if more > 0 {
        out::line(format_args!("and {more} more; `--json` shows all"))?;
    }
    Ok(())
}

fn row(billed: &Billed, line: &InvoiceLine) -> [String; 8] {
    let day = |time: paid::Timestamp| time.format("%Y-%m-%d").to_string();
    [
        out::visible(&billed.of.customer),
        out::visible(&billed.of.product),
        out::visible(&line.description),
        day(line.from),
        day(line.to),
        out::visible(&line.status),
        line.quantity.clone(),
        format!("{} {}", line.total, line.currency),
    ]
}

pub(super) fn in_json(billed: &Billed) -> Value {
    let reason =
        |reason: &paid::account::Reason| json!({ "rule": reason.rule, "problem": reason.problem, "fix": reason.fix });
    let line = |line: &InvoiceLine| {
        json!({ "invoice": line.invoice, "status": line.status, "description": line.description, "from": line.from,
            "to": line.to, "quantity": line.quantity, "total": line.total, "currency": line.currency })
    };
    json!({ "customer": billed.of.customer, "product": billed.of.product, "name": billed.of.name, "signals": billed.signals,
        "spent": billed.spent, "waiting": billed.waiting, "credits": billed.credits, "unpriced": billed.unpriced(),
        "lines": billed.lines.iter().map(line).collect::<Vec<_>>(),
        "reasons": billed.reasons.iter().map(reason).collect::<Vec<_>>() })
}
