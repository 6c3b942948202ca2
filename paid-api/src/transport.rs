//! Executes requests, in one place: checks path and body, adds the API key, retries, traces, decodes the response.

mod answer;
mod attempt;
mod body;
mod one_request;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::client::{Client, Compress};
use crate::error::{ApiError, Error};
use crate::foreign;
use crate::platform::Instant;
use crate::retry::{self, RetryPolicy};
use crate::verdict::Verdict;
use crate::wire::{self, NotJson};
use answer::Answer;
use attempt::Attempt;
#[allow(unused_imports)] // Only the collector of spans needs them.
pub(crate) use attempt::{Answered, exchange, guarded};
#[allow(unused_imports)]
pub(crate) use body::Body;
pub use one_request::RawAnswer;

impl Client {
    /// Prepares a request to a path that this library has no method for, with the same API key, retries and errors.
    ///
    /// `path` starts with `/` and is appended to the base URL; set query parameters with [`Call::query`].
    ///
    /// ```no_run
    /// # async fn example(client: paid::Client) -> Result<(), paid::Error> {
    /// let signals = client.request(paid::Method::GET, "/signals/").query("limit", "50").await?;
    /// println!("{}", signals["data"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: &str) -> Call<Value> {
        let operation = format!("{method} {path}");
        let call = Call::new(self, operation, method, path);
        let addresses_elsewhere = path.split('/').any(|segment| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(plain.as_str(), "." | "..")
        });
        if !path.starts_with('/') || addresses_elsewhere || path.contains(['?', '#', '\\']) {
            return call.refused(
                "the path must start with `/` and must not contain a `.` or `..` segment, `?`, `#` or `\\`; set parameters with `query`",
            );
        }
        call
    }
}

/// What `.await` on a request waits for: the answer, or why there is none.
pub type CallFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A request that is ready to be sent: `.await` or [`send`](Self::send) sends it; dropping it does nothing.
#[must_use = "a request does nothing until it is sent"]
pub struct Call<T> {
    pub(crate) client: Client,
    pub(crate) prepared: Prepared,
    answer: PhantomData<fn() -> T>,
}

/// What is sent, and how its answer is read.
#[derive(Clone)]
pub(crate) struct Prepared {
    operation: Cow<'static, str>,
    method: Method,
    pub(crate) path: String,
    query: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Option<Bytes>,
    /// Whether the body is compressed with gzip.
    compressed: bool,
    repeatable: bool,
    /// The first reason why it cannot be sent.
    pub(crate) problem: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) cookies: Vec<(&'static str, String)>,
    /// Pieces of the query that are encoded already, each with its parameter.
    pub(crate) pieces: Vec<(&'static str, String)>,
    /// The media type of a body that is not JSON.
    pub(crate) media: Option<HeaderValue>,
    pub(crate) reads: Reads,
    /// Whether the body is given out as it arrives.
    pub(crate) streamed: bool,
    pub(crate) plain: bool,
    /// In place of the client's.
    pub(crate) timeout: Option<Duration>,
    retry: Option<RetryPolicy>,
}

/// How the body of an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "all but JSON is for other documents")]
pub(crate) enum Reads {
    Json,
    JsonOrNothing,
    Text,
    Bytes,
}

impl<T> Call<T> {
    /// A request for an operation. It may be repeated if HTTP defines its method as idempotent.
    #[doc(hidden)]
    pub fn new(
        client: &Client,
        operation: impl Into<Cow<'static, str>>,
        method: Method,
        path: impl Into<String>,
    ) -> Self {
        let repeatable = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE);
        let prepared = Prepared {
            operation: operation.into(),
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            compressed: false,
            repeatable,
            problem: None,
            headers: Vec::new(),
            cookies: Vec::new(),
            pieces: Vec::new(),
            media: None,
            reads: Reads::Json,
            streamed: false,
            plain: false,
            timeout: None,
            retry: None,
        };
        Self { client: client.clone(), prepared, answer: PhantomData }
    }

    /// Replaces `{name}` in the path.
    #[doc(hidden)]
    pub fn path(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        match wire::path_segment(value) {
            Some(segment) => self.prepared.path = self.prepared.path.replace(&format!("{{{name}}}"), &segment),
            None => self.prepared.refuse(format!(
                "{value:?} cannot be the `{name}` in {}: the request would go to another path; pass the id itself",
                self.prepared.path
            )),
        }
        self
    }

    /// Sets a query parameter, including one that this library has no method for. A later value of the same name replaces
    /// an earlier one.
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.prepared.query.retain(|(known, _)| *known != name);
        self.prepared.query.push((name, value.into()));
        self
    }

    /// Sets the JSON body. If it contains NaN or infinity, which JSON cannot represent, or is nested too deeply for servers
    /// to read, sending fails.
    pub fn body<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        match wire::check_json(body) {
            Ok(()) | Err(NotJson::Other(_)) => {}
            Err(NotJson::NotFinite(path)) => {
                self.prepared.refuse(format!("`{path}` is not a finite number, which JSON cannot represent"));
            }
            // Writing it could overflow the stack.
            Err(problem @ NotJson::TooDeep) => return self.refused(&format!("the body {problem}")),
        }
        match serde_json::to_vec(body) {
            Ok(text) => self.json_text(text),
            Err(error) => self.refused(&format!("the body cannot be serialized as JSON: {error}")),
        }
    }

    /// Sets a body that is already serialized as JSON.
    pub(crate) fn json_text(mut self, text: Vec<u8>) -> Self {
        self.prepared.body = Some(text.into());
        self
    }

    #[doc(hidden)]
    pub fn empty_body(mut self) -> Self {
        self.prepared.body = Some(Bytes::from_static(b"{}"));
        self
    }

    /// Sets whether the request may be executed twice without harm. Only then is it retried after an attempt that Paid may
    /// have received; see [`RetryPolicy`].
    pub fn repeatable_if(mut self, repeatable: bool) -> Self {
        self.prepared.repeatable = repeatable;
        self
    }

    /// Sends the request for a page, and tells pages with other items apart.
    pub(crate) fn send_page(self) -> CallFuture<(T, u64)>
    where
        T: DeserializeOwned,
    {
        Box::pin(async move {
            let answer = execute(self.client, self.prepared).await?;
            let fingerprint = answer.fingerprint();
            Ok((answer.decode()?, fingerprint))
        })
    }

    pub(crate) fn operation(&self) -> Cow<'static, str> {
        self.prepared.operation.clone()
    }

    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        self.prepared.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn refused(mut self, problem: &str) -> Self {
        self.prepared.refuse(problem.to_owned());
        self
    }

    #[cfg(test)]
    pub(crate) fn is_refused(&self) -> bool {
        self.prepared.problem.is_some()
    }

    /// Decodes the response as another type, such as `serde_json::Value`.
    pub fn answer_as<U>(self) -> Call<U> {
        Call { client: self.client, prepared: self.prepared, answer: PhantomData }
    }
}

impl<T: DeserializeOwned> Call<T> {
    /// The future that sends the request, and repeats it where that is safe; `.await` on the call does the same.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn send(self) -> CallFuture<T> {
        Box::pin(async move {
            let answer = execute(self.client, self.prepared).await?;
            answer.decode()
        })
    }
}

impl<T: DeserializeOwned> IntoFuture for Call<T> {
    type Output = Result<T, Error>;
    type IntoFuture = CallFuture<T>;

    fn into_future(self) -> CallFuture<T> {
        self.send()
    }
}

impl<T> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), prepared: self.prepared.clone(), answer: PhantomData }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Call({} {} {})", self.prepared.operation, self.prepared.method, self.prepared.path)
    }
}

impl Prepared {
    /// Keeps the first problem: it is the one that is reported.
    fn refuse(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    /// The first reason why it cannot be sent, if there is one.
    fn problem(&mut self) -> Option<String> {
        let checked = if self.plain { &[] } else { self.query.as_slice() };
        self.problem.take().or_else(|| checked.iter().find_map(|(name, value)| nonsense(name, value)))
    }

    /// The URL of the request, with the query percent-encoded.
    fn url(&self, base_url: &str) -> Result<Url, Error> {
        let text = format!("{base_url}{}", self.path);
        let mut url = Url::parse(&text).map_err(|error| {
            Error::request(
                self.operation.clone(),
                format!("the base URL and the path do not form a valid URL: {error}"),
            )
        })?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
            // Only decoders of forms read `+` as a space; a `+` in a value is `%2B` by now.
            let query = url.query().map(|query| query.replace('+', "%20"));
            url.set_query(query.as_deref());
        }
        if !self.pieces.is_empty() {
            let own = url.query().filter(|query| !query.is_empty()).map(str::to_owned);
            let pieces = own.into_iter().chain(self.pieces.iter().map(|(_, piece)| piece.clone()));
            url.set_query(Some(&pieces.collect::<Vec<_>>().join("&")));
        }
        Ok(url)
    }

    fn compress(&mut self, compress: Compress) {
        if let Some(packed) = self.body.as_deref().and_then(compress) {
            self.body = Some(packed.into());
            self.compressed = true;
        }
    }
}

/// What is wrong with a value of the two parameters that all lists share.
fn nonsense(name: &str, value: &str) -> Option<String> {
    let is_at_least = |least| value.parse::<i128>().is_ok_and(|number| number >= least);
    match name {
        "limit" if !is_at_least(1) => {
            Some(format!("`limit` is {value:?}, but a page has at least one item: set 1 or more, or leave it out"))
        }
        "offset" if !is_at_least(0) => {
            Some(format!("`offset` is {value:?}: set the number of items to skip, 0 or more, or leave it out"))
        }
        _ => None,
    }
}

/// The answer where success says everything, as of a deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Empty {}

impl<'de> Deserialize<'de> for Empty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self {})
    }
}

impl Serialize for Empty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde::ser::SerializeMap::end(serializer.serialize_map(Some(0))?)
    }
}

/// Executes a request. In a box, so that the compiler looks at the work once and not in each function that sends something.
pub(crate) fn execute(
    client: Client,
    mut prepared: Prepared,
) -> Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>> {
    if let Some(problem) = prepared.problem() {
        return Box::pin(std::future::ready(Err(Error::request(prepared.operation, problem))));
    }
    let (operation, method) = (prepared.operation.clone(), prepared.method.clone());
    let span = move || {
        tracing::debug_span!(
            "paid.request",
            operation = &*operation,
            method = method.as_str(),
            status = tracing::field::Empty,
            attempts = tracing::field::Empty,
            duration_ms = tracing::field::Empty,
        )
    };
    Box::pin(foreign::in_span(span, attempts(client, prepared)))
}

async fn attempts(client: Client, mut prepared: Prepared) -> Result<Answer, Error> {
    let begun = Instant::now();
    let inner = client.inner();
    if let Some(gzip) = inner.gzip {
        prepared.compress(gzip);
    }
    let url = prepared.url(&inner.base_url)?;
    let (policy, timeout) =
        (prepared.retry.as_ref().unwrap_or(&inner.retry), prepared.timeout.unwrap_or(inner.timeout));
    let (attempt, attempts) = retry::run(policy, prepared.repeatable, |number, remaining| {
        if number > 1 {
            foreign::log(|| tracing::debug!(attempt = number, "retrying"));
        }
        attempt::make(inner, &prepared, &url, timeout.min(remaining))
    })
    .await;
    let status = match &attempt {
        Attempt::Answered(answered) => Some(answered.status.as_u16()),
        Attempt::Failed(_) => None,
    };
    foreign::log(|| {
        let span = tracing::Span::current();
        span.record("attempts", attempts);
        span.record("duration_ms", u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        if let Some(status) = status {
            span.record("status", status);
        }
    });
    let (operation, reads) = (prepared.operation, prepared.reads);
    let answered = match attempt {
        Attempt::Failed(failure) => return Err(Error::no_response(operation, attempts, failure)),
        Attempt::Answered(answered) => answered,
    };
    let Answered { status, headers, body, secret } = answered;
    if !Verdict::is_done(status) {
        return Err(Error::Api(Box::new(ApiError::without_key(
            operation,
            attempts,
            status,
            headers,
            &body.bytes,
            &secret,
        ))));
    }
    if body.is_too_large {
        return Err(Error::too_large(operation, status, inner.max_response_bytes));
    }
    let mut headers = headers;
    secret.remove_from_headers(&mut headers);
    let Body { bytes: body, rest, .. } = body;
    Ok(Answer { operation, status, headers, attempts, body, rest, secret, reads })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_path_cannot_leave_the_base_url() {
        let client = Client::new("paid_x").unwrap();
        for path in ["signals", "/../admin", "/a/%2e%2E/b", "/a?b=c", "/a#b", "/a\\..\\b"] {
            assert!(client.request(Method::GET, path).is_refused(), "{path}");
        }
        assert!(!client.request(Method::GET, "/signals/").is_refused());
    }
}
