//! What a function returned: a success, a failure, a future whose work is yet to be done, or what nobody can tell.
//!
//! `(&&&&&&Probe(&value)).__paid_success()` takes the first trait that fits the value's type:
//! 1. [`OfNested`], for two answers in one, such as `Result<Result<T, E>, F>`; [`OfSeveral`] and [`OfHeldFuture`], errors
//!    that ask which answer counts.
//! 2. [`OfFallible`], for a `Result`, also in an `Option` or behind pointers.
//! 3. [`OfHalfInHalf`] and [`OfLater`], the same for less common types.
//! 4. [`OfHalf`], for `Option` and `Poll`, which have no error.
//! 5. [`OfFuture`], an error. A future that can hold another one is handled before, see [`held`](super::held).
//! 6. [`OfAnything`], a success, if the type can be seen; else an error that asks.
//!
//! `__paid_known_success` is the same for a type whose head is written out, such as `Page<T>`: it is no `Result`, whatever
//! its parameters are.

use std::convert::Infallible;
use std::future::IntoFuture;

use super::answers::{Fails, MayBeMissing, Several};

/// A reference to what the function returned.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// Traits in scope, without names.
pub mod outcomes {
    pub use super::{
        OfAnything as _, OfFallible as _, OfFuture as _, OfHalf as _, OfHalfInHalf as _, OfHeldFuture as _,
        OfLast as _, OfLater as _, OfNested as _, OfSeveral as _,
    };
}

macro_rules! decided {
    ($(#[$doc:meta])* $level:ident { $(
        [$($parameters:tt)*] $probe:ty: $ok:ty, $err:ty, |$value:ident| $success:expr, $error:expr;
    )* }) => {
        $(#[$doc])*
        pub trait $level<'a> {
            type Ok: ?Sized;
            type Err: ?Sized;
            fn __paid_success(&self) -> Option<&'a Self::Ok>;
            fn __paid_known_success(&self) -> Option<&'a Self::Ok>;
            fn __paid_error(&self) -> Option<&'a Self::Err>;
        }

        $(impl<'a, $($parameters)*> $level<'a> for $probe {
            type Ok = $ok;
            type Err = $err;
            #[inline(always)]
            fn __paid_success(&self) -> Option<&'a $ok> {
                let $value = self.0;
                $success
            }
            #[inline(always)]
            fn __paid_known_success(&self) -> Option<&'a $ok> {
                self.__paid_success()
            }
            #[inline(always)]
            fn __paid_error(&self) -> Option<&'a $err> {
                let $value = self.0;
                $error
            }
        })*
    };
}

decided! {
    /// Two answers in one: a success if both are.
    OfNested {
        [T: Fails, E] &&&&&Probe<'a, Result<T, E>>: T, E,
            |value| value.as_ref().ok().filter(|inner| inner.ok().is_some()), value.as_ref().err();
    }
}

decided! {
    /// What can hold an error.
    OfFallible {
        [T: Fails + ?Sized] &&&&Probe<'a, T>: T::Ok, T::Err, |value| value.ok(), value.err();
    }
}

decided! {
    /// What is there only if two are.
    OfHalfInHalf {
        [T: MayBeMissing] &&&Probe<'a, Option<T>>: Option<T>, Infallible,
            |value| value.as_ref().is_some_and(T::is_there).then_some(value), { let _ = value; None };
        [T: MayBeMissing] &&&Probe<'a, std::task::Poll<T>>: std::task::Poll<T>, Infallible,
            |value| matches!(value, std::task::Poll::Ready(inner) if inner.is_there()).then_some(value), { let _ = value; None };
    }
}

decided! {
    /// A success or nothing.
    OfHalf {
        [T: MayBeMissing + ?Sized] &&Probe<'a, T>: T, Infallible,
            |value| value.is_there().then_some(value).and_then(unless_it_is_a_result), { let _ = value; None };
    }
}

macro_rules! asked {
    ($(#[$doc:meta])* $level:ident, $asks:ident { $([$($parameters:tt)*] $probe:ty: $of:ty;)* }) => {
        $(#[$doc])*
        pub trait $level<'a> {
            type Whole: ?Sized;
            fn __paid_success(&self) -> Option<&'a Self::Whole>
            where
                Outcome: $asks<Self::Whole>;
            fn __paid_known_success(&self) -> Option<&'a Self::Whole>
            where
                Outcome: $asks<Self::Whole>;
            fn __paid_error(&self) -> Option<&'a Infallible>;
        }

        $(impl<'a, $($parameters)*> $level<'a> for $probe {
            type Whole = $of;
            fn __paid_success(&self) -> Option<&'a $of>
            where
                Outcome: $asks<$of>,
            {
                None
            }
            fn __paid_known_success(&self) -> Option<&'a $of>
            where
                Outcome: $asks<$of>,
            {
                None
            }
            #[inline(always)]
            fn __paid_error(&self) -> Option<&'a Infallible> {
                None
            }
        })*
    };
}

asked! {
    /// Several answers; which of them decides is not known.
    OfSeveral, SaysWhichCounts {
        [T: Several + ?Sized] &&&&&Probe<'a, T>: T;
    }
}

asked! {
    /// The same for a tuple that begins with something else.
    OfLater, SaysWhichCounts {
        [T: Fails, A] &&&Probe<'a, (A, T)>: (A, T);
        [T: Fails, A, B] &&&Probe<'a, (A, T, B)>: (A, T, B);
        [T: Fails, A, B, C] &&&Probe<'a, (A, T, B, C)>: (A, T, B, C);
    }
}

asked! {
    /// The same for the third or the last of a tuple.
    OfLast, SaysWhichCounts {
        [T: Fails, A, B] &&Probe<'a, (A, B, T)>: (A, B, T);
        [T: Fails, A, B, C] &&Probe<'a, (A, B, T, C)>: (A, B, T, C);
    }
}

asked! {
    /// A future in something else.
    OfHeldFuture, WorkThatIsDone {
        [F: IntoFuture, E] &&&&&Probe<'a, Result<F, E>>: F;
        [F: IntoFuture] &&&&&Probe<'a, Option<F>>: F;
        [F: IntoFuture] &&&&&Probe<'a, Vec<F>>: F;
        [F: IntoFuture] &&&&&Probe<'a, Box<[F]>>: F;
        [F: IntoFuture, A] &&&&&Probe<'a, (F, A)>: F;
    }
}

/// A future, or what becomes one.
pub trait OfFuture<'a> {
    type Future: ?Sized;
    fn __paid_success(&self) -> Option<&'a Self::Future>
    where
        Outcome: WorkThatIsDone<Self::Future>;
    fn __paid_known_success(&self) -> Option<&'a Self::Future>
    where
        Outcome: WorkThatIsDone<Self::Future>;
    fn __paid_error(&self) -> Option<&'a Infallible>
    where
        Outcome: WorkThatIsDone<Self::Future>;
}

impl<'a, T: IntoFuture> OfFuture<'a> for &Probe<'a, T> {
    type Future = T;
    fn __paid_success(&self) -> Option<&'a T>
    where
        Outcome: WorkThatIsDone<T>,
    {
        None
    }
    fn __paid_known_success(&self) -> Option<&'a T>
    where
        Outcome: WorkThatIsDone<T>,
    {
        None
    }
    fn __paid_error(&self) -> Option<&'a Infallible>
    where
        Outcome: WorkThatIsDone<T>,
    {
        None
    }
}

/// Any other type.
pub trait OfAnything<'a> {
    type Whole: ?Sized;
    fn __paid_success(&self) -> Option<&'a Self::Whole>
    where
        Outcome: SaysWhetherItSucceeded<Self::Whole>;
    fn __paid_known_success(&self) -> Option<&'a Self::Whole>;
    fn __paid_error(&self) -> Option<&'a Infallible>;
}

impl<'a, T: ?Sized> OfAnything<'a> for Probe<'a, T> {
    type Whole = T;
    #[inline(always)]
    fn __paid_success(&self) -> Option<&'a T>
    where
        Outcome: SaysWhetherItSucceeded<T>,
    {
        self.__paid_known_success()
    }
    #[inline(always)]
    fn __paid_known_success(&self) -> Option<&'a T> {
        unless_it_is_a_result(self.0)
    }
    #[inline(always)]
    fn __paid_error(&self) -> Option<&'a Infallible> {
        None
    }
}

/// A `Result` whose type was hidden from the compiler where the function was written, by a parameter with bounds that a
/// `Result` fulfils: whether it is an `Err` cannot be seen, so nothing is billed, and this is said.
#[inline]
fn unless_it_is_a_result<T: ?Sized>(value: &T) -> Option<&T> {
    const HOLDERS: [&str; 9] = [
        "core::option::Option<",
        "core::task::poll::Poll<",
        "alloc::boxed::Box<",
        "alloc::sync::Arc<",
        "alloc::rc::Rc<",
        "core::pin::Pin<",
        "alloc::vec::Vec<",
        "&mut ",
        "&",
    ];
    let name = std::any::type_name::<T>();
    let mut held = name;
    while let Some(inner) = HOLDERS.iter().find_map(|holder| held.strip_prefix(holder)) {
        held = inner;
    }
    if !held.starts_with("core::result::Result<") {
        return Some(value);
    }
    crate::report::log(&format_args!(
        "a function annotated with `#[paid::signal]` returned `{name}` through a type parameter, so whether it succeeded \
         cannot be seen: its signal is not sent; write `on = \"always\"` or `success = |out| ...` at the annotation"
    ));
    None
}

/// Of what the bounds below are asked, so that the compiler does not propose to change the user's types.
pub struct Outcome;

/// A type of which is known whether its values are successes. A type parameter or an associated type is not: it may be a
/// `Result`. It is told from other types by `Unpin`, which nearly every type is and a parameter only where it says so.
#[diagnostic::on_unimplemented(
    message = "whether this function succeeded cannot be seen in `{T}`",
    label = "this may hold an `Err`, for which nothing must be billed",
    note = "write `success = |out| ...`, a closure that returns a `bool`, an `Option` or a `Result`, in the annotation",
    note = "or write `on = \"always\"` to emit whatever the function returns"
)]
pub trait SaysWhetherItSucceeded<T: ?Sized> {}

#[diagnostic::do_not_recommend]
impl<T: Unpin + ?Sized> SaysWhetherItSucceeded<T> for Outcome {}

/// What no type with several answers implements.
#[diagnostic::on_unimplemented(
    message = "which part of `{T}` decides whether this function succeeded cannot be known",
    label = "this holds more than one outcome",
    note = "write `success = |out| ...`, a closure that returns a `bool`, an `Option` or a `Result`, in the annotation",
    note = "or write `on = \"always\"` to emit whatever the function returns"
)]
pub trait SaysWhichCounts<T: ?Sized> {}

/// What no future implements.
#[diagnostic::on_unimplemented(
    message = "`{T}` is a future: when this function returns, its work is yet to be done",
    label = "nothing may be billed before this future has succeeded",
    note = "make it an `async fn` that awaits the work, or return `impl Future<Output = ...>` or `Pin<Box<dyn Future<Output = ...>>>`"
)]
pub trait WorkThatIsDone<T: ?Sized> {}
