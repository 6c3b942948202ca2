#![allow(dead_code)]

struct Meeting {
    minutes: u32,
}

#[paid::signal("meeting_booked", data(minutes = ret.minutes))]
fn book() -> Result<Meeting, ()> {
    Ok(Meeting { minutes: 30 })
}

fn main() {}
