#![allow(dead_code)]

#[paid::signal("email_tried", on = "always", data(ok = result.is_ok()))]
fn send() -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

fn main() {}
