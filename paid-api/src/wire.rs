//! Details of the wire format: whole numbers written as `1.0`, exact amounts, NaN and infinity, path segments.

pub(crate) mod choice;
pub mod decimal;
pub(crate) mod list;
pub(crate) mod object;

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::{self, Deserializer, Visitor};
use serde::ser::{self, Serialize, Serializer};

/// Reads a whole number, also when it is written as `1.0`.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_i64(Integer)
}

/// Reads a whole number or null.
pub fn optional_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    deserializer.deserialize_option(OptionalInteger)
}

struct Integer;

impl Visitor<'_> for Integer {
    type Value = i64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    #[allow(clippy::cast_possible_truncation)]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<i64, E> {
        // Beyond 2^53 a float no longer says which whole number was meant.
        if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
            Ok(value as i64)
        } else {
            Err(E::invalid_value(de::Unexpected::Float(value), &self))
        }
    }
}

struct OptionalInteger;

impl<'de> Visitor<'de> for OptionalInteger {
    type Value = Option<i64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        integer(deserializer).map(Some)
    }
}

/// Unreserved characters of RFC 3986 stay as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes one path segment; `None` when it would lead to another path.
pub(crate) fn path_segment(text: &str) -> Option<String> {
    (!matches!(text, "" | "." | "..")).then(|| utf8_percent_encode(text, SEGMENT).to_string())
}

/// Checks that a value has no NaN or infinity and can be read again. What else may be wrong with it, writing finds.
///
/// # Errors
///
/// What JSON cannot express.
pub(crate) fn check_json<T: Serialize + ?Sized>(value: &T) -> Result<(), NotJson> {
    let mut check = FiniteCheck { path: Vec::new() };
    match value.serialize(&mut check) {
        Ok(()) | Err(NotJson::Other(_)) => Ok(()),
        Err(problem) => Err(problem),
    }
}

/// How many levels a value may be nested. Most programs that read JSON permit 128, of which a signal needs some.
const DEEPEST: usize = 100;

/// Walks a value without writing anything.
struct FiniteCheck {
    path: Vec<String>,
}

/// What JSON cannot express.
#[derive(Debug)]
pub(crate) enum NotJson {
    /// NaN or infinity, with its path.
    NotFinite(String),
    TooDeep,
    Other(String),
}

impl fmt::Display for NotJson {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite(path) => {
                let place = if path.is_empty() { String::new() } else { format!(" at {path}") };
                write!(formatter, "is NaN or infinite{place}, which JSON cannot represent")
            }
            Self::TooDeep => write!(formatter, "is nested more than {DEEPEST} levels deep, which servers cannot read"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for NotJson {}

impl ser::Error for NotJson {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
}

impl FiniteCheck {
    fn within<T: Serialize + ?Sized>(&mut self, step: &str, value: &T) -> Result<(), NotJson> {
        if self.path.len() >= DEEPEST {
            return Err(NotJson::TooDeep);
        }
        self.path.push(step.to_owned());
        value.serialize(&mut *self)?;
        self.path.pop();
        Ok(())
    }
}

macro_rules! nothing_to_check {
    ($($method:ident($($argument:ident: $ty:ty),*);)*) => {
        $(fn $method(self, $($argument: $ty),*) -> Result<(), NotJson> {
            $(let _ = $argument;)*
            Ok(())
        })*
    };
}

impl Serializer for &mut FiniteCheck {
    type Ok = ();
    type Error = NotJson;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    nothing_to_check! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u128(value: u128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    fn serialize_f32(self, value: f32) -> Result<(), NotJson> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), NotJson> {
        if value.is_finite() { Ok(()) } else { Err(NotJson::NotFinite(self.path.join("."))) }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotJson> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), NotJson> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NotJson> {
        self.within(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NotJson> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NotJson> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NotJson> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, NotJson> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, NotJson> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotJson> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, NotJson> {
        Ok(self)
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident),*) => {
        $(impl ser::$trait for &mut FiniteCheck {
            type Ok = ();
            type Error = NotJson;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotJson> {
                self.within("[]", value)
            }

            fn end(self) -> Result<(), NotJson> {
                Ok(())
            }
        })*
    };
}

elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($trait:ident),*) => {
        $(impl ser::$trait for &mut FiniteCheck {
            type Ok = ();
            type Error = NotJson;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), NotJson> {
                self.within(key, value)
            }

            fn end(self) -> Result<(), NotJson> {
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for &mut FiniteCheck {
    type Ok = ();
    type Error = NotJson;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), NotJson> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotJson> {
        self.within("{}", value)
    }

    fn end(self) -> Result<(), NotJson> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Counts {
        #[serde(deserialize_with = "integer")]
        all: i64,
        #[serde(default, deserialize_with = "optional_integer")]
        some: Option<i64>,
    }

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        for (json, all, some) in [
            (r#"{"all":1.0}"#, 1, None),
            (r#"{"all":2,"some":-3.0}"#, 2, Some(-3)),
            (r#"{"all":2,"some":null}"#, 2, None),
        ] {
            assert_eq!(serde_json::from_str::<Counts>(json).unwrap(), Counts { all, some });
        }
        for json in [r#"{"all":1.5}"#, r#"{"all":1e300}"#, r#"{"all":18446744073709551615}"#, r#"{"all":"1"}"#] {
            assert!(serde_json::from_str::<Counts>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn segments_are_encoded_and_those_that_change_the_path_refused() {
        assert_eq!(path_segment("a/b c?d#e%ü").unwrap(), "a%2Fb%20c%3Fd%23e%25%C3%BC");
        assert_eq!(path_segment("...").unwrap(), "...");
        assert_eq!([path_segment(""), path_segment("."), path_segment("..")], [None, None, None]);
    }

    #[test]
    fn numbers_that_json_cannot_say_are_found_with_their_path() {
        #[derive(Serialize)]
        struct Line {
            prices: Vec<Option<f64>>,
        }
        fn path(value: &impl Serialize) -> Option<String> {
            match check_json(value) {
                Err(NotJson::NotFinite(path)) => Some(path),
                _ => None,
            }
        }
        assert_eq!(path(&Line { prices: vec![Some(1.0), None] }), None);
        assert_eq!(path(&Line { prices: vec![Some(1.0), Some(f64::NAN)] }).unwrap(), "prices.[]");
        assert_eq!(path(&f64::INFINITY).unwrap(), "");
    }
}
