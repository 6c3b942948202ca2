//! A list endpoint as a stream over all its pages.

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
    /// What the list holds.
    type Item;

    /// The items of this page, and whether there are more.
    fn into_items(self) -> (Vec<Self::Item>, PageEnd);
}

/// How a page says whether it is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEnd {
    /// It says so.
    HasMore(bool),
    /// By the number of items on all pages.
    Total(i64),
}

/// All items of a list, as a [`Stream`]: pages are asked for one after the other, when they are needed.
///
/// An error does not end the stream: polled again, it asks for the same page again, and no item is skipped or
/// given twice (as long as the list itself stands still). Drop it to stop.
pub struct Items<P: Page> {
    call: Call<P>,
    offset: i64,
    buffer: VecDeque<P::Item>,
    pending: Option<CallFuture<P>>,
    finished: bool,
}

impl<P: Page> Items<P> {
    /// Starts at the call's own `offset`.
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
            // An empty page that promises more would never end.
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
