//! Webhooks: what Paid tells you, verified and typed. Feature `webhook`.
//!
//! Paid signs every delivery with your organisation's signing secret. [`Verifier`] checks the signature against the raw
//! body, refuses what is older than five minutes, and reads the event:
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
//! let delivery = verifier.verify(header, body)?;
//! match &delivery.event {
//!     Event::InvoicePaid(invoice) => println!("paid: {}", invoice.id().unwrap_or("?")),
//!     other => println!("not of interest here: {}", other.name()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Answer 2xx to acknowledge. A delivery may come again, and none has an id of its own: what you do must be keyed by the
//! ids in it. With feature `webhook-axum`, [`Delivery`] is an extractor.

#[cfg(feature = "webhook-axum")]
mod axum;
mod event;
mod signature;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use event::{Delivery, Event, Payload};
use signature::{Signature, Signed};

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "x-webhook-signature";

type Clock = dyn Fn() -> SystemTime + Send + Sync;

/// Checks deliveries against the signing secret. Cloning is cheap.
#[derive(Clone)]
pub struct Verifier {
    secrets: Vec<Secret>,
    tolerance: Duration,
    max_bytes: usize,
    clock: Arc<Clock>,
}

/// A secret is never printed.
#[derive(Clone)]
struct Secret(Arc<[u8]>);

/// Why a delivery is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no signature.
    #[error("no `{SIGNATURE_HEADER}` header: this does not come from Paid, or something in between dropped it")]
    NoSignature,
    /// The header is none of Paid's.
    #[error("the signature header is not of the form `t=<ms>,s=<base64>`")]
    MalformedSignature,
    /// No secret fits: another wrote it, the body was changed on its way, or the secret was rotated.
    #[error(
        "the signature does not fit the body: check the signing secret, and verify the raw body, not parsed and written again"
    )]
    WrongSignature,
    /// It was signed too long ago, or in the future; perhaps somebody repeats an old one.
    #[error("signed {} {}: more than the {} s that are tolerated; check this machine's clock", seconds(*.by), if *.ahead { "ahead of time" } else { "ago" }, .tolerance.as_secs())]
    #[non_exhaustive]
    Expired {
        /// How far the signature's time is from now.
        by: Duration,
        /// Whether it is in the future.
        ahead: bool,
        /// How far it may be.
        tolerance: Duration,
    },
    /// The body is larger than [`Verifier::max_bytes`] allows.
    #[error("the body has more than {limit} bytes")]
    #[non_exhaustive]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The signature fits, and the body is no event.
    #[error("the body is signed and no event: {problem}")]
    #[non_exhaustive]
    Unreadable {
        /// Where, and what is wrong.
        problem: String,
    },
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}

impl WebhookError {
    /// The status to answer with: 400 for what no sender of Paid's would send, 401 for what is not to be believed, 413 for
    /// what is too large.
    pub fn status(&self) -> reqwest::StatusCode {
        match self {
            Self::NoSignature | Self::WrongSignature | Self::Expired { .. } => reqwest::StatusCode::UNAUTHORIZED,
            Self::MalformedSignature | Self::Unreadable { .. } => reqwest::StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => reqwest::StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

impl Verifier {
    /// A verifier for the signing secret, as Paid showed it once. An empty one fits nothing.
    pub fn new(secret: impl AsRef<[u8]>) -> Self {
        Self {
            secrets: vec![Secret::new(secret.as_ref())],
            tolerance: Duration::from_secs(5 * 60),
            max_bytes: 1 << 20,
            clock: Arc::new(SystemTime::now),
        }
    }

    /// Another secret that counts too: while it is rotated, for what was signed before and after.
    #[must_use]
    pub fn also(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secrets.push(Secret::new(secret.as_ref()));
        self
    }

    /// How far the time of a signature may be from now; 5 minutes unless set.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// How large a body may be; 1 MiB unless set.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Verifies a delivery and reads its event. `signature` is the value of [`SIGNATURE_HEADER`], `body` the body as it came,
    /// byte for byte.
    ///
    /// # Errors
    ///
    /// Why it is not to be believed; [`WebhookError::status`] says what to answer.
    pub fn verify(&self, signature: impl AsRef<[u8]>, body: &[u8]) -> Result<Delivery, WebhookError> {
        if body.len() > self.max_bytes {
            return Err(WebhookError::TooLarge { limit: self.max_bytes });
        }
        let signature = Signature::read(signature.as_ref()).ok_or(WebhookError::MalformedSignature)?;
        let signed = Signed { time: signature.time, body };
        // All are tried, whichever fits: the time it takes says nothing.
        let fits = self.secrets.iter().fold(false, |fits, secret| signed.fits(&secret.0, &signature) | fits);
        if !fits {
            return Err(WebhookError::WrongSignature);
        }
        self.check_age(signature.milliseconds)?;
        event::read(body).map_err(|problem| WebhookError::Unreadable { problem })
    }

    fn check_age(&self, milliseconds: u64) -> Result<(), WebhookError> {
        let now = (self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let signed = Duration::from_millis(milliseconds);
        let ahead = signed > now;
        let by = signed.abs_diff(now);
        if by > self.tolerance {
            return Err(WebhookError::Expired { by, ahead, tolerance: self.tolerance });
        }
        Ok(())
    }

    /// Signs a body as Paid does, now: for tests of your own receiver. The value of [`SIGNATURE_HEADER`].
    pub fn sign(&self, body: &[u8]) -> String {
        let now = (self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let secret = self.secrets.last().map(|secret| secret.0.as_ref()).unwrap_or_default();
        signature::write(secret, now.as_millis(), body)
    }
}

impl Secret {
    fn new(secret: &[u8]) -> Self {
        Self(secret.into())
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
