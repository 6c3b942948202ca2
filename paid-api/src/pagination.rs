//! Streams the items of a list endpoint over all its pages.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::transport::{Call, CallFuture};

/// One page of a list.
pub trait Page: DeserializeOwned + Send + 'static {
    /// The type of the items.
    type Item;

    /// Returns the items of this page and how to tell whether more follow.
    fn into_items(self) -> (Vec<Self::Item>, PageEnd);
}

/// How a page tells whether it is the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEnd {
    /// A flag: true if more pages follow.
    HasMore(bool),
    /// The number of items on all pages.
    Total(i64),
}

/// All items of a list as a [`Stream`], which requests each page when it is needed.
///
/// An error does not end the stream: the next poll requests the same page again. No item is skipped or repeated, unless
/// the list itself changes in between. To stop early, drop the stream.
pub struct Items<P: Page> {
    call: Call<P>,
    offset: i64,
    buffer: VecDeque<P::Item>,
    pending: Option<CallFuture<P>>,
    finished: bool,
}

impl<P: Page> Items<P> {
    /// Starts at the `offset` of the call.
    #[doc(hidden)]
    pub fn new(call: Call<P>) -> Self {
        let offset = call.query_value("offset").and_then(|text| text.parse().ok()).unwrap_or(0);
        Self { call, offset, buffer: VecDeque::new(), pending: None, finished: false }
    }

    fn take_page(&mut self, page: P) {
        let (items, end) = page.into_items();
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        self.offset = self.offset.saturating_add(count);
        self.finished = match end {
            // After an empty page that promises more, the stream would never end.
            _ if count == 0 => true,
            PageEnd::HasMore(more) => !more,
            PageEnd::Total(total) => self.offset >= total,
        };
        self.buffer.extend(items);
    }
}

impl<P: Page> Unpin for Items<P> {}

impl<P: Page> Stream for Items<P> {
    type Item = Result<P::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.buffer.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.finished {
                return Poll::Ready(None);
            }
            let call = self.call.clone().query("offset", self.offset.to_string());
            let pending = self.pending.get_or_insert_with(|| call.send());
            let answer = ready!(pending.as_mut().poll(context));
            self.pending = None;
            match answer {
                Ok(page) => self.take_page(page),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl<P: Page> fmt::Debug for Items<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Items")
            .field("call", &self.call)
            .field("offset", &self.offset)
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}
