#![allow(dead_code)]

#[paid::signal("email_sent", product_id = product)]
fn send(product: &paid::types::ProductId) {
    let _ = product;
}

fn main() {}
