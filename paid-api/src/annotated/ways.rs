//! How a value becomes text. `(&&&Way(value)).__paid_way()` takes the first trait that fits: `Special` (ids, options, and
//! what is never meant), then `AsRef<str>`, then `Display`, then anything, which no place takes. Kept in this order
//! for speed: most values are text, and found at once.

use super::*;

/// Traits in scope, without names.
pub mod all {
    pub use super::{ByDisplay as _, ByStr as _, Special as _, Unfit as _};
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

pub struct AsText;
pub struct AsDisplay;
pub struct AsOption;
/// The place decides: ids, and what cannot be meant.
pub struct AsNothing;

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
special!(AsOption: Option<String>, Option<&str>, Option<&String>, Option<Cow<'_, str>>);

impl AsText {
    #[inline(always)]
    pub fn customer<T: AsRef<str> + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        by_str(value)
    }
    #[inline(always)]
    pub fn customer_id<T: AsRef<str> + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        by_str(value)
    }
    #[inline(always)]
    pub fn product<T: AsRef<str> + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        by_str(value)
    }
    #[inline(always)]
    pub fn product_id<T: AsRef<str> + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        by_str(value)
    }
    #[inline(always)]
    pub fn key<T: AsRef<str> + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        by_str(value)
    }
    #[inline(always)]
    pub fn user<T: AsRef<str> + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        by_str(value)
    }
}

impl AsDisplay {
    #[inline(always)]
    pub fn customer<T: Display + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(value.to_string()))
    }
    #[inline(always)]
    pub fn customer_id<T: Display + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(value.to_string()))
    }
    #[inline(always)]
    pub fn product<T: Display + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(value.to_string()))
    }
    #[inline(always)]
    pub fn product_id<T: Display + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(value.to_string()))
    }
    #[inline(always)]
    pub fn key<T: Display + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(value.to_string()))
    }
    #[inline(always)]
    pub fn user<T: Display + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(value.to_string()))
    }
}

impl AsOption {
    #[inline(always)]
    pub fn customer<T: AsRef<str>>(self, value: &Option<T>) -> Option<Cow<'_, str>> {
        value.as_ref().map(|value| Cow::Borrowed(value.as_ref()))
    }
    #[inline(always)]
    pub fn customer_id<T: AsRef<str>>(self, value: &Option<T>) -> Option<Cow<'_, str>> {
        value.as_ref().map(|value| Cow::Borrowed(value.as_ref()))
    }
    #[inline(always)]
    pub fn product<T: AsRef<str>>(self, value: &Option<T>) -> Option<Cow<'_, str>> {
        value.as_ref().map(|value| Cow::Borrowed(value.as_ref()))
    }
    #[inline(always)]
    pub fn product_id<T: AsRef<str>>(self, value: &Option<T>) -> Option<Cow<'_, str>> {
        value.as_ref().map(|value| Cow::Borrowed(value.as_ref()))
    }
    #[inline(always)]
    pub fn key<T: AsRef<str>>(self, value: &Option<T>) -> Option<Cow<'_, str>> {
        value.as_ref().map(|value| Cow::Borrowed(value.as_ref()))
    }
    #[inline(always)]
    pub fn user<T: AsRef<str>>(self, value: &Option<T>) -> Option<Cow<'_, str>> {
        value.as_ref().map(|value| Cow::Borrowed(value.as_ref()))
    }
}

// The bounds are the error messages.
impl AsNothing {
    #[inline(always)]
    pub fn customer<T: value::CustomerText + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        value.text()
    }
    #[inline(always)]
    pub fn customer_id<T: value::CustomerIdText + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        value.text()
    }
    #[inline(always)]
    pub fn product<T: value::ProductText + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        value.text()
    }
    #[inline(always)]
    pub fn product_id<T: value::ProductIdText + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        value.text()
    }
    #[inline(always)]
    pub fn key<T: value::KeyText + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        value.text()
    }
    #[inline(always)]
    pub fn user<T: value::UserText + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
        value.text()
    }
}
