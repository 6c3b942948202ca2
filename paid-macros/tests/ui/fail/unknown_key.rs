#[paid::signal("meeting_booked", custmer = "acme")]
fn work() {}

#[paid::signal("meeting_booked", lead_id = 7)]
fn more_work() {}

fn main() {}
