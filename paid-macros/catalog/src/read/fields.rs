//! Reads the fields of a signal's data, and finds what contradicts itself.

use std::ops::Range;

use toml::de::DeValue;

use super::{Reader, Value};
use crate::{Field, JsonType, Literal, Pii, Protection};

const FIELD_KEYS: [&str; 12] = [
    "type",
    "required",
    "description",
    "enum",
    "pii",
    "secret",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
];

/// Keywords of JSON Schema that say more than the compiler can check; they are for people and other tools.
const FIELD_NOTES: [&str; 12] = [
    "format",
    "pattern",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "default",
    "examples",
    "title",
    "multipleOf",
    "additionalProperties",
];

impl Reader<'_> {
    /// What the catalogue says about one field.
    pub(super) fn field(&mut self, value: &Value<'_>) -> Field {
        let mut field = Field::default();
        let Some(table) = self.table(value, "a field") else { return field };
        for (key, value) in table {
            let word = key.get_ref().as_ref();
            match word {
                "type" => field.types = self.types(value),
                "required" => field.required = self.flag(word, value),
                "secret" => field.secret = self.flag(word, value),
                "pii" => field.pii = self.pii(value),
                "description" => field.description = self.text(word, value),
                "enum" => field.values = self.values(value),
                "minimum" => field.minimum = self.number(word, value),
                "maximum" => field.maximum = self.number(word, value),
                "exclusiveMinimum" => field.exclusive_minimum = self.number(word, value),
                "exclusiveMaximum" => field.exclusive_maximum = self.number(word, value),
                "minLength" => field.min_length = self.length(word, value),
                "maxLength" => field.max_length = self.length(word, value),
                word if FIELD_NOTES.contains(&word) => {}
                _ => self.unknown(word, key.span(), &FIELD_KEYS, "a field"),
            }
        }
        self.contradictions(&field, value.span());
        field
    }

    pub(super) fn flag(&mut self, word: &str, value: &Value<'_>) -> bool {
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.problem(value.span(), format!("`{word}` must be true or false"));
        }
        flag.unwrap_or_default()
    }

    fn pii(&mut self, value: &Value<'_>) -> Option<Pii> {
        match value.get_ref().as_str() {
            Some("hash") => Some(Pii::Hash),
            Some("refuse") => Some(Pii::Refuse),
            Some("allow") => Some(Pii::Allow),
            _ => {
                self.problem(value.span(), "`pii` must be \"hash\", \"refuse\" or \"allow\"");
                None
            }
        }
    }

    fn types(&mut self, value: &Value<'_>) -> Vec<JsonType> {
        let one = std::slice::from_ref(value);
        let names: Vec<&Value<'_>> = match value.get_ref() {
            DeValue::Array(names) => names.iter().collect(),
            _ => one.iter().collect(),
        };
        let mut types = Vec::new();
        for name in names {
            let Some(text) = self.text("type", name) else { continue };
            match JsonType::ALL.into_iter().find(|known| known.as_str() == text) {
                Some(known) => types.push(known),
                None => {
                    let known: Vec<_> = JsonType::ALL.iter().map(|known| known.as_str()).collect();
                    self.unknown(&text, name.span(), &known, "JSON");
                }
            }
        }
        types
    }

    fn values(&mut self, value: &Value<'_>) -> Vec<Literal> {
        let Some(values) = value.get_ref().as_array() else {
            self.problem(value.span(), "`enum` must be a list of values");
            return Vec::new();
        };
        if values.is_empty() {
            self.problem(value.span(), "an empty `enum` allows no value");
        }
        let mut read = Vec::new();
        for value in values.iter() {
            match literal(value.get_ref()) {
                Some(literal) => read.push(literal),
                None => self.problem(value.span(), "a value of `enum` must be text, a number, true or false"),
            }
        }
        read
    }

    #[allow(clippy::cast_precision_loss)]
    fn number(&mut self, word: &str, value: &Value<'_>) -> Option<f64> {
        let number = match literal(value.get_ref()) {
            Some(Literal::Integer(number)) => Some(number as f64),
            Some(Literal::Number(number)) if number.is_finite() => Some(number),
            _ => None,
        };
        if number.is_none() {
            self.problem(value.span(), format!("`{word}` must be a number"));
        }
        number
    }

    fn length(&mut self, word: &str, value: &Value<'_>) -> Option<u64> {
        let length = match literal(value.get_ref()) {
            Some(Literal::Integer(number)) => u64::try_from(number).ok(),
            _ => None,
        };
        if length.is_none() {
            self.problem(value.span(), format!("`{word}` must be a whole number, 0 or more"));
        }
        length
    }

    fn contradictions(&mut self, field: &Field, span: Range<usize>) {
        let tighter = |one: Option<f64>, two: Option<f64>, pick: fn(f64, f64) -> f64| match (one, two) {
            (Some(one), Some(two)) => Some(pick(one, two)),
            (one, two) => one.or(two),
        };
        let least = tighter(field.minimum, field.exclusive_minimum, f64::max);
        let most = tighter(field.maximum, field.exclusive_maximum, f64::min);
        if let (Some(least), Some(most)) = (least, most) {
            let excluded = field.exclusive_minimum == Some(least) || field.exclusive_maximum == Some(most);
            if least > most || least == most && excluded {
                self.problem(span.clone(), format!("no number fits both bounds, {least} and {most}"));
            }
        }
        if let (Some(least), Some(most)) = (field.min_length, field.max_length)
            && least > most
        {
            self.problem(span.clone(), format!("no text has at least {least} and at most {most} characters"));
        }
        let with_number = field.types.is_empty()
            || field.types.contains(&JsonType::Integer)
            || field.types.contains(&JsonType::Number);
        if (least.is_some() || most.is_some()) && !with_number {
            self.problem(span.clone(), "only a number can have bounds, and this field is not a number");
        }
        if (field.min_length.is_some() || field.max_length.is_some())
            && !(field.types.is_empty() || field.types.contains(&JsonType::String))
        {
            self.problem(span.clone(), "only text can have a length, and this field is not text");
        }
        self.contradictory_classes(field, &span);
        let others = Field { values: Vec::new(), ..field.clone() };
        for value in &field.values {
            if let Some(objection) = others.objection(value) {
                self.problem(span.clone(), format!("`enum` allows {value}, but the field {objection}"));
            }
        }
    }

    fn contradictory_classes(&mut self, field: &Field, span: &Range<usize>) {
        if field.secret && matches!(field.pii, Some(Pii::Hash | Pii::Allow)) {
            let message = "a secret is never sent in the clear; remove `secret = true`, or write `pii = \"refuse\"`";
            self.problem(span.clone(), message);
        }
        let is_text = field.types.is_empty() || field.types.contains(&JsonType::String);
        if field.protection() != Protection::None && !is_text {
            let message = "a hash is text, so the field must be of type \"string\", or have no `type`";
            self.problem(span.clone(), message);
        }
    }
}

fn literal(value: &DeValue<'_>) -> Option<Literal> {
    match value {
        DeValue::String(text) => Some(Literal::Text(text.to_string())),
        DeValue::Integer(number) => {
            i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok().map(Literal::Integer)
        }
        DeValue::Float(number) => number.as_str().replace('_', "").parse().ok().map(Literal::Number),
        DeValue::Boolean(value) => Some(Literal::Boolean(*value)),
        _ => None,
    }
}
