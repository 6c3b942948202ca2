use std::future::Ready;

type Later = Ready<Result<u32, String>>;

trait Service {
    type Future: Future<Output = Result<u32, String>>;
    fn call(&self) -> Self::Future;
}

struct Mailer;

impl Service for Mailer {
    type Future = Later;

    #[paid::signal("email_sent")]
    fn call(&self) -> Self::Future {
        std::future::ready(Ok(1))
    }
}

#[paid::signal("email_sent")]
fn by_an_alias() -> Later {
    std::future::ready(Ok(1))
}

#[paid::trace(customer = "acme")]
fn traced() -> Later {
    std::future::ready(Ok(1))
}

fn main() {}
