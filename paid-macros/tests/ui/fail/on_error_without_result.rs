#[paid::signal("booking_failed", on = "error")]
fn work() -> Option<u32> {
    None
}

#[paid::signal("booking_failed", on = "error")]
fn more_work() {}

fn main() {}
