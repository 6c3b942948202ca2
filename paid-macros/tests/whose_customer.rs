//! A customer that is `None` is the scope's, which is said, but only where a signal goes to it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use paid::testing::Recorder;

const CHILD: &str = "PAID_WHOSE_CUSTOMER";

#[paid::signal("emitted", customer = account)]
fn emitted(account: Option<&str>) -> Result<(), String> {
    Ok(())
}

#[paid::signal("failed", customer = account)]
fn failed(account: Option<&str>) -> Result<(), String> {
    Err("no".to_owned())
}

#[paid::signal("not_wanted", customer = account, when = account.is_some())]
fn not_wanted(account: Option<&str>) {}

#[paid::signal("given", customer = account)]
fn given(account: Option<&str>) {}

#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let recorder = Recorder::new();
    recorder.run_sync(|| {
        paid::scope().customer("acme").run_sync(|| {
            emitted(None).unwrap();
            emitted(None).unwrap();
            failed(None).unwrap_err();
            not_wanted(None);
            given(Some("umbrella"));
        });
    });
    let signals = recorder.signals();
    let customers: Vec<_> =
        signals.iter().map(|signal| signal.to_json()["customer"]["externalCustomerId"].clone()).collect();
    assert_eq!(customers, ["acme", "acme", "umbrella"]);
}

#[test]
fn that_the_scope_stands_in_is_said_once_where_it_is_billed() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", "child", "--nocapture"]).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines: Vec<_> = said.lines().filter(|line| line.contains("`customer` is `None`")).collect();
    assert!(matches!(lines.as_slice(), [line] if line.contains("signal `emitted`")), "{said}");
}
