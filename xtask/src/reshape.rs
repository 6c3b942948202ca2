//! From progenitor's syn tree and the document's facts to the files of the client: one file and one cargo
//! feature a resource, what several share in files of their own. Items are syntax trees until `syntax` prints
//! them, once. Pure: strings out, nothing written.

mod docs;
mod encodings;
mod enums;
mod foreign_calls;
mod imports;
mod layout;
mod left_out;
mod one_of;
mod operations;
mod paging;
mod round_trip;
mod structs;
mod syntax;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::facts::{Facts, Shape, Type};
use crate::generate::Raw;

pub(crate) use layout::Target;

/// File name (below `src/`) to contents.
pub(crate) type Files = BTreeMap<String, String>;

/// A named item with its impls.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// The name that other files import.
    pub(crate) name: String,
    pub(crate) items: Vec<syn::Item>,
}

/// Makes every source file of the client.
pub(crate) fn reshape(raw: &Raw, facts: &Facts, target: Target) -> Result<Files> {
    let mut files = layout::Plan::new(facts, target);
    for (name, newtype) in &facts.newtypes {
        let items = enums::newtype(name, newtype, target).with_context(|| format!("id type `{name}`"))?;
        files.add_newtype(Chunk { name: name.clone(), items })?;
    }
    for (name, known) in &facts.types {
        let items = type_items(raw, facts, name, known, target).with_context(|| format!("type `{name}`"))?;
        files.add_type(Chunk { name: name.clone(), items })?;
    }
    for resource in &facts.resources {
        let chunks = operations::resource(raw, facts, resource, target)
            .with_context(|| format!("resource `{}`", resource.feature))?;
        files.add_resource(resource, chunks)?;
    }
    files.finish()
}

fn type_items(raw: &Raw, facts: &Facts, name: &str, known: &Type, target: Target) -> Result<Vec<syn::Item>> {
    match &known.shape {
        Shape::Struct(fields) => {
            let mut items = structs::structure(raw, facts, name, known, fields, target)?;
            items.extend(paging::page_of(facts, name, &target.root()?)?);
            Ok(items)
        }
        Shape::Enum(values) => enums::open_enum(name, known, values, target),
        Shape::Union { tag, variants } => enums::union(facts, name, known, tag, variants),
        Shape::Choice(variants) => enums::choice(name, known, variants),
        Shape::Scalars(kinds) => enums::scalars(name, known, kinds),
        Shape::Codes(codes) => enums::codes(name, known, codes, target),
        Shape::OneOf(branches) => one_of::union(raw, facts, name, known, branches),
    }
}

/// Makes the test that calls every operation with JSON and gives JSON back.
pub(crate) fn round_trip(facts: &Facts) -> Result<String> {
    round_trip::calls(facts)
}

/// The same for a crate of another document.
pub(crate) fn foreign_round_trip(raw: &Raw, facts: &Facts) -> Result<String> {
    foreign_calls::calls(raw, facts)
}

/// The lines between the markers of the library's feature list.
pub(crate) fn feature_list(facts: &Facts, defaults: &[String], files: &Files) -> String {
    layout::feature_list(facts, defaults, &encodings::needed_by(facts, files))
}

/// The features of a crate of its own, which has all of the library that it needs.
pub(crate) fn own_feature_list(facts: &Facts, defaults: &[String]) -> String {
    layout::feature_list(facts, defaults, &BTreeSet::new())
}

#[cfg(test)]
mod tests;
