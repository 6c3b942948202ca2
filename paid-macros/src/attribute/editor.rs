//! What an editor needs and a build does not: each written key, and each field of the data, becomes a path to an item that
//! exists, so that the editor completes it and shows its meaning.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::input::{Arguments, SETTINGS};
use crate::catalog::in_editor;
use crate::roles::{Macro, Role};
use crate::rules::Event;

/// The items, if an editor expands the macro.
pub(super) fn completion(arguments: &Arguments, event: Option<&Event<'_>>) -> TokenStream {
    if in_editor() { all(arguments, event) } else { TokenStream::new() }
}

fn all(arguments: &Arguments, event: Option<&Event<'_>>) -> TokenStream {
    let fields: Vec<_> = arguments.data.iter().flat_map(|(_, fields)| fields).map(|field| field.key.clone()).collect();
    let keys = items("__paid_keys", &keys(), &arguments.keys);
    let fields = items("__paid_fields", &event.map(Event::pages_of_fields).unwrap_or_default(), &fields);
    quote!(#keys #fields)
}

/// The keys of the annotation, with their meaning.
fn keys() -> Vec<(&'static str, String)> {
    let roles = Role::of(Macro::Signal).map(|role| (role.key(), role.facts().doc.to_owned()));
    roles.chain(SETTINGS.iter().map(|(key, _, doc)| (*key, (*doc).to_owned()))).collect()
}

/// A module with an item for each name, and a path for each word that was written.
fn items(module: &str, known: &[(&str, String)], written: &[Ident]) -> TokenStream {
    if known.is_empty() || written.is_empty() {
        return TokenStream::new();
    }
    let module = Ident::new(module, Span::call_site());
    // A name that is no identifier, or a keyword such as `crate`, cannot be one of an item.
    let known = known.iter().filter_map(|(name, doc)| {
        let name: Ident = syn::parse_str(name).ok()?;
        Some(quote!(#[doc = #doc] pub struct #name;))
    });
    let written = written.iter().filter(|word| syn::parse_str::<Ident>(&word.to_string()).is_ok());
    quote! {
        const _: () = {
            #[allow(non_camel_case_types, dead_code)]
            mod #module { #(#known)* }
            #(#[allow(unused_imports)] use #module::#written as _;)*
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Errors;

    #[test]
    fn an_editor_finds_every_key_with_its_meaning() {
        let arguments = Arguments::parse(quote!("x", cust = 1, crate = paid), &mut Errors::default());
        let shown = all(&arguments, None).to_string();
        for (key, doc) in Role::of(Macro::Signal).map(|role| (role.key(), role.facts().doc)) {
            assert!(shown.contains(&format!("# [doc = {doc:?}] pub struct {key} ;")), "{key}\n{shown}");
        }
        for (key, ..) in SETTINGS.iter().filter(|(key, ..)| *key != "crate") {
            assert!(shown.contains(&format!("pub struct {key} ;")), "{key}\n{shown}");
        }
        assert!(shown.contains("use __paid_keys :: cust as _ ;"), "{shown}");
        assert!(!shown.contains("__paid_keys :: crate"), "{shown}");
    }

    #[test]
    fn an_editor_finds_every_field_of_the_catalogue() {
        let known = [("lead_id", "an id".to_owned()), ("not an identifier", String::new()), ("type", String::new())];
        let written = [Ident::new("lea", Span::call_site()), Ident::new_raw("type", Span::call_site())];
        let shown = items("__paid_fields", &known, &written).to_string();
        assert!(shown.contains("mod __paid_fields { # [doc = \"an id\"] pub struct lead_id ; }"), "{shown}");
        assert!(shown.contains("use __paid_fields :: lea as _ ;"), "{shown}");
    }
}
