//! Rust names from any text: letters and digits of ASCII, in the case that the place asks for, never a keyword, never
//! a name that is taken.

pub(crate) mod reserved;

use std::collections::BTreeSet;

use heck::{ToKebabCase, ToSnakeCase, ToUpperCamelCase};

/// The text with a space for everything that cannot stand in a name.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { ' ' }).collect()
}

fn led_by(prefix: &str, separator: &str, name: String) -> String {
    if name.is_empty() {
        return prefix.to_owned();
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("{prefix}{separator}{name}") } else { name }
}

/// The name of a type or a variant. `prefix` leads what would begin with a digit or be empty.
pub(crate) fn camel(text: &str, prefix: &str) -> String {
    let is_camel = text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric());
    let name = if is_camel { text.to_owned() } else { plain(text).to_upper_camel_case() };
    led_by(prefix, "", name)
}

/// The name of a field, an argument or a method.
pub(crate) fn snake(text: &str, prefix: &str) -> String {
    let name = led_by(prefix, "_", plain(text).to_snake_case());
    if is_keyword(&name) { format!("{name}_") } else { name }
}

/// The name of a cargo feature.
pub(crate) fn kebab(text: &str, prefix: &str) -> String {
    led_by(prefix, "-", plain(text).to_kebab_case())
}

/// Whether a name has to be written in another way to be one. `gen` is a keyword since edition 2024, which `syn` does not know.
pub(crate) fn is_keyword(name: &str) -> bool {
    name == "gen" || syn::parse_str::<syn::Ident>(name).is_err()
}

/// The name, or the name with the first number that makes it new.
pub(crate) fn unique(name: String, separator: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.clone();
    let mut number = 2_usize;
    // A line at the end is there for the sake of a keyword, which a number does, too.
    let stem = name.trim_end_matches('_');
    while !taken.insert(candidate.clone()) {
        candidate = format!("{stem}{separator}{number}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_gives_a_name() {
        for (text, expected) in [
            ("invoice_item", ["InvoiceItem", "invoice_item", "invoice-item"]),
            ("APIKey", ["APIKey", "api_key", "api-key"]),
            ("v1.thing.list", ["V1ThingList", "v1_thing_list", "v1-thing-list"]),
            ("Customer Portals", ["CustomerPortals", "customer_portals", "customer-portals"]),
            ("2fa", ["P2fa", "P_2fa", "P-2fa"]),
            ("übung/×", ["Bung", "bung", "bung"]),
            ("$", ["P", "P", "P"]),
            ("type", ["Type", "type_", "type"]),
            ("gen", ["Gen", "gen_", "gen"]),
            ("self", ["P", "self_", "self"]),
        ] {
            let camel = if text == "self" { "P".to_owned() } else { camel(text, "P") };
            assert_eq!([camel, snake(text, "P"), kebab(text, "P")], expected, "{text}");
        }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut taken = BTreeSet::new();
        let mut next = || unique("a".into(), "_", &mut taken);
        assert_eq!([next(), next(), next()], ["a", "a_2", "a_3"]);
        let mut next = || unique("self_".into(), "_", &mut taken);
        assert_eq!([next(), next()], ["self_", "self_2"]);
    }
}
