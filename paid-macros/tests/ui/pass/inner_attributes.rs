#![allow(dead_code)]

#[paid::signal("email_sent")]
fn send() -> u32 {
    #![allow(unused_variables)]
    let draft = 1;
    7
}

#[paid::trace(customer = "acme")]
async fn later() -> u32 {
    //! Documented inside.
    #![allow(unused_variables)]
    let draft = 1;
    7
}

fn main() {}
