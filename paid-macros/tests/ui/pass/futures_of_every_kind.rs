#![deny(warnings)]
#![allow(dead_code)]

use std::future::ready;
use std::pin::Pin;

#[paid::signal("sent")]
fn unpin() -> impl Future<Output = Result<u32, ()>> + Unpin {
    ready(Ok(1))
}

#[paid::trace(customer = "acme")]
fn traced_unpin() -> impl Future<Output = Result<u32, ()>> + Unpin {
    ready(Ok(1))
}

#[paid::trace(customer = "acme")]
async fn future_of_a_future() -> impl Future<Output = Result<u32, ()>> {
    ready(Ok(1))
}

#[paid::trace(customer = "acme")]
async fn future_of_a_boxed_future() -> Pin<Box<impl Future<Output = Result<u32, ()>>>> {
    Box::pin(ready(Ok(1)))
}

#[paid::signal("sent", data(words = words, letters = *ret))]
async fn billed_future_of_a_future(words: &str) -> impl Future<Output = Result<usize, ()>> {
    ready(Ok(words.len()))
}

#[paid::signal("sent")]
async fn billed_unpin_future(words: String) -> impl Future<Output = Option<usize>> + Unpin {
    ready(Some(words.len()))
}

#[paid::signal("sent")]
async fn billed_future_that_is_boxed(words: String) -> Pin<Box<dyn Future<Output = Result<usize, ()>> + Send>> {
    Box::pin(async move { if words.is_empty() { Err(()) } else { Ok(words.len()) } })
}

#[paid::signal("sent")]
fn boxed() -> futures_util::future::BoxFuture<'static, Result<u32, String>> {
    Box::pin(async { Ok(1) })
}

mod own {
    pub struct BoxFuture<T>(pub T);
}

#[paid::signal("sent")]
fn of_the_users() -> own::BoxFuture<u8> {
    own::BoxFuture(1)
}

fn main() {
    fn moves<F: Unpin>(_: F) {}
    moves(unpin());
    moves(traced_unpin());
}
