#![allow(dead_code)]

use std::task::Poll;

#[paid::signal("row_read")]
fn read() -> Option<Result<u32, String>> {
    Some(Err("torn".to_owned()))
}

#[paid::signal("row_read")]
fn joined() -> Result<Result<u32, String>, u8> {
    Ok(Err("torn".to_owned()))
}

#[paid::signal("row_read")]
fn poll() -> Poll<Option<Result<u32, String>>> {
    Poll::Pending
}

#[paid::signal("row_read", data(row = *ret))]
fn shared() -> std::sync::Arc<Result<u32, String>> {
    std::sync::Arc::new(Ok(1))
}

fn main() {}
