//! The browser's connections: it keeps them itself.

use std::time::Duration;

use super::HttpSettings;
use crate::error::{ConfigError, Failure};

/// A builder; the browser decides how long it takes to connect.
pub(super) fn connecting_within(_: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
}

/// The browser decides about proxies and follows redirects. The standard of `fetch` has it leave the key out at another origin;
/// browsers from before 2023 may not.
pub(super) fn kept_safe(configured: reqwest::ClientBuilder, _is_plain: bool) -> reqwest::ClientBuilder {
    configured
}

/// One HTTP client, as the browser has one pool.
pub(crate) struct Connections {
    http: reqwest::Client,
}

impl Connections {
    /// Makes the HTTP client at once, so that settings that cannot work are an error now.
    pub(crate) fn new(settings: HttpSettings) -> Result<Self, ConfigError> {
        Ok(Self { http: settings.build()? })
    }

    /// The same, as there is one thread.
    #[allow(dead_code)] // What needs it does not build here, and says so.
    pub(crate) fn separate(&self) -> Self {
        Self { http: self.http.clone() }
    }

    /// The HTTP client.
    pub(crate) fn here(&self) -> Result<reqwest::Client, Failure> {
        Ok(self.http.clone())
    }
}
