//! Attempts without a response, and what becomes of them: the HTTP client's own errors, without the API key.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::StatusCode;

use super::{ConfigError, Error, KeyProblem, TransportError};
use crate::platform::is_connect;
use crate::secret::Secret;
use crate::verdict::Verdict;

const NO_RUNTIME: &str = "a request needs a tokio runtime: await it in one, for example under `#[tokio::main]`";
const PANICKED: &str =
    "the tokio runtime may lack I/O or timers (`enable_all`), or a function given to `http` panicked";

/// Why an attempt has no response, or only a part of one.
pub(crate) enum Failure {
    /// The HTTP client failed within this time limit.
    Http { error: reqwest::Error, limit: Duration, secret: Secret },
    /// Paid did the work, but its answer did not arrive as a whole.
    Cut { status: StatusCode, error: reqwest::Error, secret: Secret },
    /// Nothing arrived within this time limit; with a status, no more of a body that is streamed.
    Late { limit: Duration, status: Option<StatusCode> },
    /// There is no key; nothing was sent.
    Key(KeyProblem),
    /// The HTTP client cannot be set up; nothing was sent.
    #[allow(dead_code, reason = "a browser has no pools to set up")]
    NotSetUp(ConfigError),
    /// There was no time left; nothing was sent.
    NoTime,
    /// There is no runtime to send anything from.
    #[allow(dead_code, reason = "a browser always has one")]
    NoRuntime,
    /// A function of the user's, or the HTTP client on a runtime without I/O or timers, panicked.
    Panicked,
}

impl Failure {
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Http { error, .. } if error.is_builder() => Verdict::BadContent,
            Self::Http { error, .. } => Verdict::of_failure(!is_connect(error)),
            Self::Cut { .. } | Self::Late { .. } | Self::Panicked => Verdict::Unknown,
            Self::Key(_) => Verdict::BadKey,
            Self::NotSetUp(_) | Self::NoTime => Verdict::NotDone,
            Self::NoRuntime => Verdict::BadContent,
        }
    }
}

/// What is left of an error whose text contained the API key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct CleanedUp(String);

/// The error as it is or, if it contains the API key, its text without the key.
fn without_key(error: reqwest::Error, secret: &Secret) -> Box<dyn std::error::Error + Send + Sync> {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    if secret.is_in(&text) || secret.is_in(&format!("{error:?}")) {
        return Box::new(CleanedUp(secret.removed(&text)));
    }
    Box::new(error)
}

impl Error {
    /// The error of a request without a response.
    pub(crate) fn no_response(operation: Cow<'static, str>, attempts: u32, failure: Failure) -> Self {
        let (error, limit, secret) = match failure {
            Failure::Http { error, limit, secret } => (error, limit, secret),
            Failure::Cut { status, error, secret } => {
                let why = if error.is_timeout() { "took too long" } else { "was cut off" };
                let cause = without_key(error, &secret);
                let message = format!(
                    "the answer {why} after its status said that this is done; look before you repeat it: {cause}"
                );
                return Self::decode(operation, status, message);
            }
            Failure::Late { limit, status: Some(status) } => {
                let message = format!(
                    "nothing more of the answer arrived within {limit:?} after its status said that this is done"
                );
                return Self::decode(operation, status, message);
            }
            Failure::Late { limit, status: None } => return Self::Timeout { operation, after: limit, attempts },
            Failure::Key(problem) => return Self::Key { operation, problem },
            Failure::NotSetUp(error) => {
                return Self::transport(operation, attempts, true, "cannot set up a connection to Paid", error);
            }
            Failure::NoTime => return Self::Timeout { operation, after: Duration::ZERO, attempts },
            Failure::NoRuntime => return Self::Config(ConfigError::new(NO_RUNTIME)),
            Failure::Panicked => {
                return Self::transport(
                    operation,
                    attempts,
                    false,
                    "the HTTP client panicked",
                    ConfigError::new(PANICKED),
                );
            }
        };
        if error.is_builder() {
            return Self::request(operation, "the URL cannot be sent; it is too long, or the base URL is wrong");
        }
        let connect = is_connect(&error);
        if error.is_timeout() && !connect {
            return Self::Timeout { operation, after: limit, attempts };
        }
        let what = if connect { "cannot connect to Paid" } else { "the connection failed" };
        Self::transport(operation, attempts, connect, what, without_key(error, &secret))
    }

    fn transport(
        operation: Cow<'static, str>,
        attempts: u32,
        connect: bool,
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Transport(Box::new(TransportError { operation, attempts, connect, what, source: source.into() }))
    }
}
