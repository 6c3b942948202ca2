//! A nullable property in a request has three states: left unchanged, cleared, or set.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How an update changes a property that can be null.
///
/// ```
/// use paid::Patch;
/// use paid::types::UpdateCustomerRequest;
///
/// let update = UpdateCustomerRequest::new().legal_name("Acme Limited").vat_number(Patch::Clear);
/// assert_eq!(serde_json::to_string(&update)?, r#"{"legalName":"Acme Limited","vatNumber":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// Not sent: the value stays unchanged.
    #[default]
    Leave,
    /// Sent as `null`: the value is removed.
    Clear,
    /// Sent: the value is replaced.
    Set(T),
}

impl<T> Patch<T> {
    /// Returns true if the property is not sent.
    pub fn is_leave(&self) -> bool {
        matches!(self, Self::Leave)
    }

    /// The new value; `None` where it is left or cleared.
    pub fn as_set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Leave | Self::Clear => None,
        }
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

/// `None` clears the property.
impl<T> From<Option<T>> for Patch<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

/// Text types, which a string literal can set. Hidden, because only generated id types implement it.
#[doc(hidden)]
pub trait FromText: for<'a> From<&'a str> {}

impl FromText for String {}

impl<T: FromText> From<&str> for Patch<T> {
    fn from(value: &str) -> Self {
        Self::Set(T::from(value))
    }
}

macro_rules! whole_amounts {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Patch<Decimal> {
            fn from(amount: $integer) -> Self {
                Self::Set(amount.into())
            }
        })*
    };
}

whole_amounts!(i32, i64, u32, u64);

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => value.serialize(serializer),
            Self::Leave | Self::Clear => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Update {
        #[serde(default, skip_serializing_if = "Patch::is_leave")]
        name: Patch<String>,
        #[serde(default, skip_serializing_if = "Patch::is_leave")]
        tags: Patch<Vec<String>>,
    }

    #[test]
    fn all_three_states_survive_writing_and_reading() {
        for (update, json) in [
            (Update { name: Patch::Leave, tags: Patch::Leave }, "{}"),
            (Update { name: Patch::Clear, tags: Patch::Set(vec![]) }, r#"{"name":null,"tags":[]}"#),
            (Update { name: "a".into(), tags: None.into() }, r#"{"name":"a","tags":null}"#),
        ] {
            assert_eq!(serde_json::to_string(&update).unwrap(), json);
            assert_eq!(serde_json::from_str::<Update>(json).unwrap(), update);
        }
    }
}
