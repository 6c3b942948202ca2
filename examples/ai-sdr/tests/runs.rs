//! The main job as a user runs it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

fn ai_sdr() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ai-sdr"));
    command.env_remove("PAID_API_KEY").env_remove("PAID_BASE_URL");
    command
}

#[test]
fn without_a_key_it_walks_the_guide_and_the_total_is_right_to_the_cent() {
    let output = ai_sdr().output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    // 500.00 + 40 * 0.10 + 3 * 50.00
    for expected in ["PAID_API_KEY is not set", "500.00 USD", "4.00 USD", "150.00 USD", "654.00 USD", "43 signals"] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
}

/// As documented: the emulator runs as a program of its own, and no variable names its collector.
#[test]
fn with_an_emulator_s_base_url_and_key_it_walks_the_guide_and_its_spans_arrive_there() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let emulator = runtime.block_on(paid::emulator::Emulator::start()).unwrap();
    let mut command = ai_sdr();
    command.env_remove("PAID_OTEL_COLLECTOR_ENDPOINT");
    command.env("PAID_API_KEY", "paid_emulator").env("PAID_BASE_URL", emulator.url());
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("654.00 USD"), "{shown}");
    assert!(!emulator.spans().is_empty());
}

#[test]
fn a_server_that_is_not_there_is_a_readable_error_and_the_key_stays_hidden() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let output = ai_sdr().env("PAID_API_KEY", "paid_secret").env("PAID_BASE_URL", url).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(shown.contains("step 1, the product: get-product-by-external-id: cannot connect to Paid"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}
