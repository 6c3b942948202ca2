//! The rules that a catalogue turns up or down, for all signals or for one.

use std::collections::BTreeMap;

/// What a rule does where it is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing.
    Allow,
    /// It warns.
    Warn,
    /// It is an error.
    Deny,
}

/// A rule: its name, what it does unless the catalogue says otherwise, and what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// As `[lints]` and `allow` write it.
    pub name: &'static str,
    /// Its level.
    pub level: Level,
    /// What it finds.
    pub finds: &'static str,
}

const fn rule(name: &'static str, level: Level, finds: &'static str) -> Rule {
    Rule { name, level, finds }
}

/// An outcome without an idempotency key.
pub const OUTCOME_WITHOUT_KEY: &str = "outcome_without_key";
/// A signal that no price bills.
pub const UNBILLED_SIGNAL: &str = "unbilled_signal";
/// A signal whose name is computed.
pub const DYNAMIC_NAME: &str = "dynamic_name";
/// A signal that is sent although it has expired.
pub const EXPIRED_SIGNAL: &str = "expired_signal";
/// A signal that is sent although it is deprecated.
pub const DEPRECATED_SIGNAL: &str = "deprecated_signal";
/// A price that the account does not have.
pub const MISSING_PRICE: &str = "missing_price";
/// Two names that are too alike.
pub const SIMILAR_NAMES: &str = "similar_names";
/// A signal that the catalogue does not have.
pub const UNKNOWN_SIGNAL: &str = "unknown_signal";
/// A price that only the account has.
pub const UNLISTED_PRICE: &str = "unlisted_price";
/// A product that nobody has ordered.
pub const UNORDERED_PRODUCT: &str = "unordered_product";
/// An `allow` that allows nothing.
pub const UNUSED_ALLOWANCE: &str = "unused_allowance";
/// A signal that nothing sends.
pub const UNUSED_SIGNAL: &str = "unused_signal";

/// All rules, by name. The first two, `expired_signal` and `deprecated_signal` are the compiler's also; the others are those of
/// `cargo paid signals check`.
pub const RULES: &[Rule] = &[
    rule(
        OUTCOME_WITHOUT_KEY,
        Level::Allow,
        "An outcome without an idempotency key: work that is done twice is billed twice",
    ),
    rule(UNBILLED_SIGNAL, Level::Warn, "A signal that no price of its product bills, or only one of the other type"),
    rule(DYNAMIC_NAME, Level::Allow, "A signal whose name is computed, so that nothing can check it"),
    rule(EXPIRED_SIGNAL, Level::Warn, "A signal that is still sent although it has expired"),
    rule(DEPRECATED_SIGNAL, Level::Warn, "A signal that is still sent although it is deprecated"),
    rule(MISSING_PRICE, Level::Deny, "A price of the catalogue that the account does not have, or has otherwise"),
    rule(SIMILAR_NAMES, Level::Warn, "Two signals whose names are so alike that one may be a typing error"),
    rule(UNKNOWN_SIGNAL, Level::Deny, "A signal that the sources send and the catalogue does not have"),
    rule(UNLISTED_PRICE, Level::Warn, "A price of the account that the catalogue does not have"),
    rule(UNORDERED_PRODUCT, Level::Warn, "A product that no active order of the account has"),
    rule(UNUSED_ALLOWANCE, Level::Warn, "An `allow` that allows nothing"),
    rule(UNUSED_SIGNAL, Level::Warn, "A signal of the catalogue that no source sends"),
];

/// The levels that the catalogue sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lints(pub(crate) BTreeMap<String, Level>);

impl Lints {
    /// What a rule does: as the catalogue says, or else its own level.
    pub fn level(&self, name: &str) -> Level {
        let own = RULES.iter().find(|rule| rule.name == name).map_or(Level::Allow, |rule| rule.level);
        self.0.get(name).copied().unwrap_or(own)
    }
}
