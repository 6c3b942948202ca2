//! What the book shows of `cargo paid` is what the program prints: `docs/output/` has it, and the pages are held to that
//! folder. `UPDATE_GOLDEN=1` writes it anew.

use super::signals::Crate;
use super::*;

const CATALOGUE: &str = r#"# What the agent sends, and what it costs.
[signals.email_sent]
type = "activity"
product = "ai-sdr-001"
allow = ["unused_allowance"]

[signals.email_sent.data]
lead_id = { required = true }
words = { type = "integer" }

[signals.meeting_booked]
type = "outcome"
product = "ai-sdr-001"

[products.ai-sdr-001]
name = "AI SDR"

[products.ai-sdr-001.prices."E-mail"]
pricing_type = "UsagePerUnit"
event_name = "email_sent"
price = { USD = "0.10" }

[products.ai-sdr-001.prices."Meeting booked"]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
signal_type = "outcome"
price = { USD = "1.50" }
"#;

const SOURCE: &str = r#"use paid::Signal;

#[paid::signal("email_sent", customer = lead.account, data(lead_id = lead.id))]
pub async fn send(lead: &Lead) -> Result<(), String> {
    Ok(())
}

pub fn book(lead: &Lead) {
    paid::emit(Signal::new("meting_booked").customer(&lead.account));
}
"#;

const SIGNALS: &str = "event_name,customer,product,timestamp\n\
    email_sent,acme,ai-sdr-001,2026-01-10T00:00:00Z\n\
    email_sent,acme,ai-sdr-001,2026-01-11T00:00:00Z\n\
    email_sent,globex,ai-sdr-001,2026-02-11T00:00:00Z\n";

/// Compares what was printed with the file of that name, in which a crate stands in somebody's home.
fn hold(name: &str, own: &Crate, said: &Said) {
    let printed = said.both().replace(&own.folder(), "/home/me/agent");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/output").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(printed == kept, "docs/output/{name} is not what is printed (UPDATE_GOLDEN=1 writes it):\n{printed}");
}

#[test]
fn what_the_book_shows_is_what_is_printed() {
    let own = Crate::new(CATALOGUE, SOURCE);
    hold("check.txt", &own, &own.run(&["signals", "check"]));
    hold("list.txt", &own, &own.run(&["signals", "list"]));

    own.git(&["init", "--quiet", "--initial-branch", "main"]);
    own.git(&["add", "--all"]);
    own.git(&["commit", "--quiet", "--message", "first"]);
    let changed =
        CATALOGUE.replace("lead_id = { required = true }", "lead_id = { type = \"string\", required = true }");
    own.write("signals.toml", &changed.replace("\"0.10\"", "\"0.12\""));
    hold("diff.txt", &own, &own.run(&["signals", "diff", "main"]));

    own.write("signals.csv", SIGNALS);
    own.write("signals.toml", CATALOGUE);
    own.write("other.toml", &CATALOGUE.replace("\"0.10\"", "\"0.25\""));
    hold("simulate.txt", &own, &own.run(&["simulate", "--signals", "signals.csv", "--prices", "other.toml"]));

    let fresh = Crate::new("", "//! A fresh crate.\n");
    std::fs::remove_file(Path::new(&fresh.folder()).join("signals.toml")).unwrap();
    hold("init.txt", &fresh, &fresh.run(&["init"]));
}
