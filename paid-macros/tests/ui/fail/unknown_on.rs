#[paid::signal("meeting_booked", on = "eror")]
fn work() -> Result<(), ()> {
    Ok(())
}

fn main() {}
