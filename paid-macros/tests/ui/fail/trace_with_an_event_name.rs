//! The event's name stands in the other annotation.

#[paid::trace("meeting_booked", customer = "acme")]
fn work() {}

fn main() {}
