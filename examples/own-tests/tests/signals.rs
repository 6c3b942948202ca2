//! What is emitted, and what is not: a recorder takes the emitter's place.
#![allow(clippy::unwrap_used)]

use own_tests::{Lead, Reply, campaign};
use paid::testing::Recorder;

fn lead(id: &str, reply: Reply) -> Lead {
    Lead { id: id.to_owned(), reply }
}

#[test]
fn a_meeting_is_billed_once_and_what_fails_bills_nothing() {
    let leads = [lead("1", Reply::Meeting(9)), lead("2", Reply::Silence), lead("3", Reply::Bounce)];
    let recorder = Recorder::new();
    recorder.run_sync(|| assert_eq!(campaign("acme", &leads), 1));
    paid::assert_emitted!(recorder, "meeting_booked", data.lead_id == "1", customer == "acme");
    paid::assert_emitted!(recorder, "email_sent", data.lead_id == "2");
    paid::assert_not_emitted!(recorder, "email_sent", data.lead_id == "3");
    assert_eq!(paid::count_emitted!(recorder, "email_sent"), 2);
    assert!(recorder.failures().is_empty(), "every signal has a customer");
}
