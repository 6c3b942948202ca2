#[paid::signal("meeting_booked", customer = "acme")]
fn work() -> Result<u32, String> {
    Ok("seven")
}

#[paid::signal("meeting_booked", customer = "acme")]
async fn more_work(minutes: u32) -> Result<u32, String> {
    let minutes: u8 = minutes;
    Ok(7)
}

#[paid::signal("meeting_booked", customer = "acme")]
fn most_work() -> u32 {
    "seven"
}

fn main() {}
