type Answer = Result<u32, String>;

#[paid::signal("sender_made")]
fn sender() -> impl Fn() -> Result<u32, String> {
    || Ok(1)
}

#[paid::signal("sender_made")]
fn boxed() -> Box<dyn Fn() -> Answer> {
    Box::new(|| Ok(1))
}

#[paid::signal("sender_made")]
fn with_a_lifetime() -> impl for<'a> Fn(&'a str) -> Result<&'a str, String> {
    |text| Ok(text)
}

#[paid::signal("sender_made")]
fn formats() -> impl Fn(&mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    |out| out.write_str("sent")
}

fn main() {}
