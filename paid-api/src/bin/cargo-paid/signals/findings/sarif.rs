//! Findings as a log of SARIF 2.1.0.

use paid::account::{Finding, UNREADABLE_SOURCE};
use paid_catalog::{Level, RULES};
use serde_json::{Value, json};

pub(super) fn log(findings: &[Finding]) -> Value {
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "cargo-paid", "version": env!("CARGO_PKG_VERSION"), "rules": rules() } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rules() -> Vec<Value> {
    let rule = |id: &str, text: &str, level: Level| {
        let level = if level == Level::Allow { "none" } else { super::level(level, "error", "warning") };
        json!({ "id": id, "shortDescription": { "text": text }, "defaultConfiguration": { "level": level } })
    };
    let mut rules: Vec<Value> = RULES.iter().map(|known| rule(known.name, known.finds, known.level)).collect();
    rules.push(rule(UNREADABLE_SOURCE, "A source file that cannot be read as Rust", Level::Deny));
    rules
}

fn result(finding: &Finding) -> Value {
    let place = &finding.place;
    let uri = percent_encoding::utf8_percent_encode(&super::shown_path(finding), URI).to_string();
    json!({
        "ruleId": finding.rule,
        "level": super::level(finding.level, "error", "warning"),
        "message": { "text": format!("{}; {}", finding.message, finding.fix) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.column + place.length,
            },
        } }],
    })
}

/// What a relative reference may not have as it is.
const URI: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
