//! What is logged. A test binary of its own, because `tracing` remembers for a whole process who listens.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};

use paid::PaidSignal as _;
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

#[derive(paid::PaidSignal)]
#[paid(signal = "lead_qualified")]
struct Qualified {
    #[paid(customer)]
    account: Option<String>,
}

#[derive(paid::PaidSignal)]
enum Step {
    #[paid(signal = "lead_lost")]
    Lost {
        #[paid(customer)]
        account: Option<String>,
    },
    #[paid(signal = "lead_found")]
    Found { score: u32 },
    #[paid(signal = "lead_given")]
    Given {
        #[paid(customer)]
        account: Option<String>,
    },
}

#[paid::signal("meeting_booked", customer = account)]
fn book(account: Option<&str>) {}

#[test]
fn a_scopes_customer_that_stands_in_for_none_is_said_once_a_name() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let recorder = paid::testing::Recorder::new();
    tracing::subscriber::with_default(subscriber, || {
        recorder.run_sync(|| {
            paid::scope().customer("acme").run_sync(|| {
                paid::emit(&Qualified { account: Some("globex".into()) });
                book(Some("globex"));
                for _ in 0..2 {
                    paid::emit(&Qualified { account: None });
                    paid::emit(&Step::Lost { account: None });
                    paid::emit(&Step::Found { score: 7 });
                    paid::emit(Step::Given { account: None }.to_signal().customer("globex"));
                    book(None);
                }
            });
        });
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for name in ["lead_qualified", "lead_lost", "meeting_booked"] {
        let said = format!("signal `{name}`: `customer` is `None`, so the scope's customer is billed");
        assert_eq!(text.matches(&said).count(), 1, "{text}");
    }
    assert!(!text.contains("lead_found") && !text.contains("lead_given"), "{text}");
    assert_eq!(recorder.signals().len(), 12);
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
