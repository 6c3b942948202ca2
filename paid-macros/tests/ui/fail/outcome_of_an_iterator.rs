#[paid::signal("rows_read")]
fn rows(words: &[&'static str]) -> impl Iterator<Item = Result<u32, std::num::ParseIntError>> {
    words.iter().map(|word| word.parse()).collect::<Vec<_>>().into_iter()
}

#[paid::signal("rows_read")]
fn boxed() -> Box<dyn Iterator<Item = Result<u32, String>>> {
    Box::new(std::iter::empty())
}

fn main() {}
