//! Signals for the items of a stream: one at its end, or one each. Knows nothing of what makes the items.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::emit_made;
use crate::signal::PaidSignal;

/// Bills what a stream yields.
///
/// The rules are those of functions: an `Err`, a panic or a stream that is dropped before its end sends nothing. Items pass
/// through unchanged. Signals get customer and product from the scope in which the stream is polled.
///
/// ```
/// use futures_util::{StreamExt as _, stream};
/// use paid::{Signal, StreamExt as _};
/// # use paid::testing::Recorder;
///
/// # async fn example() {
/// let words = stream::iter([Ok("to"), Ok("be"), Err("connection lost")]);
/// // One signal for each `Ok`.
/// let words = words.signal_each(|word: &&str| Signal::new("word_written").field("word", *word));
/// // One signal when the stream has ended: none here, since an item is an `Err`.
/// let words = words.signal_at_end(|words| Signal::new("text_written").field("words", &words));
/// assert_eq!(words.count().await, 3);
/// # }
/// # let recorder = Recorder::new();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # recorder.run_sync(|| runtime.block_on(paid::scope().customer("acme").run(example())));
/// # assert_eq!(recorder.signals().len(), 2);
/// ```
///
/// For items that are not `Result`s, nobody can know what succeeded: [`signal_each_if`](Self::signal_each_if) and
/// [`signal_at_end_if`](Self::signal_at_end_if) take a function that says it. Write `|_| true` if every item does.
///
/// Closures run only when there is something to bill. If one panics, its signal is reported and not sent, and the stream
/// goes on.
pub trait StreamExt: Stream + Sized {
    /// Emits a signal for each item that is `Ok`.
    fn signal_each<T, E, S, M>(self, make: M) -> SignalEach<Self, Judge<Self>, OfOk<M>>
    where
        Self: Stream<Item = Result<T, E>>,
        M: FnMut(&T) -> S,
        S: PaidSignal,
    {
        SignalEach { stream: self, succeeded: Result::is_ok, make: OfOk(make) }
    }

    /// Emits a signal for each item of which `succeeded` returns true.
    fn signal_each_if<S, J, M>(self, succeeded: J, make: M) -> SignalEach<Self, J, OfItem<M>>
    where
        J: FnMut(&Self::Item) -> bool,
        M: FnMut(&Self::Item) -> S,
        S: PaidSignal,
    {
        SignalEach { stream: self, succeeded, make: OfItem(make) }
    }

    /// Emits one signal when the stream has ended and every item was `Ok`. `make` gets the number of items.
    fn signal_at_end<T, E, S, M>(self, make: M) -> SignalAtEnd<Self, Judge<Self>, M>
    where
        Self: Stream<Item = Result<T, E>>,
        M: FnOnce(u64) -> S,
        S: PaidSignal,
    {
        SignalAtEnd { stream: self, succeeded: Result::is_ok, make: Some(make), items: 0 }
    }

    /// Emits one signal when the stream has ended and `succeeded` returned true of every item. `make` gets the number of
    /// items.
    fn signal_at_end_if<S, J, M>(self, succeeded: J, make: M) -> SignalAtEnd<Self, J, M>
    where
        J: FnMut(&Self::Item) -> bool,
        M: FnOnce(u64) -> S,
        S: PaidSignal,
    {
        SignalAtEnd { stream: self, succeeded, make: Some(make), items: 0 }
    }
}

/// Says whether an item of the stream succeeded.
pub type Judge<St> = fn(&<St as Stream>::Item) -> bool;

impl<St: Stream> StreamExt for St {}

/// Makes the signal of an item that succeeded.
pub trait MakeSignal<Item> {
    /// What is emitted for an item; `None` of an option emits nothing.
    type Signal: PaidSignal;
    /// `None` if there is nothing to make it from.
    fn make(&mut self, item: &Item) -> Option<Self::Signal>;
}

/// Makes signals from whole items.
pub struct OfItem<M>(M);

impl<Item, S: PaidSignal, M: FnMut(&Item) -> S> MakeSignal<Item> for OfItem<M> {
    type Signal = S;
    fn make(&mut self, item: &Item) -> Option<S> {
        Some((self.0)(item))
    }
}

/// Makes signals from what is in `Ok`.
pub struct OfOk<M>(M);

impl<T, E, S: PaidSignal, M: FnMut(&T) -> S> MakeSignal<Result<T, E>> for OfOk<M> {
    type Signal = S;
    fn make(&mut self, item: &Result<T, E>) -> Option<S> {
        item.as_ref().ok().map(&mut self.0)
    }
}

pin_project! {
    /// A stream that is billed by its items; see [`StreamExt::signal_each`].
    #[must_use = "streams do nothing unless polled"]
    pub struct SignalEach<St, J, M> {
        #[pin]
        stream: St,
        succeeded: J,
        make: M,
    }
}

impl<St, J, M> Stream for SignalEach<St, J, M>
where
    St: Stream,
    J: FnMut(&St::Item) -> bool,
    M: MakeSignal<St::Item>,
{
    type Item = St::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<St::Item>> {
        let this = self.project();
        let item = ready!(this.stream.poll_next(context));
        if let Some(item) = &item
            && (this.succeeded)(item)
        {
            emit_made(|| this.make.make(item));
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

pin_project! {
    /// A stream that is billed once; see [`StreamExt::signal_at_end`].
    #[must_use = "streams do nothing unless polled"]
    pub struct SignalAtEnd<St, J, M> {
        #[pin]
        stream: St,
        succeeded: J,
        // Empty once nothing may be billed any more.
        make: Option<M>,
        items: u64,
    }
}

impl<St, J, M, S> Stream for SignalAtEnd<St, J, M>
where
    St: Stream,
    J: FnMut(&St::Item) -> bool,
    M: FnOnce(u64) -> S,
    S: PaidSignal,
{
    type Item = St::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<St::Item>> {
        let this = self.project();
        // Out of its place while code of the user's runs: a panic leaves nothing to bill.
        let make = this.make.take();
        match this.stream.poll_next(context) {
            Poll::Pending => {
                *this.make = make;
                Poll::Pending
            }
            Poll::Ready(Some(item)) => {
                *this.items += 1;
                *this.make = make.filter(|_| (this.succeeded)(&item));
                Poll::Ready(Some(item))
            }
            Poll::Ready(None) => {
                if let Some(make) = make {
                    let items = *this.items;
                    emit_made(|| Some(make(items)));
                }
                Poll::Ready(None)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<St, J, M> fmt::Debug for SignalEach<St, J, M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignalEach").finish_non_exhaustive()
    }
}

impl<St, J, M> fmt::Debug for SignalAtEnd<St, J, M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SignalAtEnd")
            .field("items", &self.items)
            .field("bills", &self.make.is_some())
            .finish_non_exhaustive()
    }
}
