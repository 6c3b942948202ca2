#[paid::signal("meeting_booked")]
const fn work() -> u32 {
    7
}

fn main() {}
