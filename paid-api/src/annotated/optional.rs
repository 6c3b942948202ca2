//! Whether a field is a `None`, decided by its type: an `Option` may come by an alias or out of a `macro_rules!`.
//! `(&&Held(&value)).__paid_is_none()` takes the first trait that fits.

use crate::signal::Data;
use crate::signal::value::Json;

/// A reference to a field.
pub struct Held<'a, T: ?Sized>(pub &'a T);

/// Traits in scope, without names.
pub mod fields {
    pub use super::{OfOption as _, OfOther as _};
}

pub trait OfOption {
    fn __paid_is_none(&self) -> bool;
}

impl<T> OfOption for &Held<'_, Option<T>> {
    #[inline(always)]
    fn __paid_is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> OfOption for &Held<'_, &Option<T>> {
    #[inline(always)]
    fn __paid_is_none(&self) -> bool {
        self.0.is_none()
    }
}

/// Any other type; a parameter may be an `Option` nevertheless.
pub trait OfOther {
    fn __paid_is_none(&self) -> bool;
}

impl<T: Json + ?Sized> OfOther for Held<'_, T> {
    #[inline]
    fn __paid_is_none(&self) -> bool {
        std::any::type_name::<T>().starts_with("core::option::Option<") && is_null(self.0)
    }
}

fn is_null<T: Json + ?Sized>(value: &T) -> bool {
    let mut data = Data::default();
    value.write_to(&mut data, "");
    data.to_json().get("").is_some_and(serde_json::Value::is_null)
}

/// What `skip_none` on a field needs.
#[diagnostic::on_unimplemented(
    message = "`skip_none` leaves out a `None`, but this field is not an `Option`",
    label = "this is never `None`",
    note = "remove `skip_none` from the field"
)]
pub trait Optional {}

impl<T> Optional for Option<T> {}

pub fn can_be_none<T: Optional>() {}
