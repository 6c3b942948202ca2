//! Objects of answers, read field by field. What the derive of serde makes of each struct (an enum of its keys, two visitors)
//! is here once for all of them, so that a client with hundreds of types compiles fast. An object is a map: formats that write a
//! struct as a list of values are not read.

use std::fmt;
use std::marker::PhantomData;

use rust_decimal::Decimal;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::decimal::Amount;
use super::{integer, optional_integer};
use crate::JsonObject;

/// A struct that is read from an object. `__object!` implements it.
pub trait Object: Sized {
    /// The name of the type, for messages.
    const NAME: &'static str;
    /// The keys that this version knows.
    const KEYS: &'static [&'static str];

    /// Reads the fields.
    fn read<'de, A: MapAccess<'de>>(fields: &mut Fields<A>) -> Result<Self, A::Error>;
}

/// Reads an object.
pub fn object<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(OneObject(PhantomData))
}

struct OneObject<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for OneObject<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "struct {}", T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read(&mut Fields { map, keys: T::KEYS, seen: 0, unknown: String::new(), others: JsonObject::new() })
    }
}

/// The fields of an object that is being read.
pub struct Fields<A> {
    map: A,
    keys: &'static [&'static str],
    /// A bit for each key that was there.
    seen: u128,
    /// The key that was just read, if this version does not know it.
    unknown: String,
    others: JsonObject,
}

impl<'de, A: MapAccess<'de>> Fields<A> {
    /// The position of the next key, or the number of keys if this version does not know it; `None` at the end.
    pub fn key(&mut self) -> Result<Option<usize>, A::Error> {
        let Some(position) = self.map.next_key_seed(Key { keys: self.keys, unknown: &mut self.unknown })? else {
            return Ok(None);
        };
        if let Some(key) = self.keys.get(position) {
            let bit = 1 << position;
            if self.seen & bit != 0 {
                return Err(A::Error::duplicate_field(key));
            }
            self.seen |= bit;
        }
        Ok(Some(position))
    }

    /// Reads a value that must be there.
    pub fn required<T: Deserialize<'de>>(&mut self, slot: &mut Option<T>) -> Result<(), A::Error> {
        *slot = Some(self.map.next_value()?);
        Ok(())
    }

    /// Reads a value that may be left out.
    pub fn optional<T: Deserialize<'de>>(&mut self, slot: &mut T) -> Result<(), A::Error> {
        *slot = self.map.next_value()?;
        Ok(())
    }

    /// Reads any JSON that may be left out; null is a value of its own.
    pub fn any(&mut self, slot: &mut Option<Value>) -> Result<(), A::Error> {
        *slot = Some(self.map.next_value()?);
        Ok(())
    }

    /// Reads a whole number that must be there.
    pub fn integer(&mut self, slot: &mut Option<i64>) -> Result<(), A::Error> {
        *slot = Some(self.map.next_value::<Integer>()?.0);
        Ok(())
    }

    /// Reads a whole number that may be left out.
    pub fn optional_integer(&mut self, slot: &mut Option<i64>) -> Result<(), A::Error> {
        *slot = self.map.next_value::<OptionalInteger>()?.0;
        Ok(())
    }

    /// Reads an amount that must be there.
    pub fn decimal(&mut self, slot: &mut Option<Decimal>) -> Result<(), A::Error> {
        *slot = Some(self.map.next_value::<Exact<Decimal>>()?.0);
        Ok(())
    }

    /// Reads an amount that may be left out.
    pub fn optional_decimal<T: Amount>(&mut self, slot: &mut T) -> Result<(), A::Error> {
        *slot = self.map.next_value::<Exact<T>>()?.0;
        Ok(())
    }

    /// Keeps a value whose key this version does not know.
    pub fn keep(&mut self) -> Result<(), A::Error> {
        let value: Value = self.map.next_value()?;
        self.others.insert(std::mem::take(&mut self.unknown), value);
        Ok(())
    }

    /// Skips such a value.
    pub fn skip(&mut self) -> Result<(), A::Error> {
        self.map.next_value::<serde::de::IgnoredAny>().map(drop)
    }

    /// What was kept.
    pub fn others(&mut self) -> JsonObject {
        std::mem::take(&mut self.others)
    }

    /// The error of an object without the first of these keys that is not there.
    pub fn missing(&self, required: &[usize]) -> A::Error {
        let missing = required.iter().find(|position| self.seen & (1 << **position) == 0);
        A::Error::missing_field(missing.and_then(|position| self.keys.get(*position)).unwrap_or(&"?"))
    }
}

/// Reads a key.
struct Key<'a> {
    keys: &'static [&'static str],
    unknown: &'a mut String,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<usize, E> {
        self.visit_str(&String::from_utf8_lossy(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        let position = self.keys.iter().position(|known| *known == key);
        if position.is_none() {
            key.clone_into(self.unknown);
        }
        Ok(position.unwrap_or(self.keys.len()))
    }
}

struct Integer(i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        integer(deserializer).map(Self)
    }
}

struct OptionalInteger(Option<i64>);

impl<'de> Deserialize<'de> for OptionalInteger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        optional_integer(deserializer).map(Self)
    }
}

struct Exact<T>(T);

impl<'de, T: Amount> Deserialize<'de> for Exact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde_json::json;

    use crate::{JsonObject, Patch};

    #[derive(Debug)]
    struct Line {
        name: String,
        units: i64,
        price: Decimal,
        note: Option<String>,
        reserve: Patch<Decimal>,
        other_fields: JsonObject,
    }

    crate::__object!(
        Line,
        keep other_fields,
        [0 name "name" required; 1 units "unitCount" integer; 2 price "price" decimal;],
        [3 note "note" optional; 4 reserve "reserve" optional_decimal;]
    );

    fn read(json: &serde_json::Value) -> Result<Line, String> {
        let text = json.to_string();
        let streamed = serde_json::from_str::<Line>(&text).map_err(|error| error.to_string());
        // The same from a value in memory.
        assert_eq!(serde_json::from_value::<Line>(json.clone()).is_ok(), streamed.is_ok(), "{text}");
        streamed
    }

    #[test]
    fn every_field_is_read_and_what_is_unknown_is_kept() {
        let line = read(&json!({
            "name": "Seats", "unitCount": 3.0, "price": "1.50", "new": [1, { "a": null }], "reserve": null,
        }))
        .unwrap();
        assert_eq!((line.name.as_str(), line.units, line.price.to_string().as_str()), ("Seats", 3, "1.50"));
        assert_eq!((line.note, line.reserve), (None, Patch::Clear));
        assert_eq!(serde_json::Value::Object(line.other_fields), json!({ "new": [1, { "a": null }] }));
    }

    #[test]
    fn a_field_that_may_be_left_out_may_be_null() {
        let line = read(&json!({ "name": "", "unitCount": 0, "price": 1, "note": null })).unwrap();
        assert_eq!((line.note, line.reserve), (None, Patch::Leave));
    }

    #[test]
    fn what_is_missing_wrong_or_there_twice_is_named() {
        let error = |json| read(&json).unwrap_err();
        assert!(error(json!({ "name": "a", "price": 1 })).contains("missing field `unitCount`"));
        assert!(error(json!({ "price": 1 })).contains("missing field `name`"));
        assert!(error(json!({ "name": null, "unitCount": 1, "price": 1 })).contains("invalid type: null"));
        assert!(error(json!([1])).contains("expected struct Line"));
        let twice = r#"{ "name": "a", "name": "b" }"#;
        let error = serde_json::from_str::<Line>(twice).unwrap_err().to_string();
        assert!(error.contains("duplicate field `name`"), "{error}");
    }

    #[test]
    fn keys_are_read_with_their_escapes() {
        let line: Line = serde_json::from_str(r#"{"n\u0061me":"a","unitCount":1,"price":1,"ne\"w":2}"#).unwrap();
        assert_eq!((line.name.as_str(), &line.other_fields["ne\"w"]), ("a", &json!(2)));
    }
}
