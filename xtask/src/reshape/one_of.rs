//! Unions whose branches are told apart by what can be seen of a value: its JSON type, its keys, the values of some.

use anyhow::{Context, Result};
use proc_macro2::TokenStream;
use quote::quote;

use super::docs;
use super::enums::{reading_gate, writing_attribute, writing_derive};
use super::structs::{boxed, short_type};
use super::syntax::{items, rust_name};
use crate::facts::{Branch, Facts, Rule, Type};
use crate::generate::Raw;

/// A union; a value of no branch is kept as JSON.
pub(crate) fn union(raw: &Raw, facts: &Facts, name: &str, known: &Type, branches: &[Branch]) -> Result<Vec<syn::Item>> {
    let doc = docs::attributes(&docs::of_type(name, known));
    let ident = rust_name(name)?;
    let gate = reading_gate(known);
    let (mut contents, mut arms, mut types) = (TokenStream::new(), TokenStream::new(), Vec::new());
    for (at, branch) in branches.iter().enumerate() {
        let within = || format!("branch `{}`", branch.name);
        let variant = rust_name(&branch.name).with_context(within)?;
        let inner = short_type(raw, &branch.value.schema).with_context(within)?;
        let is_boxed = boxed(facts, name, &branch.value);
        let held = if is_boxed { quote!(Box<#inner>) } else { quote!(#inner) };
        let text = docs::attributes(&docs::of_branch(branch));
        let at = proc_macro2::Literal::usize_unsuffixed(at);
        contents.extend(quote!(#text #variant(#held),));
        arms.extend(quote!(Some(#at) => from_value(value).map(Self::#variant).map_err(DeserializeError::custom),));
        types.push((inner, is_boxed, variant));
    }
    let same = |ty: &syn::Type| types.iter().filter(|(other, ..)| other == ty).count();
    let conversions = types.iter().filter(|(ty, ..)| same(ty) == 1).map(|(ty, is_boxed, variant)| {
        let value = if *is_boxed { quote!(Box::new(value)) } else { quote!(value) };
        quote! {
            impl From<#ty> for #ident {
                fn from(value: #ty) -> Self {
                    Self::#variant(#value)
                }
            }
        }
    });
    let derive = writing_derive(known);
    let untagged = writing_attribute(known, &quote!(untagged));
    let rules = branches.iter().map(|branch| rule(&branch.rule));
    items(quote! {
        #doc
        #derive
        #[non_exhaustive]
        #untagged
        pub enum #ident {
            #contents
            /// A value of another form, kept unchanged.
            Unknown(Value),
        }
        #(#conversions)*
        #gate
        impl<'de> Deserialize<'de> for #ident {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(deserializer)?;
                match branch(&value, &[#(#rules),*]) {
                    #arms
                    _ => Ok(Self::Unknown(value)),
                }
            }
        }
    })
}

/// As the runtime reads it: JSON type, then keys with their types and values.
fn rule(rule: &Rule) -> TokenStream {
    let is = &rule.is;
    let keys = rule.keys.iter().map(|(key, kinds, values)| quote!((#key, &[#(#kinds),*], &[#(#values),*])));
    quote!((#is, &[#(#keys),*]))
}
