//! What a function returned: a success, a failure, a future whose work is yet to be done, or what nobody can tell.
//!
//! `(&&&&Probe(&value)).__paid_success()` takes the first trait that fits the value's type:
//! 1. [`OfNested`], for two answers in one, such as `Result<Result<T, E>, F>`; [`OfSeveral`], an error that asks which
//!    answer counts.
//! 2. [`OfResult`], also behind a reference or in a box; [`OfHalf`], for `Option` and `Poll`, which have no error.
//! 3. [`OfFuture`], an error. A future that can hold another one is handled before, see [`held`](super::held).
//! 4. [`OfAnything`], a success, if the type can be seen; else an error that asks.
//!
//! `__paid_known_success` is the same for a type whose head is written out, such as `Page<T>`: it is no `Result`, whatever
//! its parameters are.

use std::convert::Infallible;
use std::future::IntoFuture;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

/// A reference to what the function returned.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// Traits in scope, without names.
pub mod outcomes {
    pub use super::{
        OfAnything as _, OfFuture as _, OfHalf as _, OfLater as _, OfNested as _, OfResult as _, OfSeveral as _,
    };
}

/// Two answers in one: a success if both are.
pub trait OfNested<'a> {
    type Ok: ?Sized;
    type Err: ?Sized;
    fn __paid_success(&self) -> Option<&'a Self::Ok>;
    fn __paid_known_success(&self) -> Option<&'a Self::Ok>;
    fn __paid_error(&self) -> Option<&'a Self::Err>;
}

/// A `Result`.
pub trait OfResult<'a> {
    type Ok: ?Sized;
    type Err: ?Sized;
    fn __paid_success(&self) -> Option<&'a Self::Ok>;
    fn __paid_known_success(&self) -> Option<&'a Self::Ok>;
    fn __paid_error(&self) -> Option<&'a Self::Err>;
}

/// A success or nothing.
pub trait OfHalf<'a> {
    type Ok: ?Sized;
    fn __paid_success(&self) -> Option<&'a Self::Ok>;
    fn __paid_known_success(&self) -> Option<&'a Self::Ok>;
    fn __paid_error(&self) -> Option<&'a Infallible>;
}

macro_rules! fallible {
    ($level:ident for $probe:ty: [$($parameters:ident),*] $ok:ty, $err:ty, |$value:ident| $success:expr, $error:expr) => {
        impl<'a, $($parameters),*> $level<'a> for $probe {
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
        }
    };
}

macro_rules! half {
    ($($probe:ty: [$($parameters:ident),*] $ok:ty, $succeeded:ident;)*) => { $(
        impl<'a, $($parameters),*> OfHalf<'a> for $probe {
            type Ok = $ok;
            #[inline(always)]
            fn __paid_success(&self) -> Option<&'a $ok> {
                self.0.$succeeded().then_some(self.0)
            }
            #[inline(always)]
            fn __paid_known_success(&self) -> Option<&'a $ok> {
                self.__paid_success()
            }
            #[inline(always)]
            fn __paid_error(&self) -> Option<&'a Infallible> {
                None
            }
        }
    )* };
}

fallible!(OfResult for &&Probe<'a, Result<T, E>>: [T, E] T, E, |value| value.as_ref().ok(), value.as_ref().err());
fallible!(OfResult for &&Probe<'a, &Result<T, E>>: [T, E] T, E, |value| value.as_ref().ok(), value.as_ref().err());
fallible!(OfResult for &&Probe<'a, &mut Result<T, E>>: [T, E] T, E, |value| (**value).as_ref().ok(), (**value).as_ref().err());
fallible!(OfResult for &&Probe<'a, Box<Result<T, E>>>: [T, E] T, E, |value| (**value).as_ref().ok(), (**value).as_ref().err());
fallible!(OfResult for &&Probe<'a, Rc<Result<T, E>>>: [T, E] T, E, |value| (**value).as_ref().ok(), (**value).as_ref().err());
fallible!(OfResult for &&Probe<'a, Arc<Result<T, E>>>: [T, E] T, E, |value| (**value).as_ref().ok(), (**value).as_ref().err());
fallible!(OfNested for &&&Probe<'a, Result<Result<T, E>, F>>: [T, E, F] Result<T, E>, F,
    |value| value.as_ref().ok().filter(|inner| inner.is_ok()), value.as_ref().err());
fallible!(OfNested for &&&Probe<'a, Option<Result<T, E>>>: [T, E] Option<Result<T, E>>, E,
    |value| matches!(value, Some(Ok(_))).then_some(value), value.as_ref().and_then(|inner| inner.as_ref().err()));
fallible!(OfNested for &&&Probe<'a, Poll<Result<T, E>>>: [T, E] Poll<Result<T, E>>, E,
    |value| matches!(value, Poll::Ready(Ok(_))).then_some(value),
    if let Poll::Ready(Err(error)) = value { Some(error) } else { None });
fallible!(OfNested for &&&Probe<'a, Poll<Option<Result<T, E>>>>: [T, E] Poll<Option<Result<T, E>>>, E,
    |value| matches!(value, Poll::Ready(Some(Ok(_)))).then_some(value),
    if let Poll::Ready(Some(Err(error))) = value { Some(error) } else { None });
half! {
    &&Probe<'a, Option<T>>: [T] Option<T>, is_some;
    &&Probe<'a, &Option<T>>: [T] &'a Option<T>, is_some;
    &&Probe<'a, Poll<T>>: [T] Poll<T>, is_ready;
}

macro_rules! probe {
    (First, $a:lifetime, $of:ty) => { &&&Probe<$a, $of> };
    (Third, $a:lifetime, $of:ty) => { &Probe<$a, $of> };
}

macro_rules! several {
    ($(#[$doc:meta])* $level:ident for $probe:ident: $([$($parameters:tt)*] $of:ty;)*) => {
        $(#[$doc])*
        pub trait $level<'a> {
            type Whole: ?Sized;
            fn __paid_success(&self) -> Option<&'a Self::Whole>
            where
                Outcome: SaysWhichCounts<Self::Whole>;
            fn __paid_known_success(&self) -> Option<&'a Self::Whole>
            where
                Outcome: SaysWhichCounts<Self::Whole>;
            fn __paid_error(&self) -> Option<&'a Infallible>;
        }

        $(impl<'a, $($parameters)*> $level<'a> for probe!($probe, 'a, $of) {
            type Whole = $of;
            fn __paid_success(&self) -> Option<&'a $of>
            where
                Outcome: SaysWhichCounts<$of>,
            {
                None
            }
            fn __paid_known_success(&self) -> Option<&'a $of>
            where
                Outcome: SaysWhichCounts<$of>,
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

several! {
    /// Several answers; which of them decides is not known.
    OfSeveral for First:
    [B, C] ControlFlow<B, C>;
    [T, E] Vec<Result<T, E>>;
    [T, E] Box<[Result<T, E>]>;
    [T, E, const N: usize] [Result<T, E>; N];
    [T, E, A] (Result<T, E>, A);
    [T, E, A, B] (Result<T, E>, A, B);
}

several! {
    /// The same for a tuple that begins with something else.
    OfLater for Third:
    [T, E, A] (A, Result<T, E>);
    [T, E, A, B] (A, Result<T, E>, B);
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
    let name = std::any::type_name::<T>();
    if !name.starts_with("core::result::Result<") {
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
