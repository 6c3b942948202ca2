//! Which resources need a type, and whether it is sent, received or both.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::{Newtype, Resource, Shape, Type};

/// The features that need an item: by feature, whether only its experimental operations do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reach(BTreeMap<String, bool>);

impl Reach {
    /// Returns whether that says something new.
    pub(crate) fn insert(&mut self, feature: &str, experimental: bool) -> bool {
        match self.0.get_mut(feature) {
            Some(only) if *only && !experimental => std::mem::replace(only, false),
            Some(_) => false,
            None => self.0.insert(feature.to_owned(), experimental).is_none(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The feature, if it is one alone.
    pub(crate) fn only(&self) -> Option<&str> {
        self.0.keys().next().filter(|_| self.0.len() == 1).map(String::as_str)
    }

    /// Whether nothing needs it but experimental operations.
    pub(crate) fn is_experimental(&self) -> bool {
        self.0.values().all(|experimental| *experimental)
    }

    /// The features, each with whether only its experimental operations need the item.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|(feature, experimental)| (feature.as_str(), *experimental))
    }
}

/// Follows every operation's types to the end.
pub(super) fn mark(
    types: &mut BTreeMap<String, Type>,
    newtypes: &mut BTreeMap<String, Newtype>,
    resources: &[Resource],
) -> Result<()> {
    for resource in resources {
        for operation in &resource.operations {
            let from = From { feature: &resource.feature, experimental: operation.is_experimental() };
            let mut reach = |name: &str, sent: bool| reach(types, newtypes, name, from, sent);
            let headers = operation.headers.iter().map(|(_, field)| field);
            for field in operation.path_parameters.iter().chain(&operation.query).chain(headers) {
                for name in &field.mentions {
                    reach(name, true)?;
                }
            }
            for (payload, sent) in [(&operation.body, true), (&operation.answer, false)] {
                for name in payload.iter().flat_map(|payload| &payload.value.mentions) {
                    reach(name, sent)?;
                }
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct From<'a> {
    feature: &'a str,
    experimental: bool,
}

fn reach(
    types: &mut BTreeMap<String, Type>,
    newtypes: &mut BTreeMap<String, Newtype>,
    name: &str,
    from: From<'_>,
    sent: bool,
) -> Result<()> {
    let mut names = vec![name.to_owned()];
    while let Some(name) = names.pop() {
        if name == "String" {
            continue;
        }
        if let Some(newtype) = newtypes.get_mut(&name) {
            newtype.reached_by.insert(from.feature, from.experimental);
            continue;
        }
        let Some(known) = types.get_mut(&name) else {
            bail!("`{name}` is neither a component nor declared under `x-rust-newtypes` in openapi/overlay.yaml");
        };
        let new = known.reached_by.insert(from.feature, from.experimental)
            | (if sent { !known.sent } else { !known.received });
        if new {
            known.sent |= sent;
            known.received |= !sent;
            names.extend(known.shape.mentions());
        }
    }
    Ok(())
}

impl Shape {
    fn mentions(&self) -> Vec<String> {
        match self {
            Self::Enum(_) | Self::Scalars(_) | Self::Codes(_) => Vec::new(),
            Self::OneOf(branches) => branches.iter().flat_map(|branch| branch.value.mentions.iter().cloned()).collect(),
            Self::Union { variants, .. } => variants.iter().filter_map(|variant| variant.type_name.clone()).collect(),
            Self::Choice(variants) => variants.iter().map(|variant| variant.type_name.clone()).collect(),
            Self::Struct(fields) => fields.iter().flat_map(|field| field.mentions.iter().cloned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stable_operation_needs_is_not_experimental() {
        let mut reach = Reach::default();
        assert!(reach.insert("views", true) && !reach.insert("views", true) && reach.is_experimental());
        assert!(reach.insert("views", false) && !reach.insert("views", true) && !reach.is_experimental());
        assert_eq!(reach.only(), Some("views"));
        assert!(reach.insert("analytics", true));
        assert_eq!(reach.only(), None);
        assert_eq!(reach.iter().collect::<Vec<_>>(), [("analytics", true), ("views", false)]);
    }
}
