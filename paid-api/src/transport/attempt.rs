//! One attempt: the key of this moment, the connections of this runtime, the request, the body of the response.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{RequestBuilder, StatusCode, Url};

use super::Prepared;
use super::body::Body;
use crate::client::ClientInner;
use crate::error::{Failure, LARGEST_ERROR_BODY};
use crate::foreign;
use crate::platform::{self, Instant, timeout_at};
use crate::retry::Attempted;
use crate::secret::Secret;
use crate::verdict::Verdict;

/// The result of one attempt.
pub(super) enum Attempt {
    Answered(Answered),
    Failed(Failure),
}

pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// The key that was sent.
    pub(crate) secret: Secret,
}

impl Attempted for Attempt {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Answered(answered) => Verdict::of_status(answered.status),
            Self::Failed(failure) => failure.verdict(),
        }
    }

    fn headers(&self) -> Option<&HeaderMap> {
        match self {
            Self::Answered(answered) => Some(&answered.headers),
            Self::Failed(_) => None,
        }
    }
}

/// Sends the request once.
pub(super) async fn make(inner: &ClientInner, prepared: &Prepared, url: &Url, limit: Duration) -> Attempt {
    match guarded(answered(inner, prepared, url, limit)).await {
        Ok(answered) => Attempt::Answered(answered),
        Err(failure) => Attempt::Failed(failure),
    }
}

async fn answered(inner: &ClientInner, prepared: &Prepared, url: &Url, limit: Duration) -> Result<Answered, Failure> {
    let http = inner.connections.here()?;
    let key = match inner.key_aside {
        Some(aside) => aside(inner.key.clone(), limit).await,
        None => inner.key.header(),
    };
    let key = key.map_err(Failure::Key)?;
    let secret = Secret::in_header(&key);
    let mut request = http
        .request(prepared.method.clone(), url.clone())
        .header(USER_AGENT, inner.user_agent.clone())
        .header(AUTHORIZATION, key);
    for (name, value) in &prepared.headers {
        request = request.header(name, value);
    }
    if !prepared.cookies.is_empty() {
        let cookies: Vec<_> = prepared.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request = request.header(COOKIE, cookies.join("; "));
    }
    if let Some(body) = &prepared.body {
        let json = || HeaderValue::from_static("application/json");
        request = request.header(CONTENT_TYPE, prepared.media.clone().unwrap_or_else(json)).body(body.clone());
        if prepared.compressed {
            request = request.header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    if prepared.streamed {
        return opened(request, limit, secret).await;
    }
    exchange(request.timeout(limit), inner.max_response_bytes, limit, secret).await
}

/// Sends a request, and reads a success up to its first bytes: all of it may take longer than the limit, and be any size.
async fn opened(request: RequestBuilder, limit: Duration, secret: Secret) -> Result<Answered, Failure> {
    if limit.is_zero() {
        return Err(Failure::NoTime);
    }
    let end = Instant::now() + limit;
    let response = match timeout_at(end, platform::send(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(Failure::Http { error, limit, secret }),
        Err(_) => return Err(Failure::Late { limit, status: None }),
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let is_done = Verdict::is_done(status);
    let body = async {
        if is_done {
            return Body::begun(response).await;
        }
        Ok(Body::start(response, LARGEST_ERROR_BODY + secret.overlap()).await)
    };
    match timeout_at(end, body).await {
        Ok(Ok(body)) => Ok(Answered { status, headers, body, secret }),
        Ok(Err(error)) => Err(Failure::Cut { status, error, secret }),
        Err(_) if is_done => Err(Failure::Late { limit, status: Some(status) }),
        // The status is reported even if its explanation does not arrive.
        Err(_) => Ok(Answered { status, headers, body: Body::default(), secret }),
    }
}

/// Sends a request with this key, and reads the response. A success that has more bytes than `most` is a failure.
pub(crate) async fn exchange(
    request: RequestBuilder,
    most: usize,
    limit: Duration,
    secret: Secret,
) -> Result<Answered, Failure> {
    // Timers are coarser than an answer from nearby is fast.
    if limit.is_zero() {
        return Err(Failure::NoTime);
    }
    let response = match platform::send(request).await {
        Ok(response) => response,
        Err(error) => return Err(Failure::Http { error, limit, secret }),
    };
    let (status, headers) = (response.status(), response.headers().clone());
    if !Verdict::is_done(status) {
        let body = Body::start(response, LARGEST_ERROR_BODY + secret.overlap()).await;
        return Ok(Answered { status, headers, body, secret });
    }
    match Body::whole(response, most).await {
        Ok(body) => Ok(Answered { status, headers, body, secret }),
        Err(error) => Err(Failure::Cut { status, error, secret }),
    }
}

/// The outcome of an attempt; a panic in it fails the attempt, and no more.
pub(crate) async fn guarded<T>(attempt: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    foreign::outcome(attempt).await.unwrap_or(Err(Failure::Panicked))
}
