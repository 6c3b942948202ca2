//! How a value becomes text. `(&&&Way(value)).__paid_way()` takes the first trait that fits: `AsRef<str>`, then
//! `Special` (ids, options, and types that are text by `Display` but never meant as an id), then `Display`, then any type,
//! which each role refuses with its own message. What a way does for a role is in [`text`](super::text).

use std::fmt::Display;

use super::Way;
pub use super::text::{AsDisplay, AsDisplayedOption, AsNothing, AsOption, AsText};
use crate::types::{CustomerId, ExternalCustomerId, ExternalProductId, ProductId};

/// Traits in scope, without names.
pub mod all {
    pub use super::{ByDisplay as _, ByOptionOfDisplay as _, ByOptionOfStr as _, ByStr as _, Special as _, Unfit as _};
}

pub trait Special {
    type Way;
    fn __paid_way(&self) -> Self::Way;
}

pub trait ByStr {
    #[inline(always)]
    fn __paid_way(&self) -> AsText {
        AsText
    }
}
impl<T: AsRef<str> + ?Sized> ByStr for &&&Way<'_, T> {}

/// An `Option` of a type that is `AsRef<str>`.
pub trait ByOptionOfStr {
    #[inline(always)]
    fn __paid_way(&self) -> AsOption {
        AsOption
    }
}
impl<T: AsRef<str>> ByOptionOfStr for &&&Way<'_, Option<T>> {}

/// An `Option` of a type that is `Display`.
pub trait ByOptionOfDisplay {
    #[inline(always)]
    fn __paid_way(&self) -> AsDisplayedOption {
        AsDisplayedOption
    }
}
impl<T: Display> ByOptionOfDisplay for &Way<'_, Option<T>> {}

pub trait ByDisplay {
    #[inline(always)]
    fn __paid_way(&self) -> AsDisplay {
        AsDisplay
    }
}
impl<T: Display + ?Sized> ByDisplay for &Way<'_, T> {}

pub trait Unfit {
    #[inline(always)]
    fn __paid_way(&self) -> AsNothing {
        AsNothing
    }
}
impl<T: ?Sized> Unfit for Way<'_, T> {}

macro_rules! special {
    ($way:ident: $($ty:ty),*) => { $(
        impl Special for &&Way<'_, $ty> {
            type Way = $way;
            #[inline(always)]
            fn __paid_way(&self) -> $way {
                $way
            }
        }
        impl Special for &&Way<'_, &$ty> {
            type Way = $way;
            #[inline(always)]
            fn __paid_way(&self) -> $way {
                $way
            }
        }
    )* };
}

special!(AsNothing: CustomerId, ExternalCustomerId, ProductId, ExternalProductId, f32, f64, bool);
special!(AsNothing: Option<CustomerId>, Option<ExternalCustomerId>, Option<ProductId>, Option<ExternalProductId>);
special!(AsNothing: Option<f32>, Option<f64>, Option<bool>);
