//! The client and its builder: API key, base URL, timeouts, retries.

#[cfg(feature = "gzip")]
mod gzip;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::error::ConfigError;
use crate::foreign;
use crate::retry::RetryPolicy;

/// Paid's v2 API.
const BASE_URL: &str = "https://api.agentpaid.io/api/v2";
const KEY_VARIABLE: &str = "PAID_API_KEY";
const URL_VARIABLE: &str = "PAID_BASE_URL";

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

/// A client for Paid's API. Cloning is cheap, and clones share their connections.
///
/// Each resource has a method: [`customers`](Self::customers), [`orders`](Self::orders), and so on.
#[derive(Clone)]
pub struct Client {
    inner: Arc<ClientInner>,
}

/// Compresses a body, or returns `None` if it is better sent as it is.
pub(crate) type Compress = fn(&[u8]) -> Option<Vec<u8>>;

pub(crate) struct ClientInner {
    pub(crate) http: reqwest::Client,
    pub(crate) base_url: String,
    pub(crate) key: KeySource,
    pub(crate) user_agent: HeaderValue,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    /// Set by `ClientBuilder::gzip`.
    pub(crate) gzip: Option<Compress>,
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

    pub(crate) fn inner(&self) -> &ClientInner {
        &self.inner
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

/// Where a request's API key comes from.
#[derive(Clone)]
pub(crate) enum KeySource {
    Fixed(ApiKey),
    Provided { provide: Arc<dyn Fn() -> ApiKey + Send + Sync>, last: Arc<Mutex<Option<HeaderValue>>> },
}

impl KeySource {
    pub(crate) fn provided(provider: impl Fn() -> ApiKey + Send + Sync + 'static) -> Self {
        Self::Provided { provide: Arc::new(provider), last: Arc::default() }
    }

    /// The `Authorization` header. It is read for every attempt, so that a rotated key is used at once.
    pub(crate) fn header(&self) -> HeaderValue {
        match self {
            Self::Fixed(key) => key.header(),
            Self::Provided { provide, last } => {
                let provided = foreign::call(|| provide().header());
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                match provided {
                    Ok(header) => last.insert(header).clone(),
                    // It may work again soon. Without any key the server refuses the request, and it is repeated.
                    Err(_) => last.clone().unwrap_or_else(|| HeaderValue::from_static("Bearer")),
                }
            }
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(***)")
    }
}

/// Configures and builds a [`Client`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    key: Option<Result<KeySource, ConfigError>>,
    base_url: String,
    timeout: Duration,
    connect_timeout: Duration,
    retry: RetryPolicy,
    user_agent: Option<String>,
    http: Option<reqwest::Client>,
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
            http: None,
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
        let Some(key) = variable(KEY_VARIABLE)? else {
            return Err(ConfigError::new(
                "PAID_API_KEY is not set: export the key that Paid shows under its developer settings",
            ));
        };
        let builder = Self::default().api_key(key);
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
    /// request, so it must not block.
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

    /// Sets the timeout for establishing a connection. 10 seconds by default. A client set with [`http`](Self::http) keeps
    /// its own.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how often and for how long requests are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Adds a product, such as `acme-sdr/1.2`, in front of `paid-rust/<version>` in the `User-Agent` header.
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.user_agent = Some(product.into());
        self
    }

    /// Sets the HTTP client, for example to use a proxy, other root certificates, or a shared connection pool.
    pub fn http(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// If the API key is missing or invalid; if the base URL is invalid, or is neither HTTPS nor loopback; or if TLS cannot
    /// be set up.
    pub fn build(self) -> Result<Client, ConfigError> {
        let key = self
            .key
            .ok_or_else(|| ConfigError::new("the API key is missing: call `api_key`, or use `Client::from_env`"))??;
        let base_url = checked_url("base URL", &self.base_url)?;
        let ours = concat!("paid-rust/", env!("CARGO_PKG_VERSION"));
        let user_agent = self.user_agent.map_or_else(|| ours.to_owned(), |product| format!("{product} {ours}"));
        let user_agent = HeaderValue::try_from(user_agent)
            .map_err(|_| ConfigError::new("the user agent is not a valid header value"))?;
        let http = match self.http {
            Some(client) => client,
            None => https(self.connect_timeout)?,
        };
        let inner =
            ClientInner { http, base_url, key, user_agent, timeout: self.timeout, retry: self.retry, gzip: self.gzip };
        Ok(Client { inner: Arc::new(inner) })
    }
}

/// The default HTTP client, over HTTPS. It follows no redirect, which would pass the API key on.
pub(crate) fn https(connect_timeout: Duration) -> Result<reqwest::Client, ConfigError> {
    reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| ConfigError::new(format!("cannot set up HTTPS: {error}")))
}

/// The value of an environment variable; `None` if it is unset or empty.
pub(crate) fn variable(name: &str) -> Result<Option<String>, ConfigError> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(ConfigError::new(format!("{name} is not valid Unicode"))),
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
    fn invalid_keys_are_refused_without_showing_them() {
        for key in ["", " paid_secret", "paid_secret\n", "paid_sécret", "paid secret"] {
            let error = ApiKey::new(key).unwrap_err().to_string();
            assert!(!error.contains("cret"), "{error}");
        }
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
