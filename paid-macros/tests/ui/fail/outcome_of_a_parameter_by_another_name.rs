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

trait Work: Send {}
impl<T: Send> Work for T {}

type Job<T> = T;
type Later<T> = Option<T>;

#[paid::signal("job_done")]
fn with_a_bound<T: Work>(job: T) -> Job<T> {
    job
}

#[paid::signal("job_done")]
fn held_with_a_bound<T>(job: T) -> Later<T>
where
    T: Work,
{
    Some(job)
}

fn main() {}
