#[paid::signal("meeting_booked", data(lead_id = 1, lead_id = 2))]
fn work() {}

fn main() {}
