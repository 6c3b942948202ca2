type Answer = Result<u32, String>;

#[paid::signal("sender_made")]
fn sender() -> impl Fn() -> Result<u32, String> {
    || Ok(1)
}

#[paid::signal("sender_made")]
fn boxed() -> Box<dyn Fn() -> Answer> {
    Box::new(|| Ok(1))
}

fn main() {}
