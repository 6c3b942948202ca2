#[paid::signal("job_done")]
fn shown(words: &str) -> impl std::fmt::Debug {
    words.parse::<u32>()
}

fn main() {}
