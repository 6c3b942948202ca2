type Same<T> = T;

#[paid::signal("job_done")]
fn run<T>(value: T) -> Same<T> {
    value
}

fn main() {}
