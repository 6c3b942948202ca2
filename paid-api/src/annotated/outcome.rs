//! What a function returned: a success, a failure, a future whose work is yet to be done, or what nobody can tell.
//!
//! `(&&Probe(&value)).__paid_success()` takes the first implementation that fits the value's type, in the order in which the
//! compiler looks for a method that takes `self`: for `&&Probe`, `&&&Probe`, `&mut &&Probe`, `&Probe`, `&mut &Probe`, and
//! `Probe`. There are three traits and not one for each kind of type, because the compiler tries each of them at every step.
//! There are two references and not six, because the compiler does work for each reference even if an earlier one matches:
//! 1. [`Decided`] for two answers in one, such as `Result<Result<T, E>, F>`; [`Asked`] for several, and [`HeldFuture`]: errors
//!    that ask which answer counts.
//! 2. [`Decided`] for a `Result`, also in an `Option` or behind pointers.
//! 3. The same two for less common types.
//! 4. [`Decided`] for `Option` and `Poll`, which have no error.
//! 5. [`Asked`] for a future. One that can hold another future is handled before, see [`held`](super::held).
//! 6. [`Asked`] for any type: a success, if the type can be seen; else an error that asks.
//!
//! `__paid_known_success` is the same for a type whose head is written out, such as `Page<T>`: it is no `Result`, whatever
//! its parameters are.

use std::convert::Infallible;
use std::future::IntoFuture;

use super::answers::{Fails, MayBeMissing, Several};

/// A reference to what the function returned.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for Probe<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Probe<'_, T> {}

/// Traits in scope, without names.
pub mod outcomes {
    pub use super::{Asked as _, Decided as _, HeldFuture as _};
}

/// A type that says whether its value is a success.
pub trait Decided<'a>: Sized {
    type Ok: ?Sized;
    type Err: ?Sized;
    fn __paid_success(self) -> Option<&'a Self::Ok>;
    fn __paid_known_success(self) -> Option<&'a Self::Ok>;
    fn __paid_error(self) -> Option<&'a Self::Err>;
}

macro_rules! decided {
    ($($(#[$doc:meta])* [$($parameters:tt)*] $probe:ty: $ok:ty, $err:ty, |$value:ident| $success:expr, $error:expr;)*) => { $(
        $(#[$doc])*
        impl<'a, $($parameters)*> Decided<'a> for $probe {
            type Ok = $ok;
            type Err = $err;
            #[inline(always)]
            fn __paid_success(self) -> Option<&'a $ok> {
                let $value = self.0;
                $success
            }
            #[inline(always)]
            fn __paid_known_success(self) -> Option<&'a $ok> {
                self.__paid_success()
            }
            #[inline(always)]
            fn __paid_error(self) -> Option<&'a $err> {
                let $value = self.0;
                $error
            }
        })*
    };
}

decided! {
    /// Two answers in one: a success if both are.
    [T: Fails, E] &&Probe<'a, Result<T, E>>: T, E,
        |value| value.as_ref().ok().filter(|inner| inner.ok().is_some()), value.as_ref().err();
    /// What can hold an error.
    [T: Fails + ?Sized] &&&Probe<'a, T>: T::Ok, T::Err, |value| value.ok(), value.err();
    /// What is there only if two are.
    [T: MayBeMissing] &mut &&Probe<'a, Option<T>>: Option<T>, Infallible,
        |value| value.as_ref().is_some_and(T::is_there).then_some(value), { let _ = value; None };
    [T: MayBeMissing] &mut &&Probe<'a, std::task::Poll<T>>: std::task::Poll<T>, Infallible,
        |value| matches!(value, std::task::Poll::Ready(inner) if inner.is_there()).then_some(value), { let _ = value; None };
    /// A success or nothing.
    [T: MayBeMissing + ?Sized] &Probe<'a, T>: T, Infallible,
        |value| value.is_there().then_some(value).and_then(unless_it_is_a_result), { let _ = value; None };
}

/// A type of which it has to be asked what its value means. Each associated type is what one question is about, or
/// `NoQuestion`.
pub trait Asked<'a>: Sized {
    type Whole: ?Sized;
    /// Several answers; which of them decides is not known.
    type Several: ?Sized;
    /// A future, or what becomes one.
    type Future: ?Sized;
    /// What may be a `Result` that cannot be seen.
    type Unseen: ?Sized;
    fn __paid_success(self) -> Option<&'a Self::Whole>
    where
        Outcome: SaysWhichCounts<Self::Several> + WorkThatIsDone<Self::Future> + SaysWhetherItSucceeded<Self::Unseen>;
    fn __paid_known_success(self) -> Option<&'a Self::Whole>
    where
        Outcome: SaysWhichCounts<Self::Several> + WorkThatIsDone<Self::Future>;
    fn __paid_error(self) -> Option<&'a Infallible>
    where
        Outcome: WorkThatIsDone<Self::Future>;
}

/// Nothing has to be asked.
pub struct NoQuestion;

/// Behind a bound of its own, so that messages do not speak of an implementation for [`NoQuestion`].
pub trait AsksNothing {}

impl AsksNothing for NoQuestion {}

#[diagnostic::do_not_recommend]
impl<T: AsksNothing + ?Sized> SaysWhichCounts<T> for Outcome {}

#[diagnostic::do_not_recommend]
impl<T: AsksNothing + ?Sized> WorkThatIsDone<T> for Outcome {}

macro_rules! asked {
    ($($(#[$doc:meta])* [$($parameters:tt)*] $probe:ty: $of:ty, $several:ty, $future:ty, $unseen:ty, |$value:ident| $success:expr;)*) => { $(
        $(#[$doc])*
        impl<'a, $($parameters)*> Asked<'a> for $probe {
            type Whole = $of;
            type Several = $several;
            type Future = $future;
            type Unseen = $unseen;
            #[inline(always)]
            fn __paid_success(self) -> Option<&'a $of>
            where
                Outcome: SaysWhichCounts<$several> + WorkThatIsDone<$future> + SaysWhetherItSucceeded<$unseen>,
            {
                self.__paid_known_success()
            }
            #[inline(always)]
            fn __paid_known_success(self) -> Option<&'a $of>
            where
                Outcome: SaysWhichCounts<$several> + WorkThatIsDone<$future>,
            {
                let $value = self.0;
                $success
            }
            #[inline(always)]
            fn __paid_error(self) -> Option<&'a Infallible>
            where
                Outcome: WorkThatIsDone<$future>,
            {
                None
            }
        })*
    };
}

asked! {
    /// Several answers.
    [T: Several + ?Sized] &&Probe<'a, T>: T, T, NoQuestion, NoQuestion, |value| { let _ = value; None };
    /// The same for a tuple that begins with something else.
    [T: Fails, A] &mut &&Probe<'a, (A, T)>: (A, T), (A, T), NoQuestion, NoQuestion, |value| { let _ = value; None };
    [T: Fails, A, B] &mut &&Probe<'a, (A, T, B)>: (A, T, B), (A, T, B), NoQuestion, NoQuestion, |value| { let _ = value; None };
    [T: Fails, A, B, C] &mut &&Probe<'a, (A, T, B, C)>: (A, T, B, C), (A, T, B, C), NoQuestion, NoQuestion,
        |value| { let _ = value; None };
    /// The same for the third or the last of a tuple.
    [T: Fails, A, B] &Probe<'a, (A, B, T)>: (A, B, T), (A, B, T), NoQuestion, NoQuestion, |value| { let _ = value; None };
    [T: Fails, A, B, C] &Probe<'a, (A, B, T, C)>: (A, B, T, C), (A, B, T, C), NoQuestion, NoQuestion,
        |value| { let _ = value; None };
    /// A future, or what becomes one.
    [T: IntoFuture] &mut &Probe<'a, T>: T, NoQuestion, T, NoQuestion, |value| { let _ = value; None };
    /// Any other type.
    [T: ?Sized] Probe<'a, T>: T, NoQuestion, NoQuestion, T, |value| unless_it_hides_an_answer(value);
}

/// A future in something else.
pub trait HeldFuture<'a>: Sized {
    type Future: ?Sized;
    fn __paid_success(self) -> Option<&'a Self::Future>
    where
        Outcome: WorkThatIsDone<Self::Future>;
    fn __paid_known_success(self) -> Option<&'a Self::Future>
    where
        Outcome: WorkThatIsDone<Self::Future>;
    fn __paid_error(self) -> Option<&'a Infallible>;
}

macro_rules! held_futures {
    ($([$($parameters:tt)*] $of:ty;)*) => { $(
        impl<'a, F: IntoFuture, $($parameters)*> HeldFuture<'a> for &&Probe<'a, $of> {
            type Future = F;
            fn __paid_success(self) -> Option<&'a F>
            where
                Outcome: WorkThatIsDone<F>,
            {
                None
            }
            fn __paid_known_success(self) -> Option<&'a F>
            where
                Outcome: WorkThatIsDone<F>,
            {
                None
            }
            #[inline(always)]
            fn __paid_error(self) -> Option<&'a Infallible> {
                None
            }
        })*
    };
}

held_futures! {
    [E] Result<F, E>;
    [] Option<F>;
    [] Vec<F>;
    [] Box<[F]>;
    [A] (F, A);
}

const POINTERS: [&str; 6] =
    ["alloc::boxed::Box<", "alloc::sync::Arc<", "alloc::rc::Rc<", "core::pin::Pin<", "&mut ", "&"];

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

/// The name of the type that these hold, in one another too, with what ends theirs.
fn within<'a>(name: &'a str, holders: &[&str]) -> &'a str {
    let mut held = name;
    while let Some(inner) = holders.iter().find_map(|holder| held.strip_prefix(holder)) {
        held = inner;
    }
    held
}

/// Whether this is the name of a type that holds no other, such as `u32` and `crm::Meeting`. Decided when the program is
/// compiled, from the name's ends: most functions return such a type.
#[inline(always)]
fn is_plain(name: &str) -> bool {
    let may_end = |last: &u8| !matches!(last, b'>' | b')' | b'}');
    match name.as_bytes() {
        b"()" | b"&str" => true,
        [b'&', ..] | [b'd', b'y', b'n', b' ', ..] => false,
        bytes => bytes.last().is_none_or(may_end),
    }
}

/// A `Result` whose type was hidden from the compiler where the function was written, by a parameter with bounds that a
/// `Result` fulfils: whether it is an `Err` cannot be seen, so nothing is billed, and this is said.
#[inline]
fn unless_it_is_a_result<T: ?Sized>(value: &T) -> Option<&T> {
    let name = std::any::type_name::<T>();
    if is_plain(name) {
        return Some(value);
    }
    let held = within(name, &HOLDERS);
    if !held.starts_with("core::result::Result<") {
        return Some(value);
    }
    hidden(name)
}

/// The same for a type of which nothing was decided: where it was written out, an `Option` or a future would have been.
#[inline]
fn unless_it_hides_an_answer<T: ?Sized>(value: &T) -> Option<&T> {
    const ANSWERS: [&str; 4] = [
        "core::option::Option<",
        "core::task::poll::Poll<",
        "core::ops::control_flow::ControlFlow<",
        "dyn core::future::future::Future<",
    ];
    let name = std::any::type_name::<T>();
    if is_plain(name) {
        return Some(value);
    }
    let held = within(name, &POINTERS);
    let is_answer = ANSWERS.iter().any(|answer| held.starts_with(answer)) || is_tuple_with_a_result(held);
    if is_answer { hidden(name) } else { unless_it_is_a_result(value) }
}

/// The same for an `async` block or a closure, whose work is yet to be done, behind an alias of something of a parameter: where
/// it was written out, it would have been asked about.
#[inline]
pub fn unless_it_is_work<T: ?Sized>(success: Option<&T>) -> Option<&T> {
    let name = std::any::type_name::<T>();
    if success.is_some() && !is_plain(name) && is_closure(within(name, &HOLDERS)) { hidden(name) } else { success }
}

/// Whether this is a closure's name, with what ends the names of its holders, and not that of a type which has one between its
/// angles.
fn is_closure(name: &str) -> bool {
    let own = name.trim_end_matches('>').replace("->", "");
    own.ends_with("{{closure}}") && own.matches('<').count() == own.matches('>').count()
}

fn is_tuple_with_a_result(name: &str) -> bool {
    let Some(parts) = name.strip_prefix('(') else { return false };
    let mut depth = 0_usize;
    let mut begins = true;
    for (at, letter) in parts.char_indices() {
        if depth == 0 && begins && parts[at..].starts_with("core::result::Result<") {
            return true;
        }
        match letter {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        begins = matches!(letter, ',' | ' ');
    }
    false
}

/// Says that nothing is billed for a value of this type.
fn hidden<R>(name: &str) -> Option<R> {
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

#[cfg(test)]
mod tests {
    use std::any::type_name;

    use super::*;

    #[test]
    fn no_name_of_an_answer_is_plain() {
        let work = || 1;
        let of = |_: &dyn Fn() -> i32, name: &'static str| name;
        for name in [
            type_name::<Result<u8, u8>>(),
            type_name::<Option<u8>>(),
            type_name::<(Result<u8, u8>, u8)>(),
            type_name::<&Option<u8>>(),
            type_name::<&dyn Future<Output = u8>>(),
            type_name::<dyn Future<Output = u8> + Send>(),
            type_name::<Box<dyn Future<Output = u8> + Send>>(),
            std::any::type_name_of_val(&work),
            of(&work, "a::b::{{closure}}"),
        ] {
            assert!(!is_plain(name), "{name}");
        }
        for name in [type_name::<u32>(), type_name::<String>(), type_name::<()>(), type_name::<&str>()] {
            assert!(is_plain(name), "{name}");
        }
    }
}
