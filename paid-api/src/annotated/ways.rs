//! How a value becomes text. `(&&&Way(value)).__paid_way()` takes the first trait that fits: `AsRef<str>`, then
//! `Special` (ids, options, and types that are text by `Display` but never meant as an id), then `Display`, then any type,
//! which each role refuses with its own message. What a way does for a role is in [`text`](super::text).

use std::fmt::Display;

use super::Way;
pub use super::text::{AsDisplay, AsDisplayedOption, AsNothing, AsOption, AsText};
use crate::types::{CustomerId, ExternalCustomerId, ExternalProductId, ProductId};

/// Traits in scope, without names.
pub mod all {
    pub use super::{By as _, ByOption as _};
}

/// The way of a type.
pub trait By {
    type Way;
    fn __paid_way(&self) -> Self::Way;
}

/// The way of an `Option`.
pub trait ByOption {
    type Way;
    fn __paid_way(&self) -> Self::Way;
}

macro_rules! ways {
    ($($trait:ident [$($parameters:tt)*] $of:ty: $way:ident;)*) => { $(
        impl<$($parameters)*> $trait for $of {
            type Way = $way;
            #[inline(always)]
            fn __paid_way(&self) -> $way {
                $way
            }
        }
    )* };
}

ways! {
    By [T: AsRef<str> + ?Sized] &&&Way<'_, T>: AsText;
    ByOption [T: AsRef<str>] &&&Way<'_, Option<T>>: AsOption;
    By [T: Display + ?Sized] &Way<'_, T>: AsDisplay;
    ByOption [T: Display] &Way<'_, Option<T>>: AsDisplayedOption;
    By [T: ?Sized] Way<'_, T>: AsNothing;
}

macro_rules! special {
    ($($ty:ty),*) => {
        ways! { $(By [] &&Way<'_, $ty>: AsNothing; By [] &&Way<'_, &$ty>: AsNothing;)* }
    };
}

special!(CustomerId, ExternalCustomerId, ProductId, ExternalProductId, f32, f64, bool);
special!(Option<CustomerId>, Option<ExternalCustomerId>, Option<ProductId>, Option<ExternalProductId>);
special!(Option<f32>, Option<f64>, Option<bool>);
