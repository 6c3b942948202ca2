#[paid::signal("job_done")]
fn run<T>(job: impl FnOnce() -> T) -> T {
    job()
}

trait Job {
    type Out;
    fn go(&self) -> Self::Out;

    #[paid::signal("job_done")]
    async fn billed(&self) -> Self::Out {
        self.go()
    }
}

#[paid::signal("job_done")]
fn borrowed<T>(value: &T) -> &T {
    value
}

fn main() {}
