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

struct Words(u32);

#[paid::signal("email_sent")]
#[track_caller]
fn beside_an_impl(words: Words) -> Result<u32, String> {
    impl std::fmt::Display for Words {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(out, "{}", self.0)
        }
    }
    if words.0 == 0 {
        bail!(words.to_string());
    }
    Ok(words.0)
}

#[paid::signal("email_sent")]
#[track_caller]
fn beside_an_impl_in_an_inner_block(words: Words) -> Result<u32, String> {
    if words.0 == 0 {
        impl std::fmt::Debug for Words {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(out, "{}", self.0)
            }
        }
        bail!(format!("{words:?}"));
    }
    Ok(words.0)
}

fn main() {}
