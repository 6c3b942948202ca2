async fn send() -> Result<(), String> {
    Ok(())
}

fn main() {
    let _future = paid::signal_block!("email_sent", customer = "acme", { send() });
    let _boxed = paid::signal_block!("email_sent", customer = "acme", { Box::pin(send()) });
    let _closure = paid::signal_block!("email_sent", customer = "acme", || send());
}
