//! The data of a signal, written field by field.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::DataProblem;
use super::guard::{Guard, MARKER, Plain, Protections};
use super::json::append_text;
use super::value::Json;
use crate::foreign::{self, Panicked};
use crate::wire;

/// The data of a signal: a JSON object, written field by field without an intermediate tree.
///
/// Whole numbers keep every digit, up to `i128` and `u128`. Programs that read JSON numbers as `f64` see only the first
/// 53 bits: send larger numbers as text if every digit counts. If a field is added twice, the later value is sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// `"key":value` pairs, separated by commas.
    text: Vec<u8>,
    keys: KeySet,
    problem: Option<Box<DataProblem>>,
    default_product: Option<&'static str>,
    /// If a field is protected, or a value waits for its hash.
    pub(super) guard: Option<Box<Guard>>,
}

/// Which keys the data may have: one bit for all keys of one hash.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct KeySet(u64);

impl KeySet {
    fn of(key: &str) -> Self {
        let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self(1 << ((hash ^ (hash >> 16)) % 64))
    }

    fn may_share(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Data {
    /// Adds a field, or replaces it. The value implements `Serialize`, or is a [`Hashed`](crate::Hashed), of which a keyed
    /// hash is sent. If the value cannot be represented in JSON, is nested more than 100 levels deep, or its `Serialize`
    /// panics, the problem is kept: emission reports the signal and does not send it.
    pub fn field<T: Json + ?Sized>(&mut self, key: &str, value: &T) {
        value.write_to(self, key);
    }

    /// Adds a field of any type that serde can serialize.
    pub(super) fn serialized<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        let before = self.begin(key);
        let written = foreign::call(|| write_value(&mut self.text, value));
        let is_protected = self.guard.as_ref().is_some_and(|guard| guard.plain(key).is_some());
        if self.finish(key, before, written, is_protected) {
            self.protect_plain(key);
        }
    }

    /// Adds a field whose text waits for its hash.
    pub(super) fn hide<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        let mut json = Vec::new();
        let is_written = foreign::call(|| write_value(&mut json, value)).is_ok_and(|written| written.is_ok());
        self.hide_json(key, if is_written { &json } else { b"" });
    }

    fn hide_json(&mut self, key: &str, json: &[u8]) {
        let before = self.begin(key);
        match serde_json::from_slice(json) {
            Ok(Some(text)) => {
                self.text.extend_from_slice(MARKER.as_bytes());
                self.guard.get_or_insert_default().hide(key, text);
            }
            Ok(None::<String>) => self.text.extend_from_slice(b"null"),
            Err(_) => {
                self.text.truncate(before);
                // What is wrong with it is not said: it may show the value.
                self.refuse(key, "is not text, and only text can be hashed".to_owned());
            }
        }
    }

    /// Names fields that the catalogue protects: from now on, no plain value of theirs is kept.
    #[doc(hidden)]
    pub fn protect(&mut self, protections: &'static Protections) {
        self.guard.get_or_insert_default().protect(protections);
        self.protect_all();
    }

    fn protect_all(&mut self) {
        for key in self.guard.as_ref().map(|guard| guard.protected_fields()).unwrap_or_default() {
            self.protect_plain(key);
        }
    }

    /// If the catalogue protects a field that has a plain value, hides the value or refuses the signal.
    fn protect_plain(&mut self, key: &str) {
        let plain = self.guard.as_ref().filter(|guard| !guard.hides(key)).and_then(|guard| guard.plain(key));
        let Some((plain, value)) = plain.and_then(|plain| Some((plain, self.take(key)?))) else { return };
        match plain {
            Plain::Refused(catalogue) if value.get() != "null" => {
                let problem =
                    format!("is never sent in the clear, says {catalogue}; wrap it: `paid::Hashed::new(value)`");
                self.refuse(key, problem);
            }
            Plain::Hashed | Plain::Refused(_) => self.hide_json(key, value.get().as_bytes()),
        }
    }

    /// Adds a key and its value; `None` adds neither.
    pub fn field_unless_none<T: Json>(&mut self, key: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.field(key, value);
        }
    }

    /// Adds all fields of a map or struct. `key` names it in errors.
    pub fn flatten<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        let mut text = Vec::new();
        let written = foreign::call(|| write_value(&mut text, value));
        let before = self.text.len();
        // A message of the user's may show any of its fields.
        let is_protected = self.guard.is_some();
        if self.finish(key, before, written, is_protected) {
            self.add_flat(key, &text);
        }
    }

    fn add_flat(&mut self, key: &str, text: &[u8]) {
        if text == b"null" {
            return;
        }
        match serde_json::from_slice::<Fields>(text) {
            Ok(fields) => self.add_all(fields),
            Err(_) => self.refuse(key, "cannot be flattened: it is not a JSON object".to_owned()),
        }
    }

    fn add_all(&mut self, fields: Fields) {
        for (key, value) in fields.0 {
            self.begin(&key);
            self.text.extend_from_slice(value.get().as_bytes());
            self.protect_plain(&key);
        }
    }

    /// Writes all fields anew.
    fn put_back(&mut self, fields: Fields) {
        self.text.clear();
        self.keys = KeySet::default();
        for (key, value) in fields.0 {
            self.write_key(&key);
            self.text.extend_from_slice(value.get().as_bytes());
        }
    }

    /// Replaces the value of each field, which is JSON.
    pub(super) fn replace_each(&mut self, with: impl Fn(&str, &str) -> String) {
        let mut fields = self.fields();
        for (key, value) in &mut fields.0 {
            if let Ok(new) = RawValue::from_string(with(key, value.get())) {
                *value = new;
            }
        }
        self.put_back(fields);
    }

    /// Sets the catalogue's product, used if neither the signal nor the scope names one.
    #[doc(hidden)]
    pub fn product_by_default(&mut self, product: &'static str) {
        self.default_product = Some(product);
    }

    pub(crate) fn default_product(&self) -> Option<&'static str> {
        self.default_product
    }

    /// Adds the fields of another one, whose values win.
    pub(crate) fn append(&mut self, mut other: Self) {
        if self.keys.may_share(other.keys) {
            for (key, value) in other.fields().0 {
                self.begin(&key);
                self.text.extend_from_slice(value.get().as_bytes());
            }
        } else if !other.text.is_empty() {
            self.separate();
            self.text.extend_from_slice(&other.text);
            self.keys.0 |= other.keys.0;
        }
        self.problem = self.problem.take().or(other.problem);
        self.default_product = self.default_product.or(other.default_product);
        if let Some(guard) = other.guard {
            self.guard.get_or_insert_default().append(*guard);
        }
        self.protect_all();
    }

    /// Appends the data as JSON, with `paid` merged into the field of that name.
    pub(crate) fn write_json_with_paid(&self, out: &mut Vec<u8>, paid: Value) {
        let mut data = self.clone();
        let own = data.take("paid").and_then(|own| serde_json::from_str(own.get()).ok());
        let merged = match (own, paid) {
            (Some(Value::Object(mut own)), Value::Object(paid)) => {
                own.extend(paid);
                Value::Object(own)
            }
            (_, paid) => paid,
        };
        data.field("paid", &merged);
        data.write_json(out);
    }

    /// The fields, one by one. If they cannot be read, the signal is not sent without them.
    fn fields(&mut self) -> Fields {
        let mut text = Vec::with_capacity(self.text.len() + 2);
        self.write_json(&mut text);
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            self.problem
                .get_or_insert_with(|| Box::new(DataProblem::new("data", format!("cannot be read again: {error}"))));
            Fields::default()
        })
    }

    /// Removes a field and returns it. The text of the others stays as it is.
    fn take(&mut self, key: &str) -> Option<Box<RawValue>> {
        if !self.keys.may_share(KeySet::of(key)) {
            return None;
        }
        let mut fields = self.fields();
        let at = fields.0.iter().position(|(name, _)| name == key)?;
        let (_, taken) = fields.0.remove(at);
        self.put_back(fields);
        Some(taken)
    }

    fn separate(&mut self) {
        if !self.text.is_empty() {
            self.text.push(b',');
        }
    }

    /// Writes the key, and removes an earlier field of that name. Returns the length of the text before.
    fn begin(&mut self, key: &str) -> usize {
        // Enough for most signals, so that there is only one allocation.
        if self.text.capacity() == 0 {
            self.text.reserve(128);
        }
        drop(self.take(key));
        if let Some(guard) = &mut self.guard {
            guard.forget(key);
        }
        self.write_key(key)
    }

    /// Writes the key. Returns the length of the text before.
    fn write_key(&mut self, key: &str) -> usize {
        self.keys.0 |= KeySet::of(key).0;
        let before = self.text.len();
        self.separate();
        append_text(&mut self.text, key);
        self.text.push(b':');
        before
    }

    /// Returns true if the value was written; removes what was written of one that cannot be sent. The message about a
    /// protected value is not kept: it may show the value.
    fn finish(
        &mut self,
        key: &str,
        before: usize,
        written: Result<Result<(), String>, Panicked>,
        is_protected: bool,
    ) -> bool {
        let problem = match written {
            Ok(Ok(())) => return true,
            _ if is_protected => "cannot be written as JSON".to_owned(),
            Ok(Err(problem)) => problem,
            Err(panic) => format!("{panic} (while it was written as JSON)"),
        };
        self.text.truncate(before);
        self.refuse(key, problem);
        false
    }

    /// Keeps the first problem: it is the one that is reported.
    pub(crate) fn refuse(&mut self, field: &str, problem: String) {
        self.problem.get_or_insert_with(|| Box::new(DataProblem::new(field, problem)));
    }

    /// The approximate size in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }

    /// Whether no key was added.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Why the data cannot be sent, if it cannot.
    pub fn problem(&self) -> Option<&DataProblem> {
        self.problem.as_deref()
    }

    pub(super) fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        out.extend_from_slice(&self.text);
        out.push(b'}');
    }

    /// Copies it as an object that `serde_json` can write.
    pub fn to_json(&self) -> Value {
        let mut text = Vec::with_capacity(self.text.len() + 2);
        self.write_json(&mut text);
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

/// Appends a value as JSON; an error says why it cannot be sent.
fn write_value<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) -> Result<(), String> {
    wire::check_json(value).map_err(|problem| problem.to_string())?;
    serde_json::to_writer(text, value).map_err(|error| format!("cannot be written as JSON: {error}"))
}

/// The fields of an object in their order, each with the text of its value. Of two with one name the later one counts.
#[derive(Default)]
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl fmt::Display for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{}}}", String::from_utf8_lossy(&self.text))
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Data({self})")
    }
}

#[cfg(test)]
mod tests {
    use serde::Serializer;
    use serde_json::json;

    use super::*;

    #[test]
    fn flattened_maps_join_the_other_fields() {
        let mut data = Data::default();
        data.flatten("none", &None::<u8>);
        data.flatten("empty", &json!({}));
        data.field("a", &1);
        data.flatten("more", &json!({"b": 2, "c": 3}));
        data.field_unless_none("d", &None::<u8>);
        assert_eq!(data.to_json(), json!({"a": 1, "b": 2, "c": 3}));
        assert_eq!(data.problem(), None);
    }

    #[test]
    fn what_json_cannot_say_is_remembered_and_the_rest_stays_well_formed() {
        let mut data = Data::default();
        data.field("a", &1);
        data.field("b", &[1.0, f64::NAN]);
        data.field("c", &std::collections::BTreeMap::from([((1, 2), 3)]));
        data.flatten("d", &7);
        data.field("e", &true);
        assert_eq!(data.to_json(), json!({"a": 1, "e": true}));
        assert!(
            data.problem()
                .unwrap()
                .to_string()
                .starts_with("`b` is NaN or infinite at [], which JSON cannot represent")
        );
    }

    /// A value whose code panics after a part of it is written.
    struct Panics;

    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("on purpose")
        }
    }

    #[test]
    fn a_value_that_panics_is_a_problem_of_its_field() {
        for add in [
            |data: &mut Data| data.field("x", &vec![("half", None), ("other", Some(Panics))]),
            |data: &mut Data| data.flatten("x", &Panics),
        ] {
            let mut data = Data::default();
            data.field("a", &1);
            add(&mut data);
            data.field("b", &2);
            assert_eq!(data.to_json(), json!({"a": 1, "b": 2}));
            let problem = data.problem().unwrap().to_string();
            assert_eq!(problem, "`x` panicked: on purpose (while it was written as JSON)");
        }
    }

    #[test]
    fn the_later_of_two_fields_with_one_name_is_sent_and_other_numbers_keep_their_digits() {
        let mut data = Data::default();
        data.field("n", &1);
        data.field("big", &u128::MAX);
        data.field("n", &2);
        data.flatten("more", &json!({"n": 3, "o": 4}));
        data.field("o", &5);
        assert_eq!(data.to_string(), format!(r#"{{"big":{},"n":3,"o":5}}"#, u128::MAX));
        let mut other = Data::default();
        other.field("n", &6);
        data.append(other);
        assert_eq!(data.to_string(), format!(r#"{{"big":{},"o":5,"n":6}}"#, u128::MAX));
        let mut out = Vec::new();
        data.field("paid", &json!({"own": 1}));
        data.write_json_with_paid(&mut out, json!({"paid_scope_id": 7}));
        let whole = format!(r#"{{"big":{},"o":5,"n":6,"paid":{{"own":1,"paid_scope_id":7}}}}"#, u128::MAX);
        assert_eq!(String::from_utf8(out).unwrap(), whole);
    }

    #[test]
    fn numbers_keep_every_digit_and_hide_no_problem_after_them() {
        let mut data = Data::default();
        data.field("n", &(u128::MAX, i128::MIN, (1_u64 << 53) + 1));
        let text = format!(r#"{{"n":[{},{},9007199254740993]}}"#, u128::MAX, i128::MIN);
        assert_eq!(data.to_string(), text);
        data.field("m", &(u128::MAX, f64::NAN));
        assert!(data.problem().is_some());
    }

    #[test]
    fn what_is_nested_too_deep_to_be_read_is_a_problem() {
        let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let mut data = Data::default();
        data.field("fits", &deep(100));
        assert_eq!(data.problem(), None);
        assert!(data.to_json()["fits"].is_array());
        for levels in [101, 1_000] {
            let mut data = Data::default();
            data.field("n", &deep(levels));
            let problem = data.problem().unwrap().to_string();
            assert!(problem.starts_with("`n` is nested more than 100 levels deep"), "{problem}");
        }
        /// A value without an end.
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq([Self])
            }
        }
        data.field("endless", &Endless);
        assert_eq!(data.problem().unwrap().field, "endless");
    }
}
