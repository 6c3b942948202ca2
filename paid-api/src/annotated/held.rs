//! Futures by another name: a type alias, `Self::Future`. Where the type can hold another future, what belongs to the
//! function's end goes into it. `(&&Kind::of(&value)).__paid_kind()` says of which kind a type is.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use crate::scope::Scope;

/// The type of what a function returned.
pub struct Kind<T: ?Sized>(PhantomData<fn() -> *const T>);

impl<T> Kind<T> {
    #[inline(always)]
    pub fn of(_: &T) -> Self {
        Self(PhantomData)
    }

    /// The kind of what a body returns that has yet to run.
    #[inline(always)]
    pub fn of_body(_: &impl FnOnce() -> T) -> Self {
        Self(PhantomData)
    }
}

/// Traits in scope, without names.
pub mod kinds {
    pub use super::{HoldsFuture as _, IsValue as _};
}

/// A type that holds any future of its output.
pub trait HoldsFuture {
    type Kind;
    fn __paid_kind(&self) -> Self::Kind;
}

/// Any other type.
pub trait IsValue {
    #[inline(always)]
    fn __paid_kind(&self) -> Value {
        Value
    }
}
impl<T: ?Sized> IsValue for Kind<T> {}

/// What is there when the function returns.
pub struct Value;

impl Value {
    /// Calls `end` at once.
    #[inline(always)]
    pub fn __paid_finish<T>(self, value: T, end: impl FnOnce(&T)) -> T {
        end(&value);
        value
    }

    /// Runs the body and `end` in the scope.
    #[inline(always)]
    pub fn __paid_in_scope<T>(self, scope: Scope, body: impl FnOnce() -> T, end: impl FnOnce(&T)) -> T {
        scope.run_sync(|| self.__paid_finish(body(), end))
    }
}

macro_rules! holders {
    ($($kind:ident ($($auto:tt)*);)*) => { $(
        impl<'a, T> HoldsFuture for &Kind<Pin<Box<dyn Future<Output = T> $($auto)* + 'a>>> {
            type Kind = $kind;
            #[inline(always)]
            fn __paid_kind(&self) -> $kind {
                $kind
            }
        }

        /// `Pin<Box<dyn Future>>`, with these auto traits.
        pub struct $kind;

        impl $kind {
            /// Calls `end` when the future is ready.
            pub fn __paid_finish<'a, T: 'a>(
                self,
                future: Pin<Box<dyn Future<Output = T> $($auto)* + 'a>>,
                end: impl FnOnce(&T) $($auto)* + 'a,
            ) -> Pin<Box<dyn Future<Output = T> $($auto)* + 'a>> {
                Box::pin(async move {
                    let value = future.await;
                    end(&value);
                    value
                })
            }

            /// Runs the future and `end` in the scope.
            pub fn __paid_in_scope<'a, T: 'a>(
                self,
                scope: Scope,
                body: impl FnOnce() -> Pin<Box<dyn Future<Output = T> $($auto)* + 'a>>,
                end: impl FnOnce(&T) $($auto)* + 'a,
            ) -> Pin<Box<dyn Future<Output = T> $($auto)* + 'a>> {
                Box::pin(scope.run(self.__paid_finish(body(), end)))
            }
        }
    )* };
}

holders! {
    Boxed ();
    BoxedSend (+ Send);
    BoxedSendSync (+ Send + Sync);
    BoxedSync (+ Sync);
}
