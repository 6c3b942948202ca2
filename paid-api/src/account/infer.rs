//! Proposes fields and types for the catalogue's signals, from what Paid has seen. A person accepts. Pure.

use paid_catalog::{Catalog, Field, JsonType, Protection};
use toml_edit::{DocumentMut, Value};

use super::error::AccountError;
use super::observed::{Observed, ObservedField};
use super::pull::document::{as_table, set, table_at};
use super::pull::signals::field_of;

/// What the catalogue could say, and what it contradicts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inferred {
    /// What could be added, each to be accepted by itself.
    pub proposals: Vec<Proposal>,
    /// What a person has to decide, in sentences.
    pub to_decide: Vec<String>,
}

/// A field that signals send and the catalogue lacks, or a type that fits what they send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proposal {
    /// The event name.
    pub signal: String,
    /// The key in the signal's data.
    pub field: String,
    /// The types that its values had; empty if they do not tell.
    pub types: Vec<JsonType>,
    /// Whether the catalogue lacks the field, and not only its type.
    pub is_new: bool,
}

impl std::fmt::Display for Proposal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { signal, field, .. } = self;
        match (self.is_new, words(&self.types)) {
            (true, types) if types.is_empty() => write!(formatter, "add the field `{field}` to {signal}"),
            (true, types) => write!(formatter, "add the field `{field}` to {signal}, of type {types}"),
            (false, types) => write!(formatter, "give the field `{field}` of {signal} the type {types}"),
        }
    }
}

fn words(types: &[JsonType]) -> String {
    types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or ")
}

/// Compares the catalogue's signals with those that Paid has seen.
pub fn infer(catalog: &Catalog, observed: &Observed) -> Inferred {
    let mut inferred = Inferred::default();
    for (name, fields) in observed {
        let Some(signal) = catalog.signal(name) else {
            inferred.to_decide.push(format!(
                "Paid has received signals {name:?}, which the catalogue does not have: add [signals.{name}] with its type, or run `cargo paid signals pull`"
            ));
            continue;
        };
        for (field, facts) in fields {
            match signal.data.get(field) {
                None => inferred.proposals.push(proposal(name, field, facts, true)),
                Some(known) if known.protection() != Protection::None => {}
                Some(known) if known.types.is_empty() && !facts.types.is_empty() => {
                    inferred.proposals.push(proposal(name, field, facts, false));
                }
                Some(known) => inferred.to_decide.extend(contradiction(name, field, known, facts)),
            }
        }
        for field in signal.required().filter(|field| !fields.contains_key(*field) && !fields.is_empty()) {
            inferred.to_decide.push(format!("the field `{field}` of {name} is required, and Paid has never seen it"));
        }
    }
    inferred
}

fn proposal(signal: &str, field: &str, facts: &ObservedField, is_new: bool) -> Proposal {
    Proposal { signal: signal.to_owned(), field: field.to_owned(), types: facts.types.clone(), is_new }
}

fn contradiction(name: &str, field: &str, known: &Field, facts: &ObservedField) -> Option<String> {
    let other: Vec<JsonType> = facts.types.iter().filter(|kind| !known.takes(**kind)).copied().collect();
    (!other.is_empty()).then(|| {
        format!(
            "the field `{field}` of {name} is {} in the catalogue, and Paid has seen {}",
            words(&known.types),
            words(&other)
        )
    })
}

/// Writes proposals into the text of a catalogue. Comments and order stay.
///
/// # Errors
///
/// If the text is not a catalogue, or the proposals would make it invalid.
pub fn accept(text: &str, proposals: &[Proposal]) -> Result<String, AccountError> {
    let document: Result<DocumentMut, _> = text.parse();
    let mut document = document.map_err(|error| AccountError::Catalogue(error.to_string()))?;
    for proposal in proposals {
        let signals = table_at(document.as_item_mut(), "signals", true)?;
        let signal = table_at(signals, &proposal.signal, false)?;
        let data = table_at(signal, "data", false)?;
        let field = field_of(&ObservedField { types: proposal.types.clone() });
        if proposal.is_new {
            set(as_table(data)?, &proposal.field, Value::InlineTable(field));
        } else if let Some(kind) = field.get("type") {
            let known = table_at(data, &proposal.field, false)?;
            set(as_table(known)?, "type", kind.clone());
            if let Some(inline) = known.as_inline_table_mut() {
                inline.fmt();
            }
        }
    }
    let text = document.to_string();
    Catalog::parse(&text).map_err(|problems| AccountError::Catalogue(problems.to_string()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TEXT: &str = "# ours\n[signals.a]\ntype = \"activity\" # work\n\n[signals.a.data]\nx = { required = true } # ours\ny = { type = \"integer\" }\nz = { pii = \"hash\" }\n\n[signals.b]\ntype = \"activity\"\n";

    fn observed() -> Observed {
        let of = |types: &[JsonType]| ObservedField { types: types.to_vec() };
        let fields = BTreeMap::from([
            ("x".to_owned(), of(&[JsonType::String])),
            ("y".to_owned(), of(&[JsonType::String, JsonType::Integer])),
            ("z".to_owned(), of(&[JsonType::String])),
            ("n".to_owned(), of(&[JsonType::Number, JsonType::Null])),
        ]);
        let b = BTreeMap::from([("m".to_owned(), of(&[]))]);
        Observed::from([("a".to_owned(), fields), ("b".to_owned(), b), ("c".to_owned(), BTreeMap::new())])
    }

    #[test]
    fn what_is_missing_is_proposed_and_what_contradicts_is_said() {
        let inferred = infer(&Catalog::parse(TEXT).unwrap(), &observed());
        let proposals: Vec<String> = inferred.proposals.iter().map(ToString::to_string).collect();
        let expected = [
            "add the field `n` to a, of type number or null",
            "give the field `x` of a the type string",
            "add the field `m` to b",
        ];
        assert_eq!(proposals, expected);
        assert!(inferred.to_decide[0].contains("`y` of a is integer in the catalogue, and Paid has seen string"));
        assert!(inferred.to_decide[1].contains("\"c\", which the catalogue does not have"), "{inferred:?}");
    }

    #[test]
    fn what_is_accepted_is_written_and_all_else_stays() {
        let inferred = infer(&Catalog::parse(TEXT).unwrap(), &observed());
        let written = accept(TEXT, &inferred.proposals).unwrap();
        assert_eq!(
            written,
            "# ours\n[signals.a]\ntype = \"activity\" # work\n\n[signals.a.data]\nx = { required = true, type = \"string\" } # ours\ny = { type = \"integer\" }\nz = { pii = \"hash\" }\nn = { type = [\"number\", \"null\"] }\n\n[signals.b]\ntype = \"activity\"\n\n[signals.b.data]\nm = {}\n"
        );
        assert_eq!(accept(TEXT, &[]).unwrap(), TEXT);
        assert_eq!(infer(&Catalog::parse(&written).unwrap(), &observed()).proposals, []);
    }
}
