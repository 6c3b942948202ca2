//! How long the end of the process waits for a dispatch.

use std::time::Duration;

use super::*;
use crate::dispatch::closing::Closing;
use crate::ending::{Cause, LONGEST, Part as _};

const HOUR: Duration = Duration::from_secs(3_600);

fn closing(patience: Duration) -> Closing<Parcels> {
    let (tell, _) = mpsc::unbounded_channel();
    let limits = Limits { records: 10, bytes: 1_000 };
    let queue = Arc::new(Queue::new(limits, Overflow::Reject, limits, false, tell));
    let shared = Arc::new(DispatchShared::new(RecordKind::Signal, Reporter::default(), Arc::new(Machine)));
    Closing::new(queue, shared, patience, false).0
}

#[test]
fn an_end_waits_for_the_patience_but_never_without_limit() {
    let modest = closing(Duration::from_secs(5));
    assert_eq!(modest.time(Cause::Exit), Duration::from_secs(5));
    for patience in [HOUR, Duration::MAX] {
        let patient = closing(patience);
        assert_eq!((patient.time(Cause::Exit), patient.time(Cause::Signal)), (LONGEST, LONGEST));
    }
}

#[test]
fn an_end_by_a_signal_waits_as_long_as_was_named_for_it() {
    let patient = closing(Duration::from_secs(5));
    patient.name_time_on_signal(HOUR);
    assert_eq!((patient.time(Cause::Exit), patient.time(Cause::Signal)), (Duration::from_secs(5), HOUR));
    patient.name_time_on_signal(Duration::MAX);
    // Representable as a point in time.
    patient.close(patient.time(Cause::Signal));
}

#[test]
fn a_second_end_can_only_shorten_the_first() {
    let closing = closing(HOUR);
    closing.close(Duration::ZERO);
    closing.close(HOUR);
    let begun = std::time::Instant::now();
    assert!(!closing.wait(), "no thread has said that it ended");
    assert!(begun.elapsed() < Duration::from_secs(10));
}
