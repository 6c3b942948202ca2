//! What is set of one request, and its answer as it came.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, TRANSFER_ENCODING,
};
use serde::de::DeserializeOwned;

use super::answer::Answer;
use super::{Call, execute};
use crate::duration::bounded;
use crate::error::{Error, request_id};
use crate::retry::RetryPolicy;

/// Headers that say how the request is sent, or as whom.
const OURS: [HeaderName; 8] =
    [AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING, CONNECTION];

impl<T> Call<T> {
    /// Sets the timeout of one attempt of this request, in place of the client's.
    ///
    /// ```no_run
    /// # async fn example(client: paid::Client) -> Result<(), paid::Error> {
    /// use std::time::Duration;
    /// use paid::RetryPolicy;
    ///
    /// let quick = client.customers().get_by_external_id("acme").timeout(Duration::from_secs(2));
    /// let acme = quick.retry(RetryPolicy::never()).header("x-trace-id", "4711").await?;
    /// // Requests with optional parameters become a `Call` first:
    /// let invoices = client.invoices().list().limit(10).into_call().timeout(Duration::from_secs(2)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.prepared.timeout = Some(bounded(timeout));
        self
    }

    /// Sets how often and for how long this request is retried, in place of the client's policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.prepared.retry = Some(policy);
        self
    }

    /// Sets a header of this request. A later value of the same name replaces an earlier one. Sending fails if the name or the
    /// value is invalid, or if the header is one that the client sets: `Authorization` (the client's API key), `Host`, and
    /// those that describe the body's length and encoding.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        match (HeaderName::try_from(name), HeaderValue::try_from(value.as_ref())) {
            (Ok(known), _) if OURS.contains(&known) => {
                self.refused(&format!("the header `{name}` is set by the client"))
            }
            (Ok(name), Ok(value)) => {
                self.prepared.headers.retain(|(known, _)| *known != name);
                self.prepared.headers.push((name, value));
                self
            }
            (Err(_), _) => self.refused(&format!("{name:?} is not the name of a header")),
            (_, Err(_)) => self.refused(&format!("the value of `{name}` cannot stand in a header")),
        }
    }

    /// Sends the request, and returns a successful answer as it came: with its status, headers, request id and bytes.
    ///
    /// ```no_run
    /// # async fn example(client: paid::Client) -> Result<(), paid::Error> {
    /// let answer = client.customers().get_by_external_id("acme").send_raw().await?;
    /// println!("{} {:?}", answer.status(), answer.request_id());
    /// let acme = answer.decode()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), except that an answer whose body cannot be read is no error yet. An [`ApiError`](crate::ApiError)
    /// has headers and request id, too.
    pub async fn send_raw(self) -> Result<RawAnswer<T>, Error> {
        let answer = execute(self.client, self.prepared).await?;
        Ok(RawAnswer { answer, typed: PhantomData })
    }
}

/// A successful answer, before it is decoded; see [`Call::send_raw`].
pub struct RawAnswer<T> {
    answer: Answer,
    typed: PhantomData<fn() -> T>,
}

impl<T> RawAnswer<T> {
    /// Which HTTP status came, of the attempt that succeeded.
    pub fn status(&self) -> StatusCode {
        self.answer.status
    }

    /// The headers. If a server or proxy repeats the request's API key in one, `[API key]` stands in its place.
    pub fn headers(&self) -> &HeaderMap {
        &self.answer.headers
    }

    /// The id that Paid, or what stands before it, has given to the request: what its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.answer.headers)
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.answer.attempts
    }

    /// The body, byte for byte. It may hold personal data: `Debug` omits it.
    pub fn body(&self) -> &Bytes {
        &self.answer.body
    }
}

impl<T: DeserializeOwned> RawAnswer<T> {
    /// Reads the body as the operation's type.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] or [`Error::Decode`], if the body is not what the API's document says.
    pub fn decode(self) -> Result<T, Error> {
        self.answer.decode()
    }
}

impl<T> fmt::Debug for RawAnswer<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RawAnswer")
            .field("status", &self.status())
            .field("request_id", &self.request_id())
            .field("attempts", &self.attempts())
            .finish_non_exhaustive()
    }
}
