//! Reads `[lints]`, and `allow` of a signal.

use std::collections::BTreeSet;

use super::{Reader, Value};
use crate::{Level, Lints, RULES, nearest_of};

impl Reader<'_> {
    /// What the rules do.
    pub(super) fn lints(&mut self, value: &Value<'_>) -> Lints {
        let mut lints = Lints::default();
        for (key, value) in self.table(value, "`lints`").into_iter().flatten() {
            let word = key.get_ref().as_ref();
            if RULES.iter().any(|rule| rule.name == word) {
                let level = self.level(word, value);
                lints.0.insert(word.to_owned(), level);
            } else {
                let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
                self.unknown(word, key.span(), &names, "`lints`");
            }
        }
        lints
    }

    fn level(&mut self, lint: &str, value: &Value<'_>) -> Level {
        match value.get_ref().as_str() {
            Some("allow") => Level::Allow,
            Some("warn") => Level::Warn,
            Some("deny") => Level::Deny,
            _ => {
                self.problem(value.span(), format!("`{lint}` must be \"allow\", \"warn\" or \"deny\""));
                Level::Allow
            }
        }
    }

    /// The rules that one signal may break.
    pub(super) fn allowed(&mut self, value: &Value<'_>) -> BTreeSet<String> {
        let mut allowed = BTreeSet::new();
        let Some(names) = value.get_ref().as_array() else {
            self.problem(value.span(), "`allow` must be a list of rules, such as [\"unbilled_signal\"]");
            return allowed;
        };
        for name in names.iter() {
            let Some(text) = self.text("allow", name) else { continue };
            if RULES.iter().any(|rule| rule.name == text) {
                allowed.insert(text);
                continue;
            }
            let hint = match nearest_of(&text, RULES.iter().map(|rule| rule.name)) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("rules are {}", RULES.iter().map(|rule| rule.name).collect::<Vec<_>>().join(", ")),
            };
            self.problem(name.span(), format!("there is no rule {text:?}; {hint}"));
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use crate::{Catalog, Level, OUTCOME_WITHOUT_KEY, UNBILLED_SIGNAL};

    fn problems(text: &str) -> String {
        Catalog::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_signal_may_break_the_rules_that_it_names() {
        let catalog = Catalog::parse(
            "[signals.a]\ntype = \"outcome\"\nallow = [\"unbilled_signal\"]\n[signals.b]\ntype = \"outcome\"\n",
        )
        .unwrap();
        let level = |name: &str| catalog.level(UNBILLED_SIGNAL, catalog.signal(name));
        assert_eq!((level("a"), level("b")), (Level::Allow, Level::Warn));
        let shown = problems("[signals.a]\ntype = \"outcome\"\nallow = [\"unbiled_signal\"]\n");
        assert_eq!(
            shown,
            "3:10: there is no rule \"unbiled_signal\"; did you mean `unbilled_signal` or `unused_signal` or `expired_signal`?"
        );
    }

    #[test]
    fn a_lint_has_three_levels_and_is_off_unless_it_is_named() {
        let level = |text: &str| Catalog::parse(text).unwrap().lints.level(OUTCOME_WITHOUT_KEY);
        assert_eq!(level(""), Level::Allow);
        for (word, known) in [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)] {
            assert_eq!(level(&format!("[lints]\noutcome_without_key = \"{word}\"\n")), known);
        }
        assert!(problems("[lint]\n").contains("1:2: `lint` is unknown here; did you mean `lints`?"));
        let shown = problems("[lints]\noutcome_without_key = true\noutcome_without_keys = \"warn\"\n");
        assert!(shown.contains("2:23: `outcome_without_key` must be \"allow\", \"warn\" or \"deny\""), "{shown}");
        assert!(
            shown.contains("3:1: `lints` has no `outcome_without_keys`; did you mean `outcome_without_key`?"),
            "{shown}"
        );
    }
}
