//! Webhooks that Paid sends to you, verified and typed. Feature `webhook`.
//!
//! Paid signs every webhook message with your organisation's signing secret. [`Verifier`] checks the signature of the raw
//! body, rejects messages that were signed more than five minutes ago, and parses the event:
//!
//! ```
//! use paid::webhook::{Event, Verifier};
//!
//! # fn main() -> Result<(), paid::webhook::WebhookError> {
//! # let body = br#"{"event":"billing-invoice-paid","timestamp":"2026-04-16T14:05:00.000Z","isTest":true,"data":{"invoice":{"id":"inv_1"}}}"#;
//! # let header = "t=1760000000000,s=DGGQvN2uiEmlXyiiv9XtrXUJu8cJPD0EJHdZSNgnAj0=";
//! # let clock = || std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_760_000_000_000);
//! let verifier = Verifier::new("whsec_test");
//! # let verifier = verifier.clock(clock);
//! let message = verifier.verify(header, body)?;
//! match &message.event {
//!     Event::InvoicePaid(invoice) => println!("paid: {}", invoice.id().unwrap_or("?")),
//!     other => println!("ignored: {}", other.name()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Respond with a 2xx status to acknowledge a message. Paid may send the same message again, and messages have no id: use
//! the ids in the payload to process each event once. With feature `webhook-axum`, [`Message`] is an axum extractor.

#[cfg(feature = "webhook-axum")]
mod axum;
mod event;
mod signature;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use event::{Event, Message, Payload};
use signature::{Signature, Signed};

use crate::foreign;

/// The name of the HTTP header that contains the signature.
pub const SIGNATURE_HEADER: &str = "x-webhook-signature";

type Clock = dyn Fn() -> SystemTime + Send + Sync;

/// Verifies messages with the signing secret. Cloning is cheap.
#[derive(Clone)]
pub struct Verifier {
    secrets: Vec<Secret>,
    tolerance: Duration,
    max_bytes: usize,
    clock: Arc<Clock>,
}

/// A signing secret, which is never printed.
#[derive(Clone)]
struct Secret(Arc<[u8]>);

/// Why a message was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The request has no signature header.
    #[error(
        "the `{SIGNATURE_HEADER}` header is missing: the request does not come from Paid, or a proxy removed the header"
    )]
    NoSignature,
    /// The signature header does not have Paid's format.
    #[error("the signature header does not have the form `t=<ms>,s=<base64>`")]
    MalformedSignature,
    /// The signature matches none of the secrets: somebody else signed the message, its body was changed, or the secret was
    /// rotated.
    #[error(
        "the signature does not match the body: check the signing secret, and pass the raw body, not JSON that was parsed and serialized again"
    )]
    WrongSignature,
    /// The message was signed too long ago, which may be a replay, or in the future.
    #[error("the message was signed {} s {}, which exceeds the tolerance of {} s; check this machine's clock", .by.as_secs(), if *.ahead { "in the future" } else { "ago" }, .tolerance.as_secs())]
    #[non_exhaustive]
    Expired {
        /// The difference between the signature's time and now.
        by: Duration,
        /// Whether the signature's time is in the future.
        ahead: bool,
        /// The largest accepted difference.
        tolerance: Duration,
    },
    /// The body is larger than [`Verifier::max_bytes`] allows.
    #[error("the body is larger than {limit} bytes")]
    #[non_exhaustive]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The function given to [`Verifier::clock`] panicked.
    #[error("the clock given to the verifier panicked: the age of the message is unknown")]
    NoClock,
    /// The signature is valid, but the body is not an event.
    #[error("the signature is valid, but the body is not an event: {problem}")]
    #[non_exhaustive]
    Unreadable {
        /// What is wrong, and where.
        problem: String,
    },
}

impl WebhookError {
    /// The HTTP status to respond with: 401 if the sender is not authenticated, 400 for a malformed header or body, 413 for a
    /// body that is too large, 500 if the clock panicked.
    pub fn status(&self) -> reqwest::StatusCode {
        match self {
            Self::NoSignature | Self::WrongSignature | Self::Expired { .. } => reqwest::StatusCode::UNAUTHORIZED,
            Self::MalformedSignature | Self::Unreadable { .. } => reqwest::StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => reqwest::StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoClock => reqwest::StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Verifier {
    /// Creates a verifier with the signing secret, which Paid shows once. Whitespace around it, such as the line break at the
    /// end of a file, is ignored. With an empty secret the verifier rejects every message.
    pub fn new(secret: impl AsRef<[u8]>) -> Self {
        Self {
            secrets: vec![Secret::new(secret.as_ref())],
            tolerance: Duration::from_secs(5 * 60),
            max_bytes: 1 << 20,
            clock: Arc::new(SystemTime::now),
        }
    }

    /// Also accepts messages that are signed with this secret. Use it while the secret is rotated.
    #[must_use]
    pub fn also(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secrets.push(Secret::new(secret.as_ref()));
        self
    }

    /// Sets how far the time of a signature may differ from now. 5 minutes by default.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the maximum size of a body, in bytes. 1 MiB by default.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Replaces the system clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Verifies a message and parses its event. `signature` is the value of the header [`SIGNATURE_HEADER`]; `body` is the
    /// body exactly as it was received.
    ///
    /// # Errors
    ///
    /// If the message is too large, malformed, not signed with one of the secrets, or too old.
    /// [`WebhookError::status`] is the status to respond with.
    pub fn verify(&self, signature: impl AsRef<[u8]>, body: &[u8]) -> Result<Message, WebhookError> {
        if body.len() > self.max_bytes {
            return Err(WebhookError::TooLarge { limit: self.max_bytes });
        }
        let signature = Signature::read(signature.as_ref()).ok_or(WebhookError::MalformedSignature)?;
        let signed = Signed { time: signature.time, body };
        // Every secret is tried, so that the time this takes does not tell which one matched.
        let matches =
            self.secrets.iter().fold(false, |matches, secret| signed.matches(&secret.0, &signature) | matches);
        if !matches {
            return Err(WebhookError::WrongSignature);
        }
        self.check_age(signature.milliseconds)?;
        event::read(body).map_err(|problem| WebhookError::Unreadable { problem })
    }

    fn check_age(&self, milliseconds: u64) -> Result<(), WebhookError> {
        let now = self.now().ok_or(WebhookError::NoClock)?;
        let signed = Duration::from_millis(milliseconds);
        let ahead = signed > now;
        let by = signed.abs_diff(now);
        if by > self.tolerance {
            return Err(WebhookError::Expired { by, ahead, tolerance: self.tolerance });
        }
        Ok(())
    }

    /// The time since 1970; `None` if the clock panics.
    fn now(&self) -> Option<Duration> {
        let now = foreign::call(|| (self.clock)()).ok()?;
        Some(now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    /// Signs a body as Paid does, with the current time, to test your own receiver. Returns the value of the header
    /// [`SIGNATURE_HEADER`].
    pub fn sign(&self, body: &[u8]) -> String {
        let now = self.now().unwrap_or_default();
        let secret = self.secrets.last().map(|secret| secret.0.as_ref()).unwrap_or_default();
        signature::write(secret, now.as_millis(), body)
    }
}

impl Secret {
    /// Files end with a line break, and those of some editors begin with a byte order mark.
    fn new(secret: &[u8]) -> Self {
        let secret = secret.strip_prefix(b"\xef\xbb\xbf").unwrap_or(secret);
        Self(secret.trim_ascii().into())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Verifier")
            .field("secrets", &self.secrets.len())
            .field("tolerance", &self.tolerance)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
