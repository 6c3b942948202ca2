//! Types that are not plain structs: ids, open enums, unions by tag, choices by key, scalars.

use heck::ToUpperCamelCase;
use quote::{format_ident, quote};

use super::{Target, docs, print};
use crate::facts::{ChoiceVariant, Type, UnionVariant};

/// An id type.
pub(crate) fn newtype(name: &str, doc: &str, target: Target) -> String {
    format!("{}::__string_newtype! {{\n{}{name}\n}}\n", target.root(), indent(&docs::comment(doc)))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect::<String>() + "    "
}

/// An enum that keeps values it does not know.
pub(crate) fn open_enum(name: &str, known: &Type, values: &[(String, Option<String>)], target: Target) -> String {
    let mut text = format!("{}::__open_enum! {{\n", target.root());
    for line in docs::comment(&docs::of_type(name, known)).lines() {
        text.push_str(&format!("    {line}\n"));
    }
    text.push_str(&format!("    {name} {{\n"));
    for (value, doc) in values {
        let doc = match doc {
            Some(prose) => format!("{} (`{value}`)", prose.trim_end_matches('.')),
            None => format!("`{value}` on the wire."),
        };
        for line in docs::comment(&doc).lines() {
            text.push_str(&format!("        {line}\n"));
        }
        text.push_str(&format!("        {} = {value:?},\n", value.to_upper_camel_case()));
    }
    text.push_str("    }\n}\n");
    text
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

/// The derive of a union or choice, which reads itself by hand; written only where it is sent.
fn writing_derive(known: &Type) -> proc_macro2::TokenStream {
    if known.sent {
        quote!(#[derive(Clone, Debug, Serialize)])
    } else {
        quote!(#[derive(Clone, Debug)] #[cfg_attr(feature = "full-serde", derive(Serialize))])
    }
}

/// An attribute for that derive.
fn writing_attribute(known: &Type, inner: &proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    if known.sent { quote!(#[serde(#inner)]) } else { quote!(#[cfg_attr(feature = "full-serde", serde(#inner))]) }
}

fn reading_gate(known: &Type) -> proc_macro2::TokenStream {
    if known.received { quote!() } else { quote!(#[cfg(feature = "full-serde")]) }
}

/// A union by the value of a tag; an unknown value is kept as JSON.
pub(crate) fn union(name: &str, known: &Type, tag: &str, variants: &[UnionVariant]) -> String {
    let doc = docs::attributes(&docs::of_type(name, known));
    let ident = format_ident!("{name}");
    let gate = reading_gate(known);
    let names: Vec<_> = variants.iter().map(|variant| format_ident!("{}", variant.name)).collect();
    let types: Vec<_> = variants.iter().map(|variant| format_ident!("{}", variant.type_name)).collect();
    let values: Vec<_> = variants.iter().map(|variant| &variant.value).collect();
    let variant_docs = values.iter().map(|value| docs::attributes(&format!("`{tag}` is `{value}`.")));
    let derive = writing_derive(known);
    let tagged = writing_attribute(known, &quote!(tag = #tag));
    let untagged = writing_attribute(known, &quote!(untagged));
    let renames = values.iter().map(|value| writing_attribute(known, &quote!(rename = #value)));
    let unknown = docs::attributes(&format!("A `{tag}` this version does not know, kept as it came."));
    let tokens = quote! {
        #doc
        #derive
        #[non_exhaustive]
        #tagged
        pub enum #ident {
            #(#variant_docs #renames #names(#types),)*
            #unknown
            #untagged
            Unknown(Value),
        }
        #(impl From<#types> for #ident {
            fn from(value: #types) -> Self {
                Self::#names(value)
            }
        })*
        #gate
        impl<'de> Deserialize<'de> for #ident {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(deserializer)?;
                match value.get(#tag).and_then(Value::as_str) {
                    #(Some(#values) => from_value(value).map(Self::#names).map_err(D::Error::custom),)*
                    _ => Ok(Self::Unknown(value)),
                }
            }
        }
    };
    print(tokens).unwrap_or_default()
}

/// A choice by which key is there; both at once is an error, neither is kept as JSON.
pub(crate) fn choice(name: &str, known: &Type, variants: &[ChoiceVariant]) -> String {
    let doc = docs::attributes(&docs::of_type(name, known));
    let ident = format_ident!("{name}");
    let gate = reading_gate(known);
    let names: Vec<_> = variants.iter().map(|variant| format_ident!("{}", variant.name)).collect();
    let types: Vec<_> = variants.iter().map(|variant| format_ident!("{}", variant.type_name)).collect();
    let keys: Vec<_> = variants.iter().map(|variant| &variant.key).collect();
    // Where two keys have one type, a conversion could not tell which is meant.
    let distinct = |ty: &&&ChoiceVariant| variants.iter().filter(|other| other.type_name == ty.type_name).count() == 1;
    let (from_types, from_names): (Vec<_>, Vec<_>) = variants
        .iter()
        .filter(|variant| distinct(&variant))
        .map(|variant| (format_ident!("{}", variant.type_name), format_ident!("{}", variant.name)))
        .unzip();
    let variant_docs = keys.iter().map(|key| docs::attributes(&format!("`{key}` on the wire.")));
    let derive = writing_derive(known);
    let untagged = writing_attribute(known, &quote!(untagged));
    let renames = keys.iter().map(|key| writing_attribute(known, &quote!(rename = #key)));
    let expected = format!("only one of {}", keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "));
    let tokens = quote! {
        #doc
        #derive
        #[non_exhaustive]
        pub enum #ident {
            #(#variant_docs #renames #names(#types),)*
            /// None of the keys this version knows: the object as it came.
            #untagged
            Unknown(JsonObject),
        }
        #(impl From<#from_types> for #ident {
            fn from(value: #from_types) -> Self {
                Self::#from_names(value)
            }
        })*
        #gate
        impl<'de> Deserialize<'de> for #ident {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut object = JsonObject::deserialize(deserializer)?;
                match [#(#keys),*].iter().filter(|key| object.contains_key(**key)).count() {
                    0 => return Ok(Self::Unknown(object)),
                    1 => {}
                    _ => return Err(D::Error::custom(concat!("expected ", #expected))),
                }
                #(if let Some(value) = object.remove(#keys) {
                    return from_value(value).map(Self::#names).map_err(D::Error::custom);
                })*
                Ok(Self::Unknown(object))
            }
        }
    };
    print(tokens).unwrap_or_default()
}

/// Scalars of several JSON types.
pub(crate) fn scalars(name: &str, known: &Type, kinds: &[String]) -> String {
    let doc = docs::attributes(&docs::of_type(name, known));
    let ident = format_ident!("{name}");
    let (mut names, mut types) = (Vec::new(), Vec::new());
    for kind in kinds {
        let (variant, inner) = match kind.as_str() {
            "number" => ("Number", quote!(f64)),
            "integer" => ("Integer", quote!(i64)),
            "boolean" => ("Boolean", quote!(bool)),
            _ => ("Text", quote!(String)),
        };
        names.push(format_ident!("{variant}"));
        types.push(inner);
    }
    let variant_docs = kinds.iter().map(|kind| docs::attributes(&format!("A {kind}.")));
    let derives = serde_derives(known);
    let tokens = quote! {
        #doc
        #derives
        #[non_exhaustive]
        #[serde(untagged)]
        pub enum #ident {
            #(#variant_docs #names(#types),)*
            /// A JSON value of another type, kept as it came.
            Unknown(Value),
        }
        #(impl From<#types> for #ident {
            fn from(value: #types) -> Self {
                Self::#names(value)
            }
        })*
    };
    print(tokens).unwrap_or_default()
}
