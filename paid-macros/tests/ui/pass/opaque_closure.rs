#![allow(dead_code)]

#[paid::signal("scorer_made")]
fn scorer() -> impl Fn(&str) -> usize {
    |text| text.len()
}

#[paid::signal("scorer_made")]
async fn later() -> impl Fn(&str, u32) -> usize + Send {
    |text, more| text.len() + more as usize
}

#[paid::trace(customer = "acme")]
fn traced<T: Clone>(value: T) -> impl FnMut(&[T]) -> Vec<T> {
    move |values| values.iter().cloned().chain([value.clone()]).collect()
}

fn main() {}
