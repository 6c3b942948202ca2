//! What the book shows of `cargo paid` is what the program prints: `docs/output/` has it, and the pages are held to that
//! folder. `UPDATE_GOLDEN=1` writes it anew.

use paid::emulator::Emulator;

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
    hold_text(name, &said.both().replace(&own.folder(), "/home/me/agent"));
}

/// Compares what was printed with the file of that name.
fn hold_text(name: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/output").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, printed).unwrap();
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

/// What was printed of an emulator at its usual port, which answers in two milliseconds.
fn at_the_usual_port(said: &str, emulator: &str) -> String {
    let port = emulator.rsplit(':').next().unwrap().split('/').next().unwrap();
    let said = said.replace(&format!(":{port}/"), ":4010/");
    let Some((before, rest)) = said.split_once("answers in ") else { return said };
    let (_, after) = rest.split_once(" ms").unwrap();
    format!("{before}answers in 2 ms{after}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_book_shows_of_an_account_is_what_is_printed() {
    let emulator = Emulator::start().await.unwrap();
    let own = Crate::new(CATALOGUE, SOURCE);
    own.against(&emulator, &["products", "push", "--yes"]).ends(0, &[]);
    let question = ["doctor", "--signal", "emial_sent", "--customer", "acme", "--product", "ai-sdr-001"];
    let said = own.against(&emulator, &question).both().replace(&own.folder(), "/home/me/agent");
    hold_text("doctor.txt", &at_the_usual_port(&said, &emulator.url()));

    own.write("signals.toml", &CATALOGUE.replace("words = { type = \"integer\" }\n", ""));
    let signal = json!({ "eventName": "email_sent", "customer": { "externalCustomerId": "acme" },
        "attribution": { "externalProductId": "ai-sdr-001" }, "data": { "lead_id": "l", "words": 7 } });
    emulator.client().request(paid::Method::POST, "/signals/bulk").body(&json!({ "signals": [signal] })).await.unwrap();
    let said = own.against(&emulator, &["signals", "infer", "--yes"]).both().replace(&own.folder(), "/home/me/agent");
    hold_text("infer.txt", &at_the_usual_port(&said, &emulator.url()));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_book_shows_of_the_emulator_is_what_is_printed() {
    use std::io::{BufRead, BufReader};

    let Some(program) = option_env!("CARGO_BIN_EXE_paid-emulator") else {
        println!("skipped: the program needs feature emulator-cli");
        return;
    };
    let own = Crate::new(&CATALOGUE.replace("words = { type = \"integer\" }\n", ""), SOURCE);
    let mut program = Command::new(program);
    program.args(["--port", "0", "--signals"]).arg(Path::new(&own.folder()).join("signals.toml"));
    let mut program = program.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = String::new();
    let url = loop {
        let line = lines.next().unwrap();
        said.push_str(&format!("{line}\n"));
        if let Some((_, url)) = line.split_once("page: ") {
            break url.to_owned();
        }
    };
    hold_text("emulator.txt", &at_the_usual_port(&said, &url));

    let client = Client::builder().api_key("paid_x").base_url(format!("{url}api/v2")).build().unwrap();
    let signal = |name: &str| {
        json!({ "eventName": name, "customer": { "externalCustomerId": "acme" }, "idempotencyKey": name,
            "attribution": { "externalProductId": "ai-sdr-001" }, "data": { "lead_id": "l", "words": 7 } })
    };
    let signals = json!({ "signals": [signal("email_sent"), signal("emial_sent")] });
    client.request(paid::Method::POST, "/signals/bulk").body(&signals).await.unwrap();
    assert!(Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap().success());
    let report: String = lines.map(|line| format!("{line}\n")).collect();
    assert!(program.wait().unwrap().success());
    hold_text("live.txt", &report);
}
