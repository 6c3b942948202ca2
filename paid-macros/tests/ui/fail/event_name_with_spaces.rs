#[paid::signal(" meeting booked")]
fn work() {}

fn main() {}
