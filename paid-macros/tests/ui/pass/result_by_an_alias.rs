#![allow(dead_code)]

#[paid::signal("file_read", data(size = *ret))]
fn read() -> std::io::Result<u64> {
    Ok(std::fs::metadata("Cargo.toml")?.len())
}

#[paid::signal("file_shown")]
fn show() -> std::fmt::Result {
    Err(std::fmt::Error)
}

fn main() {}
