//! Objects of which one key is meant, such as a customer by Paid's id or by your own. Two of the keys at once are an
//! error: to drop one of two customers would bill the wrong one.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use crate::JsonObject;

/// A type that is one of several keys with its value.
pub trait Choice: Sized {
    /// The keys that this version knows.
    const KEYS: &'static [&'static str];

    /// Reads the value of one of them.
    fn of(key: &str, value: Value) -> Result<Self, serde_json::Error>;

    /// Keeps an object without any of them.
    fn unknown(object: JsonObject) -> Self;
}

/// Reads an object that is nothing but the choice.
pub fn choice<'de, T: Choice, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut object = JsonObject::deserialize(deserializer)?;
    Ok(take(&mut object)?.unwrap_or_else(|| T::unknown(object)))
}

/// Reads a choice whose keys stand in a larger object, for `#[serde(flatten)]`. The choice must be made.
pub fn flat_choice<'de, T: Choice, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    optional_flat_choice(deserializer)?.ok_or_else(|| D::Error::custom(expected::<T>()))
}

/// The same for a choice that may be left out. Without it, serde would take an error for nothing chosen.
pub fn optional_flat_choice<'de, T: Choice, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    take(&mut JsonObject::deserialize(deserializer)?)
}

/// The value that is chosen; a null chooses nothing.
fn take<T: Choice, E: Error>(object: &mut JsonObject) -> Result<Option<T>, E> {
    let mut chosen = T::KEYS.iter().filter(|key| object.get(**key).is_some_and(|value| !value.is_null()));
    let (key, another) = (chosen.next(), chosen.next());
    if another.is_some() {
        return Err(E::custom(expected::<T>()));
    }
    match key.and_then(|key| Some((key, object.remove(*key)?))) {
        Some((key, value)) => T::of(key, value).map(Some).map_err(|error| E::custom(format_args!("`{key}`: {error}"))),
        None => Ok(None),
    }
}

fn expected<T: Choice>() -> String {
    let keys: Vec<_> = T::KEYS.iter().map(|key| format!("`{key}`")).collect();
    format!("expected only one of {}", keys.join(", "))
}
