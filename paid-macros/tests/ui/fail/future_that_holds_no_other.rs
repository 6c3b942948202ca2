#[paid::signal("email_sent")]
fn ready() -> std::future::Ready<Result<u32, String>> {
    std::future::ready(Ok(1))
}

struct Work;

impl Future for Work {
    type Output = Result<u32, String>;
    fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::task::Poll::Pending
    }
}

#[paid::signal("email_sent", on = "always")]
fn work() -> Work {
    Work
}

#[paid::trace(customer = "acme")]
fn trace() -> Work {
    Work
}

#[paid::signal("email_sent")]
async fn twice() -> Work {
    Work
}

fn main() {}
