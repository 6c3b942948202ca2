//! The example as a user runs it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn only_the_answer_that_was_read_to_its_end_is_billed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streaming-model"));
    let output = command.env_remove("PAID_API_KEY").env_remove("PAID_BASE_URL").output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("acme     read all 6 pieces"), "{shown}");
    assert!(shown.contains("globex   went away after 2 pieces"), "{shown}");
    assert!(shown.contains("initech  the answer broke off after 1 pieces"), "{shown}");
    assert!(shown.contains("billed: acme, 6 pieces\n1 signal delivered"), "{shown}");
    assert!(!shown.contains("not billed"), "{shown}");
}
