//! `?` in a macro whose input is no list of expressions would leave the function, too.

#[paid::signal("email_sent", data(lead = serde_json::json!({ "id": id? })))]
fn send(id: Option<u32>) -> Option<u32> {
    id
}

#[paid::signal("email_sent", data(leads = vec![id?; 2]))]
fn send_twice(id: Option<u32>) -> Option<u32> {
    id
}

fn main() {}
