const KEY: &str = "k";

#[paid::signal("meeting_booked", idempotency_key = "meeting")]
fn work() {}

#[paid::signal("meeting_booked", idempotency_key = KEY.to_string())]
fn more_work() {}

#[paid::signal("meeting_booked", idempotency_key = format!("meeting-1"))]
fn most_work() {}

fn main() {}
