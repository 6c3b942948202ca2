//! The client of a background thread: connections of its own, one attempt for each request, and a key that a function of the
//! user's may take long to return.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use reqwest::header::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::client::{ApiKey, Client, ClientInner, KeySource};
use crate::duration::LONGEST;
use crate::error::KeyProblem;
use crate::retry::RetryPolicy;

/// The largest response of a bulk request: it is a few numbers.
pub(crate) const SMALL_RESPONSE: usize = 64 << 10;

/// How long spans wait for the current key before the last one is taken.
const PATIENCE_OF_SPANS: Duration = Duration::from_millis(500);

/// A client with the same key and settings for a background thread. It has connections of its own and makes one attempt,
/// because dispatch counts and paces attempts.
pub(crate) fn client(of: &Client) -> Client {
    let inner = of.inner();
    Client::with(ClientInner {
        connections: inner.connections.separate(),
        base_url: inner.base_url.clone(),
        key: inner.key.clone(),
        user_agent: inner.user_agent.clone(),
        timeout: inner.timeout,
        retry: RetryPolicy::never().total(LONGEST),
        max_response_bytes: inner.max_response_bytes.min(SMALL_RESPONSE),
        gzip: inner.gzip,
        key_aside: Some(|key, limit| Box::pin(header_aside(key, limit))),
    })
}

/// The `Authorization` header for a background thread, which a function that blocks must not hold up: it runs on a thread of
/// its own.
pub(crate) async fn header_aside(source: KeySource, limit: Duration) -> Result<HeaderValue, KeyProblem> {
    let provider = match &source {
        KeySource::Fixed(key) => return Ok(key.header()),
        KeySource::Provided(provider) => provider,
        KeySource::Absent => return Err(KeyProblem::NotSet),
    };
    let asked = async {
        let turn = Arc::clone(&provider.turn).acquire_owned().await.map_err(|_| KeyProblem::NoThread)?;
        let (tell, told) = oneshot::channel();
        ask_aside(source.clone(), turn, move |header| drop(tell.send(header)))?;
        told.await.unwrap_or(Err(KeyProblem::NoThread))
    };
    tokio::time::timeout(limit, asked).await.unwrap_or(Err(KeyProblem::Blocked { limit }))
}

/// The current key or, if it cannot be had soon, the last one that is known.
#[allow(dead_code)] // Only spans need it.
pub(crate) fn known(source: &KeySource) -> Option<HeaderValue> {
    let provider = match source {
        KeySource::Fixed(key) => return Some(key.header()),
        KeySource::Provided(provider) => provider,
        KeySource::Absent => return None,
    };
    let current = || {
        let turn = Arc::clone(&provider.turn).try_acquire_owned().ok()?;
        let (tell, told) = mpsc::channel();
        ask_aside(source.clone(), turn, move |header| drop(tell.send(header))).ok()?;
        told.recv_timeout(PATIENCE_OF_SPANS).ok()?.ok()
    };
    current().or_else(|| provider.last().as_ref().map(ApiKey::header))
}

/// Calls the function on a thread of its own.
fn ask_aside(
    source: KeySource,
    turn: OwnedSemaphorePermit,
    tell: impl FnOnce(Result<HeaderValue, KeyProblem>) + Send + 'static,
) -> Result<(), KeyProblem> {
    let work = move || {
        let header = source.header();
        drop(turn);
        tell(header);
    };
    std::thread::Builder::new().name("paid-key".into()).spawn(work).map_err(|_| KeyProblem::NoThread)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A function that blocks until the sender is dropped.
    fn blocked() -> (mpsc::Sender<()>, KeySource) {
        let (unblock, blocks) = mpsc::channel::<()>();
        let blocks = Mutex::new(blocks);
        let source = KeySource::provided(move || {
            let _ = blocks.lock().unwrap().recv();
            ApiKey::new("paid_x").unwrap()
        });
        (unblock, source)
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_that_blocks_holds_up_neither_requests_nor_spans() {
        let (unblock, source) = blocked();
        let limit = Duration::from_secs(3);
        for _ in 0..2 {
            assert_eq!(header_aside(source.clone(), limit).await.unwrap_err(), KeyProblem::Blocked { limit });
        }
        assert_eq!(known(&source), None);
        drop(unblock);
        while known(&source).is_none() {
            std::thread::yield_now();
        }
    }

    #[tokio::test]
    async fn a_function_that_panics_is_asked_again_and_the_last_key_stays_known() {
        let panics = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let does_panic = Arc::clone(&panics);
        let source = KeySource::provided(move || {
            assert!(!does_panic.load(std::sync::atomic::Ordering::SeqCst), "no key today");
            ApiKey::new("paid_x").unwrap()
        });
        assert_eq!(source.header().unwrap_err(), KeyProblem::Panicked);
        assert_eq!(header_aside(source.clone(), Duration::from_secs(60)).await.unwrap_err(), KeyProblem::Panicked);
        assert_eq!(known(&source), None);
        panics.store(false, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(source.header().unwrap(), "Bearer paid_x");
        assert_eq!(header_aside(source.clone(), Duration::from_secs(60)).await.unwrap(), "Bearer paid_x");
        panics.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(known(&source).unwrap(), "Bearer paid_x");
    }
}
