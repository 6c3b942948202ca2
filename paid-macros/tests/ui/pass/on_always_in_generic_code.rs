#![allow(dead_code)]

#[paid::signal("job_done", on = "always")]
fn run<T>(job: impl FnOnce() -> T) -> T {
    job()
}

fn main() {}
