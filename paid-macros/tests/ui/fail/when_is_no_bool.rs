#[paid::signal("meeting_booked", when = count)]
fn work(count: u32) {}

fn main() {}
