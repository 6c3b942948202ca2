struct Who;

fn account(known: bool) -> Result<String, Who> {
    if known { Ok("acme".to_owned()) } else { Err(Who) }
}

#[paid::signal("email_sent", customer = account(known)?, data(who = format!("{}", account(known)?)))]
fn send(known: bool) -> Result<u32, Who> {
    Ok(7)
}

#[paid::trace(customer = account(known)?)]
fn trace(known: bool) -> Result<u32, Who> {
    Ok(7)
}

fn main() {}
