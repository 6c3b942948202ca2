//! The collector is reached through no emitter.

#[paid::signal("email_sent", customer = "acme", over = "trace", via = emitter)]
fn work(emitter: paid::Emitter) {}

fn main() {}
