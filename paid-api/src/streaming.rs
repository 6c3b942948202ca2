//! Answers that are given out as they arrive: files, exports, and whatever is too large for memory. Feature `streaming`, a default.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};

use crate::error::{Error, Failure, request_id};
use crate::platform::{Response, has_runtime, timeout};
use crate::secret::Secret;
use crate::transport::{Call, execute, guarded};

impl<T> Call<T> {
    /// Sends the request, and gives out the body of a successful answer piece by piece as it arrives, not decoded.
    ///
    /// The timeout limits the wait for the first piece, and then for each piece that follows, not all of them together; and
    /// [`ClientBuilder::max_response_bytes`](crate::ClientBuilder::max_response_bytes) limits nothing here. The request is
    /// retried until the first piece has arrived, never after it.
    ///
    /// ```no_run
    /// # async fn example(client: paid::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::io::Write as _;
    ///
    /// let mut export = client.request(paid::Method::GET, "/export.csv").send_streaming().await?;
    /// let mut file = std::fs::File::create("export.csv")?;
    /// while let Some(piece) = export.next_piece().await {
    ///     file.write_all(&piece?)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), except that the body is not read yet.
    pub async fn send_streaming(mut self) -> Result<BodyStream, Error> {
        self.prepared.streamed = true;
        let idle = self.prepared.timeout.unwrap_or(self.client.inner().timeout);
        let answer = execute(self.client, self.prepared).await?;
        let ahead = Some(answer.body).filter(|bytes| !bytes.is_empty());
        let rest = answer.rest.map_or(Rest::Ended, Rest::Waiting);
        Ok(BodyStream {
            operation: answer.operation,
            status: answer.status,
            headers: answer.headers,
            attempts: answer.attempts,
            secret: answer.secret,
            idle,
            ahead,
            rest,
        })
    }
}

/// The body of an answer as a [`Stream`] of pieces; see [`Call::send_streaming`].
///
/// It ends when the whole body has arrived. A body that is cut off, or stops arriving, is [`Error::Decode`] as the last item, so
/// that a part is not taken for the whole. (Only a server that ends a body by closing the connection, and sends neither its length
/// nor chunks, leaves nothing to see this by.) To stop early, drop it.
#[must_use = "a body is not read until it is asked for"]
pub struct BodyStream {
    operation: Cow<'static, str>,
    status: StatusCode,
    headers: HeaderMap,
    attempts: u32,
    secret: Secret,
    /// How long is waited for each piece.
    idle: Duration,
    /// The first piece, until it is given out.
    ahead: Option<Bytes>,
    rest: Rest,
}

type Reading = Pin<Box<dyn Future<Output = Result<Option<(Bytes, Box<Response>)>, Broken>> + Send>>;

enum Rest {
    Waiting(Box<Response>),
    Reading(Reading),
    Ended,
}

/// Why no further piece arrives.
enum Broken {
    Cut(reqwest::Error),
    Late,
    Other(Failure),
}

impl BodyStream {
    /// The HTTP status, always one of success: any other is the error of [`Call::send_streaming`](crate::Call::send_streaming).
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers. If a server or proxy repeats the request's API key in one, `[API key]` stands in its place.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The media type of the body, with its parameters, if the server says it.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }

    /// The number of bytes of the whole body, if the server says it.
    pub fn content_length(&self) -> Option<u64> {
        self.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The id that the server, or what stands before it, has given to the request: what its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Waits for the next piece; `None` after the whole body.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] if the body is cut off, or nothing more arrives in time. Nothing follows it.
    pub async fn next_piece(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn error(&self, broken: Broken) -> Error {
        let (status, limit) = (self.status, self.idle);
        let failure = match broken {
            Broken::Cut(error) => Failure::Cut { status, error, secret: self.secret.clone() },
            Broken::Late => Failure::Late { limit, status: Some(status) },
            Broken::Other(failure) => failure,
        };
        Error::no_response(self.operation.clone(), self.attempts, failure)
    }
}

/// Reads the next piece. Timers need the runtime, and panic without one.
async fn read(mut response: Box<Response>, idle: Duration) -> Result<Option<(Bytes, Box<Response>)>, Broken> {
    if !has_runtime() {
        return Err(Broken::Other(Failure::NoRuntime));
    }
    let piece = async { Ok(timeout(idle, response.chunk()).await) };
    match guarded(piece).await {
        Ok(Ok(Ok(piece))) => Ok(piece.map(|piece| (piece, response))),
        Ok(Ok(Err(error))) => Err(Broken::Cut(error)),
        Ok(Err(_)) => Err(Broken::Late),
        Err(failure) => Err(Broken::Other(failure)),
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(piece) = this.ahead.take() {
            return Poll::Ready(Some(Ok(piece)));
        }
        let mut reading: Reading = match std::mem::replace(&mut this.rest, Rest::Ended) {
            Rest::Waiting(response) => Box::pin(read(response, this.idle)),
            Rest::Reading(reading) => reading,
            Rest::Ended => return Poll::Ready(None),
        };
        match reading.as_mut().poll(context) {
            Poll::Pending => {
                this.rest = Rest::Reading(reading);
                Poll::Pending
            }
            Poll::Ready(Ok(None)) => Poll::Ready(None),
            Poll::Ready(Ok(Some((piece, response)))) => {
                this.rest = Rest::Waiting(response);
                Poll::Ready(Some(Ok(piece)))
            }
            Poll::Ready(Err(broken)) => Poll::Ready(Some(Err(this.error(broken)))),
        }
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BodyStream")
            .field("status", &self.status)
            .field("content_type", &self.content_type())
            .field("content_length", &self.content_length())
            .finish_non_exhaustive()
    }
}
