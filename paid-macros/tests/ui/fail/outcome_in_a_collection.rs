//! More answers than one, however they are held.

use std::collections::{HashMap, VecDeque};

#[paid::signal("email_sent")]
fn queued() -> VecDeque<Result<u32, String>> {
    VecDeque::new()
}

#[paid::signal("email_sent")]
fn by_lead() -> Result<HashMap<u32, Result<u32, String>>, String> {
    Ok(HashMap::new())
}

#[paid::signal("email_sent")]
fn last() -> (u32, u32, Result<u32, String>) {
    (1, 2, Ok(3))
}

#[paid::signal("email_sent")]
fn in_a_thread() -> std::thread::JoinHandle<u32> {
    std::thread::spawn(|| 1)
}

#[paid::signal("email_sent")]
fn begun() -> Result<std::future::Ready<u32>, String> {
    Ok(std::future::ready(1))
}

fn main() {}
