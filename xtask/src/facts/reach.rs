//! Which resources need a type, and whether it is sent, received or both.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::{Newtype, Resource, Shape, Type};

/// Follows every operation's types to the end.
pub(super) fn mark(
    types: &mut BTreeMap<String, Type>,
    newtypes: &mut BTreeMap<String, Newtype>,
    resources: &[Resource],
) -> Result<()> {
    for resource in resources {
        let mut reach = |name: &str, sent: bool| reach(types, newtypes, name, &resource.feature, sent);
        for operation in &resource.operations {
            for field in operation.path_parameters.iter().chain(&operation.query) {
                for name in &field.mentions {
                    reach(name, true)?;
                }
            }
            for (name, sent) in [(&operation.body, true), (&operation.answer, false)] {
                if let Some(name) = name {
                    reach(name, sent)?;
                }
            }
        }
    }
    Ok(())
}

fn reach(
    types: &mut BTreeMap<String, Type>,
    newtypes: &mut BTreeMap<String, Newtype>,
    name: &str,
    feature: &str,
    sent: bool,
) -> Result<()> {
    if name == "String" {
        return Ok(());
    }
    if let Some(newtype) = newtypes.get_mut(name) {
        newtype.reached_by.insert(feature.to_owned());
        return Ok(());
    }
    let Some(known) = types.get_mut(name) else {
        bail!("`{name}` is neither a component nor declared under `x-rust-newtypes` in openapi/overlay.yaml");
    };
    let new = known.reached_by.insert(feature.to_owned()) | (if sent { !known.sent } else { !known.received });
    if !new {
        return Ok(());
    }
    known.sent |= sent;
    known.received |= !sent;
    for inner in known.shape.mentions() {
        reach(types, newtypes, &inner, feature, sent)?;
    }
    Ok(())
}

impl Shape {
    fn mentions(&self) -> Vec<String> {
        match self {
            Self::Enum(_) | Self::Scalars(_) => Vec::new(),
            Self::Union { variants, .. } => variants.iter().map(|variant| variant.type_name.clone()).collect(),
            Self::Choice(variants) => variants.iter().map(|variant| variant.type_name.clone()).collect(),
            Self::Struct(fields) => fields.iter().flat_map(|field| field.mentions.iter().cloned()).collect(),
        }
    }
}
