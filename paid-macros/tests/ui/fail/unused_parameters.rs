#![deny(unused_variables)]

#[paid::signal("tried")]
fn unused(lead: Vec<u8>, notes: Vec<u8>, used: Vec<u8>) -> usize {
    used.len()
}

fn main() {}
