#[paid::signal("page_read", on = "always", success = |status| *status < 400)]
fn read() -> u16 {
    404
}

#[paid::signal("page_read", on = "error", success = |page| page.is_ok())]
fn page() -> Result<u16, String> {
    Ok(404)
}

fn main() {}
