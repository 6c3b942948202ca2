#![allow(dead_code)]

#[paid::signal("email_sent", data(type = r#type))]
fn send(r#type: &str) {
    let _ = r#type;
}

fn main() {}
