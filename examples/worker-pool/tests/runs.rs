//! The example as a user runs it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn a_job_that_fails_bills_nothing_and_one_that_comes_twice_is_billed_once() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker-pool"));
    let output = command.env_remove("PAID_API_KEY").env_remove("PAID_BASE_URL").output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("r-2: there is nothing to report, which bills nothing"), "{shown}");
    assert!(shown.contains("3 signals delivered, 1 of them known already"), "{shown}");
    assert!(!shown.contains("not billed"), "{shown}");
}
