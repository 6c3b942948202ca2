//! Whether a type decides by its parameter: `type Id<T> = T` does, `struct Page<T>` and `type Fallible<T> = Result<T, Error>` do
//! not. The macro puts [`Parameter`] in the parameter's place, and the compiler looks where it ends up.

use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use super::outcome::Outcome;

/// Stands for a type parameter that has no bounds, or only traits that this has, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Parameter;

/// A type in which nothing but the parameter decides.
pub trait Decides {}

impl Decides for Parameter {}
impl<T: Decides> Decides for Option<T> {}
impl<T: Decides> Decides for Poll<T> {}
impl<T: Decides, A> Decides for (T, A) {}
impl<T: Decides + ?Sized> Decides for &T {}
impl<T: Decides + ?Sized> Decides for &mut T {}
impl<T: Decides + ?Sized> Decides for Box<T> {}
impl<T: Decides + ?Sized> Decides for Rc<T> {}
impl<T: Decides + ?Sized> Decides for Arc<T> {}
impl<T: Decides> Decides for Pin<T> {}

/// A type with [`Parameter`] in place of its parameter, and the type as it was written.
pub struct Supposed<T: ?Sized, W: ?Sized>(PhantomData<fn() -> (*const T, *const W)>);

impl<T: ?Sized, W: ?Sized> Supposed<T, W> {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// Traits in scope, without names.
pub mod supposed_types {
    pub use super::{ByItself as _, ByParameter as _};
}

/// The parameter decides.
pub trait ByParameter {
    type Written: ?Sized;
    fn __paid_supposed(&self)
    where
        Outcome: SeesTheParameter<Self::Written>;
}

impl<T: Decides + ?Sized, W: ?Sized> ByParameter for &Supposed<T, W> {
    type Written = W;
    fn __paid_supposed(&self)
    where
        Outcome: SeesTheParameter<W>,
    {
    }
}

/// It does not.
pub trait ByItself {
    #[inline(always)]
    fn __paid_supposed(&self) {}
}
impl<T: ?Sized, W: ?Sized> ByItself for Supposed<T, W> {}

/// A type, and a parameter with bounds of which it may be another name.
pub struct Named<W: ?Sized, T: ?Sized>(PhantomData<fn() -> (*const W, *const T)>);

impl<W: ?Sized, T: ?Sized> Named<W, T> {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

macro_rules! other_names {
    ($([$($lifetime:lifetime,)?] $of:ty),*) => { $(
        impl<$($lifetime,)? T> ByParameter for &Named<$of, T> {
            type Written = $of;
            fn __paid_supposed(&self)
            where
                Outcome: SeesTheParameter<$of>,
            {
            }
        }
    )* };
}

other_names!([] T, [] Option<T>, [] Poll<T>, ['a,] &'a T, ['a,] &'a mut T, [] Box<T>, [] Rc<T>, [] Arc<T>, [] Pin<Box<T>>);

impl<W: ?Sized, T: ?Sized> ByItself for Named<W, T> {}

/// What no type implements.
#[diagnostic::on_unimplemented(
    message = "whether this function succeeded cannot be seen in `{T}`",
    label = "this is another name of a type that may be a `Result` or a future, and nothing may be billed before that has succeeded",
    note = "write `success = |out| ...`, a closure that returns a `bool`, an `Option` or a `Result`, in the annotation",
    note = "or write `on = \"always\"` to emit whatever the function returns"
)]
pub trait SeesTheParameter<T: ?Sized> {}
