mod err {
    pub fn code() -> u32 {
        7
    }
}

pub struct Attempt(Result<u32, String>);

#[paid::signal(
    "tried",
    customer = "acme",
    data(
        lengths = attempts.iter().map(|err| err.0.is_err()).filter(|err| *err).count(),
        first = match &attempts[0].0 {
            Ok(_) => 0,
            Err(err) => err.len(),
        },
        last = if let Err(err) = &attempts[1].0 { err.len() } else { 0 },
        code = err::code(),
        template = "{err}".len(),
    )
)]
fn tried(attempts: &[Attempt]) -> Result<u32, String> {
    attempts[0].0.clone()
}

#[paid::signal("failed", on = "error", data(code = err.len(), longest = list.iter().map(|ret| ret.len()).max()))]
fn failed(list: &[String]) -> Result<u32, String> {
    list.first().cloned().map_or(Ok(1), Err)
}

fn main() {
    let attempts = [Attempt(Err("no".to_owned())), Attempt(Ok(1))];
    let _ = tried(&attempts);
    let _ = failed(&["no".to_owned()]);
}
