//! Nothing is sent, on purpose: `PAID_ENABLED=false`, and a dry run. Each is a process of its own, as a user starts it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::{Command, Output};
use std::time::Duration;

use paid::costs::{CostEmitter, CostRecord};
use paid::emulator::Emulator;
use paid::{Client, Currency, Delivery, Emitter, Money, Signal};

const ROLE: &str = "PAID_TEST_ROLE";

fn again(role: &str, emulator: &Emulator, folder: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["roles", "--exact", "--nocapture"])
        .env(ROLE, role)
        .env("PAID_BASE_URL", emulator.url())
        .env("FOLDER", folder)
        .env_remove("PAID_API_KEY")
        .env_remove("PAID_OTEL_COLLECTOR_ENDPOINT");
    command
}

fn said(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.starts_with("paid: "))
        .map(str::to_owned)
        .collect()
}

/// What a process does that was started again; nothing in the test itself.
#[test]
fn roles() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let folder = std::path::PathBuf::from(std::env::var_os("FOLDER").unwrap());
    let dry = role == "dry";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::from_env().unwrap();
    let emitter = Emitter::builder(client.clone()).outbox(folder.join("signals")).dry_run(dry);
    let emitter = emitter.on_error(|failure| panic!("{failure}")).build().unwrap();
    let costs = CostEmitter::builder(client.clone()).outbox(folder.join("costs")).dry_run(dry).build().unwrap();
    let tracing = paid::trace::builder().dry_run(dry).init().unwrap();
    paid::install(emitter.clone());

    let paid_for = || Signal::new("email_sent").customer("acme").idempotency_key("k-1").field("words", &7);
    paid::emit(paid_for());
    assert_eq!(emitter.blocking_send(paid_for()).unwrap(), Delivery::NotSent);
    let stored = runtime.block_on(emitter.store(paid_for())).unwrap();
    assert_eq!(stored.blocking_wait().unwrap(), Delivery::NotSent);
    costs.record(
        CostRecord::amount(Money::parse("0.5", Currency::USD).unwrap()).customer("acme").product("p").vendor("v"),
    );
    paid::scope().customer("acme").product("p").traced().run_sync(|| paid::trace::emit(Signal::new("spanned")));
    if !dry {
        let keyless = [
            Emitter::builder(client.clone()).enabled(true).build().unwrap_err(),
            CostEmitter::builder(client.clone()).enabled(true).build().unwrap_err(),
        ];
        assert!(keyless.iter().all(|error| error.to_string().contains("has no API key")), "{keyless:?}");
        // What would be a mistake is not even looked at.
        paid::emit(Signal::new("no_customer"));
        assert!(
            runtime.block_on(client.customers().get_by_external_id("acme").send()).is_err(),
            "requests are not turned off"
        );
    }
    emitter.blocking_flush(Duration::from_secs(10)).unwrap();
    costs.blocking_flush(Duration::from_secs(10)).unwrap();
    runtime.block_on(tracing.flush(Duration::from_secs(10))).unwrap();
    let (signals, spans) = (emitter.stats(), tracing.stats());
    assert_eq!((signals.skipped, signals.delivered, signals.refused), (if dry { 3 } else { 4 }, 0, 0));
    assert_eq!((signals.queued(), costs.stats().skipped, costs.stats().queued()), (0, 1, 0));
    assert_eq!((spans.skipped, spans.exported), (2, 0), "{spans:?}");
    assert!(!folder.join("signals").exists() && !folder.join("costs").exists());
}

#[tokio::test]
async fn one_variable_turns_off_signals_costs_and_spans_and_no_key_is_needed() {
    let (emulator, folder) = (Emulator::start().await.unwrap(), tempfile::tempdir().unwrap());
    let mut command = again("off", &emulator, folder.path());
    command.env("PAID_ENABLED", "false");
    let lines = said(&tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("sending is turned off"), "{lines:?}");
    assert!(emulator.requests().is_empty() && emulator.span_requests().is_empty());
}

#[tokio::test]
async fn a_dry_run_shows_what_would_be_sent_and_sends_nothing() {
    let (emulator, folder) = (Emulator::start().await.unwrap(), tempfile::tempdir().unwrap());
    let mut command = again("dry", &emulator, folder.path());
    command.env("PAID_API_KEY", "paid_secret");
    let lines = said(&tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()).join("\n");
    for expected in [
        "this is a dry run of an emitter",
        r#""eventName":"email_sent""#,
        r#""idempotencyKey":"k-1""#,
        r#""words":7"#,
        r#""vendor":"v""#,
        "signal `spanned`, ",
    ] {
        assert!(lines.contains(expected), "{expected} is not in\n{lines}");
    }
    assert!(!lines.contains("secret"), "{lines}");
    assert!(emulator.requests().is_empty() && emulator.span_requests().is_empty());
}

#[test]
fn what_is_neither_true_nor_false_is_an_error_of_the_start() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["roles", "--exact", "--nocapture"])
        .env(ROLE, "off")
        .env("FOLDER", "unused")
        .env("PAID_API_KEY", "paid_x")
        .env("PAID_ENABLED", "0")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("PAID_ENABLED is "), "{output:?}");
}
