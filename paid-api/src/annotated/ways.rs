//! How a value becomes text. `(&Way(value)).__paid_way()` takes the first implementation that fits, in the order in which the
//! compiler looks for a method that takes `self`: for `&Way`, what is special (ids, options of them, and types that are text
//! by `Display` but never meant as an id); for `&&Way`, `AsRef<str>`; for `&mut &Way`, `Display`; for `Way`, any type, which
//! each role refuses with its own message. What a way does for a role is in [`text`](super::text).

use std::fmt::Display;

use super::Way;
pub use super::text::{AsDisplay, AsDisplayedOption, AsNothing, AsOption, AsText};
use crate::types::{CustomerId, ExternalCustomerId, ExternalProductId, ProductId};

/// Traits in scope, without names.
pub mod all {
    pub use super::{By as _, ByOption as _};
}

/// The way of a type.
pub trait By: Sized {
    type Way;
    fn __paid_way(self) -> Self::Way;
}

/// The way of an `Option`.
pub trait ByOption: Sized {
    type Way;
    fn __paid_way(self) -> Self::Way;
}

macro_rules! ways {
    ($($trait:ident [$($parameters:tt)*] $of:ty: $way:ident<$value:ty>;)*) => { $(
        impl<'a, $($parameters)*> $trait for $of {
            type Way = $way<'a, $value>;
            #[inline(always)]
            fn __paid_way(self) -> Self::Way {
                $way(self.0)
            }
        }
    )* };
}

ways! {
    By [T: AsRef<str> + ?Sized] &&Way<'a, T>: AsText<T>;
    ByOption [T: AsRef<str>] &&Way<'a, Option<T>>: AsOption<T>;
    By [T: Display + ?Sized] &mut &Way<'a, T>: AsDisplay<T>;
    ByOption [T: Display] &mut &Way<'a, Option<T>>: AsDisplayedOption<T>;
    By [T: ?Sized] Way<'a, T>: AsNothing<T>;
}

macro_rules! special {
    ($($ty:ty),*) => {
        ways! { $(By [] &Way<'a, $ty>: AsNothing<$ty>; By ['b] &Way<'a, &'b $ty>: AsNothing<&'b $ty>;)* }
    };
}

special!(CustomerId, ExternalCustomerId, ProductId, ExternalProductId, f32, f64, bool);
special!(Option<CustomerId>, Option<ExternalCustomerId>, Option<ProductId>, Option<ExternalProductId>);
special!(Option<f32>, Option<f64>, Option<bool>);
