//! What changed between two catalogues, and whether programs that fit the old one fit the new one. Pure.

mod field;

use std::collections::BTreeSet;

use paid_catalog::{Catalog, Level, OUTCOME_WITHOUT_KEY, RULES, Signal, UNBILLED_SIGNAL};

/// A difference between two versions of a catalogue, and whether it breaks what is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// What it is a change of, such as `meeting_booked` or `meeting_booked.lead_id`.
    pub of: String,
    /// What changed, in words.
    pub what: String,
    /// Whether a program that fits the old catalogue may not compile with the new one, or be billed otherwise.
    pub is_breaking: bool,
}

/// What changed from one catalogue to another: signals first, then products and rules, by name.
pub fn changes(old: &Catalog, new: &Catalog) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    for name in names(old.signals.keys(), new.signals.keys()) {
        match (old.signal(name), new.signal(name)) {
            (Some(_), None) => changes.breaking(name, "the signal is removed"),
            (None, Some(_)) => changes.harmless(name, "the signal is new"),
            (Some(old), Some(new)) => changes.of_signal(name, old, new),
            (None, None) => {}
        }
    }
    changes.of_products(old, new);
    changes.of_rules(old, new);
    changes.0
}

struct Changes(Vec<Change>);

fn names<'a>(old: impl Iterator<Item = &'a String>, new: impl Iterator<Item = &'a String>) -> BTreeSet<&'a String> {
    old.chain(new).collect()
}

impl Changes {
    fn add(&mut self, of: &str, what: impl Into<String>, is_breaking: bool) {
        self.0.push(Change { of: of.to_owned(), what: what.into(), is_breaking });
    }

    fn breaking(&mut self, of: &str, what: impl Into<String>) {
        self.add(of, what, true);
    }

    fn harmless(&mut self, of: &str, what: impl Into<String>) {
        self.add(of, what, false);
    }

    fn of_signal(&mut self, name: &str, old: &Signal, new: &Signal) {
        if old.kind != new.kind {
            self.breaking(name, format!("the {} became an {}", old.kind, new.kind));
        }
        match (&old.product, &new.product) {
            (Some(old), Some(new)) if old != new => {
                self.breaking(name, format!("the product {old} became {new}"));
            }
            (Some(old), None) => {
                self.breaking(name, format!("the product {old} is no longer named: programs have to name one"));
            }
            (None, Some(new)) => self.harmless(name, format!("the product {new} is named")),
            _ => {}
        }
        match (old.unit_required, new.unit_required) {
            (false, true) => self.breaking(name, "a unit is required"),
            (true, false) => self.harmless(name, "a unit is no longer required"),
            _ => {}
        }
        match (&old.deprecated, &new.deprecated) {
            (None, Some(_)) => self.harmless(name, "the signal is deprecated"),
            (Some(_), None) => self.harmless(name, "the signal is no longer deprecated"),
            (old, new) if old != new => self.harmless(name, "its deprecation says something else"),
            _ => {}
        }
        if old.expires != new.expires {
            let day = |day: &Option<String>| day.clone().unwrap_or_else(|| "never".to_owned());
            self.harmless(name, format!("it expires {} instead of {}", day(&new.expires), day(&old.expires)));
        }
        if old.description != new.description {
            self.harmless(name, "the description changed");
        }
        for rule in old.allow.difference(&new.allow) {
            let is_enforced = is_of_compiler(rule);
            self.add(name, format!("`{rule}` is no longer allowed"), is_enforced);
        }
        for rule in new.allow.difference(&old.allow) {
            self.harmless(name, format!("`{rule}` is allowed"));
        }
        for field in names(old.data.keys(), new.data.keys()) {
            self.of_field(&format!("{name}.{field}"), old.data.get(field), new.data.get(field));
        }
    }

    /// Prices are the account's, and no program depends on them.
    fn of_products(&mut self, old: &Catalog, new: &Catalog) {
        for id in names(old.products.keys(), new.products.keys()) {
            let of = format!("product {id}");
            let (Some(before), Some(after)) = (old.products.get(id), new.products.get(id)) else {
                let what = if new.products.contains_key(id) { "the product is new" } else { "the product is removed" };
                self.harmless(&of, what);
                continue;
            };
            if (&before.name, &before.description, before.active) != (&after.name, &after.description, after.active) {
                self.harmless(&of, "name, description or activity changed");
            }
            for key in names(before.prices.keys(), after.prices.keys()) {
                let what = match (before.prices.get(key), after.prices.get(key)) {
                    (Some(_), None) => "is removed",
                    (None, Some(_)) => "is new",
                    (before, after) if before != after => "changed",
                    _ => continue,
                };
                self.harmless(&of, format!("the price {key:?} {what}"));
            }
        }
    }

    fn of_rules(&mut self, old: &Catalog, new: &Catalog) {
        for rule in RULES {
            let (before, after) = (old.lints.level(rule.name), new.lints.level(rule.name));
            if before != after {
                let is_breaking = after == Level::Deny && is_of_compiler(rule.name);
                self.add(
                    "lints",
                    format!("`{}` is {} instead of {}", rule.name, word(after), word(before)),
                    is_breaking,
                );
            }
        }
    }
}

/// Whether the compiler holds a rule, and not only `cargo paid signals check`.
fn is_of_compiler(rule: &str) -> bool {
    matches!(rule, OUTCOME_WITHOUT_KEY | UNBILLED_SIGNAL)
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Allow => "allow",
        Level::Warn => "warn",
        Level::Deny => "deny",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(old: &str, new: &str) -> Vec<(String, bool)> {
        let catalog = |text: &str| Catalog::parse(text).unwrap();
        let shown = |change: Change| (format!("{}: {}", change.of, change.what), change.is_breaking);
        changes(&catalog(old), &catalog(new)).into_iter().map(shown).collect()
    }

    fn of_field(old: &str, new: &str) -> Vec<bool> {
        let signal = |field: &str| format!("[signals.a]\ntype = \"activity\"\n[signals.a.data]\n{field}\n");
        between(&signal(old), &signal(new)).into_iter().map(|(_, is_breaking)| is_breaking).collect()
    }

    #[test]
    fn signals_come_go_and_change() {
        let old = "[signals.a]\ntype = \"activity\"\nproduct = \"p\"\n[signals.b]\ntype = \"outcome\"\n";
        let new =
            "[signals.a]\ntype = \"outcome\"\nproduct = \"q\"\nunit = \"required\"\n[signals.c]\ntype = \"outcome\"\n";
        let expected = [
            ("a: the activity became an outcome", true),
            ("a: the product p became q", true),
            ("a: a unit is required", true),
            ("b: the signal is removed", true),
            ("c: the signal is new", false),
        ];
        assert_eq!(between(old, new), expected.map(|(what, is_breaking)| (what.to_owned(), is_breaking)));
        assert_eq!(between(old, old), []);
        let deprecated = format!("{old}deprecated = true\nexpires = 2027-01-01\ndescription = \"d\"\n");
        assert!(between(old, &deprecated).iter().all(|(_, is_breaking)| !is_breaking));
        assert_eq!(between(old, &format!("{old}[lints]\noutcome_without_key = \"deny\"\n")).len(), 1);
    }

    #[test]
    fn what_narrows_a_field_is_breaking_and_what_widens_it_is_not() {
        let narrower = [
            ("", "x = { required = true }"),
            ("x = {}", ""),
            ("x = {}", "x = { required = true }"),
            ("x = {}", "x = { type = \"string\" }"),
            ("x = { type = [\"string\", \"null\"] }", "x = { type = \"string\" }"),
            ("x = { type = \"number\" }", "x = { type = \"integer\" }"),
            ("x = { type = \"string\" }", "x = { type = \"boolean\" }"),
            ("x = {}", "x = { enum = [1] }"),
            ("x = { enum = [1, 2] }", "x = { enum = [1] }"),
            ("x = { type = \"integer\" }", "x = { type = \"integer\", minimum = 1 }"),
            ("x = { type = \"integer\", minimum = 1 }", "x = { type = \"integer\", minimum = 2 }"),
            ("x = { type = \"integer\", maximum = 2 }", "x = { type = \"integer\", maximum = 1 }"),
            ("x = { type = \"integer\", minimum = 1 }", "x = { type = \"integer\", exclusiveMinimum = 1 }"),
            ("x = { type = \"string\" }", "x = { type = \"string\", maxLength = 5 }"),
            ("x = { type = \"string\" }", "x = { type = \"string\", pii = \"refuse\" }"),
        ];
        for (old, new) in narrower {
            assert!(of_field(old, new).contains(&true), "{old} to {new}");
        }
        for (new, old) in narrower.into_iter().filter(|(old, new)| {
            let is_exact = old.contains("boolean") || new.contains("boolean") || new.contains("pii");
            !is_exact && !old.is_empty() && !new.is_empty()
        }) {
            assert!(!of_field(old, new).contains(&true), "{old} to {new}");
        }
        assert_eq!(of_field("", "x = {}"), [false]);
        assert_eq!(of_field("x = {}", "x = { description = \"d\" }"), [false]);
    }
}
