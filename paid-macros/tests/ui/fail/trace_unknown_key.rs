//! A key of the annotation is misspelt.

#[paid::trace(custmer = "acme")]
fn work() {}

#[paid::trace(customer = "acme", campaign = "spring")]
fn more_work() {}

fn main() {}
