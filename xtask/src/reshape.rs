//! From progenitor's syn tree and the document's facts to the files of the client: one file and one cargo
//! feature a resource, what several share in files of their own. Pure: strings out, nothing written.

mod docs;
mod enums;
mod layout;
mod operations;
mod round_trip;
mod structs;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::facts::{Facts, Shape};
use crate::generate::Raw;

pub(crate) use layout::Target;

/// File name (below `src/`) to contents.
pub(crate) type Files = BTreeMap<String, String>;

/// One generated item and what it needs to be compiled.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Sorts the items of a file.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Makes every source file of the client.
pub(crate) fn reshape(raw: &Raw, facts: &Facts, target: Target) -> Result<Files> {
    let mut files = layout::Plan::new(facts, target);
    for (name, newtype) in &facts.newtypes {
        files.add_newtype(name, enums::newtype(name, &newtype.doc, target));
    }
    for (name, known) in &facts.types {
        let text = match &known.shape {
            Shape::Struct(fields) => {
                structs::structure(raw, facts, name, known, fields)? + &operations::page_of(facts, name, target)
            }
            Shape::Enum(values) => enums::open_enum(name, known, values, target),
            Shape::Union { tag, variants } => enums::union(name, known, tag, variants),
            Shape::Choice(variants) => enums::choice(name, known, variants),
            Shape::Scalars(kinds) => enums::scalars(name, known, kinds),
        };
        files.add_type(name, text);
    }
    for resource in &facts.resources {
        files.add_resource(resource, operations::resource(raw, facts, resource, target)?);
    }
    files.finish()
}

/// Makes the test that calls every operation with JSON and gives JSON back.
pub(crate) fn round_trip(facts: &Facts) -> Result<String> {
    round_trip::calls(facts)
}

/// The lines between the markers of the crate's feature list.
pub(crate) fn feature_list(facts: &Facts, defaults: &[String]) -> String {
    layout::feature_list(facts, defaults)
}

/// Prints items the way every generated file is printed.
pub(crate) fn print(tokens: proc_macro2::TokenStream) -> Result<String> {
    let shown = tokens.to_string();
    let file: syn::File = syn::parse2(tokens)
        .map_err(|error| anyhow::anyhow!("a pass made code that does not parse ({error}): {shown}"))?;
    Ok(prettyplease::unparse(&file))
}
