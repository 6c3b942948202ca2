//! The hot path, piece by piece: `cargo bench -p paid-api`.
#![allow(missing_docs)]

use std::time::Duration;

use divan::{AllocProfiler, Bencher, black_box};
use paid::{Batch, Counts, DeliveryError, Emit, EmitterBuilder, PaidSignal, Signal, Sink, SinkFuture};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked", product = "ai-sdr")]
struct MeetingBooked {
    #[paid(customer)]
    account: &'static str,
    lead_id: &'static str,
    minutes: u32,
}

const BOOKED: MeetingBooked = MeetingBooked { account: "acme", lead_id: "lead-42", minutes: 30 };

struct Nowhere;

impl Emit for Nowhere {
    fn emit(&self, signal: Signal) -> bool {
        black_box(signal);
        true
    }

    fn fail(&self, failure: DeliveryError) {
        black_box(failure);
    }
}

impl Sink for Nowhere {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let ingested = batch.len() as u64;
        Box::pin(async move { Ok(Counts { ingested, ..Counts::default() }) })
    }
}

fn main() {
    divan::main();
}

/// Nobody listens: what is left of an emission.
#[divan::bench]
fn emit_without_an_emitter(bencher: Bencher) {
    bencher.bench(|| paid::emit(black_box(&BOOKED)));
}

/// The signal with its customer, product, key and time.
#[divan::bench]
fn emit_up_to_the_emitter(bencher: Bencher) {
    paid::scope().emitter(Nowhere).run_sync(|| bencher.bench_local(|| paid::emit(black_box(&BOOKED))));
}

/// With the queue behind it.
#[divan::bench(sample_size = 100)]
fn emit_into_the_queue(bencher: Bencher) {
    let builder = EmitterBuilder::over(Nowhere).queue(1_000_000).linger(Duration::from_millis(1));
    let emitter = builder.build().unwrap_or_else(|error| panic!("{error}"));
    paid::scope().emitter(emitter).run_sync(|| bencher.bench_local(|| paid::emit(black_box(&BOOKED))));
}

#[divan::bench]
fn a_signal_as_json(bencher: Bencher) {
    let signal = BOOKED.to_signal();
    bencher.bench(|| black_box(&signal).to_json());
}
