#[paid::signal("meeting_booked", customer = "acme", data(lead_id = "l1", duration_minutes = 0))]
fn work() {}

#[paid::signal("meeting_booked", customer = "acme", data(lead_id = 7, channel = "fax"))]
fn more_work() {}

fn main() {}
