#[paid::signal("meeting_booked", cost = spent)]
fn work(spent: f64) {}

fn main() {}
