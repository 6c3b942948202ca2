//! `#[derive(SignalValue)]`: an enum whose variants are the words of a field, as serde writes them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Path, Variant};

use crate::diagnostics::Errors;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let krate = library(&item.attrs, &mut errors);
    let words = words(&item, &mut errors);
    let DeriveInput { ident, generics, .. } = &item;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let errors = errors.into_tokens();
    quote! {
        #errors
        #[automatically_derived]
        impl #impl_generics #krate::signal::value::Text for #ident #ty_generics #where_clause {}
        #[automatically_derived]
        impl #impl_generics #krate::signal::value::Words for #ident #ty_generics #where_clause {
            const WORDS: &'static [&'static str] = &[#(#words),*];
        }
    }
}

/// `#[paid(crate = path)]`.
fn library(attributes: &[Attribute], errors: &mut Errors) -> Path {
    let mut krate = crate::library::path();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("paid")) {
        let read = attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("`#[paid(...)]` on a value has only `crate = path`"));
            }
            krate = meta.value()?.call(Path::parse_mod_style)?;
            Ok(())
        });
        if let Err(error) = read {
            errors.push(error);
        }
    }
    krate
}

fn words(item: &DeriveInput, errors: &mut Errors) -> Vec<String> {
    let Data::Enum(data) = &item.data else {
        errors.at(&item.ident, "only an enum has words: `SignalValue` takes an enum whose variants have no fields");
        return Vec::new();
    };
    let mut case = Case::Pascal;
    serde(&item.attrs, errors, |meta| {
        if meta.path.is_ident("rename_all") {
            if let Some(name) = serialized_name(meta)? {
                case = Case::find(&name)?;
            }
            return Ok(());
        }
        for changes_the_form in ["untagged", "tag", "content", "into", "transparent"] {
            if meta.path.is_ident(changes_the_form) {
                return Err(meta.error("with this, serde does not write the variant's name; implement `Words` by hand"));
            }
        }
        skip(meta)
    });
    let words = data.variants.iter().filter_map(|variant| word(variant, case, errors));
    words.collect()
}

/// The word of a variant; `None` if it is never written.
fn word(variant: &Variant, case: Case, errors: &mut Errors) -> Option<String> {
    let (mut renamed, mut skipped) = (None, false);
    serde(&variant.attrs, errors, |meta| {
        if meta.path.is_ident("rename") {
            renamed = serialized_name(meta)?.or(renamed.take());
            return Ok(());
        }
        skipped |= meta.path.is_ident("skip") || meta.path.is_ident("skip_serializing");
        skip(meta)
    });
    if !matches!(variant.fields, Fields::Unit) {
        errors.at(&variant.fields, "a variant with fields is not written as one word; remove its fields");
    }
    let own = variant.ident.unraw().to_string();
    (!skipped).then(|| renamed.map_or_else(|| case.apply(&own), |name| name.value()))
}

/// Reads what serde is told; what is wrong with it, serde says.
fn serde(attributes: &[Attribute], errors: &mut Errors, mut read: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        if let Err(error) = attribute.parse_nested_meta(|meta| read(&meta)) {
            errors.push(error);
        }
    }
}

/// `= "name"`, or what `serialize` says in parentheses.
fn serialized_name(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<LitStr>> {
    if meta.input.peek(syn::Token![=]) {
        return meta.value()?.parse().map(Some);
    }
    let mut name = None;
    meta.parse_nested_meta(|inner| {
        let value: LitStr = inner.value()?.parse()?;
        if inner.path.is_ident("serialize") {
            name = Some(value);
        }
        Ok(())
    })?;
    Ok(name)
}

/// Passes over a key that does not change what is written.
fn skip(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(syn::Token![=]) {
        let _: syn::Expr = meta.value()?.parse()?;
    } else if meta.input.peek(syn::token::Paren) {
        let _: proc_macro2::Group = meta.input.parse()?;
    }
    Ok(())
}

/// How serde writes the names of variants: letter by letter, so that `HTTPCall` becomes `h_t_t_p_call`.
#[derive(Clone, Copy)]
enum Case {
    Pascal,
    Lower,
    Upper,
    Camel,
    /// Words in lower case, joined by this.
    Joined(char),
    /// The same in upper case.
    JoinedUpper(char),
}

impl Case {
    fn find(name: &LitStr) -> syn::Result<Self> {
        Ok(match name.value().as_str() {
            "PascalCase" => Self::Pascal,
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "camelCase" => Self::Camel,
            "snake_case" => Self::Joined('_'),
            "kebab-case" => Self::Joined('-'),
            "SCREAMING_SNAKE_CASE" => Self::JoinedUpper('_'),
            "SCREAMING-KEBAB-CASE" => Self::JoinedUpper('-'),
            _ => return Err(syn::Error::new_spanned(name, "serde has no such case")),
        })
    }

    fn apply(self, name: &str) -> String {
        match self {
            Self::Pascal => name.to_owned(),
            Self::Lower => name.to_ascii_lowercase(),
            Self::Upper => name.to_ascii_uppercase(),
            Self::Camel => {
                let mut letters = name.chars();
                let first = letters.next().map(|first| first.to_ascii_lowercase());
                first.into_iter().chain(letters).collect()
            }
            Self::Joined(between) => {
                let mut joined = String::new();
                for (at, letter) in name.char_indices() {
                    if at > 0 && letter.is_uppercase() {
                        joined.push(between);
                    }
                    joined.push(letter.to_ascii_lowercase());
                }
                joined
            }
            Self::JoinedUpper(between) => Self::Joined(between).apply(name).to_ascii_uppercase(),
        }
    }
}
