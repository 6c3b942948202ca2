//! What the rules find.

use super::*;

const CATALOGUE: &str = r#"[lints]
outcome_without_key = "deny"
dynamic_name = "warn"

[signals.email_sent]
type = "activity"
product = "sdr"
allow = ["unbilled_signal", "unused_signal"]

[signals.meeting_booked]
type = "outcome"
product = "sdr"

[signals.meetings_booked]
type = "outcome"

[signals.old_one]
type = "activity"
deprecated = { since = "2026-01", renamed_to = "email_sent" }
expires = 2026-03-31

[products.sdr.prices.Booked]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
signal_type = "outcome"
price = { USD = "1.50" }
"#;

fn findings(catalogue: &str, source: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.rs"), format!("use paid::Signal;\n{source}")).unwrap();
    let sources = crate::account::sources_below(folder.path(), None).unwrap();
    let checked = Checked::read(Path::new("signals.toml"), catalogue).unwrap();
    let shown = |finding: &Finding| {
        let place = &finding.place;
        let file = place.file.file_name().unwrap().to_str().unwrap();
        format!(
            "{file}:{}:{} {} {:?}: {} / {}",
            place.line, place.column, finding.rule, finding.level, finding.message, finding.fix
        )
    };
    checked.findings(&sources, "2026-11-26", None).iter().map(shown).collect()
}

#[test]
fn every_rule_of_the_sources_finds_its_own() {
    let source = r#"fn f() {
        Signal::new("meeting_booked").customer("a");
        Signal::new("meetng_booked").idempotency_key("k");
        Signal::new(name);
        Signal::new("old_one");
    }
    #[test] fn t() { Signal::new("whatever"); }"#;
    let mut found = findings(CATALOGUE, source);
    found.sort();
    let expected = [
        "signals.toml:14:10 similar_names Warn: `meeting_booked` and `meetings_booked` are so alike",
        "signals.toml:14:10 unbilled_signal Warn: no price in signals.toml bills `meetings_booked`",
        "signals.toml:14:10 unused_signal Warn: no source sends the signal `meetings_booked`",
        "signals.toml:17:10 unbilled_signal Warn: no price in signals.toml bills `old_one`",
        "x.rs:3:21 outcome_without_key Deny: outcome `meeting_booked` has no idempotency key",
        "x.rs:4:21 unknown_signal Deny: signals.toml has no signal `meetng_booked` / did you mean `meeting_booked`",
        "x.rs:5:21 dynamic_name Warn: the event name of this Signal::new is computed",
        "x.rs:6:21 deprecated_signal Warn: signal `old_one` is deprecated since 2026-01 / send `email_sent` instead",
        "x.rs:6:21 expired_signal Warn: signal `old_one` expired on 2026-03-31",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\nshould be\n{expected}");
    }
}

#[test]
fn an_allowance_that_allows_nothing_is_found() {
    let catalogue = CATALOGUE
        .replace("type = \"activity\"\nproduct", "type = \"activity\"\nallow = []\nproduct")
        .replace("allow = []\n", "");
    let source = "fn f() { Signal::new(\"email_sent\"); Signal::new(\"meeting_booked\").idempotency_key(k); Signal::new(\"meetings_booked\").idempotency_key(k); }";
    let found = findings(&catalogue, source);
    let unused: Vec<&String> = found.iter().filter(|found| found.contains(UNUSED_ALLOWANCE)).collect();
    assert_eq!(
        unused,
        [
            "signals.toml:8:29 unused_allowance Warn: `allow` of `email_sent` names `unused_signal`, which finds nothing there / remove \"unused_signal\" from `allow`"
        ]
    );
}

#[test]
fn a_product_that_a_place_names_is_checked_there() {
    let source = "#[paid::signal(\"meeting_booked\", product = \"other\", idempotency_key = x)] fn f() {}";
    let found = findings(CATALOGUE, source).join("\n");
    assert!(found.contains("x.rs:2:16 unbilled_signal Warn: signals.toml has no product \"other\""), "{found}");
}
