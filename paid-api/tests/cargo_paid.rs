//! `cargo paid` as a user calls it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use paid::emulator::{Emulator, Fault};
use paid::{Client, Emitter, RetryPolicy, Signal};

fn cargo_paid(arguments: &[&str], folder: &Path, url: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-paid"));
    command.args(arguments).arg(folder).env("PAID_API_KEY", "paid_secret").env("PAID_BASE_URL", url);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(!said.contains("secret"), "{said}");
    (status.success(), said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_listed_exported_and_sent_again() {
    let emulator = Emulator::start().await.unwrap();
    let url = emulator.url();
    let folder = tempfile::tempdir().unwrap();
    let client = Client::builder().api_key("paid_x").base_url(&url).retry(RetryPolicy::never()).build().unwrap();
    let emitter = Emitter::builder(client).outbox(folder.path()).linger(Duration::ZERO).build().unwrap();
    emulator.fault(Fault::status(400).operation("create-signals").times(2));
    for key in ["m-1", "m-2"] {
        let signal = Signal::new("meeting_booked").customer("acme").idempotency_key(key);
        emitter.send(signal).await.unwrap_err();
    }
    let (_, said) = cargo_paid(&["paid", "outbox", "list"], folder.path(), &url);
    assert!(said.contains("has this outbox open and sends the pending records"), "{said}");
    emitter.shutdown(Duration::from_secs(10)).await.unwrap();
    drop(emitter);

    let (ok, said) = cargo_paid(&["paid", "outbox", "list"], folder.path(), &url);
    assert!(ok && said.contains("no pending signals") && said.contains("2 dead letter(s)"), "{said}");
    assert!(said.contains("meeting_booked") && said.contains("m-1") && said.contains("400 Bad Request"), "{said}");

    // By its own name, too.
    let (ok, said) = cargo_paid(&["outbox", "export"], folder.path(), &url);
    assert!(ok && said.lines().count() == 2 && said.contains(r#""idempotencyKey":"m-2""#), "{said}");
    let file = folder.path().join("exported.jsonl");
    let (ok, _) = cargo_paid(&["outbox", "export", "--output", file.to_str().unwrap()], folder.path(), &url);
    assert!(ok && std::fs::read_to_string(&file).unwrap() == said);
    let (ok, said) = cargo_paid(&["outbox", "export", "--output", file.to_str().unwrap()], folder.path(), &url);
    assert!(!ok && said.contains("cannot create"), "{said}");

    emulator.fault(Fault::status(400).operation("create-signals").times(2));
    let (ok, said) = cargo_paid(&["outbox", "resubmit"], folder.path(), &url);
    assert!(!ok && said.contains("1 refused again"), "{said}");
    let (ok, said) = cargo_paid(&["outbox", "resubmit"], folder.path(), &url);
    assert!(ok && said.contains("1 accepted by Paid"), "{said}");
    let (ok, said) = cargo_paid(&["outbox", "resubmit"], folder.path(), &url);
    assert!(ok && said.contains("no dead letters"), "{said}");
    assert_eq!(emulator.idempotency_keys().len(), 2);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let (ok, said) = cargo_paid(&["outbox", "list"], Path::new("/nonexistent/outbox"), "");
    assert!(!ok && said.contains("there is no folder /nonexistent/outbox"), "{said}");
}

#[test]
fn dead_cost_records_are_listed_with_the_way_to_send_them_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("contents"), "costs\n").unwrap();
    let letter =
        r#"{"at":"2026-01-31T00:00:00Z","reason":"uncertain","kind":"cost","name":"","key":"k-1","record":{}}"#;
    std::fs::write(folder.path().join("dead-letters.jsonl"), format!("{letter}\n")).unwrap();
    let (ok, said) = cargo_paid(&["outbox", "list"], folder.path(), "");
    assert!(ok && said.contains("cost record") && said.contains("k-1"), "{said}");
    assert!(said.contains("`CostEmitter::resubmit` sends them again"), "{said}");
}
