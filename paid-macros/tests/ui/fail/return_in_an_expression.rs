#[paid::signal("email_sent", when = { if n == 0 { return 99 } true })]
fn send(n: u32) -> u32 {
    n
}

#[paid::signal("email_sent", data(n = loop { if n == 0 { break 1; } continue 'outer; }))]
fn sent(n: u32) -> u32 {
    n
}

fn main() {}
