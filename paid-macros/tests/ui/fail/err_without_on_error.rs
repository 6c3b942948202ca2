#[paid::signal("meeting_booked", data(why = err.to_string()))]
fn work() -> Result<(), String> {
    Ok(())
}

fn main() {}
