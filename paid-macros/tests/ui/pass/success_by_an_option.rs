#![allow(dead_code)]

use std::ops::ControlFlow;

#[paid::signal("search_done", success = |flow| match flow { ControlFlow::Break(found) => Some(found), _ => None }, data(found = *ret))]
fn search() -> ControlFlow<u32> {
    ControlFlow::Break(7)
}

fn main() {}
