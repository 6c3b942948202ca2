//! `cargo paid signals` and what holds sources, catalogue and account together.

mod init;
mod live;

use super::*;

const CATALOGUE: &str = r#"# Ours.
[lints]
outcome_without_key = "deny"

[signals.email_sent]
type = "activity"
product = "sdr"
allow = ["unused_allowance"]

[signals.email_sent.data]
lead_id = { required = true } # the lead

[signals.meeting_booked]
type = "outcome"
product = "sdr"

[products.sdr]
name = "SDR"

[products.sdr.prices.Booked]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
signal_type = "outcome"
price = { USD = "1.50" }

[products.sdr.prices.Sent]
pricing_type = "UsagePerUnit"
event_name = "email_sent"
price = { USD = "0.10" }
"#;

const SOURCE: &str = r#"use paid::Signal;

#[paid::signal("email_sent", customer = lead, data(lead_id = lead))]
pub fn send(lead: &str) {}

pub fn book() {
    paid::emit(Signal::new("meeting_booked").customer("acme"));
    paid::emit(Signal::new("meting_booked").customer("acme"));
}
"#;

/// A crate with a catalogue and a source file.
pub(super) struct Crate(tempfile::TempDir);

impl Crate {
    pub(super) fn new(catalogue: &str, source: &str) -> Self {
        let own = Self(tempfile::tempdir().unwrap());
        own.write("Cargo.toml", "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        own.write("signals.toml", catalogue);
        own.write("src/lib.rs", source);
        own
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// As programs show it.
    pub(super) fn folder(&self) -> String {
        self.0.path().canonicalize().unwrap().display().to_string()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    fn paid(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-paid"));
        program.arg("paid").args(arguments).current_dir(self.0.path());
        program.env_remove("COLUMNS").env_remove("PAID_SIGNALS").env("PAID_API_KEY", "paid_secret");
        program.stdin(std::process::Stdio::null());
        program
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.paid(arguments).output().unwrap())
    }

    pub(super) fn against(&self, emulator: &Emulator, arguments: &[&str]) -> Said {
        Said::of(self.paid(arguments).env("PAID_BASE_URL", emulator.url()).output().unwrap())
    }

    pub(super) fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.0.path()).args(["-c", "user.name=x", "-c", "user.email=x@example.com"]).args(arguments);
        let said = git.output().unwrap();
        assert!(said.status.success(), "{said:?}");
    }
}

#[test]
fn findings_stand_in_their_lines() {
    let own = Crate::new(CATALOGUE, SOURCE);
    let said = own.run(&["signals", "check"]);
    said.ends(1, &["checked 2 signals against 1 source file: 2 errors, 0 warnings"]);
    let expected = r#"error[outcome_without_key]: outcome `meeting_booked` has no idempotency key, so work that is done twice is billed twice
 --> src/lib.rs:7:28
  |
7 |     paid::emit(Signal::new("meeting_booked").customer("acme"));
  |                            ^^^^^^^^^^^^^^^^
  |
  = help: call `.idempotency_key(..)` with what identifies the event
"#;
    assert!(said.out.contains(expected), "{}", said.out);
    assert!(
        said.out.contains("did you mean `meeting_booked`? If it is new, add [signals.meting_booked]"),
        "{}",
        said.out
    );
}

#[test]
fn warnings_fail_only_when_they_are_denied() {
    let own = Crate::new("[signals.unsent]\ntype = \"outcome\"\n", "");
    own.run(&["signals", "check"]).ends(0, &["warning[unused_signal]", "0 errors, 1 warning"]);
    own.run(&["signals", "check", "--deny-warnings"]).ends(1, &["warning[unused_signal]"]);
    own.write("signals.toml", "[signals.unsent]\ntype = \"outcome\"\nallow = [\"unused_signal\"]\n");
    own.run(&["signals", "check", "--deny-warnings"]).ends(0, &["nothing found"]);
    own.write("signals.toml", "[lints]\nunused_signal = \"deny\"\n[signals.unsent]\ntype = \"outcome\"\n");
    own.run(&["signals", "check"]).ends(1, &["error[unused_signal]"]);
    own.run(&["signals", "check", "--format", "xml"]).ends(2, &["invalid value 'xml'"]);
    own.write("signals.toml", "[signals.unsent]\n");
    own.run(&["signals", "check"]).ends(1, &["signals.toml:1:10: `unsent` needs `type"]);
    std::fs::remove_file(own.0.path().join("signals.toml")).unwrap();
    own.run(&["signals", "check"]).ends(1, &["cannot read", "cargo paid init"]);
}

#[test]
fn a_file_that_is_no_rust_is_said() {
    let own = Crate::new("", "fn f( {\n");
    own.run(&["signals", "check"]).ends(1, &["error[unreadable_source]", "src/lib.rs:1:7"]);
}

#[test]
fn findings_are_written_for_other_programs() {
    let own = Crate::new(CATALOGUE, SOURCE);
    let said = own.run(&["signals", "check", "--format", "json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, report["findings"].as_array().unwrap().len()), (1, 2));
    let finding = &report["findings"][1];
    assert_eq!(
        (finding["rule"].as_str(), finding["level"].as_str(), finding["file"].as_str(), finding["line"].as_u64()),
        (Some("unknown_signal"), Some("deny"), Some("src/lib.rs"), Some(8))
    );
    let said = own.run(&["signals", "check", "--format", "github"]);
    said.ends(
        1,
        &["::error file=src/lib.rs,line=8,col=28,endColumn=43,title=cargo paid%3A unknown_signal::signals.toml has no"],
    );

    let said = own.run(&["signals", "check", "--format", "sarif"]);
    let log: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "cargo-paid");
    let rules: Vec<&str> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    for result in run["results"].as_array().unwrap() {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()) && result["message"]["text"].is_string());
        assert!(["error", "warning", "note", "none"].contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "src/lib.rs");
        assert!(place["region"]["startLine"].as_u64() >= Some(1) && place["region"]["startColumn"].as_u64() >= Some(1));
    }
}

#[test]
fn the_list_has_prices_and_places() {
    let own = Crate::new(CATALOGUE, SOURCE);
    let said = own.run(&["signals", "list"]);
    said.ends(
        0,
        &[
            "email_sent",
            "activity",
            "sdr",
            "Sent (0.10 USD)",
            "src/lib.rs:3",
            "Booked (1.50 USD)",
            "not in the catalogue",
        ],
    );
    let said = own.run(&["signals", "list", "--json"]);
    let rows: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(rows[1]["event"], "meeting_booked");
    assert_eq!(rows[1]["prices"][0], json!({ "name": "Booked", "amounts": ["1.50 USD"] }));
    assert_eq!(rows[1]["places"][0]["line"], 7);
    assert_eq!(
        rows[2],
        json!({ "event": "meting_booked", "type": null, "product": null, "prices": [],
        "places": [{ "file": "src/lib.rs", "line": 8, "column": 28, "by": "Signal::new", "tests": false }] })
    );
}

#[test]
fn a_breaking_change_since_a_revision_fails() {
    let own = Crate::new(CATALOGUE, SOURCE);
    own.git(&["init", "-q"]);
    own.git(&["add", "."]);
    own.git(&["commit", "-qm", "first"]);
    own.run(&["signals", "diff", "HEAD"]).ends(0, &["nothing changed since HEAD"]);
    own.write("signals.toml", &CATALOGUE.replace("0.10", "0.20"));
    own.run(&["signals", "diff", "HEAD"]).ends(0, &["not breaking:", "product sdr: the price \"Sent\" changed"]);
    own.write("signals.toml", &CATALOGUE.replace("{ required = true }", "{ required = true, type = \"string\" }"));
    own.run(&["signals", "diff", "HEAD"])
        .ends(1, &["breaking:\n  email_sent.lead_id: it takes string instead of any type"]);
    let said = own.run(&["signals", "diff", "HEAD", "--json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &report["breaking"]), (1, &json!(true)));
    own.run(&["signals", "diff", "nowhere"]).ends(1, &["git has no signals.toml of nowhere"]);
    own.run(&["signals", "diff"]).ends(2, &["<REV>"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn online_prices_and_orders_are_checked() {
    let emulator = Emulator::start().await.unwrap();
    let own = Crate::new(&CATALOGUE.replace("\"deny\"", "\"allow\""), &SOURCE.replace("meting", "meeting"));
    own.run(&["signals", "check"]).ends(0, &["nothing found"]);
    let said = own.against(&emulator, &["signals", "check", "--online"]);
    said.ends(
        1,
        &["error[missing_price]", "the account does not have the price \"Booked\" of product sdr", "3 errors"],
    );
    own.against(&emulator, &["products", "push", "--yes"]).ends(0, &[]);
    let said = own.against(&emulator, &["signals", "check", "--online"]);
    said.ends(0, &["warning[unordered_product]: no active order has the product sdr", "signals.toml:17:11"]);

    let client = emulator.client();
    let customer = client.customers().create(&paid::types::CreateCustomerRequest::new("Acme")).await.unwrap();
    let product = client.request(paid::Method::GET, "/products/external/sdr").await.unwrap();
    let order = json!({ "customerId": customer.id, "creationState": "active", "name": "o", "lines": [{ "productId": product["id"] }] });
    client.request(paid::Method::POST, "/orders/").body(&order).await.unwrap();
    own.against(&emulator, &["signals", "check", "--online"]).ends(0, &["and the account: nothing found"]);

    own.write(
        "signals.toml",
        &CATALOGUE
            .replace("deny", "allow")
            .replace("1.50", "2.50")
            .replace("[products.sdr.prices.Sent]", "[products.sdr.prices.Other]\nname = \"Sent\""),
    );
    let said = own.against(&emulator, &["signals", "check", "--online", "--format", "json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let [finding] = report["findings"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((finding["rule"].as_str(), finding["line"].as_u64()), (Some("missing_price"), Some(20)));
    own.write(
        "signals.toml",
        "[signals.email_sent]\ntype = \"activity\"\n[signals.meeting_booked]\ntype = \"outcome\"\n",
    );
    own.against(&emulator, &["signals", "check", "--online"])
        .ends(0, &["warning[unlisted_price]", "\"Booked\" of product sdr"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_paid_has_seen_is_proposed_and_written_when_accepted() {
    let emulator = Emulator::start().await.unwrap();
    let own = Crate::new(CATALOGUE, SOURCE);
    own.against(&emulator, &["products", "push", "--yes"]).ends(0, &[]);
    let signal = json!({ "eventName": "email_sent", "customer": { "externalCustomerId": "acme" },
        "attribution": { "externalProductId": "sdr" }, "data": { "lead_id": "l", "words": 7 } });
    emulator.client().request(paid::Method::POST, "/signals/bulk").body(&json!({ "signals": [signal] })).await.unwrap();

    let said = own.against(&emulator, &["signals", "infer"]);
    said.ends(
        0,
        &[
            "+lead_id = { required = true, type = \"string\" } # the lead",
            "+words = ",
            "wrote nothing: --yes accepts all",
        ],
    );
    assert_eq!(own.read("signals.toml"), CATALOGUE);
    let said = own.against(&emulator, &["signals", "infer", "--json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((report["proposals"].as_array().unwrap().len(), &report["written"]), (2, &json!(false)));
    own.against(&emulator, &["signals", "infer", "--yes"]).ends(0, &["wrote", "signals.toml"]);
    let written = own.read("signals.toml");
    assert!(
        written.starts_with("# Ours.") && written.contains("type = \"string\" } # the lead\nwords = "),
        "{written}"
    );
    own.against(&emulator, &["signals", "infer", "--yes"]).ends(0, &["has every field and type that Paid has seen"]);
}
