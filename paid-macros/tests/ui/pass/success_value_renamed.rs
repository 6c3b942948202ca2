#![allow(dead_code)]

#[paid::signal("meeting_booked", ret = minutes, data(minutes = *minutes))]
fn book(ret: u32) -> u32 {
    ret
}

fn main() {}
