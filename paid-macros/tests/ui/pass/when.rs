#![allow(dead_code)]

#[paid::signal("email_sent", when = words > 0)]
fn send(words: u32) {
    let _ = words;
}

#[paid::signal("email_sent", when = *ret > 0)]
fn sent(words: u32) -> u32 {
    words
}

fn main() {}
