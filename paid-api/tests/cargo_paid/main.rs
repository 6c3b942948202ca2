//! `cargo paid` as a user calls it.
#![allow(clippy::unwrap_used, missing_docs)]

mod account;
mod aside;
mod book;
mod letters;
mod resubmission;
mod signals;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use paid::emulator::{Emulator, Fault};
use paid::{Client, Emitter, RetryPolicy, Signal};
use serde_json::{Value, json};

/// What the program said, and how it ended.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn of(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said = Self { code: status.code().unwrap(), out: text(stdout), err: text(stderr) };
        assert!(!said.both().contains("secret") && !said.err.contains("panicked"), "{said:?}");
        said
    }

    fn both(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    #[track_caller]
    fn ends(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for part in parts {
            assert!(self.both().contains(part), "no {part:?} in {self:?}");
        }
    }
}

fn program(folder: &Path, command: &str, more: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-paid"));
    program.args(["paid", "outbox", command]).arg(folder).args(more);
    program.env_remove("COLUMNS").env_remove("VISUAL").env_remove("EDITOR").env("PAID_API_KEY", "paid_secret");
    program.stdin(std::process::Stdio::null());
    program
}

fn run(folder: &Path, command: &str, more: &[&str]) -> Said {
    Said::of(program(folder, command, more).output().unwrap())
}

fn record(key: &str) -> Value {
    let customer = json!({ "externalCustomerId": "acme" });
    let product = json!({ "externalProductId": "p" });
    json!({ "eventName": "email_sent", "customer": customer, "attribution": product, "idempotencyKey": key, "data": { "words": 7 } })
}

fn letter(key: &str, record: &Value) -> Value {
    let name = record["eventName"].as_str().unwrap_or_default();
    let kind = if name.is_empty() { "cost" } else { "signal" };
    let reason = "400 Bad Request";
    json!({ "at": "2026-01-31T00:00:00Z", "reason": reason, "kind": kind, "name": name, "key": key, "record": record })
}

/// An outbox with these dead letters.
fn outbox(letters: impl IntoIterator<Item = Value>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    let mut contents = "signals\n";
    for letter in letters {
        if letter["kind"] == "cost" {
            contents = "costs\n";
        }
        writeln!(text, "{letter}").unwrap();
    }
    std::fs::write(folder.path().join("contents"), contents).unwrap();
    std::fs::write(folder.path().join("dead-letters.jsonl"), text).unwrap();
    folder
}

/// An outbox with the dead letters of complete signals.
fn outbox_of(keys: &[&str]) -> tempfile::TempDir {
    outbox(keys.iter().map(|key| letter(key, &record(key))))
}

fn keys(folder: &Path) -> Vec<String> {
    paid::outbox::dead_letters(folder).unwrap().letters.into_iter().map(|letter| letter.key).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_listed_exported_and_sent_again() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let folder = tempfile::tempdir().unwrap();
    let client =
        Client::builder().api_key("paid_x").base_url(emulator.url()).retry(RetryPolicy::never()).build().unwrap();
    let emitter = Emitter::builder(client).outbox(folder.path()).linger(Duration::ZERO).build().unwrap();
    emulator.fault(Fault::status(400).operation("create-signals").times(2));
    for key in ["m-1", "m-2"] {
        let signal = Signal::new("meeting_booked").customer("acme").product("p").idempotency_key(key);
        emitter.send(signal).await.unwrap_err();
    }
    let said = run(folder.path(), "list", &[]);
    said.ends(0, &["has this outbox open and sends the pending records"]);
    emitter.shutdown(Duration::from_secs(10)).await.unwrap();
    drop(emitter);

    let said = run(folder.path(), "list", &[]);
    said.ends(0, &["no pending signals", "2 dead letters", "meeting_booked", "m-1", "400 Bad Request"]);

    // By its own name, too.
    let directly =
        Command::new(env!("CARGO_BIN_EXE_cargo-paid")).args(["outbox", "export"]).arg(folder.path()).output();
    let exported = Said::of(directly.unwrap());
    exported.ends(0, &[r#""idempotencyKey":"m-2""#]);
    assert_eq!(exported.out.lines().count(), 2);
    let file = folder.path().join("exported.jsonl");
    run(folder.path(), "export", &["--output", file.to_str().unwrap()]).ends(0, &["2 signals written to"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), exported.out);
    run(folder.path(), "export", &["--output", file.to_str().unwrap()]).ends(1, &["cannot create"]);

    let resubmit =
        || Said::of(program(folder.path(), "resubmit", &[]).env("PAID_BASE_URL", emulator.url()).output().unwrap());
    emulator.fault(Fault::status(400).operation("create-signals").times(2));
    resubmit().ends(1, &["1 signal refused again", "1 signal accepted"]);
    resubmit().ends(0, &["1 signal accepted by Paid and removed from the dead letters"]);
    resubmit().ends(0, &["no dead letters"]);
    assert_eq!(emulator.idempotency_keys().len(), 2);
}

#[test]
fn what_is_not_an_outbox_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    run(Path::new("/nonexistent/outbox"), "list", &[]).ends(1, &["there is no folder /nonexistent/outbox"]);
    run(folder.path(), "list", &[]).ends(1, &["is not an outbox"]);
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    run(&file, "list", &[]).ends(1, &["is not a folder"]);
    run(folder.path(), "nonsense", &[]).ends(2, &["unrecognized subcommand"]);
    // Looking creates nothing.
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::create_dir(folder.path().join("dead-letters.jsonl")).unwrap();
    for command in ["list", "export", "resubmit"] {
        run(folder.path(), command, &[]).ends(1, &["dead-letters.jsonl", "move the folder away"]);
    }
}
