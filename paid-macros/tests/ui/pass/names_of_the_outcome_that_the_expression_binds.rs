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

#[paid::signal(
    "guarded",
    data(size = match limit {
        n if ret.len() > n => "big",
        _ => "small",
    })
)]
pub fn guarded(limit: usize) -> Vec<u8> {
    vec![0; limit + 10]
}

#[paid::signal("failed", on = "error", data(code = if let Err(err) = other(limit) { err } else { err.len() }))]
pub fn failed_otherwise(limit: usize) -> Result<u32, String> {
    Err(limit.to_string())
}

fn other(limit: usize) -> Result<u32, usize> {
    u32::try_from(limit).map_err(|_| limit)
}

#[paid::signal("kept", success = |out| match out {
    n if *n > lead.len() => true,
    _ => false,
})]
pub fn judged(lead: String, notes: String) -> usize {
    lead.len() + notes.len()
}

#[paid::signal("measured", data(length = { let measure = |ret: &Vec<u8>| ret.len(); measure(ret) }))]
pub fn measured() -> Vec<u8> {
    Vec::new()
}
