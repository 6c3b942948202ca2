//! Names for what `names.yaml` does not decide, proposed by the rules that it shows: no word for the place in the document,
//! a list's element in the singular, a filter called so, what belongs to a renamed component called after it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::wording::{candidates, ending};
use crate::names::{Decisions, NameTable, objection};
use crate::{diff, document, import};

/// A change of `names.yaml` to review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proposal {
    /// This published component gets a new name, alone or with those that have it already.
    Rename { published: String, name: String },
    /// This name is good as it is published.
    Keep(String),
    /// Of these names, all have one shape; they are taken to mean different things.
    Apart(Vec<String>),
    /// This entry names nothing any more.
    Remove(String),
    /// This published component is named here because it no longer has the shape of the others in its entry.
    Split { published: String, was: String, pattern: String, others: Vec<String> },
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rename { published, name } => write!(f, "`{published}` is called `{name}`"),
            Self::Keep(name) => write!(f, "`{name}` is called as it is published"),
            Self::Apart(names) => write!(f, "{} have one shape and stay apart", listed(names)),
            Self::Remove(entry) => write!(f, "`{entry}` names nothing any more, and is removed"),
            Self::Split { published, pattern, .. } => {
                write!(f, "`{published}` no longer has the shape of the others that `{pattern}` names")
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A component of the published document, and the name it gets.
pub(super) type Named<'a> = BTreeMap<&'a str, String>;

/// Decides on every component of a document in canonical form, but with its published names. `old` is the document before, with the
/// names that users know.
pub(crate) fn propose(published: &Value, table: &NameTable, old: &Value) -> Result<Vec<Proposal>> {
    let schemas = document::schemas(published)?;
    let mut work = Work { published, schemas, known: BTreeMap::new(), named: Named::new(), made: Vec::new() };
    let mut open = work.decided(table)?;
    open.extend(work.split(table)?);
    // A part of a component is named after it, so that comes first.
    open.sort_by_key(|name| (name.len(), *name));
    work.known = work.renamed(old, &open);
    for name in &open {
        work.decide(name)?;
    }
    work.merge_parts(&open);
    work.made.extend(open.iter().map(|published| match &work.named[published] {
        name if name == published => Proposal::Keep(name.clone()),
        name => Proposal::Rename { published: (*published).to_owned(), name: name.clone() },
    }));
    work.keep_twins_apart(table)?;
    Ok(work.made)
}

struct Work<'a> {
    published: &'a Value,
    schemas: &'a document::Object,
    /// Components that were only renamed, with the names that users know.
    known: BTreeMap<&'a str, String>,
    named: Named<'a>,
    made: Vec<Proposal>,
}

impl<'a> Work<'a> {
    /// Takes over what the table says; returns what it does not decide.
    fn decided(&mut self, table: &NameTable) -> Result<Vec<&'a str>> {
        let patterns = table.patterns()?;
        let mut open = Vec::new();
        let mut used = BTreeSet::new();
        for name in self.schemas.keys() {
            let matching: Vec<_> = patterns.iter().filter(|(_, pattern)| pattern.matches(name)).collect();
            used.extend(matching.iter().map(|(_, pattern)| pattern.as_str().to_owned()));
            match matching.first() {
                Some((to, _)) => {
                    self.named.insert(name, (*to).to_owned());
                }
                None if table.keeps(name) => {
                    used.insert(name.clone());
                    self.named.insert(name, name.clone());
                }
                None => open.push(name.as_str()),
            }
        }
        let entries = table.rename.values().flatten().chain(&table.keep);
        self.made.extend(entries.filter(|entry| !used.contains(*entry)).cloned().map(Proposal::Remove));
        Ok(open)
    }

    /// Components that the table merges and that have different shapes now: the largest group keeps the name.
    fn split(&mut self, table: &NameTable) -> Result<Vec<&'a str>> {
        let mut by_name: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
        for (published, name) in &self.named {
            by_name.entry(name.clone()).or_default().push(published);
        }
        let mut open = Vec::new();
        for members in by_name.into_values().filter(|members| members.len() > 1) {
            let mut groups: Vec<Vec<&'a str>> = Vec::new();
            for member in members {
                match groups.iter_mut().find(|group| self.same(group[0], member)) {
                    Some(group) => group.push(member),
                    None => groups.push(vec![member]),
                }
            }
            groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
            open.extend(groups.into_iter().skip(1).flatten());
        }
        for published in &open {
            self.named.remove(published);
            let patterns = table.patterns()?;
            let (was, pattern) = patterns
                .iter()
                .find(|(_, pattern)| pattern.matches(published))
                .context("a component without a pattern was merged")?;
            let others = self.named.keys().filter(|other| pattern.matches(other)).map(|other| (*other).to_owned());
            let others = others.filter(|other| !open.contains(&other.as_str())).collect();
            let (published, was) = ((*published).to_owned(), (*was).to_owned());
            self.made.push(Proposal::Split { published, was, pattern: pattern.as_str().to_owned(), others });
        }
        Ok(open)
    }

    fn same(&self, one: &str, two: &str) -> bool {
        diff::same_shape((self.published, &self.schemas[one]), (self.published, &self.schemas[two]))
    }

    /// Whether a name is free, taken by the same shape, or by another.
    fn taken(&self, published: &str, name: &str) -> Option<bool> {
        let holder = self.named.iter().find(|(_, taken)| *taken == name)?.0;
        Some(self.same(holder, published))
    }

    /// The name of what has the same shape and ends alike: the same thing at another place.
    fn of_twin(&self, published: &str) -> Option<String> {
        let last = ending(published);
        let alike = self.named.iter().filter(|(other, _)| ending(other) == last);
        alike.into_iter().find(|(other, _)| self.same(other, published)).map(|(_, name)| name.clone())
    }

    /// Components that are gone and are there under another name: of the same shape, at a place where the other was, or called nearly
    /// alike. The likeliest pairs come first.
    fn renamed(&self, old: &Value, open: &[&'a str]) -> BTreeMap<&'a str, String> {
        let Ok(schemas) = document::schemas(old) else { return BTreeMap::new() };
        let gone = schemas.iter().filter(|(name, _)| !self.named.values().any(|known| known == *name));
        let places = self.places();
        let mut pairs = Vec::new();
        for (name, schema) in gone {
            let was_at = places_of(old, name);
            for published in open {
                let is_there = places.get(published).is_some_and(|now| now.iter().any(|place| was_at.contains(place)));
                let likeness = strsim::jaro_winkler(name, published);
                let may_be = is_there || likeness > 0.9;
                if may_be && diff::same_shape((old, schema), (self.published, &self.schemas[*published])) {
                    pairs.push((is_there, likeness, *published, name));
                }
            }
        }
        pairs.sort_by(|one, two| two.0.cmp(&one.0).then(two.1.total_cmp(&one.1)));
        let mut known: BTreeMap<&'a str, String> = BTreeMap::new();
        for (.., published, name) in pairs {
            if !known.contains_key(published) && !known.values().any(|taken| taken == name) {
                known.insert(published, name.clone());
            }
        }
        known
    }

    /// Where each component is referred to, components by the names that they have already.
    fn places(&self) -> BTreeMap<&'a str, BTreeSet<String>> {
        let mut places: BTreeMap<&'a str, BTreeSet<String>> = BTreeMap::new();
        references(self.published, "", &mut |pointer, target| {
            let own = pointer.strip_prefix("/components/schemas/").and_then(|rest| rest.split_once('/'));
            let named =
                own.and_then(|(owner, rest)| Some(format!("/components/schemas/{}/{rest}", self.named.get(owner)?)));
            places.entry(target).or_default().insert(named.unwrap_or_else(|| pointer.to_owned()));
        });
        places
    }

    fn decide(&mut self, published: &'a str) -> Result<()> {
        let mut candidates = candidates(published, &self.named);
        if objection(published).is_some() {
            candidates.splice(0..0, self.of_twin(published));
        }
        candidates.splice(0..0, self.known.get(published).cloned());
        let fits = |name: &&String| objection(name).is_none() && self.taken(published, name) != Some(false);
        let Some(name) = candidates.iter().find(fits).cloned() else {
            bail!("openapi/names.yaml: no name can be proposed for `{published}`; give it one under `rename`");
        };
        self.named.insert(published, name);
        Ok(())
    }

    /// What is merged consists of the same parts, so these get one name, too.
    fn merge_parts(&mut self, open: &[&'a str]) {
        loop {
            let mut groups: BTreeMap<&String, Vec<&'a str>> = BTreeMap::new();
            for (published, name) in &self.named {
                groups.entry(name).or_default().push(published);
            }
            let pairs = groups.values().flat_map(|group| group.iter().skip(1).map(|other| (group[0], *other)));
            let mut parts = Vec::new();
            for (one, two) in pairs {
                same_places(&self.schemas[one], &self.schemas[two], &mut parts);
            }
            let differ = |(one, two): &(&'a str, &'a str)| {
                (open.contains(one) || open.contains(two)) && self.named.get(one) != self.named.get(two)
            };
            let Some((one, two)) = parts.into_iter().find(differ) else { return };
            // What the table decides stays; of two that are open, the shorter name was decided first.
            let first = !open.contains(&one) || (open.contains(&two) && (one.len(), one) < (two.len(), two));
            let (from, to) = if first { (one, two) } else { (two, one) };
            let Some(name) = self.named.get(from).cloned() else { return };
            self.named.insert(to, name);
        }
    }

    /// Shapes that are equal by chance: merging them is for a person to decide.
    fn keep_twins_apart(&mut self, table: &NameTable) -> Result<()> {
        let rename = |(published, name): (&&str, &String)| (name.clone(), vec![(*published).to_owned()]);
        let mut merged: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, published) in self.named.iter().map(rename) {
            merged.entry(name).or_default().extend(published);
        }
        let decided = NameTable::renaming(merged);
        let (document, _) = import::canonicalise(self.published.clone(), &decided, Decisions::Optional)?;
        let mut shapes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, schema) in document::schemas(&document)? {
            let mut shape = schema.clone();
            shape.sort_all_objects();
            shapes.entry(shape.to_string()).or_default().insert(name.clone());
        }
        let twins = shapes.into_values().filter(|group| group.len() > 1 && !table.keeps_apart(group));
        self.made.extend(twins.map(|group| Proposal::Apart(group.into_iter().collect())));
        Ok(())
    }
}

/// Calls `visit` with the JSON pointer of every reference to a component, and the component.
fn references<'a>(value: &'a Value, pointer: &str, visit: &mut impl FnMut(&str, &'a str)) {
    if let Some(target) = document::referenced(value) {
        visit(pointer, target);
    }
    match value {
        Value::Object(object) => {
            object
                .iter()
                .for_each(|(key, inner)| references(inner, &format!("{pointer}/{}", document::escape(key)), visit));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, inner)| references(inner, &format!("{pointer}/{index}"), visit));
        }
        _ => {}
    }
}

/// The JSON pointers of the references to a component.
fn places_of(document: &Value, name: &str) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    references(document, "", &mut |pointer, target| {
        if target == name {
            places.insert(pointer.to_owned());
        }
    });
    places
}

/// The components that two schemas refer to at the same places.
fn same_places<'a>(one: &'a Value, two: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match (one, two) {
        (Value::Object(left), Value::Object(right)) => {
            if let (Some(one), Some(two)) = (document::referenced(one), document::referenced(two)) {
                found.push((one, two));
            }
            for (key, inner) in left {
                if let Some(other) = right.get(key) {
                    same_places(inner, other, found);
                }
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            left.iter().zip(right).for_each(|(one, two)| same_places(one, two, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn propose(names: &str, schemas: &str) -> Vec<Proposal> {
        let document = format!(
            "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{}}\ncomponents: {{schemas: {schemas}}}"
        );
        let old = document::parse(&document.replace("Person", "Contact")).unwrap();
        super::propose(&document::parse(&document).unwrap(), &NameTable::parse(names).unwrap(), &old).unwrap()
    }

    fn rename(published: &str, name: &str) -> Proposal {
        Proposal::Rename { published: published.into(), name: name.into() }
    }

    #[test]
    fn a_good_name_is_kept_and_an_entry_for_nothing_is_removed() {
        let made = propose("keep: [Gone]", "{Payment: {type: object, properties: {a: {type: string}}}}");
        assert_eq!(made, [Proposal::Remove("Gone".into()), Proposal::Keep("Payment".into())]);
    }

    #[test]
    fn what_is_only_called_otherwise_keeps_the_name_that_users_know() {
        let person = "Person: {type: object, properties: {email: {type: string}}}";
        let holder = "Holder: {type: object, properties: {who: {$ref: '#/components/schemas/Person'}}}";
        let made = propose("keep: [Contact, Holder]", &format!("{{{person}, {holder}}}"));
        assert_eq!(made, [Proposal::Remove("Contact".into()), rename("Person", "Contact")]);
        // Of the same shape by chance: nothing refers to it where the other was.
        let made = propose("keep: [Contact]", &format!("{{{person}}}"));
        assert_eq!(made, [Proposal::Remove("Contact".into()), Proposal::Keep("Person".into())]);
    }

    #[test]
    fn a_name_of_rust_s_is_not_taken() {
        assert_eq!(propose("keep: []", "{String: {type: object}}"), [rename("String", "StringModel")]);
    }

    #[test]
    fn a_part_is_called_after_what_it_is_a_part_of() {
        let names = "rename: {ValueType: [ValueModelContentValueTypesItems]}";
        let schemas = "{ValueModelContentValueTypesItems: {type: object, properties: {a: {type: integer}}}, ValueModelContentValueTypesItemsSourcesItems: {type: object, properties: {b: {type: string}}}}";
        let expected = [rename("ValueModelContentValueTypesItemsSourcesItems", "ValueTypeSource")];
        assert_eq!(propose(names, schemas), expected);
    }

    #[test]
    fn a_filter_is_called_so_and_a_known_enum_is_used_again() {
        let schemas = "{CreditsCurrenciesGetParametersStatus: {type: string, enum: [a, b]}, PaymentStatus: {type: string, enum: [c]}}";
        let made = propose("keep: [PaymentStatus]", schemas);
        assert_eq!(made, [rename("CreditsCurrenciesGetParametersStatus", "CreditCurrencyStatusFilter")]);
    }

    #[test]
    fn the_same_thing_at_another_place_gets_the_same_name() {
        let schemas = "{APricingInputItems: {type: string, enum: [a]}, BPricingInputItems: {type: string, enum: [a]}}";
        let made = propose("keep: []", schemas);
        assert_eq!(
            made,
            [rename("APricingInputItems", "APricingInput"), rename("BPricingInputItems", "APricingInput")]
        );
    }

    #[test]
    fn equal_shapes_stay_apart_until_a_person_merges_them() {
        let made = propose("keep: [A]", "{A: {type: string, enum: [a]}, B: {type: string, enum: [a]}}");
        assert_eq!(made, [Proposal::Keep("B".into()), Proposal::Apart(vec!["A".into(), "B".into()])]);
    }

    #[test]
    fn what_no_longer_has_the_shape_of_the_others_gets_a_name_of_its_own() {
        let names = "rename: {Tier: [OneTiersItems, TwoTiersItems, ThreeTiersItems]}";
        let schemas = "{OneTiersItems: {type: number, enum: [1]}, TwoTiersItems: {type: number, enum: [1]}, ThreeTiersItems: {type: integer, enum: [2]}}";
        let split = Proposal::Split {
            published: "ThreeTiersItems".into(),
            was: "Tier".into(),
            pattern: "ThreeTiersItems".into(),
            others: Vec::new(),
        };
        assert_eq!(propose(names, schemas), [split, rename("ThreeTiersItems", "ThreeTier")]);
    }
}
