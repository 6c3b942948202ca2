//! What is logged. A test binary of its own, because `tracing` remembers for a whole process who listens.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};

use paid::emulator::{Emulator, Fault};
use paid::types::CreateCustomerRequest;

/// Everything that is written to it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_span_says_operation_status_attempts_and_duration_and_no_key_and_no_body() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let emulator = Emulator::start().await.unwrap();
    let client = paid::Client::builder().api_key("paid_secret").base_url(emulator.url()).build().unwrap();
    emulator.fault(Fault::status(503).header("retry-after", "0"));
    client.customers().list().name("Jane").await.unwrap();
    client.customers().create(&CreateCustomerRequest::new("Jane Doe")).await.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in ["operation=\"list-customers\"", "status=200", "attempts=2", "duration_ms=", "attempt=2"] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("secret") && !text.contains("Jane"), "{text}");
}
