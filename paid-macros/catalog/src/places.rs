//! Where the entries of a catalogue stand in its text, for tools that point at them. The compiler does not need it, so it is
//! read apart from the catalogue.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters it has.
    pub length: usize,
}

impl Spot {
    /// The place of a range of bytes.
    pub fn of(text: &str, range: Range<usize>) -> Self {
        let before = text.get(..range.start).unwrap_or(text);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|letter| *letter != '\n').count() + 1,
            length: text.get(range).map_or(0, |named| named.chars().count()).max(1),
        }
    }
}

/// Where the entries of a catalogue stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The names of signals.
    pub signals: BTreeMap<String, Spot>,
    /// The rules in `allow`, by signal and rule.
    pub allowances: BTreeMap<(String, String), Spot>,
    /// The external ids of products.
    pub products: BTreeMap<String, Spot>,
    /// The keys of prices, by product and key.
    pub prices: BTreeMap<(String, String), Spot>,
}

impl Places {
    /// Finds the entries of a catalogue; none in a text that is no TOML.
    pub fn of(text: &str) -> Self {
        let mut places = Self::default();
        let Ok(root) = DeTable::parse(text) else { return places };
        for (name, signal) in entries(root.get_ref().get("signals")) {
            places.signals.insert(name.get_ref().to_string(), Spot::of(text, name.span()));
            let allowed = signal.get_ref().get("allow").and_then(|allow| allow.get_ref().as_array());
            for rule in allowed.into_iter().flat_map(|rules| rules.iter()) {
                let named = rule.get_ref().as_str().unwrap_or_default().to_owned();
                places.allowances.insert((name.get_ref().to_string(), named), Spot::of(text, rule.span()));
            }
        }
        for (id, product) in entries(root.get_ref().get("products")) {
            places.products.insert(id.get_ref().to_string(), Spot::of(text, id.span()));
            for (key, _) in entries(product.get_ref().get("prices")) {
                let named = (id.get_ref().to_string(), key.get_ref().to_string());
                places.prices.insert(named, Spot::of(text, key.span()));
            }
        }
        places
    }
}

type Key<'a> = Spanned<std::borrow::Cow<'a, str>>;

fn entries<'t, 'a>(
    table: Option<&'t Spanned<DeValue<'a>>>,
) -> impl Iterator<Item = (&'t Key<'a>, &'t Spanned<DeValue<'a>>)> {
    table.and_then(|table| table.get_ref().as_table()).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_where_they_stand() {
        let text = "# é\n[signals.a]\ntype = \"outcome\"\nallow = [\"unused_signal\"]\n[signals.\"b c\"]\n[products.p.prices.x]\n";
        let places = Places::of(text);
        let spot = |line, column, length| Spot { line, column, length };
        assert_eq!(places.signals["a"], spot(2, 10, 1));
        assert_eq!(places.signals["b c"], spot(5, 10, 5));
        assert_eq!(places.allowances[&("a".into(), "unused_signal".into())], spot(4, 10, 15));
        assert_eq!(places.products["p"], spot(6, 11, 1));
        assert_eq!(places.prices[&("p".into(), "x".into())], spot(6, 20, 1));
        assert_eq!(Places::of("[signals"), Places::default());
    }
}
