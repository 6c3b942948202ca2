//! The loads. All send the same average signal, each for another customer.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use paid::{Batch, Client, Counts, Emitter, EmitterBuilder, PaidSignal, Sink, SinkFuture};

struct EmailSent {
    number: usize,
}

/// The code that the derive would write, except for the text that is formatted from a number.
impl PaidSignal for EmailSent {
    const NAMES: &'static [&'static str] = &["email_sent"];

    fn customer(&self) -> Option<paid::types::CustomerAttribution> {
        Some(paid::types::ExternalCustomerId::from(format!("c{}", self.number)).into())
    }

    fn product(&self) -> Option<paid::types::ProductAttribution> {
        Some(paid::types::ExternalProductId::from_static("ai-sdr").into())
    }

    fn idempotency_key(&self) -> Option<String> {
        Some(format!("k{}", self.number))
    }

    fn write_data(&self, data: &mut paid::signal::Data) {
        data.field("to", "a@b.c");
        data.field("n", &self.number);
    }
}

/// Prints the results of a load.
fn report(signals: usize, begun: Instant, cpu_before: f64) -> Result<()> {
    let seconds = begun.elapsed().as_secs_f64();
    let taken = serde_json::json!({
        "signals": signals,
        "seconds": seconds,
        "cpu_seconds": cpu()? - cpu_before,
        "resident_mib": memory("VmHWM:")?,
    });
    println!("{taken}");
    Ok(())
}

fn cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(u64::try_from(time.tv_sec()).unwrap_or(0))
            + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or(0))
    };
    Ok((seconds(usage.user_time()) + seconds(usage.system_time())).as_secs_f64())
}

/// Reads a line of Linux's status of this process, in MiB.
fn memory(line: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status.lines().find_map(|text| text.strip_prefix(line)?.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.unwrap_or(f64::NAN) / 1024.0)
}

pub(crate) fn raw(url: &str, signals: usize, batch: usize, in_flight: usize) -> Result<()> {
    let bodies: Vec<_> = (0..signals / batch)
        .map(|number| {
            let mut body = b"{\"signals\":[".to_vec();
            for place in 0..batch {
                if place > 0 {
                    body.push(b',');
                }
                let mut signal = EmailSent { number: number * batch + place }.to_signal();
                signal = signal.timestamp(paid::Timestamp::now());
                body.extend_from_slice(signal.to_json().to_string().as_bytes());
            }
            body.extend_from_slice(b"]}");
            axum::body::Bytes::from(body)
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = reqwest::Client::new();
    let url = format!("{url}/signals/bulk");
    let (begun, before) = (Instant::now(), cpu()?);
    runtime.block_on(async {
        let mut running = tokio::task::JoinSet::new();
        for body in bodies {
            if running.len() == in_flight
                && let Some(done) = running.join_next().await
            {
                done??;
            }
            let request = client.post(&url).header("content-type", "application/json").body(body);
            running.spawn(async move { request.send().await?.error_for_status()?.bytes().await });
        }
        while let Some(done) = running.join_next().await {
            done??;
        }
        anyhow::Ok(())
    })?;
    report(signals, begun, before)
}

fn builder(url: &str) -> Result<EmitterBuilder> {
    Ok(Emitter::builder(Client::builder().api_key("paid_x").base_url(url).build()?))
}

pub(crate) fn emit(url: &str, signals: usize, batch: usize, outbox: Option<PathBuf>) -> Result<()> {
    let mut builder = builder(url)?.max_batch(batch).queue(20_000);
    let has_outbox = outbox.is_some();
    if let Some(folder) = outbox {
        builder = builder.outbox(folder);
    }
    if batch == 1 {
        // Signals do not wait for others.
        builder = builder.linger(Duration::ZERO);
    }
    let emitter = builder.build()?;
    paid::install(emitter.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (begun, before) = (Instant::now(), cpu()?);
    for number in 0..signals {
        // Keeps the caller from outrunning the network: without an outbox there is no room for more. A delivered signal
        // is counted a moment before its room is free.
        while !has_outbox && emitter.stats().queued() >= 15_000 {
            std::thread::sleep(Duration::from_micros(200));
        }
        paid::emit(EmailSent { number });
    }
    runtime.block_on(emitter.flush(Duration::from_secs(120)))?;
    let stats = emitter.stats();
    if stats.delivered != signals as u64 {
        bail!("{stats:?}");
    }
    report(signals, begun, before)
}

pub(crate) fn accept(signals: usize, outbox: PathBuf) -> Result<()> {
    // Port 9 is the discard port, where no server listens.
    let emitter = builder("http://127.0.0.1:9")?.outbox(outbox).patience(Duration::ZERO).build()?;
    let (begun, before) = (Instant::now(), cpu()?);
    for number in 0..signals {
        drop(emitter.emit(EmailSent { number }));
    }
    let stats = emitter.stats();
    if stats.accepted != signals as u64 || stats.refused + stats.dropped > 0 {
        bail!("{stats:?}");
    }
    report(signals, begun, before)
}

/// A sink that refuses everything.
struct Refusing;

impl Sink for Refusing {
    fn send<'a>(&'a self, _: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async { Err(paid::Error::refused("no signal is good enough")) })
    }
}

/// The best of five readings.
pub(crate) fn letters(signals: usize, outbox: &Path) -> Result<()> {
    let emitter = EmitterBuilder::over(Refusing).outbox(outbox).queue(20_000).on_error(|_| {}).build()?;
    for number in 0..signals {
        while emitter.stats().queued() >= 15_000 {
            std::thread::sleep(Duration::from_micros(200));
        }
        drop(emitter.emit(EmailSent { number }));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(emitter.shutdown(Duration::from_secs(300)))?;
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let read = paid::outbox::dead_letters(outbox)?;
        best = best.min(begun.elapsed());
        if read.letters.len() != signals || !read.unreadable.is_empty() {
            bail!("{} letters of {signals}, {} unreadable", read.letters.len(), read.unreadable.len());
        }
    }
    println!("{}", serde_json::json!({ "seconds": best.as_secs_f64() }));
    Ok(())
}

/// A sink that accepts everything at once.
struct Nowhere;

impl Sink for Nowhere {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let ingested = batch.len() as u64;
        Box::pin(async move { Ok(Counts { ingested, ..Counts::default() }) })
    }
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked", product = "ai-sdr")]
struct MeetingBooked {
    #[paid(customer)]
    account: String,
    lead_id: String,
    minutes: u32,
}

/// Emits in bursts, with pauses for the emitter's thread.
pub(crate) fn hot(signals: usize) -> Result<()> {
    const BURST: usize = 1_000;
    let emitter = EmitterBuilder::over(Nowhere).build()?;
    paid::install(emitter.clone());
    let booked = MeetingBooked { account: "acme".into(), lead_id: "lead-42".into(), minutes: 30 };
    let mut times = Vec::with_capacity(signals);
    for _ in 0..signals / BURST {
        for _ in 0..BURST {
            let begun = Instant::now();
            paid::emit(&booked);
            times.push(begun.elapsed());
        }
        while emitter.stats().queued() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 1000).map_or(0, Duration::as_nanos);
    println!("{}", serde_json::json!({ "median_ns": at(500), "p99_ns": at(990), "p999_ns": at(999) }));
    if emitter.stats().refused > 0 {
        bail!("{:?}", emitter.stats());
    }
    Ok(())
}
