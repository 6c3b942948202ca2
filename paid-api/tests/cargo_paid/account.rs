//! `signals pull`, `products`, `doctor`, `import`, `simulate` and `reconcile`, as a user calls them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use paid::emulator::{Emulator, Fault};
use serde_json::{Value, json};

use super::Said;

const CATALOGUE: &str = r#"# Ours.
[signals.email_sent]
type = "activity"
product = "sdr"

[products.sdr]
name = "SDR"

[products.sdr.prices."E-mail sent"]
pricing_type = "UsagePerUnit"
event_name = "email_sent"
price = { USD = "0.10" } # agreed
"#;

const SIGNALS: &str = "event_name,customer,product,timestamp,data.lead\n\
    email_sent,acme,sdr,2026-01-10T00:00:00Z,1\n\
    email_sent,acme,sdr,2026-01-11T00:00:00Z,2\n\
    email_sent,globex,sdr,2026-02-11T00:00:00Z,3\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"x\"\n").unwrap();
    std::fs::write(folder.path().join("signals.toml"), CATALOGUE).unwrap();
    std::fs::write(folder.path().join("signals.csv"), SIGNALS).unwrap();
    folder
}

fn paid(folder: &Path, emulator: &Emulator, arguments: &[&str]) -> Said {
    Said::of(program(folder, emulator, arguments).output().unwrap())
}

fn program(folder: &Path, emulator: &Emulator, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-paid"));
    program.arg("paid").args(arguments).current_dir(folder).stdin(Stdio::null());
    program.env_remove("COLUMNS").env_remove("PAID_SIGNALS");
    program.env("PAID_API_KEY", "paid_secret").env("PAID_BASE_URL", emulator.url());
    program
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_are_pushed_and_pulled_and_a_second_time_nothing_happens() {
    let emulator = Emulator::start().await.unwrap();
    let folder = folder();
    let run = |arguments: &[&str]| paid(folder.path(), &emulator, arguments);
    run(&["products", "diff"])
        .ends(1, &["sdr", "(new)", "UsagePerUnit of email_sent, 0.10 USD", "differs in 2 places"]);
    run(&["products", "push"]).ends(1, &["nothing was changed; `--yes` does not ask"]);
    run(&["products", "push", "--yes"]).ends(0, &["changed 2 places", &emulator.url()]);
    run(&["products", "push", "--yes"]).ends(0, &["nothing was changed"]);
    run(&["products", "diff", "--json"]).ends(0, &["\"changes\": []"]);
    run(&["signals", "pull"]).ends(0, &["has what the account has"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("signals.toml")).unwrap(), CATALOGUE);

    let account = emulator.client().request(paid::Method::GET, "/products/external/sdr").await.unwrap();
    let mut attribute = account["productAttributes"][0].clone();
    attribute["pricing"]["pricePoints"][0]["unitPrice"] = json!(12);
    attribute["pricing"].as_object_mut().unwrap().remove("chargeType");
    let body = json!({ "productAttributes": [attribute] });
    emulator.client().request(paid::Method::PUT, "/products/external/sdr").body(&body).await.unwrap();
    run(&["signals", "pull", "--check"]).ends(1, &["would change", "USD = \"0.12\"", "run `cargo paid signals pull`"]);
    run(&["signals", "pull"]).ends(0, &["changed:", "wrote"]);
    let text = std::fs::read_to_string(folder.path().join("signals.toml")).unwrap();
    assert_eq!(text, CATALOGUE.replace("0.10", "0.12"), "comments stay");
    let report = run(&["signals", "pull", "--check", "--json"]);
    report.ends(0, &[]);
    assert_eq!(serde_json::from_str::<Value>(&report.out).unwrap()["up_to_date"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_simulated_imported_and_reconciled() {
    let emulator = Emulator::start().await.unwrap();
    let folder = folder();
    let run = |arguments: &[&str]| paid(folder.path(), &emulator, arguments);
    std::fs::write(folder.path().join("other.toml"), CATALOGUE.replace("0.10", "0.25")).unwrap();
    run(&["simulate", "--signals", "signals.csv", "--prices", "other.toml"])
        .ends(0, &["USD now", "0.20", "0.50", "0.30", "│ all", "0.75", "0.45"]);
    run(&["products", "push", "--yes"]).ends(0, &[]);
    run(&["import", "signals.csv", "--dry-run"]).ends(0, &["0.30", "3 signals would be sent; nothing was"]);
    assert!(emulator.idempotency_keys().is_empty());
    run(&["import", "signals.csv"]).ends(0, &["3 ingested, 0 duplicates, 0 failed"]);
    run(&["import", "signals.csv"]).ends(0, &["3 signals had been sent by an earlier run", "0 ingested"]);

    let lines: Vec<String> = paid::account::read_file(folder.path().join("signals.csv"))
        .unwrap()
        .signals
        .into_iter()
        .map(|read| Value::Object(read.signal).to_string())
        .collect();
    std::fs::write(folder.path().join("sent.jsonl"), lines.join("\n")).unwrap();
    run(&["reconcile", "sent.jsonl", "--settled", "0"]).ends(0, &["3 signals emitted, 3 found"]);
    let more = lines[0].replace("import-", "other-").replace("\"1\"", "\"4\"");
    std::fs::write(folder.path().join("more.jsonl"), format!("{}\n{more}\n", lines.join("\n"))).unwrap();
    run(&["reconcile", "more.jsonl"])
        .ends(1, &["email_sent of acme", "1 signal missing", "`--resend` sends what is missing again"]);
    run(&["reconcile", "more.jsonl", "--resend"]).ends(0, &["sent again: 1 ingested, 0 duplicates, 0 failed"]);
    run(&["reconcile", "more.jsonl", "--unpriced"]).ends(
        1,
        &[
            "counted and not priced",
            "3 email_sent of acme: the customer acme has no order",
            "4 signals counted and not priced",
        ],
    );
    run(&["reconcile", "more.jsonl", "--json"]).ends(0, &["\"found\": 4"]);
}

/// `PAID_KILLS=100` kills as often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_again_and_again_bills_once() {
    let kills = std::env::var("PAID_KILLS").map_or(8, |kills| kills.parse().unwrap());
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("sdr");
    let folder = folder();
    let mut text = String::from("event_name,customer,product,timestamp,data.lead\n");
    for number in 0..20_000 {
        writeln!(text, "email_sent,acme,sdr,2026-01-{:02}T00:00:00Z,lead-{}", number % 28 + 1, number / 2).unwrap();
    }
    std::fs::write(folder.path().join("signals.csv"), text).unwrap();
    let mut random = fastrand::Rng::with_seed(5);
    let mut cut = 0;
    for _ in 0..kills {
        // The requests take time, so that it is killed before, in and between them.
        emulator.fault(Fault::latency(Duration::from_millis(5)).operation("create-signals").times(1_000));
        let mut import = program(folder.path(), &emulator, &["import", "signals.csv"]);
        let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(random.u64(10..400))).await;
        cut += u32::from(import.try_wait().unwrap().is_none());
        import.kill().unwrap();
        import.wait().unwrap();
    }
    assert!(cut > 0, "nothing was cut");
    paid(folder.path(), &emulator, &["import", "signals.csv"]).ends(0, &["0 failed"]);
    let listed = emulator.client().request(paid::Method::GET, "/signals/").query("limit", "1").await.unwrap();
    assert_eq!(listed["pagination"]["total"], 20_000, "each is there, and once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_file_is_refused_with_every_line_and_nothing_is_sent() {
    let emulator = Emulator::start().await.unwrap();
    let folder = folder();
    let text = format!("{SIGNALS}email_sent,,sdr,2026-01-10T00:00:00Z,1\nemail_sent,acme,sdr,soon,1\n");
    std::fs::write(folder.path().join("bad.csv"), text).unwrap();
    let said = paid(folder.path(), &emulator, &["import", "bad.csv"]);
    said.ends(
        1,
        &["bad.csv:5: `customer` has neither", "bad.csv:6: `timestamp` is \"soon\"", "2 lines cannot be sent"],
    );
    assert!(emulator.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_why_a_signal_is_not_billed() {
    let emulator = Emulator::start().await.unwrap();
    let folder = folder();
    let run = |arguments: &[&str]| paid(folder.path(), &emulator, arguments);
    run(&["products", "push", "--yes"]).ends(0, &[]);
    run(&["doctor"]).ends(0, &["and takes the key", "clock: agrees", "signals.toml: 1 signal, 1 price"]);
    let said = run(&["doctor", "--signal", "emial_sent", "--customer", "acme", "--product", "sdr"]);
    said.ends(1, &["unknown_signal", "did you mean `email_sent`?", "no_price", "unknown_customer", "3 problems found"]);
    let said = run(&["doctor", "--outbox", "nowhere", "--json"]);
    said.ends(1, &["there is no folder nowhere"]);
    assert!(serde_json::from_str::<Value>(&said.out).unwrap().is_array());
    run(&["doctor", "--signal", "email_sent"]).ends(2, &["--customer"]);
    let nowhere = paid::Client::builder().api_key("paid_x").base_url("http://127.0.0.1:1").build().unwrap();
    let emitter = paid::Emitter::builder(nowhere).outbox(folder.path().join("outbox"));
    let emitter = emitter.build().unwrap();
    emitter.emit(paid::Signal::new("email_sent").customer("acme").product("sdr"));
    emitter.shutdown(Duration::from_millis(200)).await.unwrap_err();
    drop(emitter);
    run(&["doctor", "--outbox", "outbox"]).ends(1, &["1 record pending, the oldest since 20", "GiB left on its disk"]);
    let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-paid"));
    program.arg("doctor").env_remove("PAID_API_KEY").stdin(Stdio::null()).current_dir(folder.path());
    Said::of(program.output().unwrap()).ends(1, &["PAID_API_KEY is not set"]);
}

#[test]
fn completions_and_manual_pages_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-paid"));
        Said::of(program.args(arguments).current_dir(folder.path()).output().unwrap())
    };
    run(&["completions", "bash"]).ends(0, &["reconcile", "complete"]);
    run(&["man", "pages"]).ends(0, &["wrote the manual pages to pages"]);
    assert!(folder.path().join("pages/cargo-paid-reconcile.1").exists());
}
