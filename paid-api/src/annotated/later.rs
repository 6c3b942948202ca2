//! What fails later than the function returns: an iterator or a stream of answers, a callable that returns one. Only types
//! that are not known to be something else are asked, since every trait in scope takes time to compile.

use std::convert::Infallible;
use std::future::IntoFuture;
use std::marker::PhantomData;

use futures_core::Stream;

use super::answers::{Fails, Several};
use super::outcome::{Outcome, Probe};

/// Traits in scope, without names.
pub mod outcomes_to_come {
    pub use super::{OfIterator as _, OfStream as _};
}

macro_rules! fails_later {
    ($level:ident, $says:ident, $of:path, ($($reference:tt)*)) => {
        pub trait $level<'a>: Sized {
            type Whole: ?Sized;
            fn __paid_success(self) -> Option<&'a Self::Whole>
            where
                Outcome: $says<Self::Whole>;
            fn __paid_known_success(self) -> Option<&'a Self::Whole>
            where
                Outcome: $says<Self::Whole>;
            fn __paid_error(self) -> Option<&'a Infallible>;
        }

        impl<'a, T: $of + ?Sized> $level<'a> for $($reference)* Probe<'a, T> {
            type Whole = T;
            fn __paid_success(self) -> Option<&'a T>
            where
                Outcome: $says<T>,
            {
                None
            }
            fn __paid_known_success(self) -> Option<&'a T>
            where
                Outcome: $says<T>,
            {
                None
            }
            #[inline(always)]
            fn __paid_error(self) -> Option<&'a Infallible> {
                None
            }
        }
    };
}

/// An iterator whose items can fail.
pub trait FailingItems {}
impl<T: Iterator<Item: Fails> + ?Sized> FailingItems for T {}

/// The same for a stream.
pub trait FailingElements {}
impl<T: Stream<Item: Fails> + ?Sized> FailingElements for T {}

fails_later!(OfIterator, SaysWhetherItemsSucceed, FailingItems, (&mut &&));
fails_later!(OfStream, SaysWhetherElementsSucceed, FailingElements, (&));

/// What no iterator implements whose items can fail.
#[diagnostic::on_unimplemented(
    message = "`{T}` has yet to be iterated over, and its items may be an `Err`",
    label = "when this function returns, nothing has succeeded yet",
    note = "annotate the function that makes one item, or that takes all of them",
    note = "or write `on = \"always\"` in the annotation to emit when the iterator is made"
)]
pub trait SaysWhetherItemsSucceed<T: ?Sized> {}

/// What no stream implements whose items can fail.
#[diagnostic::on_unimplemented(
    message = "`{T}` has yet to be polled, and its items may be an `Err`",
    label = "when this function returns, nothing has succeeded yet",
    note = "use `paid::StreamExt` instead of the annotation: `signal_at_end` emits once, `signal_each` for each item",
    note = "or write `on = \"always\"` in the annotation to emit when the stream is made"
)]
pub trait SaysWhetherElementsSucceed<T: ?Sized> {}

/// What a callable returns.
pub struct Called<T: ?Sized>(PhantomData<fn() -> *const T>);

impl<T: ?Sized> Called<T> {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// Traits in scope, without names.
pub mod calls {
    pub use super::{CallFails as _, CallIsAwaited as _, CallSucceeds as _, SomeCallsFail as _};
}

macro_rules! asks_for_calls {
    ($($(#[$doc:meta])* $level:ident: $of:path, ($($reference:tt)*);)*) => { $(
        $(#[$doc])*
        pub trait $level {
            type Returned: ?Sized;
            fn __paid_called(&self)
            where
                Outcome: SaysWhetherCallsSucceed<Self::Returned>;
        }

        impl<T: $of + ?Sized> $level for $($reference)* Called<T> {
            type Returned = T;
            fn __paid_called(&self)
            where
                Outcome: SaysWhetherCallsSucceed<T>,
            {
            }
        }
    )* };
}

asks_for_calls! {
    /// It can fail.
    CallFails: Fails, (&&&);
    /// It holds several answers.
    SomeCallsFail: Several, (&&);
    /// It has to be awaited.
    CallIsAwaited: IntoFuture, (&);
}

/// It is something else.
pub trait CallSucceeds {
    #[inline(always)]
    fn __paid_called(&self) {}
}
impl<T: ?Sized> CallSucceeds for Called<T> {}

/// What no type implements that can fail.
#[diagnostic::on_unimplemented(
    message = "this function returns something that has yet to be called, and a call may fail: it returns `{T}`",
    label = "when this function returns, nothing has succeeded yet",
    note = "annotate the work itself: `paid::signal_block!` takes a closure",
    note = "or write `on = \"always\"` in the annotation to emit when this is made"
)]
pub trait SaysWhetherCallsSucceed<T: ?Sized> {}
