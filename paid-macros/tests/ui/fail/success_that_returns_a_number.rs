#[paid::signal("page_read", success = |status| *status)]
fn read() -> u16 {
    404
}

fn main() {}
