#![allow(dead_code)]

use paid::signal::{CostAmount, CostData};

#[paid::signal("email_sent", quantity = words, cost = cost)]
fn send(words: u32, cost: CostData) {
    let _ = (words, cost);
}

fn unused(_: CostAmount) {}

fn main() {}
