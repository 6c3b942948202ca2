//! The end of dispatch: a deadline, once it is known, and what is awaited until then. A `CancellationToken` would say that
//! dispatch ends, but not when: waits share the time that is left.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::host::Host;
use super::told as watch;
use crate::duration::bounded;

/// The time at which dispatch must end; `None` until its last handle is dropped or it is shut down.
pub(super) type EndTime = watch::Receiver<Option<Instant>>;

/// The time after this duration.
pub(super) fn after(host: &dyn Host, time: Duration) -> Instant {
    host.instant() + bounded(time)
}

/// The outcome of a future, or `None` if the end comes first.
pub(super) async fn before<F: Future>(end: EndTime, future: F) -> Option<F::Output> {
    first(future, over(end)).await
}

/// Completes at the end, which may be set to a sooner time while it is awaited.
async fn over(mut end: EndTime) {
    let Some(mut at) = end.wait_for(Option::is_some).await.ok().and_then(|at| *at) else {
        return std::future::pending().await;
    };
    loop {
        let sooner = end.wait_for(|end| end.is_some_and(|end| end < at));
        match tokio::time::timeout_at(at, sooner).await {
            Ok(Ok(value)) => at = value.unwrap_or(at),
            Ok(Err(_)) => return tokio::time::sleep_until(at).await,
            Err(_) => return,
        }
    }
}

/// The outcome of a future, or `None` after this time.
pub(super) async fn within<F: Future>(host: &dyn Host, time: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    if let Some(outcome) = future.as_mut().now_or_never() {
        return Some(outcome);
    }
    first(future, host.alarm(bounded(time))).await
}

/// The outcome of a future, or `None` if another is ready before it.
async fn first<F: Future, O: Future>(future: F, other: O) -> Option<F::Output> {
    let (mut future, mut other) = (pin!(future), pin!(other));
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => other.as_mut().poll(context).map(|_| None),
    })
    .await
}
