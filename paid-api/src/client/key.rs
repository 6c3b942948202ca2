//! The API key: fixed, or from a function of the user's, which may panic or block.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;

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

    pub(crate) fn header(&self) -> HeaderValue {
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
    /// No key is needed: sending is switched off.
    Absent,
}

/// A function that returns the current key.
pub(crate) struct Provider {
    provide: Box<dyn Fn() -> ApiKey + Send + Sync>,
    /// The key that it returned last.
    last: Mutex<Option<ApiKey>>,
    /// A function that blocks holds up one thread, not one for each attempt.
    #[allow(dead_code)] // Only background threads need it.
    pub(crate) turn: Arc<Semaphore>,
}

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
            Self::Absent => Err(KeyProblem::NotSet),
        }
    }
}

impl Provider {
    /// The key that it returned last.
    pub(crate) fn last(&self) -> std::sync::MutexGuard<'_, Option<ApiKey>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the function.
    pub(crate) fn ask(&self) -> Result<HeaderValue, KeyProblem> {
        // Its message may hold the key.
        let key = foreign::call(|| (self.provide)()).map_err(|_| KeyProblem::Panicked)?;
        let header = key.header();
        *self.last() = Some(key);
        Ok(header)
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
}
