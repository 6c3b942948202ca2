#![allow(dead_code)]

#[paid::signal("email_sent", unit = team, user = name)]
fn send(team: &str, name: &str) {
    let _ = (team, name);
}

fn main() {}
