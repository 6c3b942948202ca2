//! The API key: fixed, or from a function of the user's, which may panic or block.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use reqwest::header::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{ConfigError, KeyProblem};
use crate::foreign;

/// A secret API key. It is never printed: not by `Debug`, not in errors, not in logs.
#[derive(Clone)]
pub struct ApiKey(HeaderValue);

impl ApiKey {
    /// Accepts a key as Paid shows it (`paid_…`).
    ///
    /// # Errors
    ///
    /// If `key` is empty or contains a character other than visible ASCII, such as a space or a line break.
    pub fn new(key: impl AsRef<str>) -> Result<Self, ConfigError> {
        let key = key.as_ref();
        if key.is_empty() {
            return Err(ConfigError::new("the API key is empty"));
        }
        if key.trim() != key {
            return Err(ConfigError::new("the API key starts or ends with whitespace; trim it"));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::new("the API key contains a character other than visible ASCII; copy it again"));
        }
        let mut header = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| ConfigError::new("the API key is not a valid header value; copy it again"))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(***)")
    }
}

/// Where a request's API key comes from.
#[derive(Clone)]
pub(crate) enum KeySource {
    Fixed(ApiKey),
    Provided(Arc<Provider>),
}

/// A function that returns the current key.
pub(crate) struct Provider {
    provide: Box<dyn Fn() -> ApiKey + Send + Sync>,
    /// The key that it returned last.
    last: Mutex<Option<ApiKey>>,
    /// A function that blocks holds up one thread, not one for each attempt.
    turn: Arc<Semaphore>,
}

/// How long spans wait for the current key before the last one is taken.
const PATIENCE_OF_SPANS: Duration = Duration::from_millis(500);

impl KeySource {
    pub(crate) fn provided(provide: impl Fn() -> ApiKey + Send + Sync + 'static) -> Self {
        let provider =
            Provider { provide: Box::new(provide), last: Mutex::default(), turn: Arc::new(Semaphore::new(1)) };
        Self::Provided(Arc::new(provider))
    }

    /// The `Authorization` header, for the caller's own request: the function runs in the caller's task. It is asked for
    /// every attempt, so that a rotated key is used at once.
    pub(crate) fn header(&self) -> Result<HeaderValue, KeyProblem> {
        match self {
            Self::Fixed(key) => Ok(key.header()),
            Self::Provided(provider) => provider.ask(),
        }
    }

    /// The same for a background thread, which a function that blocks must not hold up: it runs on a thread of its own.
    pub(crate) async fn header_aside(&self, limit: Duration) -> Result<HeaderValue, KeyProblem> {
        let provider = match self {
            Self::Fixed(key) => return Ok(key.header()),
            Self::Provided(provider) => provider,
        };
        let asked = async {
            let turn = Arc::clone(&provider.turn).acquire_owned().await.map_err(|_| KeyProblem::NoThread)?;
            let (tell, told) = oneshot::channel();
            provider.ask_aside(turn, move |header| drop(tell.send(header)))?;
            told.await.unwrap_or(Err(KeyProblem::NoThread))
        };
        tokio::time::timeout(limit, asked).await.unwrap_or(Err(KeyProblem::Blocked { limit }))
    }

    /// The current key or, if it cannot be had soon, the last one that is known.
    #[allow(dead_code)] // Only spans need it.
    pub(crate) fn known(&self) -> Option<HeaderValue> {
        let provider = match self {
            Self::Fixed(key) => return Some(key.header()),
            Self::Provided(provider) => provider,
        };
        let current = || {
            let turn = Arc::clone(&provider.turn).try_acquire_owned().ok()?;
            let (tell, told) = mpsc::channel();
            provider.ask_aside(turn, move |header| drop(tell.send(header))).ok()?;
            told.recv_timeout(PATIENCE_OF_SPANS).ok()?.ok()
        };
        current().or_else(|| provider.last().as_ref().map(ApiKey::header))
    }
}

impl Provider {
    fn last(&self) -> std::sync::MutexGuard<'_, Option<ApiKey>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the function.
    fn ask(&self) -> Result<HeaderValue, KeyProblem> {
        // Its message may hold the key.
        let key = foreign::call(|| (self.provide)()).map_err(|_| KeyProblem::Panicked)?;
        let header = key.header();
        *self.last() = Some(key);
        Ok(header)
    }

    /// Calls the function on a thread of its own.
    fn ask_aside(
        self: &Arc<Self>,
        turn: OwnedSemaphorePermit,
        tell: impl FnOnce(Result<HeaderValue, KeyProblem>) + Send + 'static,
    ) -> Result<(), KeyProblem> {
        let provider = Arc::clone(self);
        let work = move || {
            let header = provider.ask();
            drop(turn);
            tell(header);
        };
        std::thread::Builder::new().name("paid-key".into()).spawn(work).map_err(|_| KeyProblem::NoThread)?;
        Ok(())
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_keys_are_refused_without_showing_them() {
        for key in ["", " paid_secret", "paid_secret\n", "paid_sécret", "paid secret"] {
            let error = ApiKey::new(key).unwrap_err().to_string();
            assert!(!error.contains("cret"), "{error}");
        }
    }

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
            assert_eq!(source.header_aside(limit).await.unwrap_err(), KeyProblem::Blocked { limit });
        }
        assert_eq!(source.known(), None);
        drop(unblock);
        while source.known().is_none() {
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
        assert_eq!(source.header_aside(Duration::from_secs(60)).await.unwrap_err(), KeyProblem::Panicked);
        assert_eq!(source.known(), None);
        panics.store(false, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(source.header().unwrap(), "Bearer paid_x");
        assert_eq!(source.header_aside(Duration::from_secs(60)).await.unwrap(), "Bearer paid_x");
        panics.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(source.known().unwrap(), "Bearer paid_x");
    }
}
