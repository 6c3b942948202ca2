#![allow(dead_code)]

trait Limit<A, B> {
    const MOST: u32;
}

struct Plan;

impl Limit<u8, u16> for Plan {
    const MOST: u32 = 3;
}

fn count<A, B>() -> u32 {
    1
}

#[paid::signal(
    "email_sent",
    data(
        most = <Plan as Limit<u8, u16>>::MOST,
        arrow = count::<fn(u8) -> u8, u16>(),
        less = 1 < 2,
        cast = 1_u8 as u32,
        shifted = 1_u32 >> 1
    )
)]
fn send() {}

fn main() {}
