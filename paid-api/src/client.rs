//! The client and its builder: API key, base URL, timeouts, retries.

mod connections;
mod environment;
#[cfg(feature = "gzip")]
mod gzip;
mod key;

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::duration::bounded;
use crate::error::{ConfigError, KeyProblem};
use crate::retry::RetryPolicy;
pub(crate) use connections::{Configure, Connections, HttpSettings};
#[allow(unused_imports)] // Only tracing needs them.
pub(crate) use environment::{COLLECTOR, collector_beside};
pub(crate) use environment::{is_switched_on, variable};
pub use key::ApiKey;
pub(crate) use key::KeySource;

/// Paid's v2 API.
const BASE_URL: &str = "https://api.agentpaid.io/api/v2";
const KEY_VARIABLE: &str = "PAID_API_KEY";
const URL_VARIABLE: &str = "PAID_BASE_URL";

/// A client for Paid's API. Cloning is cheap, and clones share their connections.
///
/// A client may be used from any number of tokio runtimes. Each runtime has connections of its own, so that one that is
/// blocked, or has ended, holds up no request of another.
///
/// Each resource has a method: [`customers`](Self::customers), [`orders`](Self::orders), and so on.
#[derive(Clone)]
pub struct Client {
    inner: Arc<ClientInner>,
}

/// Compresses a body, or returns `None` if it is better sent as it is.
pub(crate) type Compress = fn(&[u8]) -> Option<Vec<u8>>;

/// Asks for the key within this time.
pub(crate) type KeyAside = fn(KeySource, Duration) -> BoxFuture<Result<HeaderValue, KeyProblem>>;

/// A future in a box.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(crate) struct ClientInner {
    pub(crate) connections: Connections,
    pub(crate) base_url: String,
    pub(crate) key: KeySource,
    pub(crate) user_agent: HeaderValue,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_response_bytes: usize,
    /// Set by `ClientBuilder::gzip`.
    pub(crate) gzip: Option<Compress>,
    /// How the key is had where a function of the user's that blocks must not hold up the thread.
    pub(crate) key_aside: Option<KeyAside>,
}

impl Client {
    /// Creates a client with this API key and the default settings.
    ///
    /// # Errors
    ///
    /// If `key` is not a valid API key (see [`ApiKey::new`]), or TLS cannot be set up.
    pub fn new(key: impl AsRef<str>) -> Result<Self, ConfigError> {
        Self::builder().api_key(key).build()
    }

    /// Creates a client with the API key in `PAID_API_KEY` and, if it is set, the base URL in `PAID_BASE_URL`.
    ///
    /// If `PAID_ENABLED` is `false`, no key is needed: emitters made of the client send nothing, or cannot be built if they are
    /// told to send (`enabled(true)`). Its own requests, which are not turned off, fail with [`Error::Key`](crate::Error::Key).
    ///
    /// # Errors
    ///
    /// If `PAID_API_KEY` is missing, or one of the two variables has an invalid value.
    pub fn from_env() -> Result<Self, ConfigError> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns a builder with the default settings and no API key.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The base URL that requests are sent to, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.inner.base_url
    }

    /// A client with other settings.
    #[allow(dead_code)] // Only background threads need it.
    pub(crate) fn with(inner: ClientInner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn inner(&self) -> &ClientInner {
        &self.inner
    }

    /// Whether no request can be sent, because sending was switched off when the client was made.
    #[allow(dead_code)] // Only emitters ask.
    pub(crate) fn is_keyless(&self) -> bool {
        matches!(self.inner.key, KeySource::Absent)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("base_url", &self.inner.base_url)
            .field("timeout", &self.inner.timeout)
            .field("retry", &self.inner.retry)
            .finish_non_exhaustive()
    }
}

/// Configures and builds a [`Client`].
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    key: Option<Result<KeySource, ConfigError>>,
    base_url: String,
    timeout: Duration,
    connect_timeout: Duration,
    retry: RetryPolicy,
    user_agent: Option<String>,
    max_response_bytes: usize,
    configure: Option<Configure>,
    gzip: Option<Compress>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            key: None,
            base_url: BASE_URL.to_owned(),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            retry: RetryPolicy::default(),
            user_agent: None,
            max_response_bytes: 64 << 20,
            configure: None,
            gzip: None,
        }
    }
}

impl ClientBuilder {
    /// Returns a builder with the API key in `PAID_API_KEY` and, if it is set, the base URL in `PAID_BASE_URL`.
    ///
    /// # Errors
    ///
    /// If `PAID_API_KEY` is missing, or one of the two variables is not valid Unicode.
    pub fn from_env() -> Result<Self, ConfigError> {
        let builder = match variable(KEY_VARIABLE)? {
            Some(key) => Self::default().api_key(key),
            None if !is_switched_on()? => Self { key: Some(Ok(KeySource::Absent)), ..Self::default() },
            None => {
                return Err(ConfigError::new(
                    "PAID_API_KEY is not set: export the key that Paid shows under its developer settings",
                ));
            }
        };
        Ok(match variable(URL_VARIABLE)? {
            Some(url) => builder.base_url(url),
            None => builder,
        })
    }

    /// Sets the API key (`paid_…`). [`build`](Self::build) reports an invalid one.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        self.key = Some(ApiKey::new(key).map(KeySource::Fixed));
        self
    }

    /// Sets a function that returns the current API key, for keys that are rotated. It is called before every attempt of a
    /// request, in the task that sends it, so it must not block. Emitters call it on a thread of its own. If it panics, the
    /// attempt fails with [`Error::Key`](crate::Error::Key).
    ///
    /// ```
    /// # use std::sync::{Arc, RwLock};
    /// # use paid::{ApiKey, Client};
    /// # fn main() -> Result<(), paid::ConfigError> {
    /// let key = Arc::new(RwLock::new(ApiKey::new("paid_first")?));
    /// let current = Arc::clone(&key);
    /// let client = Client::builder().api_key_from(move || current.read().unwrap().clone()).build()?;
    /// // Later, when the key has been rotated:
    /// *key.write().unwrap() = ApiKey::new("paid_second")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn api_key_from(mut self, provider: impl Fn() -> ApiKey + Send + Sync + 'static) -> Self {
        self.key = Some(Ok(KeySource::provided(provider)));
        self
    }

    /// Sets the base URL of all requests; Paid's v2 API by default. Plain `http` is allowed for loopback addresses only.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Sets the timeout of one attempt, from connecting to the last byte of the response. 60 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the timeout for establishing a connection. 10 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how often and for how long requests are retried. Emitters pace their attempts themselves.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Adds a product, such as `acme-sdr/1.2`, in front of `paid-rust/<version>` in the `User-Agent` header.
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.user_agent = Some(product.into());
        self
    }

    /// Sets the largest body of a response, in bytes. 64 MiB by default. A larger one is [`Error::Decode`](crate::Error::Decode).
    /// Of a response with an error status at most 64 KiB are kept.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Configures the HTTP clients that send the requests, for example to use a proxy or other root certificates. The
    /// function is called for each tokio runtime and each emitter that uses this client, because each has connections of its
    /// own.
    ///
    /// Redirects are never followed, and plain `http`, which is for this machine only, uses no proxy: both would show the
    /// API key to somebody else.
    ///
    /// ```
    /// # fn main() -> Result<(), paid::ConfigError> {
    /// let client = paid::Client::builder().api_key("paid_x").http(|http| http.pool_max_idle_per_host(4)).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http(
        mut self,
        configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Arc::new(configure));
        self
    }

    /// Builds the client, or says which setting is wrong; it connects to nothing yet.
    ///
    /// # Errors
    ///
    /// If the API key is missing or invalid; if the base URL is invalid, or is neither HTTPS nor loopback; or if the HTTP
    /// client cannot be set up.
    pub fn build(self) -> Result<Client, ConfigError> {
        let key = self
            .key
            .ok_or_else(|| ConfigError::new("the API key is missing: call `api_key`, or use `Client::from_env`"))??;
        let base_url = checked_url("base URL", &self.base_url)?;
        let ours = concat!("paid-rust/", env!("CARGO_PKG_VERSION"));
        let user_agent = self.user_agent.map_or_else(|| ours.to_owned(), |product| format!("{product} {ours}"));
        let user_agent = HeaderValue::try_from(user_agent)
            .map_err(|_| ConfigError::new("the user agent is not a valid header value"))?;
        let http = HttpSettings {
            connect_timeout: self.connect_timeout,
            configure: self.configure,
            is_plain: is_plain(&base_url),
        };
        let inner = ClientInner {
            connections: Connections::new(http)?,
            base_url,
            key,
            user_agent,
            timeout: bounded(self.timeout),
            retry: self.retry,
            max_response_bytes: self.max_response_bytes,
            gzip: self.gzip,
            key_aside: None,
        };
        Ok(Client { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("key", &self.key)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// Checks that an API key may be sent to this URL, and removes trailing slashes. Errors name the URL as `what`.
pub(crate) fn checked_url(what: &str, text: &str) -> Result<String, ConfigError> {
    // The text may contain a password: errors do not show it.
    let url = Url::parse(text).map_err(|error| ConfigError::new(format!("the {what} is not a valid URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::new(format!(
            "the {what} contains a user name or password: remove it, the API key is enough"
        )));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::new(format!("the {what} has a query or a fragment: remove it")));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return Err(ConfigError::new(format!(
                "plain http would expose the API key to the network: use https://{}",
                url.host_str().unwrap_or_default()
            )));
        }
        other => return Err(ConfigError::new(format!("the scheme of the {what} is `{other}`: use https"))),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Returns true if what is sent to a checked URL is not encrypted.
pub(crate) fn is_plain(url: &str) -> bool {
    url.starts_with("http:")
}

/// Returns true if the host is this machine, by name or address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_printed() {
        let builder = Client::builder().api_key("paid_secret");
        assert!(!format!("{builder:?}").contains("secret"));
        assert!(
            !format!("{:?} {:?}", builder.clone().build().unwrap(), builder.build().unwrap().inner().key.header())
                .contains("secret")
        );
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for url in ["http://127.0.0.1:4010", "http://localhost:1/x/", "http://[::1]:80", "https://paid.test/api/v2/"] {
            assert!(!checked_url("base URL", url).unwrap().ends_with('/'), "{url}");
        }
        for url in [
            "http://paid.test",
            "http://10.0.0.1",
            "http://localhost.evil.test",
            "ftp://paid.test",
            "paid.test",
            "https://u:p@paid.test",
            "https://paid.test/?a=1",
        ] {
            let error = checked_url("base URL", url).unwrap_err().to_string();
            assert!(!error.contains("u:p"), "{error}");
        }
    }
}
