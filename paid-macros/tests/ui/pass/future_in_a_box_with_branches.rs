#![allow(dead_code)]

use std::pin::Pin;

#[paid::signal("email_sent")]
fn send(skip: bool) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    if skip {
        return Box::pin(async { 0 });
    }
    match skip {
        true => Box::pin(async { 1 }),
        false => Box::pin(async { 2 }),
    }
}

#[paid::trace(customer = "acme")]
fn trace(skip: bool) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    if skip { Box::pin(async { 1 }) } else { Box::pin(async { 2 }) }
}

fn main() {}
