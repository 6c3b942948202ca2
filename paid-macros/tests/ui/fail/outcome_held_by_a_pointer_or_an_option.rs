use std::task::Poll;

#[paid::signal("job_done")]
fn boxed<T>(value: T) -> Box<T> {
    Box::new(value)
}

struct Queue<T>(Vec<T>);

impl<T> Queue<T> {
    #[paid::signal("job_taken")]
    fn take(&mut self) -> Option<T> {
        self.0.pop()
    }

    #[paid::signal("job_taken")]
    fn poll(&mut self) -> Poll<std::sync::Arc<T>> {
        Poll::Pending
    }
}

fn main() {}
