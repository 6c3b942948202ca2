//! What keeps values from being written in the clear: which fields the catalogue protects, and the values that wait for
//! their hash. Data without either has no guard.

use super::{Data, HashKey};
use crate::report::DataProblem;

/// Stands in the data for a value that waits for its hash.
pub(super) const MARKER: &str = "\"<hashed>\"";

/// The fields of a signal that the catalogue protects.
#[derive(Debug, PartialEq, Eq)]
pub struct Protections {
    /// How messages call the catalogue.
    pub catalogue: &'static str,
    /// `pii = "hash"`: a plain value is hashed.
    pub hashed: &'static [&'static str],
    /// `pii = "refuse"` and `secret = true`: a plain value is refused.
    pub wrapped: &'static [&'static str],
}

/// What becomes of a plain value.
#[derive(Clone, Copy)]
pub(super) enum Plain {
    Hashed,
    /// With how messages call the catalogue.
    Refused(&'static str),
}

/// The guard of a signal's data.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Guard {
    protections: Vec<&'static Protections>,
    /// Field and text.
    hidden: Vec<(String, String)>,
}

impl Guard {
    pub(super) fn protect(&mut self, protections: &'static Protections) {
        self.protections.push(protections);
    }

    /// What becomes of a plain value in this field; `None` if the catalogue does not protect it.
    pub(super) fn plain(&self, key: &str) -> Option<Plain> {
        let refused = self.protections.iter().find(|all| all.wrapped.contains(&key));
        let is_hashed = || self.protections.iter().any(|all| all.hashed.contains(&key));
        match refused {
            Some(all) => Some(Plain::Refused(all.catalogue)),
            None => is_hashed().then_some(Plain::Hashed),
        }
    }

    pub(super) fn protected_fields(&self) -> Vec<&'static str> {
        self.protections.iter().flat_map(|all| all.hashed.iter().chain(all.wrapped)).copied().collect()
    }

    pub(super) fn hides(&self, key: &str) -> bool {
        self.hidden.iter().any(|(name, _)| name == key)
    }

    pub(super) fn hide(&mut self, key: &str, text: String) {
        self.hidden.push((key.to_owned(), text));
    }

    pub(super) fn forget(&mut self, key: &str) {
        self.hidden.retain(|(name, _)| name != key);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.protections.extend(other.protections);
        self.hidden.extend(other.hidden);
    }
}

impl Data {
    /// Writes the hashes of hidden values in their places. Fails if there are any and no key.
    pub(crate) fn hash_with(&mut self, key: Option<&HashKey>) -> Result<(), DataProblem> {
        let Some((field, _)) = self.guard.as_ref().and_then(|guard| guard.hidden.first()) else { return Ok(()) };
        let Some(key) = key else {
            let problem = "is sent as a keyed hash, and there is no key: call `hash_key(paid::HashKey::new(secret)?)` on \
                           the builder of the emitter, or of tracing";
            return Err(DataProblem::new(field, problem));
        };
        let hidden = self.guard.take().map(|guard| guard.hidden).unwrap_or_default();
        self.replace_each(|name, value| {
            let text = hidden.iter().find(|(hidden, _)| hidden == name).map(|(_, text)| text);
            text.map_or_else(|| value.to_owned(), |text| format!("\"{}\"", key.hash(text)))
        });
        self.problem().cloned().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Hashed;

    static PROTECTED: Protections =
        Protections { catalogue: "signals.toml", hashed: &["email"], wrapped: &["token", "phone"] };

    fn guarded() -> Data {
        let mut data = Data::default();
        data.protect(&PROTECTED);
        data
    }

    fn key() -> HashKey {
        HashKey::new([7; 32]).unwrap()
    }

    #[track_caller]
    fn hashed(mut data: Data) -> serde_json::Value {
        assert_eq!(data.problem(), None);
        data.hash_with(Some(&key())).unwrap();
        data.to_json()
    }

    #[test]
    fn a_value_waits_as_a_mark_and_becomes_a_hash_in_its_place() {
        let mut data = guarded();
        data.field("a", &1);
        data.field("email", "jane");
        data.field("token", &Hashed::new("t"));
        data.field("b", "<hashed>");
        assert_eq!(data.to_string(), r#"{"a":1,"email":"<hashed>","token":"<hashed>","b":"<hashed>"}"#);
        assert_eq!(format!("{data:?}"), format!("Data({data})"));
        let (jane, t) = (key().hash("jane"), key().hash("t"));
        data.hash_with(Some(&key())).unwrap();
        assert_eq!(data.to_string(), format!(r#"{{"a":1,"email":"{jane}","token":"{t}","b":"<hashed>"}}"#));
    }

    #[test]
    fn without_a_key_the_field_is_named_and_not_the_value() {
        let mut data = Data::default();
        assert_eq!(data.hash_with(None), Ok(()));
        data.field("email", &Hashed::new("jane"));
        let problem = data.hash_with(None).unwrap_err().to_string();
        assert!(problem.starts_with("`email` is sent as a keyed hash, and there is no key"), "{problem}");
        assert!(!problem.contains("jane"), "{problem}");
    }

    #[test]
    fn the_later_of_two_values_counts_whichever_was_hidden() {
        let mut data = Data::default();
        data.field("x", &Hashed::new("first"));
        data.field("x", "second");
        assert_eq!(hashed(data.clone()), json!({"x": "second"}));
        data.field("x", &Hashed::new("third"));
        assert_eq!(hashed(data), json!({"x": key().hash("third")}));
    }

    #[test]
    fn fields_that_are_flattened_or_appended_are_protected_too() {
        let mut data = guarded();
        data.flatten("more", &json!({"email": "jane", "n": 1}));
        assert_eq!(hashed(data.clone()), json!({"email": key().hash("jane"), "n": 1}));
        for (before, after) in [(true, false), (false, true), (true, true)] {
            let mut own = if before { guarded() } else { Data::default() };
            own.field("n", &1);
            own.field("email", "jane");
            let mut other = if after { guarded() } else { Data::default() };
            other.field("email", "joe");
            other.field("o", &Hashed::new("o"));
            own.append(other);
            assert_eq!(hashed(own), json!({"n": 1, "email": key().hash("joe"), "o": key().hash("o")}));
        }
        let mut late = Data::default();
        late.field("email", "jane");
        late.append(guarded());
        assert_eq!(hashed(late), json!({"email": key().hash("jane")}));
    }

    #[test]
    fn a_plain_value_of_a_field_that_must_be_wrapped_is_a_problem() {
        let add: [fn(&mut Data); 4] = [
            |data| data.field("token", "canary"),
            |data| data.flatten("all", &json!({"token": {"deep": "canary"}})),
            |data| {
                let mut other = Data::default();
                other.field("token", &["canary"]);
                data.append(other);
            },
            |data| data.field("token", &7),
        ];
        for add in add {
            let mut data = guarded();
            add(&mut data);
            let problem = data.problem().unwrap().to_string();
            assert!(problem.starts_with("`token` is never sent in the clear, says signals.toml"), "{problem}");
            assert!(data.is_empty() && !format!("{data:?} {problem}").contains("canary"), "{data:?}");
        }
    }

    #[test]
    fn what_is_null_needs_no_hash() {
        let mut data = guarded();
        data.field("email", &None::<String>);
        data.field("token", &None::<String>);
        data.field("phone", &Hashed::new(None::<String>));
        assert_eq!(data.clone().hash_with(None), Ok(()));
        assert_eq!(hashed(data), json!({"email": null, "token": null, "phone": null}));
    }

    #[test]
    fn what_is_not_text_is_a_problem() {
        for value in [json!(7), json!(["canary"]), json!({"a": "canary"}), json!(true)] {
            let mut data = guarded();
            data.field("email", &value);
            assert_eq!(data.problem().unwrap().to_string(), "`email` is not text, and only text can be hashed");
            assert!(data.is_empty(), "{data:?}");
            let mut data = Data::default();
            data.field("x", &Hashed::new(value));
            assert_eq!(data.problem().unwrap().to_string(), "`x` is not text, and only text can be hashed");
        }
    }
}
