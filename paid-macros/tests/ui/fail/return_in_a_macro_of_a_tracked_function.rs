macro_rules! bail {
    ($error:expr) => {
        return Err($error)
    };
}

macro_rules! checked {
    ($value:expr) => {
        $value?
    };
}

#[paid::signal("email_sent")]
#[track_caller]
fn send(words: u32) -> Result<u32, String> {
    if words == 0 {
        bail!("no words".to_owned());
    }
    Ok(words)
}

#[paid::trace(customer = "acme")]
#[track_caller]
fn trace(words: Option<u32>) -> Option<u32> {
    Some(checked!(words))
}

fn main() {}
