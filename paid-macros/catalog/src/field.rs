//! A field of a signal's data, in the words of JSON Schema, and whether a literal fits it.

use std::fmt;

/// A type of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JsonType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// Keys and values.
    Object,
    /// `null`.
    Null,
}

impl JsonType {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::String, Self::Integer, Self::Number, Self::Boolean, Self::Array, Self::Object, Self::Null];

    /// Its name in JSON Schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Null => "null",
        }
    }
}

impl fmt::Display for JsonType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A scalar literal: in code, or as a value of `enum`.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `"text"`.
    Text(String),
    /// `7`.
    Integer(i64),
    /// `7.5`.
    Number(f64),
    /// `true`.
    Boolean(bool),
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Number(number) => write!(formatter, "{number:?}"),
            Self::Boolean(value) => write!(formatter, "{value}"),
        }
    }
}

impl Literal {
    fn json_type(&self) -> JsonType {
        match self {
            Self::Text(_) => JsonType::String,
            Self::Integer(_) => JsonType::Integer,
            Self::Number(_) => JsonType::Number,
            Self::Boolean(_) => JsonType::Boolean,
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Text(_) | Self::Boolean(_) => None,
        }
    }

    fn equals(&self, other: &Self) -> bool {
        match (self.as_number(), other.as_number()) {
            (Some(one), Some(two)) => one == two,
            _ => self == other,
        }
    }
}

/// `pii`: what becomes of data about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pii {
    /// A keyed hash is sent in its place.
    Hash,
    /// Only a value that is wrapped is sent, as a keyed hash.
    Refuse,
    /// It is sent as it is.
    Allow,
}

/// How a field is kept from being sent in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// It is sent as it is.
    None,
    /// A keyed hash is sent in its place.
    Hashed,
    /// A value that is not wrapped does not compile.
    Wrapped,
}

/// What the catalogue says about a field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Field {
    /// The types it may have; empty if it may have any.
    pub types: Vec<JsonType>,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub description: Option<String>,
    /// `enum`: the values it may have.
    pub values: Vec<Literal>,
    /// Whether it is data about a person, and what becomes of it.
    pub pii: Option<Pii>,
    /// Whether it must never be sent in the clear, such as a token.
    pub secret: bool,
    /// The least number.
    pub minimum: Option<f64>,
    /// The greatest number.
    pub maximum: Option<f64>,
    /// Numbers above this one.
    pub exclusive_minimum: Option<f64>,
    /// Numbers below this one.
    pub exclusive_maximum: Option<f64>,
    /// The least number of characters.
    pub min_length: Option<u64>,
    /// The greatest number of characters.
    pub max_length: Option<u64>,
}

impl Field {
    /// How it is kept from being sent in the clear.
    pub fn protection(&self) -> Protection {
        match self.pii {
            _ if self.secret => Protection::Wrapped,
            Some(Pii::Refuse) => Protection::Wrapped,
            Some(Pii::Hash) => Protection::Hashed,
            Some(Pii::Allow) | None => Protection::None,
        }
    }

    /// Its type, if it has exactly one besides null.
    pub fn single_type(&self) -> Option<JsonType> {
        let mut types = self.types.iter().copied().filter(|name| *name != JsonType::Null);
        match (types.next(), types.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// Whether values of a type may stand there.
    pub fn takes(&self, kind: JsonType) -> bool {
        self.types.is_empty()
            || self.types.contains(&kind)
            || kind == JsonType::Integer && self.types.contains(&JsonType::Number)
    }

    /// Why a literal does not fit; `None` if it fits.
    pub fn objection(&self, literal: &Literal) -> Option<String> {
        if !self.takes(literal.json_type()) {
            let types: Vec<_> = self.types.iter().map(|kind| kind.as_str()).collect();
            return Some(format!("must be of type {}, not {}", types.join(" or "), literal.json_type()));
        }
        if !self.values.is_empty() && !self.values.iter().any(|value| value.equals(literal)) {
            let values: Vec<_> = self.values.iter().map(ToString::to_string).collect();
            return Some(format!("must be one of {}", values.join(", ")));
        }
        if let Some(number) = literal.as_number() {
            let bounds = [
                (self.minimum, "at least", (|number, bound| number >= bound) as fn(f64, f64) -> bool),
                (self.maximum, "at most", |number, bound| number <= bound),
                (self.exclusive_minimum, "more than", |number, bound| number > bound),
                (self.exclusive_maximum, "less than", |number, bound| number < bound),
            ];
            for (bound, words, holds) in bounds {
                if let Some(bound) = bound.filter(|bound| !holds(number, *bound)) {
                    return Some(format!("must be {words} {bound}"));
                }
            }
        }
        if let Literal::Text(text) = literal {
            let length = text.chars().count() as u64;
            if let Some(least) = self.min_length.filter(|least| length < *least) {
                return Some(format!("must have at least {least} characters"));
            }
            if let Some(most) = self.max_length.filter(|most| length > *most) {
                return Some(format!("must have at most {most} characters"));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_held_to_type_bounds_and_values() {
        let minutes = Field { types: vec![JsonType::Integer], minimum: Some(1.0), ..Field::default() };
        assert_eq!(minutes.objection(&Literal::Integer(1)), None);
        assert_eq!(minutes.objection(&Literal::Integer(0)).unwrap(), "must be at least 1");
        assert_eq!(minutes.objection(&Literal::Text("1".into())).unwrap(), "must be of type integer, not string");
        let price = Field { types: vec![JsonType::Number], exclusive_maximum: Some(2.5), ..Field::default() };
        assert_eq!(price.objection(&Literal::Integer(2)), None);
        assert_eq!(price.objection(&Literal::Number(2.5)).unwrap(), "must be less than 2.5");
        let channel = Field { values: vec![Literal::Text("email".into()), Literal::Integer(1)], ..Field::default() };
        assert_eq!(channel.objection(&Literal::Number(1.0)), None);
        assert_eq!(channel.objection(&Literal::Text("fax".into())).unwrap(), "must be one of \"email\", 1");
        let code = Field { max_length: Some(2), ..Field::default() };
        assert_eq!(code.objection(&Literal::Text("abc".into())).unwrap(), "must have at most 2 characters");
    }
}
