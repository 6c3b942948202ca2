//! Finds the names that syntax trees mention, which decides what a file imports.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Attribute, Meta, Token};

/// Reading what is only sent, and writing what is only received, is this feature.
const FULL_SERDE: &str = "full-serde";

/// The names that items mention.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    /// In code that is always compiled.
    pub(crate) always: BTreeSet<String>,
    /// Only in code behind the feature `full-serde`.
    pub(crate) with_full_serde: BTreeSet<String>,
}

/// Walks the items.
pub(crate) fn mentions<'a>(items: impl Iterator<Item = &'a syn::Item>) -> Result<Mentions> {
    let mut walk = Walk { found: Mentions::default(), gated: false, problem: None };
    for item in items {
        walk.visit_item(item);
    }
    if let Some(problem) = walk.problem {
        return Err(problem);
    }
    let mut found = walk.found;
    found.with_full_serde = found.with_full_serde.difference(&found.always).cloned().collect();
    Ok(found)
}

struct Walk {
    found: Mentions,
    gated: bool,
    problem: Option<anyhow::Error>,
}

impl Walk {
    fn name(&mut self, name: String) {
        let names = if self.gated { &mut self.found.with_full_serde } else { &mut self.found.always };
        names.insert(name);
    }

    fn behind_the_feature(&mut self, gated: bool, walk: impl FnOnce(&mut Self)) {
        let before = self.gated;
        self.gated |= gated;
        walk(self);
        self.gated = before;
    }

    fn meta(&mut self, meta: &Meta) -> Result<()> {
        let Meta::List(list) = meta else { return Ok(()) };
        if list.path.is_ident("derive") {
            let derives = list.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
            for path in derives.context("a `derive` that lists no paths")? {
                self.visit_path(&path);
            }
        } else if list.path.is_ident("serde") {
            self.serde(list)?;
        } else if list.path.is_ident("cfg_attr") {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let parts = parts.context("a `cfg_attr` that does not parse")?;
            let gated = parts.first().is_some_and(is_full_serde);
            let mut outcome = Ok(());
            self.behind_the_feature(gated, |walk| {
                outcome = parts.iter().skip(1).try_for_each(|part| walk.meta(part));
            });
            outcome?;
        }
        Ok(())
    }

    /// serde names functions in strings.
    fn serde(&mut self, list: &syn::MetaList) -> Result<()> {
        let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        for part in parts.context("a `serde` attribute that does not parse")? {
            let Meta::NameValue(pair) = &part else { continue };
            let names_a_function = ["with", "deserialize_with", "serialize_with", "skip_serializing_if", "default"]
                .iter()
                .any(|key| pair.path.is_ident(key));
            if let (true, syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) =
                (names_a_function, &pair.value)
            {
                let path: syn::Path = text.parse().with_context(|| format!("{:?} is not a path", text.value()))?;
                self.visit_path(&path);
            }
        }
        Ok(())
    }

    fn keep(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.problem.get_or_insert(error);
        }
    }
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let gated = attributes(item).iter().any(is_gate);
        self.behind_the_feature(gated, |walk| syn::visit::visit_item(walk, item));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (None, Some(first)) = (path.leading_colon, path.segments.first()) {
            self.name(first.ident.to_string());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let outcome = self.meta(&attribute.meta);
        self.keep(outcome);
    }

    /// The runtime's macros take type names outside of groups; a group lists variants and values.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        for name in outer_names(call.tokens.clone()) {
            self.name(name);
        }
    }
}

fn outer_names(tokens: TokenStream) -> impl Iterator<Item = String> {
    tokens.into_iter().filter_map(|token| match token {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    })
}

fn is_gate(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<Meta>().is_ok_and(|meta| is_full_serde(&meta))
}

fn is_full_serde(meta: &Meta) -> bool {
    matches!(
        meta,
        Meta::NameValue(syn::MetaNameValue { path, value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }), .. })
            if path.is_ident("feature") && name.value() == FULL_SERDE
    )
}

fn attributes(item: &syn::Item) -> &[Attribute] {
    match item {
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::super::syntax::items;
    use super::*;

    fn of(tokens: TokenStream) -> (Vec<String>, Vec<String>) {
        let items = items(tokens).unwrap();
        let found = mentions(items.iter()).unwrap();
        (found.always.into_iter().collect(), found.with_full_serde.into_iter().collect())
    }

    #[test]
    fn text_and_names_of_fields_are_not_mentions() {
        let (always, gated) = of(quote! {
            /// Patch and Value are words here.
            pub struct A { pub method: u8 }
            impl A { pub fn f(&self) -> u8 { self.method.call("Value") } }
        });
        assert_eq!((always, gated), (vec!["A".into(), "self".into(), "u8".into()], vec![]));
    }

    #[test]
    fn derives_macros_and_functions_that_serde_is_told_of_are_mentions() {
        let (always, gated) = of(quote! {
            #[derive(Clone)]
            #[cfg_attr(feature = "full-serde", derive(Serialize))]
            pub struct A { #[serde(deserialize_with = "integer", skip_serializing_if = "Patch::is_leave")] pub a: i64 }
            crate::__page!(B, C, pagination);
            crate::__open_enum!(D { Variant = "x" });
            #[cfg(feature = "full-serde")]
            impl E for A { fn f() -> Value { Clone::clone() } }
        });
        assert_eq!(always, ["B", "C", "Clone", "D", "Patch", "crate", "i64", "integer", "pagination"]);
        assert_eq!(gated, ["A", "E", "Serialize", "Value"]);
    }

    #[test]
    fn an_attribute_that_does_not_parse_is_an_error() {
        let items = items(quote!(
            #[derive(3)]
            pub struct A;
        ))
        .unwrap();
        assert!(mentions(items.iter()).is_err());
    }
}
