//! A future in a `tracing` span, safe from panics of the subscriber.

use std::pin::pin;

use tracing::Span;

use super::{call, log};

/// A span whose subscriber may panic.
struct Guarded(Option<Span>);

/// Leaves the span again, also if the work inside panics.
struct Inside<'a>(&'a Span);

impl<'a> Inside<'a> {
    fn enter(span: &'a Span) -> Self {
        let _ = call(|| span.with_subscriber(|(id, dispatch)| dispatch.enter(id)));
        Self(span)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let _ = call(|| self.0.with_subscriber(|(id, dispatch)| dispatch.exit(id)));
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let span = self.0.take();
        let _ = call(|| drop(span));
    }
}

/// Runs a future in a span.
pub(crate) async fn in_span<F: Future>(make: impl FnOnce() -> Span, future: F) -> F::Output {
    let span = Guarded(log(make));
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        let _inside = span.0.as_ref().map(Inside::enter);
        future.as_mut().poll(context)
    })
    .await
}
