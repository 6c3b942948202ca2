//! Streams the items of a list endpoint over all its pages.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use crate::error::{Error, UnreadableItem};
use crate::transport::{Call, CallFuture};
use crate::wire::list::List;

/// An answer that holds a part of a list and says whether more follows.
pub trait Page: DeserializeOwned + Send + 'static {
    /// What the list consists of.
    type Item;

    /// Returns the items of this page and how to tell whether more follow.
    fn into_items(self) -> (List<Self::Item>, PageEnd);
}

/// How a page tells whether it is the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageEnd {
    /// A flag: true if more pages follow.
    HasMore(bool),
    /// The number of items on all pages.
    Total(i64),
    /// It does not tell: pages are requested until one is empty.
    Unknown,
    /// The number of the next page; `None` on the last one.
    NextPage(Option<i64>),
    /// Where the next page begins, in the server's words; `None` on the last one.
    Next(Option<String>),
}

/// How the page that follows is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    /// By the number of items before it.
    Offset(i64),
    /// By a parameter, with what the server said; `None` for the first page.
    Parameter(&'static str, Option<String>),
}

/// All items of a list as a [`Stream`], which requests each page when it is needed.
///
/// An item that cannot be read is [`Error::Item`] in its place, and the stream goes on. After an error that may be temporary
/// (see [`Error::is_retryable`]) the next poll requests the same page again; any other error ends the stream. No item is skipped or repeated, unless the list itself changes in between. A server whose pages
/// do not advance, or that promises more items than it sends, is an error. To stop early, drop the stream.
pub struct Items<P: Page> {
    call: Call<P>,
    next: Next,
    buffer: VecDeque<Result<P::Item, UnreadableItem>>,
    pending: Option<CallFuture<(P, u64)>>,
    /// The fingerprints of all pages so far.
    seen: HashSet<u64>,
    /// What asked for the pages so far, where the server says it.
    asked: HashSet<String>,
    /// Said when the items of the page are given out.
    standstill: Option<Standstill>,
    finished: bool,
}

/// Why a list cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standstill {
    /// The server says that more items follow, and sends none.
    Empty,
    /// A page has the items of an earlier one.
    Repeated,
    /// The server does not say where the next page begins.
    Nowhere,
    /// The server says that an earlier page is the next one.
    Circle,
}

impl<P: Page> Items<P> {
    /// Starts at the `offset` of the call.
    #[doc(hidden)]
    pub fn new(call: Call<P>) -> Self {
        // An offset that is no number is refused when the call is sent.
        let offset = call.query_value("offset").and_then(|text| text.parse().ok());
        let call = if offset.is_none() && call.query_value("offset").is_some() {
            call.refused("`offset` is not a number of items")
        } else {
            call
        };
        Self::beginning(call, Next::Offset(offset.unwrap_or(0)))
    }

    /// Starts at the page of the call. The parameter asks for a page by its number, or by what the page before said.
    #[doc(hidden)]
    pub fn by(call: Call<P>, parameter: &'static str) -> Self {
        Self::beginning(call, Next::Parameter(parameter, None))
    }

    fn beginning(call: Call<P>, next: Next) -> Self {
        let (seen, asked) = (HashSet::new(), HashSet::new());
        Self { call, next, buffer: VecDeque::new(), pending: None, seen, asked, standstill: None, finished: false }
    }

    fn take_page(&mut self, page: P, fingerprint: u64) -> Result<(), Standstill> {
        let (items, end) = page.into_items();
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let following = self.next.after(count, end);
        if count == 0 && following != Ok(None) {
            return Err(following.err().unwrap_or(Standstill::Empty));
        }
        if count > 0 && !self.seen.insert(fingerprint) {
            return Err(Standstill::Repeated);
        }
        match following {
            Ok(Some(Next::Parameter(_, Some(value)))) if !self.asked.insert(value.clone()) => {
                self.standstill = Some(Standstill::Circle);
            }
            Ok(Some(next)) => self.next = next,
            Ok(None) => self.finished = true,
            Err(standstill) => self.standstill = Some(standstill),
        }
        self.buffer.extend(items);
        Ok(())
    }

    fn error(&self, standstill: Standstill) -> Error {
        let page = match &self.next {
            Next::Offset(offset) => format!("the page at offset {offset}"),
            Next::Parameter(_, None) => "the first page".to_owned(),
            Next::Parameter(name, Some(value)) => format!("the page of `{name}={value}`"),
        };
        Error::decode(self.call.operation(), StatusCode::OK, format!("{page} {}", standstill.problem()))
    }
}

impl Next {
    /// What follows a page with so many items; `None` if it was the last one.
    fn after(&self, count: i64, end: PageEnd) -> Result<Option<Self>, Standstill> {
        match (self, end) {
            (Self::Offset(offset), end) => {
                let next = offset.saturating_add(count);
                let follows = match end {
                    PageEnd::HasMore(more) => more,
                    // A total that is smaller than what was sent already is wrong: only an empty page ends the list.
                    PageEnd::Total(total) => next < total || (count > 0 && next > total.max(0)),
                    PageEnd::Unknown | PageEnd::NextPage(_) | PageEnd::Next(_) => count > 0,
                };
                Ok(follows.then_some(Self::Offset(next)))
            }
            (Self::Parameter(name, _), PageEnd::NextPage(Some(page))) => {
                Ok(Some(Self::Parameter(name, Some(page.to_string()))))
            }
            (Self::Parameter(name, _), PageEnd::Next(Some(next))) if !next.is_empty() => {
                Ok(Some(Self::Parameter(name, Some(next))))
            }
            (Self::Parameter(..), PageEnd::HasMore(true) | PageEnd::Total(_) | PageEnd::Unknown) => {
                Err(Standstill::Nowhere)
            }
            (Self::Parameter(..), PageEnd::NextPage(None) | PageEnd::Next(_) | PageEnd::HasMore(false)) => Ok(None),
        }
    }
}

impl Standstill {
    fn problem(self) -> &'static str {
        match self {
            Self::Empty => "has no items, although the server says that more follow",
            Self::Repeated => {
                "has the same items as an earlier page: the server ignores where to go on, or the list has changed since"
            }
            Self::Nowhere => "does not say where the next page begins",
            Self::Circle => "leads back to an earlier page",
        }
    }
}

impl<P: Page> Call<P> {
    /// Streams the items of this page and all that follow, each page requested with the settings of this call; see [`Items`].
    pub fn stream(self) -> Items<P> {
        Items::new(self)
    }
}

impl<P: Page> Unpin for Items<P> {}

impl<P: Page> Stream for Items<P> {
    type Item = Result<P::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.buffer.pop_front() {
                return Poll::Ready(Some(item.map_err(Error::from)));
            }
            if let Some(standstill) = self.standstill.take() {
                self.finished = true;
                return Poll::Ready(Some(Err(self.error(standstill))));
            }
            if self.finished {
                return Poll::Ready(None);
            }
            let call = self.call.clone();
            let call = match &self.next {
                Next::Offset(offset) => call.query("offset", offset.to_string()),
                Next::Parameter(_, None) => call,
                Next::Parameter(name, Some(value)) => call.query(*name, value),
            };
            let pending = self.pending.get_or_insert_with(|| call.send_page());
            let answer = ready!(pending.as_mut().poll(context));
            self.pending = None;
            let taken = match answer {
                Ok((page, fingerprint)) => {
                    self.take_page(page, fingerprint).map_err(|standstill| self.error(standstill))
                }
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                self.finished = !error.is_retryable();
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl<P: Page> fmt::Debug for Items<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Items")
            .field("call", &self.call)
            .field("next", &self.next)
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}
