//! The run time that tracing and a signal add to a function, compared with plain `tracing` and `opentelemetry_sdk` in
//! the same program. Both record three spans with the same attributes: the work, a call of a model, and the signal.

use anyhow::{Context, Result};

use super::row::{Bar, Row};
use super::{compile, expand, measure};
use crate::project;

const SOURCE: &str = r#"use std::hint::black_box;
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};
use paid::trace::{Operation, Usage, genai};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const CALLS: u32 = 200;
const ROUNDS: usize = 301;

#[derive(Debug)]
struct Nowhere;
impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> opentelemetry_sdk::error::OTelSdkResult { black_box(batch); Ok(()) }
}

/// About what a call does around its model: a text is written.
fn body(lead: &str) -> usize {
    let mut text = String::from("Dear ");
    for word in ["lead", lead, "we", "should", "meet"] { text.push_str(word); text.push(' '); }
    black_box(text).len()
}

#[tracing::instrument(skip_all, fields(external_customer_id = "acme", external_agent_id = "ai-sdr", campaign = "spring"))]
#[inline(never)]
fn plain(lead: &str) -> usize {
    let call = tracing::info_span!(
        "openai.chat.completions.create",
        gen_ai.system = "openai", gen_ai.provider.name = "openai", gen_ai.operation.name = "chat",
        gen_ai.request.model = "gpt-4o", gen_ai.usage.input_tokens = 100, gen_ai.usage.output_tokens = 60
    );
    let length = call.in_scope(|| body(lead));
    let data = format!("{{\"lead_id\":\"{lead}\",\"length\":{length}}}");
    tracing::info_span!("signal", event_name = "email_sent", data = data.as_str()).in_scope(|| ());
    length
}

#[paid::trace(customer = "acme", product = "ai-sdr", metadata(campaign = "spring"))]
#[paid::signal("email_sent", over = "trace", data(lead_id = lead, length = *ret))]
#[inline(never)]
fn traced(lead: &str) -> usize {
    let mut call = genai("openai", Operation::Chat).request_model("gpt-4o").start();
    call.usage(Usage { input_tokens: Some(100), output_tokens: Some(60), ..Usage::new() });
    body(lead)
}

/// Answers every request, as little as it can.
fn collector() -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                let mut buffer = [0; 65536];
                loop {
                    let end = loop {
                        if let Some(end) = seen.windows(4).position(|part| part == b"\r\n\r\n") { break end + 4; }
                        match stream.read(&mut buffer) { Ok(0) | Err(_) => return, Ok(read) => seen.extend_from_slice(&buffer[..read]) }
                    };
                    let head = String::from_utf8_lossy(&seen[..end]).to_ascii_lowercase();
                    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|length| length.trim().parse().ok()).unwrap_or(0);
                    while seen.len() < end + length {
                        match stream.read(&mut buffer) { Ok(0) | Err(_) => return, Ok(read) => seen.extend_from_slice(&buffer[..read]) }
                    }
                    seen.drain(..end + length);
                    if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() { return; }
                }
            });
        }
    });
    url
}

fn per_call(function: impl Fn(&str) -> usize) -> f64 {
    let begun = Instant::now();
    for _ in 0..CALLS { black_box(function(black_box("lead-42"))); }
    begun.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn main() {
    let config = BatchConfigBuilder::default().with_max_export_batch_size(64).with_max_queue_size(2048).with_scheduled_delay(Duration::from_millis(500)).build();
    let host = SdkTracerProvider::builder().with_span_processor(BatchSpanProcessor::builder(Nowhere).with_batch_config(config).build()).build();
    tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(host.tracer("host"))).init();
    let tracing = paid::trace::builder().api_key("paid_bench").endpoint(collector()).init().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let one = per_call(plain);
        host.force_flush().unwrap();
        let other = per_call(traced);
        runtime.block_on(tracing.flush(Duration::from_secs(10))).unwrap();
        rounds.push((other / one, one, other));
    }
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let stats = tracing.stats();
    assert_eq!((stats.dropped, stats.rejected), (0, 0));
    assert_eq!(stats.exported, ROUNDS as u64 * u64::from(CALLS) * 3);
    let (ratio, one, other) = rounds[ROUNDS / 2];
    println!("{ratio} {one} {other} {} {}", rounds[ROUNDS / 4].0, rounds[ROUNDS * 3 / 4].0);
}
"#;

const DEPENDENCIES: &str = r#"opentelemetry = { version = "0.33", default-features = false, features = ["trace"] }
opentelemetry_sdk = { version = "0.33", default-features = false, features = ["trace"] }
tokio = { version = "1", features = ["rt", "time"] }
tracing = "0.1"
tracing-opentelemetry = { version = "0.34", default-features = false }
tracing-subscriber = { version = "0.3", default-features = false, features = ["std", "registry"] }
"#;

pub(crate) fn rows() -> Result<Vec<Row>> {
    let root = project::root()?;
    let scratch = compile::scratch(&root);
    let folder = scratch.join("trace");
    expand::write(&root, &folder, "trace", "main.rs", SOURCE)?;
    let manifest = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)?.replace("[\"emit\"]", "[\"trace\"]");
    std::fs::write(&manifest, text + DEPENDENCIES)?;
    eprintln!("  building");
    let mut command = measure::cargo(&folder, &scratch.join("target"), &["run", "--quiet", "--release"]);
    let output = command.output().context("cannot start cargo")?;
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<f64> = shown.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [ratio, plain, traced, low, high] = numbers.as_slice() else {
        anyhow::bail!("the program gave no figures:\n{}", String::from_utf8_lossy(&output.stderr));
    };
    Ok(vec![Row::new(
        "traced, signalled function / the same with plain tracing + opentelemetry_sdk",
        *ratio,
        Bar::AtMost(1.3),
        format!(
            "median of 301 rounds in turns, half of them {low:.2} to {high:.2}; {traced:.0} ns to {plain:.0} ns a call"
        ),
    )])
}
