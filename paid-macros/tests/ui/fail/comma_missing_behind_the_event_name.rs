#[paid::signal("email_sent" customer = "acme", data(words = 3))]
fn send() {}

fn block() {
    paid::signal_block!("email_sent" customer = "acme", { 7 });
}

fn main() {
    send();
    block();
}
