#![allow(dead_code)]

#[paid::signal("email_failed", on = "error", data(why = err.to_string()))]
fn send() -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

fn main() {}
