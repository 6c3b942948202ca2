fn main() {
    paid::signal_block!("email_sent", customer = "acme");
    paid::signal_block!("email_sent", customer = "acme", send());
    paid::signal_block!("email_sent", { send() }, customer = "acme");
    paid::signal_block!("email_sent", move { send() });
}

fn send() {}
