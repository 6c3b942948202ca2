//! Types that are not plain structs: ids, open enums, unions by tag, choices by key, scalars.

use anyhow::{Result, bail};
use quote::quote;

use super::syntax::{items, rust_name};
use super::{Target, docs};
use crate::facts::{ChoiceVariant, Code, EnumValue, Facts, Newtype, Type, UnionVariant};

/// An id type.
pub(crate) fn newtype(name: &str, known: &Newtype, target: Target) -> Result<Vec<syn::Item>> {
    let (root, ident, doc) = (target.root()?, rust_name(name)?, docs::attributes(&known.doc));
    let kind = rust_name(if known.opaque { "__opaque_newtype" } else { "__string_newtype" })?;
    items(quote! {
        #doc
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct #ident(Cow<'static, str>);
        #root::#kind!(#ident);
    })
}

/// An enum that keeps values it does not know.
pub(crate) fn open_enum(name: &str, known: &Type, values: &[EnumValue], target: Target) -> Result<Vec<syn::Item>> {
    let (root, ident, doc) = (target.root()?, rust_name(name)?, docs::attributes(&docs::of_type(name, known)));
    let names = idents(values.iter().map(|value| &value.name))?;
    let texts = values.iter().map(|value| &value.value);
    let variant_docs = values.iter().map(|value| docs::attributes(&docs::of_value(value)));
    items(quote! {
        #doc
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #ident {
            #(#variant_docs #names,)*
            /// A value that this version does not know, kept unchanged.
            Unknown(String),
        }
        #root::__open_enum!(#ident { #(#names = #texts),* });
    })
}

fn idents(names: impl Iterator<Item = impl AsRef<str>>) -> Result<Vec<syn::Ident>> {
    names.map(|name| rust_name(name.as_ref())).collect()
}

/// An enum of whole numbers that keeps those that it does not know.
pub(crate) fn codes(name: &str, known: &Type, codes: &[Code], target: Target) -> Result<Vec<syn::Item>> {
    let (root, ident, doc) = (target.root()?, rust_name(name)?, docs::attributes(&docs::of_type(name, known)));
    let names = idents(codes.iter().map(|code| &code.name))?;
    let values: Vec<_> = codes.iter().map(|code| proc_macro2::Literal::i64_unsuffixed(code.value)).collect();
    let variant_docs = codes.iter().map(|code| docs::attributes(&format!("The value `{}`.", code.value)));
    items(quote! {
        #doc
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #ident {
            #(#variant_docs #names,)*
            /// A value that this version does not know, kept unchanged.
            Unknown(i64),
        }
        #root::__open_codes!(#ident { #(#names = #values),* });
    })
}

/// Which of serde's traits a type gets: what the API needs of it, the rest with feature `full-serde`.
pub(crate) fn serde_derives(known: &Type) -> proc_macro2::TokenStream {
    match (known.sent, known.received) {
        (true, true) => quote!(#[derive(Clone, Debug, Deserialize, Serialize)]),
        (true, false) => {
            quote!(#[derive(Clone, Debug, Serialize)] #[cfg_attr(feature = "full-serde", derive(Deserialize))])
        }
        _ => quote!(#[derive(Clone, Debug, Deserialize)] #[cfg_attr(feature = "full-serde", derive(Serialize))]),
    }
}

/// The derive of a type that does not derive how it is read.
pub(crate) fn writing_derive(known: &Type) -> proc_macro2::TokenStream {
    if known.sent {
        quote!(#[derive(Clone, Debug, Serialize)])
    } else {
        quote!(#[derive(Clone, Debug)] #[cfg_attr(feature = "full-serde", derive(Serialize))])
    }
}

/// An attribute for that derive.
pub(crate) fn writing_attribute(known: &Type, inner: &proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    if known.sent { quote!(#[serde(#inner)]) } else { quote!(#[cfg_attr(feature = "full-serde", serde(#inner))]) }
}

/// An attribute for reading, which is a feature of what is only sent.
pub(crate) fn reading_attribute(known: &Type, inner: &proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    if known.received { quote!(#[serde(#inner)]) } else { quote!(#[cfg_attr(feature = "full-serde", serde(#inner))]) }
}

pub(crate) fn reading_gate(known: &Type) -> proc_macro2::TokenStream {
    if known.received { quote!() } else { quote!(#[cfg(feature = "full-serde")]) }
}

/// A union by the value of a tag; an unknown value is kept as JSON. A branch that is only its tag is a plain variant.
pub(crate) fn union(
    facts: &Facts,
    name: &str,
    known: &Type,
    tag: &str,
    variants: &[UnionVariant],
) -> Result<Vec<syn::Item>> {
    let doc = docs::attributes(&docs::of_type(name, known));
    let ident = rust_name(name)?;
    let gate = reading_gate(known);
    let names = idents(variants.iter().map(|variant| &variant.name))?;
    let values: Vec<_> = variants.iter().map(|variant| &variant.value).collect();
    let (mut contents, mut arms, mut conversions) = (Vec::new(), Vec::new(), Vec::new());
    for (variant, name) in variants.iter().zip(&names) {
        let value = &variant.value;
        let Some(type_name) = &variant.type_name else {
            contents.push(quote!());
            arms.push(quote!(Some(#value) => Ok(Self::#name),));
            continue;
        };
        let ty = rust_name(type_name)?;
        contents.push(quote!((#ty)));
        arms.push(quote!(Some(#value) => from_value(value).map(Self::#name).map_err(DeserializeError::custom),));
        conversions.push(quote! {
            impl From<#ty> for #ident {
                fn from(value: #ty) -> Self {
                    Self::#name(value)
                }
            }
        });
    }
    let variant_docs = variants.iter().map(|variant| {
        let of_branch = variant.type_name.as_ref().and_then(|name| facts.types.get(name));
        docs::attributes(&docs::of_variant(tag, &variant.value, of_branch))
    });
    let derive = writing_derive(known);
    let tagged = writing_attribute(known, &quote!(tag = #tag));
    let untagged = writing_attribute(known, &quote!(untagged));
    let renames = values.iter().map(|value| writing_attribute(known, &quote!(rename = #value)));
    let unknown = docs::attributes(&format!("A `{tag}` that this version does not know, kept unchanged."));
    items(quote! {
        #doc
        #derive
        #[non_exhaustive]
        #tagged
        pub enum #ident {
            #(#variant_docs #renames #names #contents,)*
            #unknown
            #untagged
            Unknown(Value),
        }
        #(#conversions)*
        #gate
        impl<'de> Deserialize<'de> for #ident {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(deserializer)?;
                match value.get(#tag).and_then(Value::as_str) {
                    #(#arms)*
                    _ => Ok(Self::Unknown(value)),
                }
            }
        }
    })
}

/// A choice by which key is there; both at once is an error, neither is kept as JSON.
pub(crate) fn choice(name: &str, known: &Type, variants: &[ChoiceVariant]) -> Result<Vec<syn::Item>> {
    let doc = docs::attributes(&docs::of_type(name, known));
    let ident = rust_name(name)?;
    let gate = reading_gate(known);
    let names = idents(variants.iter().map(|variant| &variant.name))?;
    let types = idents(variants.iter().map(|variant| &variant.type_name))?;
    let keys: Vec<_> = variants.iter().map(|variant| &variant.key).collect();
    // Where two keys have one type, a conversion could not tell which is meant.
    let distinct = |ty: &&ChoiceVariant| variants.iter().filter(|other| other.type_name == ty.type_name).count() == 1;
    let from_types = idents(variants.iter().filter(distinct).map(|variant| &variant.type_name))?;
    let from_names = idents(variants.iter().filter(distinct).map(|variant| &variant.name))?;
    let variant_docs = keys.iter().map(|key| docs::attributes(&docs::of_key(key)));
    let derive = writing_derive(known);
    let untagged = writing_attribute(known, &quote!(untagged));
    let renames = keys.iter().map(|key| writing_attribute(known, &quote!(rename = #key)));
    items(quote! {
        #doc
        #derive
        #[non_exhaustive]
        pub enum #ident {
            #(#variant_docs #renames #names(#types),)*
            /// An object without any of these keys, kept unchanged.
            #untagged
            Unknown(JsonObject),
        }
        #(impl From<#from_types> for #ident {
            fn from(value: #from_types) -> Self {
                Self::#from_names(value)
            }
        })*
        #gate
        impl Choice for #ident {
            const KEYS: &'static [&'static str] = &[#(#keys),*];
            fn of(key: &str, value: Value) -> Result<Self, JsonError> {
                match key {
                    #(#keys => from_value(value).map(Self::#names),)*
                    _ => Ok(Self::Unknown(JsonObject::from_iter([(key.to_owned(), value)]))),
                }
            }
            fn unknown(object: JsonObject) -> Self {
                Self::Unknown(object)
            }
        }
        #gate
        impl<'de> Deserialize<'de> for #ident {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                choice(deserializer)
            }
        }
    })
}

/// Scalars of several JSON types.
pub(crate) fn scalars(name: &str, known: &Type, kinds: &[String]) -> Result<Vec<syn::Item>> {
    let doc = docs::attributes(&docs::of_type(name, known));
    let ident = rust_name(name)?;
    let (mut names, mut types) = (Vec::new(), Vec::new());
    for kind in kinds {
        let (variant, inner) = match kind.as_str() {
            "number" => ("Number", quote!(f64)),
            "integer" => ("Integer", quote!(i64)),
            "boolean" => ("Boolean", quote!(bool)),
            "string" => ("Text", quote!(String)),
            other => bail!("a scalar of type `{other}` is not mapped"),
        };
        names.push(rust_name(variant)?);
        types.push(inner);
    }
    let variant_docs = kinds.iter().map(|kind| docs::attributes(&format!("A JSON {kind}.")));
    let derives = serde_derives(known);
    items(quote! {
        #doc
        #derives
        #[non_exhaustive]
        #[serde(untagged)]
        pub enum #ident {
            #(#variant_docs #names(#types),)*
            /// A JSON value of another type, kept unchanged.
            Unknown(Value),
        }
        #(impl From<#types> for #ident {
            fn from(value: #types) -> Self {
                Self::#names(value)
            }
        })*
    })
}
