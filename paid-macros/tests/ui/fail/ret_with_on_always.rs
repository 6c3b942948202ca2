#[paid::signal("booking_tried", on = "always", data(minutes = ret.len()))]
fn work() -> Result<String, String> {
    Ok(String::new())
}

fn main() {}
