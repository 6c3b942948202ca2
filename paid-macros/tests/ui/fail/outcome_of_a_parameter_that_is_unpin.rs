#[paid::signal("job_done")]
fn run<T: Unpin>(value: T) -> T {
    value
}

fn main() {}
