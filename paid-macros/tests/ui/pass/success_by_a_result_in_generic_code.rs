#![allow(dead_code)]

#[paid::signal("job_done", success = |out| out.as_ref())]
async fn run<T, E>(job: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    job.await
}

fn main() {}
