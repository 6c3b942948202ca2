type Same<T> = T;

#[paid::signal("job_done")]
fn run<T>(value: T) -> Same<T> {
    value
}

#[paid::signal("job_done")]
fn by_closure<T, F>(job: F) -> Same<T>
where
    F: FnOnce() -> T,
{
    job()
}

fn main() {}
