//! Values that are never sent in the clear: a keyed hash is sent in their place.

use std::fmt;

use serde::Serialize;

use super::Data;
use super::value::{Json, Text};

/// A text about a person, or a secret: a signal sends a keyed hash of it, made with the emitter's
/// [`hash_key`](crate::EmitterBuilder::hash_key), and never the text itself. Emission refuses and reports the signal if the
/// emitter has no key.
///
/// Where `signals.toml` says `pii = "refuse"` or `secret = true`, a value that is not wrapped does not compile. Where it says
/// `pii = "hash"`, the macros do the same to a plain value. Elsewhere, a wrapped value is hashed all the same.
///
/// It implements no `Serialize` and no `Display`, and `Debug` shows `Hashed(..)`: so it is not written by mistake, by
/// `flatten` or in a log. An optional value is a `Hashed<Option<String>>`.
///
/// ```
/// use paid::{Hashed, Signal};
///
/// let signal = Signal::new("email_sent").customer("acme").field("to", &Hashed::new("jane@globex.example"));
/// assert_eq!(signal.data().to_string(), r#"{"to":"<hashed>"}"#); // until an emitter has hashed it
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Hashed<T: ?Sized>(T);

impl<T> Hashed<T> {
    /// Keeps a value in the clear until it is sent: then its hash leaves.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Takes what was wrapped out again, in the clear.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: ?Sized> Hashed<T> {
    /// Shows what was wrapped, in the clear.
    pub const fn get(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Hashed<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> fmt::Debug for Hashed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hashed(..)")
    }
}

#[diagnostic::do_not_recommend]
impl<T: Text + Serialize + ?Sized> Json for Hashed<T> {
    fn write_to(&self, data: &mut Data, key: &str) {
        data.hide(key, &self.0);
    }
}

impl<T: Text + ?Sized> Text for Hashed<T> {}

/// A value that is never sent in the clear: what `pii = "refuse"` and `secret = true` in the catalogue ask for.
#[diagnostic::on_unimplemented(
    message = "the catalogue says that this field is never sent in the clear, which `{Self}` would be",
    label = "this is not wrapped",
    note = "wrap the value, so that a keyed hash of it is sent: write `paid::Hashed::new(value)`, or give the field the type `paid::Hashed<{Self}>`"
)]
pub trait Protected {
    /// Adds the value to the data.
    #[doc(hidden)]
    fn write_protected(&self, data: &mut Data, key: &str);
}

impl<T: Text + Serialize + ?Sized> Protected for Hashed<T> {
    fn write_protected(&self, data: &mut Data, key: &str) {
        self.write_to(data, key);
    }
}

#[diagnostic::do_not_recommend]
impl<T: Protected> Protected for Option<T> {
    fn write_protected(&self, data: &mut Data, key: &str) {
        match self {
            Some(value) => value.write_protected(data, key),
            None => data.field(key, &()),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Protected + ?Sized> Protected for &T {
    fn write_protected(&self, data: &mut Data, key: &str) {
        T::write_protected(self, data, key);
    }
}
