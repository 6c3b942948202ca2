//! The error type of every request. No error shows an API key, and `Display` shows at most a short message from a body.

mod conflict;
mod failure;
mod unreadable;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::secret::Secret;
use crate::verdict::{self, Verdict};
pub use conflict::PlanConflict;
pub(crate) use failure::Failure;
pub(crate) use unreadable::id_of;
pub use unreadable::{UnreadableAnswer, UnreadableItem};

/// Everything that can go wrong with a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Paid answered with a status other than 2xx.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The connection could not be made, or failed before the response was complete.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// No response arrived in time; see [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    #[error("{operation}: no response within {after:?} ({attempts} attempt(s))")]
    #[non_exhaustive]
    Timeout {
        /// The operation's id.
        operation: Cow<'static, str>,
        /// The time limit of the last attempt.
        after: Duration,
        /// How many attempts were made.
        attempts: u32,
    },
    /// Paid answered 2xx, but the body is not JSON, is cut off or too large: whether the work was done is not known.
    #[error(transparent)]
    Decode(Box<DecodeError>),
    /// Paid has done the work, but its answer does not match the API's OpenAPI document. The request is not sent again.
    #[error(transparent)]
    Unreadable(Box<UnreadableAnswer>),
    /// One item of a list does not match the API's OpenAPI document; the others are read.
    #[error(transparent)]
    Item(Box<UnreadableItem>),
    /// The request is invalid; nothing was sent.
    #[error(transparent)]
    Request(Box<RequestError>),
    /// The function given to [`ClientBuilder::api_key_from`](crate::ClientBuilder::api_key_from) returned no key, or there is
    /// none; nothing was sent.
    #[error("{operation}: {problem}")]
    #[non_exhaustive]
    Key {
        /// The operation's id.
        operation: Cow<'static, str>,
        /// Why the request has no key.
        problem: KeyProblem,
    },
    /// The client, emitter or tracing cannot be built as configured, or a request is made outside of a tokio runtime.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A custom sink rejected the batch; see [`unavailable`](Self::unavailable) and [`refused`](Self::refused).
    #[error(transparent)]
    Sink(Box<SinkError>),
}

/// Why a custom sink rejected a batch.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
#[non_exhaustive]
pub struct SinkError {
    /// What the rejection means for the batch.
    pub verdict: Verdict,
    /// False if nobody was asked, or nobody answered: it does not show that anything gets through.
    pub(crate) is_answer: bool,
    pub(crate) source: Box<dyn std::error::Error + Send + Sync>,
}

/// Why there is no API key for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// `PAID_ENABLED` is `false`, and `PAID_API_KEY` is not set: there is no key.
    #[error("there is no API key: PAID_ENABLED is `false`, and PAID_API_KEY is not set")]
    NotSet,
    /// The function that gives the key panicked.
    #[error("the function given to `api_key_from` panicked")]
    Panicked,
    /// It did not return in time.
    #[error("the function given to `api_key_from` did not return within {limit:?}")]
    #[non_exhaustive]
    Blocked {
        /// The time limit of an attempt.
        limit: Duration,
    },
    /// No thread could be started for it.
    #[error("no thread could be started for the function given to `api_key_from`")]
    NoThread,
}

/// A response with a status other than 2xx.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// Paid's message (`error`, or `error.message`).
    pub message: Option<String>,
    /// Paid's error code, if the response has one.
    pub code: Option<String>,
    /// Further details, if the response has any.
    pub details: Option<String>,
    /// The request's id, from the response's headers.
    pub request_id: Option<String>,
    /// The operation's id, such as `create-customer`.
    pub operation: Cow<'static, str>,
    /// How many attempts were made.
    pub attempts: u32,
    /// The response's headers. If a server or proxy repeats the request's API key, here or in the body, `[API key]` stands
    /// in its place.
    pub headers: HeaderMap,
    /// The response's body, up to 64 KiB. It may hold personal data: `Display` and `Debug` omit it.
    pub body: Bytes,
}

/// A connection that could not be made, or that failed before the response was complete.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {what} ({attempts} attempt(s))")]
#[non_exhaustive]
pub struct TransportError {
    /// The operation's id.
    pub operation: Cow<'static, str>,
    /// How many attempts were made.
    pub attempts: u32,
    /// True if no connection was made: Paid has not received the request.
    pub connect: bool,
    what: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// An answer of Paid's that has another form than the document says.
#[derive(thiserror::Error)]
#[error("{operation}: cannot decode the response ({status}) at `{path}`: {message}")]
#[non_exhaustive]
pub struct DecodeError {
    /// The operation's id.
    pub operation: Cow<'static, str>,
    /// The HTTP status.
    pub status: StatusCode,
    /// The position in the JSON, such as `data[3].createdAt`.
    pub path: String,
    /// What is wrong there.
    pub message: String,
    /// The first 120 characters of the body. They may hold personal data: `Display` and `Debug` omit them.
    pub excerpt: String,
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DecodeError")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("path", &self.path)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// A request that is invalid and was not sent.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {problem}")]
#[non_exhaustive]
pub struct RequestError {
    /// The operation's id.
    pub operation: Cow<'static, str>,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

/// A configuration that nothing can be built from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
#[non_exhaustive]
pub struct ConfigError {
    /// What is wrong, and how to fix it.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into() }
    }
}

impl Error {
    pub(crate) fn request(operation: Cow<'static, str>, problem: impl Into<String>) -> Self {
        Self::Request(Box::new(RequestError { operation, problem: problem.into() }))
    }

    /// A 2xx response that is larger than the limit.
    pub(crate) fn too_large(operation: Cow<'static, str>, status: StatusCode, limit: usize) -> Self {
        let message =
            format!("the body is larger than {limit} bytes; `ClientBuilder::max_response_bytes` sets the limit");
        Self::decode(operation, status, message)
    }

    /// A 2xx response that cannot be used as a whole.
    pub(crate) fn decode(operation: Cow<'static, str>, status: StatusCode, message: impl Into<String>) -> Self {
        let (path, message, excerpt) = (".".to_owned(), message.into(), String::new());
        Self::Decode(Box::new(DecodeError { operation, status, path, message, excerpt }))
    }

    /// For custom sinks: the sink cannot accept the batch now, but may accept it later. The emitter retries it.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Sink(Box::new(SinkError { verdict: Verdict::NotDone, is_answer: false, source: source.into() }))
    }

    /// For custom sinks: the sink will never accept the batch as it is. The emitter halves it until each bad record is
    /// alone.
    pub fn refused(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Sink(Box::new(SinkError { verdict: Verdict::BadContent, is_answer: true, source: source.into() }))
    }

    /// What the error means for the work of the request; see the table at [`Verdict`].
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Api(error) => Verdict::of_status(error.status),
            Self::Transport(error) => Verdict::of_failure(!error.connect),
            Self::Timeout { .. } | Self::Decode(_) => Verdict::Unknown,
            Self::Unreadable(_) | Self::Item(_) => Verdict::Done,
            Self::Request(_) | Self::Config(_) => Verdict::BadContent,
            Self::Key { .. } => Verdict::BadKey,
            Self::Sink(error) => error.verdict,
        }
    }

    /// Returns true if the cause may pass: the network failed, or Paid answered 408, 425, 429 or 5xx. The client has already
    /// retried what is safe to repeat; see [`RetryPolicy`](crate::RetryPolicy). After a timeout or a lost connection Paid may
    /// have done the work all the same: repeat only what has a key or changes nothing. Never true once Paid has answered 2xx.
    pub fn is_retryable(&self) -> bool {
        self.verdict().is_temporary() && !matches!(self, Self::Decode(_))
    }

    /// The HTTP status, if a response arrived.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Api(error) => Some(error.status),
            Self::Decode(error) => Some(error.status),
            Self::Unreadable(error) => Some(error.status),
            _ => None,
        }
    }

    /// The response with a status other than 2xx, if that is the error.
    pub fn as_api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }
}

/// The contents of an error body, in either of Paid's two envelopes.
#[derive(Debug, Default, PartialEq)]
struct Envelope {
    message: Option<String>,
    code: Option<String>,
    details: Option<String>,
}

impl Envelope {
    /// `{"error": text, "code"?, "details"?}` or `{"error": {"message", "code"?, "details"?}}`.
    fn read(body: &[u8]) -> Self {
        let Ok(Value::Object(outer)) = serde_json::from_slice(body) else { return Self::default() };
        let inner = outer.get("error").and_then(Value::as_object);
        let text = |key: &str| inner.and_then(|inner| inner.get(key)).or_else(|| outer.get(key)).and_then(readable);
        Self {
            message: outer
                .get("error")
                .filter(|error| error.is_string())
                .and_then(readable)
                .or_else(|| text("message")),
            code: text("code"),
            details: text("details"),
        }
    }
}

fn readable(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// This much of an error's body is kept.
pub(crate) const LARGEST_ERROR_BODY: usize = 64 << 10;

const REQUEST_ID_HEADERS: [&str; 4] = ["x-request-id", "request-id", "x-correlation-id", "cf-ray"];

/// The request's id, from the response's headers.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name)?.to_str().ok())
}

impl ApiError {
    /// Reads a response. A server or proxy may repeat the request's headers in it: the key of the request is removed.
    pub(crate) fn without_key(
        operation: Cow<'static, str>,
        attempts: u32,
        status: StatusCode,
        mut headers: HeaderMap,
        body: &Bytes,
        secret: &Secret,
    ) -> Self {
        secret.remove_from_headers(&mut headers);
        let body = secret.removed_from_body(body, LARGEST_ERROR_BODY);
        let mut error = Self::read(operation, attempts, status, headers, body);
        // Decoded texts are looked through once more: a key may have been escaped in a way of its own.
        for text in [&mut error.message, &mut error.code, &mut error.details].into_iter().flatten() {
            *text = secret.removed(text);
        }
        error
    }

    pub(crate) fn read(
        operation: Cow<'static, str>,
        attempts: u32,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let Envelope { message, code, details } = Envelope::read(&body);
        let request_id = request_id(&headers).map(str::to_owned);
        Self { status, message, code, details, request_id, operation, attempts, headers, body }
    }

    fn body_in_words(&self) -> String {
        let kind = self.headers.get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match (self.body.len(), kind) {
            (0, _) => "no body".to_owned(),
            (size, Some(kind)) => format!("{size} bytes of {}", excerpt(kind, 40)),
            (size, None) => format!("{size} bytes"),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.operation, self.status)?;
        match &self.message {
            Some(message) => write!(formatter, ": {}", excerpt(message, 200))?,
            None => write!(formatter, ", {}", self.body_in_words())?,
        }
        if let Some(code) = &self.code {
            write!(formatter, " [{}]", excerpt(code, 60))?;
        }
        if let Some(details) = &self.details {
            write!(formatter, " ({})", excerpt(details, 200))?;
        }
        if let Some(hint) = verdict::hint(self.status) {
            write!(formatter, "; {hint}")?;
        }
        if let Some(id) = &self.request_id {
            write!(formatter, "; request {}", excerpt(id, 80))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiError")
            .field("status", &self.status)
            .field("message", &self.message)
            .field("code", &self.code)
            .field("details", &self.details)
            .field("request_id", &self.request_id)
            .field("operation", &self.operation)
            .field("attempts", &self.attempts)
            .field("body", &format_args!("{}", self.body_in_words()))
            .finish_non_exhaustive()
    }
}

/// serde's message about JSON, without the text that it quotes, which may be personal data.
pub(crate) fn without_text(message: &str) -> String {
    let parts = message.split_once("string \"").and_then(|(head, rest)| Some((head, rest.rsplit_once("\", ")?.1)));
    match parts {
        Some((head, tail)) => format!("{head}a string, {tail}"),
        None => message.to_owned(),
    }
}

/// At most `limit` characters, on one line.
pub(crate) fn excerpt(text: &str, limit: usize) -> String {
    let mut short: String =
        text.chars().take(limit).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(limit).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(status: u16, body: &'static str) -> ApiError {
        let status = StatusCode::from_u16(status).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "text/html".parse().unwrap());
        headers.insert("x-request-id", "r-1".parse().unwrap());
        ApiError::read("create-customer".into(), 1, status, headers, Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn both_envelopes_are_read() {
        for body in [
            r#"{"error":"name is required","code":"invalid","details":"body.name"}"#,
            r#"{"error":{"message":"name is required","code":"invalid","details":"body.name"}}"#,
        ] {
            let text = api(400, body).to_string();
            assert_eq!(text, "create-customer: 400 Bad Request: name is required [invalid] (body.name); request r-1");
        }
    }

    #[test]
    fn details_of_any_shape_are_kept() {
        assert_eq!(api(400, r#"{"error":"e","details":[1]}"#).details.unwrap(), "[1]");
        assert_eq!(api(400, r#"{"error":null}"#).message, None);
        assert_eq!(api(422, r#"{"message":"odd"}"#).message.unwrap(), "odd");
    }

    #[test]
    fn no_other_body_is_shown() {
        let error = api(502, "<html>jane@acme.test</html>");
        let shown = format!("{error} {error:?} {:?}", Error::Api(Box::new(api(502, "jane@acme.test"))));
        assert!(!shown.contains("jane"), "{shown}");
        assert!(shown.contains("502 Bad Gateway, 27 bytes of text/html"), "{shown}");
    }

    #[test]
    fn what_stood_in_an_answer_is_not_in_the_message() {
        let error = serde_json::from_str::<u32>(r#""jane, \"x\", expected""#).unwrap_err().to_string();
        assert_eq!(without_text(&error), "invalid type: a string, expected u32 at line 1 column 23");
    }

    #[test]
    fn long_messages_are_cut() {
        let error = ApiError { message: Some("x".repeat(1000)), ..api(500, "") };
        assert!(error.to_string().len() < 300);
    }

    #[test]
    fn a_refused_key_says_what_to_check() {
        assert!(api(403, "{}").to_string().contains("check that the API key is right"));
    }
}
