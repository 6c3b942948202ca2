//! The HTTP clients of a client: how they are made, and where their connections are.

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod browser;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
mod pools;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
use browser::{connecting_within, kept_safe};
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
use pools::{connecting_within, kept_safe};

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub(crate) use browser::Connections;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
pub(crate) use pools::Connections;

use crate::error::ConfigError;
use crate::foreign;

/// What the user changes of every HTTP client.
pub(crate) type Configure = Arc<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>;

/// How HTTP clients are made.
#[derive(Clone)]
pub(crate) struct HttpSettings {
    pub(crate) connect_timeout: Duration,
    pub(crate) configure: Option<Configure>,
    /// True if requests are not encrypted, which is for this machine only.
    pub(crate) is_plain: bool,
}

impl HttpSettings {
    /// Makes an HTTP client without connections.
    pub(crate) fn build(&self) -> Result<reqwest::Client, ConfigError> {
        let ours = connecting_within(self.connect_timeout);
        let configured = match &self.configure {
            Some(configure) => foreign::call(|| configure(ours))
                .map_err(|panic| ConfigError::new(format!("the function that configures the HTTP client {panic}")))?,
            None => ours,
        };
        let safe = kept_safe(configured, self.is_plain);
        safe.build().map_err(|error| ConfigError::new(format!("cannot set up HTTPS: {error}")))
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpSettings")
            .field("connect_timeout", &self.connect_timeout)
            .field("is_plain", &self.is_plain)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_user_s_function_is_an_error() {
        let configure: Configure = Arc::new(|_| panic!("no"));
        let settings = HttpSettings { connect_timeout: Duration::ZERO, configure: Some(configure), is_plain: false };
        assert!(settings.build().unwrap_err().to_string().contains("panicked"));
    }
}
