#![allow(dead_code)]

use std::pin::Pin;

#[paid::signal("email_sent")]
fn send() -> impl Future<Output = Result<(), std::fmt::Error>> + Send {
    async { Ok(()) }
}

#[paid::signal("email_sent")]
fn boxed() -> Pin<Box<impl Future<Output = Result<u32, String>>>> {
    Box::pin(async { Ok("7".parse::<u32>().map_err(|error| error.to_string())?) })
}

fn main() {}
