#![allow(dead_code)]

use std::pin::Pin;

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

trait Service {
    type Future;
    fn call(&mut self) -> Self::Future;
}

struct Mailer;

impl Service for Mailer {
    type Future = Work<'static, Result<u32, String>>;

    #[paid::signal("email_sent", data(words = *ret))]
    #[paid::trace(customer = "acme")]
    fn call(&mut self) -> Self::Future {
        Box::pin(async { Err("refused".to_owned()) })
    }
}

#[paid::signal("email_sent", data(account))]
fn send(account: &str) -> Work<'_, Result<usize, String>> {
    Box::pin(async { Ok(account.len()) })
}

fn main() {}
