//! In a browser, or in another host with its functions. Its objects stay on one thread, and there is only one.

use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_core::Stream;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use send_wrapper::SendWrapper;
pub(crate) use wasmtimer::std::Instant;
pub(crate) use wasmtimer::tokio::{sleep, timeout, timeout_at};

type Pieces = SendWrapper<Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>>>>>;

/// An answer whose body is read piece by piece.
pub(crate) struct Response {
    status: StatusCode,
    headers: HeaderMap,
    length: Option<u64>,
    pieces: Pieces,
}

impl Response {
    /// The answer to a request of this URL. `fetch` follows redirects, and makes a GET of a POST: what another URL answers is no
    /// answer to the request, so it counts as the redirect that it comes from.
    fn of(response: reqwest::Response, asked: &reqwest::Url) -> Self {
        Self {
            status: if response.url() == asked { response.status() } else { StatusCode::FOUND },
            headers: response.headers().clone(),
            length: response.content_length(),
            pieces: SendWrapper::new(Box::pin(response.bytes_stream())),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.length
    }

    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, reqwest::Error> {
        std::future::poll_fn(|context| self.pieces.as_mut().poll_next(context)).await.transpose()
    }
}

/// What the clock of the browser says.
pub(crate) fn system_time() -> SystemTime {
    let since = wasmtimer::std::SystemTime::now().duration_since(wasmtimer::std::UNIX_EPOCH);
    since.map_or(UNIX_EPOCH, |since| UNIX_EPOCH + since)
}

/// A browser always runs its tasks.
#[allow(dead_code, reason = "feature `streaming` asks")]
pub(crate) fn has_runtime() -> bool {
    true
}

/// Sends a request, and waits for the head of its answer.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> Result<Response, reqwest::Error> {
    let (client, request) = request.build_split();
    let request = request?;
    let asked = request.url().clone();
    SendWrapper::new(async move { client.execute(request).await.map(|response| Response::of(response, &asked)) }).await
}

/// A browser does not say whether a connection was made, so a request that failed may have been received.
pub(crate) fn is_connect(_: &reqwest::Error) -> bool {
    false
}
