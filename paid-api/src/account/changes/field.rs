//! Changes of a field: what it takes, and whether that became less.

use paid_catalog::{Field, JsonType, Protection};

use super::Changes;

impl Changes {
    pub(super) fn of_field(&mut self, of: &str, old: Option<&Field>, new: Option<&Field>) {
        let (old, new) = match (old, new) {
            (Some(old), Some(new)) => (old, new),
            (None, Some(new)) if new.required => return self.breaking(of, "the field is new, and required"),
            (None, Some(_)) => return self.harmless(of, "the field is new, and optional"),
            _ => return self.breaking(of, "the field is removed"),
        };
        match (old.required, new.required) {
            (false, true) => self.breaking(of, "it is required"),
            (true, false) => self.harmless(of, "it is no longer required"),
            _ => {}
        }
        self.types(of, old, new);
        self.values(of, old, new);
        self.bounds(of, old, new);
        if old.protection() != new.protection() {
            let word = |protection| match protection {
                Protection::None => "sent as it is",
                Protection::Hashed => "hashed",
                Protection::Wrapped => "wrapped by the program",
            };
            let what = format!("its value is {} instead of {}", word(new.protection()), word(old.protection()));
            self.breaking(of, what);
        }
        if old.description != new.description {
            self.harmless(of, "the description changed");
        }
    }

    fn types(&mut self, of: &str, old: &Field, new: &Field) {
        if old.types == new.types {
            return;
        }
        let is_narrower = JsonType::ALL.into_iter().any(|kind| old.takes(kind) && !new.takes(kind));
        let words = |field: &Field| match field.types.as_slice() {
            [] => "any type".to_owned(),
            types => types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or "),
        };
        self.add(of, format!("it takes {} instead of {}", words(new), words(old)), is_narrower);
    }

    fn values(&mut self, of: &str, old: &Field, new: &Field) {
        if old.values == new.values {
            return;
        }
        let is_narrower = !new.values.is_empty()
            && (old.values.is_empty() || old.values.iter().any(|value| !new.values.contains(value)));
        let words = |field: &Field| match field.values.as_slice() {
            [] => "any value".to_owned(),
            values => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        self.add(of, format!("`enum` allows {} instead of {}", words(new), words(old)), is_narrower);
    }

    fn bounds(&mut self, of: &str, old: &Field, new: &Field) {
        #[allow(clippy::cast_precision_loss)] // Lengths are small.
        let length = |length: Option<u64>| length.map(|length| length as f64);
        // The tighter of two lower bounds, with whether the bound itself is allowed.
        let low = |field: &Field| tighter(field.minimum, field.exclusive_minimum, |one, other| one >= other);
        let high = |field: &Field| tighter(field.maximum, field.exclusive_maximum, |one, other| one <= other);
        let above = |one: (f64, bool), other: (f64, bool)| one.0 > other.0 || one.0 == other.0 && one.1 && !other.1;
        let below = |one: (f64, bool), other: (f64, bool)| one.0 < other.0 || one.0 == other.0 && one.1 && !other.1;
        let inclusive = |bound: Option<f64>| bound.map(|bound| (bound, false));
        let limits = [
            ("the least number", low(old), low(new), &above as &dyn Fn((f64, bool), (f64, bool)) -> bool),
            ("the greatest number", high(old), high(new), &below),
            ("the least length", inclusive(length(old.min_length)), inclusive(length(new.min_length)), &above),
            ("the greatest length", inclusive(length(old.max_length)), inclusive(length(new.max_length)), &below),
        ];
        for (what, old, new, is_tighter) in limits {
            if old != new {
                let is_narrower = match (old, new) {
                    (Some(old), Some(new)) => is_tighter(new, old),
                    (None, Some(_)) => true,
                    _ => false,
                };
                self.add(of, format!("{what} is {} instead of {}", shown(new), shown(old)), is_narrower);
            }
        }
    }
}

/// Of a bound that is allowed and one that is not, the tighter, and whether it is excluded.
fn tighter(inclusive: Option<f64>, exclusive: Option<f64>, is_tighter: fn(f64, f64) -> bool) -> Option<(f64, bool)> {
    match (inclusive, exclusive) {
        (Some(bound), Some(excluded)) if is_tighter(excluded, bound) => Some((excluded, true)),
        (Some(bound), _) => Some((bound, false)),
        (None, excluded) => excluded.map(|bound| (bound, true)),
    }
}

fn shown(bound: Option<(f64, bool)>) -> String {
    match bound {
        None => "not limited".to_owned(),
        Some((bound, false)) => bound.to_string(),
        Some((bound, true)) => format!("{bound}, excluded,"),
    }
}
