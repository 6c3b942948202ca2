//! Tracing in a process of its own: what the environment may not change, and how the process ends. The test runs itself
//! again with a role.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use paid::emulator::Emulator;
use paid::signal::Signal;
use paid::trace::{Operation, genai};

const ROLE: &str = "PAID_TEST_ROLE";

/// What would disturb an ordinary OpenTelemetry.
const HOSTILE: [(&str, &str); 15] = [
    ("OTEL_SDK_DISABLED", "true"),
    ("OTEL_TRACES_SAMPLER", "always_off"),
    ("OTEL_TRACES_EXPORTER", "none"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer stolen,x-foreign=yes"),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer stolen,x-foreign=yes"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1"),
    ("OTEL_RESOURCE_ATTRIBUTES", "foreign=yes"),
    ("OTEL_SERVICE_NAME", "foreign"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "1"),
    ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
];

fn again(role: &str, emulator: &Emulator) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["roles", "--exact", "--nocapture"])
        .env(ROLE, role)
        .env("PAID_API_KEY", "paid_x")
        .env("PAID_OTEL_COLLECTOR_ENDPOINT", emulator.collector_url())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// What a process does that was started again; nothing in the test itself.
#[test]
fn roles() {
    let Ok(role) = std::env::var(ROLE) else { return };
    if role == "foreign provider" {
        // Another global provider, which samples nothing.
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
            .with_sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff)
            .build();
        opentelemetry::global::set_tracer_provider(provider);
    }
    let guard = paid::trace::init().unwrap();
    paid::scope().customer("acme").product("p").traced().run_sync(|| {
        let many = (0..20).fold(genai("openai", Operation::Chat), |call, n| call.attribute(format!("n{n}"), n));
        many.start().finish();
        paid::trace::emit(Signal::new("email_sent"));
    });
    if role == "waits" {
        guard.shutdown_on_sigterm(Duration::from_secs(5)).unwrap();
        println!("ready");
        std::thread::sleep(Duration::from_secs(60));
        std::process::exit(7);
    }
    drop(guard);
}

async fn wait(mut child: Child) -> std::process::ExitStatus {
    tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap()
}

#[tokio::test]
async fn nothing_in_the_environment_of_the_host_changes_what_leaves() {
    let emulator = Emulator::start().await.unwrap();
    let mut seen = Vec::new();
    for (role, environment) in [("plain", &[][..]), ("hostile", &HOSTILE[..]), ("foreign provider", &HOSTILE[..])] {
        let child = again(role, &emulator).envs(environment.iter().copied()).spawn().unwrap();
        assert!(wait(child).await.success());
        let mut spans = emulator.spans();
        assert_eq!(spans.len(), 3, "{role}");
        spans.sort_by(|one, other| one.name.cmp(&other.name));
        let shape: Vec<_> = spans
            .into_iter()
            .map(|mut span| {
                span.attributes.remove("paid_scope_id").unwrap();
                (span.name, span.status, span.attributes, span.resource)
            })
            .collect();
        seen.push(shape);
        emulator.reset();
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn paid_enabled_false_turns_it_off_however_it_is_written() {
    let emulator = Emulator::start().await.unwrap();
    for text in ["false", "FALSE", "False "] {
        let child = again("off", &emulator).env("PAID_ENABLED", text).env_remove("PAID_API_KEY").spawn().unwrap();
        assert!(wait(child).await.success());
    }
    assert!(emulator.span_requests().is_empty());
    let child = again("on", &emulator).env("PAID_ENABLED", "true").spawn().unwrap();
    assert!(wait(child).await.success());
    assert_eq!(emulator.spans().len(), 3);
    let child = again("unclear", &emulator).env("PAID_ENABLED", "no").stderr(Stdio::null()).spawn().unwrap();
    assert!(!wait(child).await.success(), "what is neither true nor false is refused at the start");
}

/// A program that is pointed at an emulator by its base URL alone must not send spans to Paid.
#[tokio::test]
async fn spans_go_to_the_collector_beside_the_base_url() {
    let emulator = Emulator::start().await.unwrap();
    let mut command = again("plain", &emulator);
    command.env_remove("PAID_OTEL_COLLECTOR_ENDPOINT").env("PAID_BASE_URL", emulator.url());
    assert!(wait(command.spawn().unwrap()).await.success());
    assert_eq!(emulator.spans().len(), 3);
}

#[cfg(all(unix, feature = "sigterm"))]
#[tokio::test]
async fn a_process_that_is_told_to_end_sends_its_spans_and_ends_as_it_would_have() {
    use std::os::unix::process::ExitStatusExt;
    let emulator = Emulator::start().await.unwrap();
    for signal in [15, 2] {
        let mut child = again("waits", &emulator).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = tokio::task::spawn_blocking(move || lines.any(|line| line.unwrap().ends_with("ready")));
        assert!(ready.await.unwrap());
        let kill = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(wait(child).await.signal(), Some(signal));
        assert_eq!(emulator.spans().len(), 3);
        emulator.reset();
    }
}
