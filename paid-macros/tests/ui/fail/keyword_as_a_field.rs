#[paid::signal("email_sent", data(type))]
fn send(r#type: &str) {
    let _ = r#type;
}

#[paid::trace(metadata(type))]
fn trace(r#type: &str) {
    let _ = r#type;
}

fn main() {}
