//! What an emission costs in allocations: the customer's id, the data, and the receipt or a key of its own.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use paid::{Batch, Counts, EmitterBuilder, PaidSignal, Sink, SinkFuture};

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked", product = "ai-sdr")]
struct MeetingBooked {
    #[paid(customer)]
    account: String,
    lead_id: String,
    minutes: u32,
}

#[derive(PaidSignal)]
#[paid(signal = "email_sent", product = "ai-sdr")]
struct EmailSent {
    #[paid(customer)]
    account: String,
    #[paid(idempotency_key)]
    message_id: String,
    words: u32,
}

struct Nowhere;

impl Sink for Nowhere {
    fn send<'a>(&'a self, _: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async { Ok(Counts::default()) })
    }
}

/// The mean over many calls: the queue grows in steps.
fn allocations(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 4_000;
    call();
    let counted = allocation_counter::measure(|| {
        for _ in 0..CALLS {
            call();
        }
    });
    f64::from(u32::try_from(counted.count_total).unwrap()) / f64::from(CALLS)
}

#[test]
fn an_emission_allocates_three_times_at_most() {
    let emitter = EmitterBuilder::over(Nowhere).queue(100_000).linger(Duration::from_secs(3_600)).build().unwrap();
    let booked = MeetingBooked { account: "acme".into(), lead_id: "lead-42".into(), minutes: 30 };
    let sent = EmailSent { account: "acme".into(), message_id: "m-4711".into(), words: 120 };
    let with_receipt = allocations(|| drop(emitter.emit(&booked)));
    assert!(with_receipt < 3.05, "{with_receipt}");
    paid::install(emitter);
    let made_key = allocations(|| paid::emit(&booked));
    assert!(made_key < 2.05, "{made_key}");
    let own_key = allocations(|| paid::emit(&sent));
    assert!(own_key < 3.05, "{own_key}");
}
