//! A future with an end. An `async` block that awaits another future has room for it twice.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

pin_project! {
    /// A future, and what is done when it is ready.
    pub struct Ended<F, E> {
        #[pin]
        future: F,
        end: Option<E>,
    }
}

/// Calls `end` when the future is ready.
pub fn ended<F: Future, E: FnOnce(&F::Output)>(future: F, end: E) -> Ended<F, E> {
    Ended { future, end: Some(end) }
}

impl<F: Future, E: FnOnce(&F::Output)> Future for Ended<F, E> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let out = ready!(this.future.poll(context));
        if let Some(end) = this.end.take() {
            end(&out);
        }
        Poll::Ready(out)
    }
}
