#[paid::signal("booking_failed", on = "error", data(why = ret.to_string()))]
fn work() -> Result<(), String> {
    Ok(())
}

fn main() {}
