//! Fields of Rust enums: their variants are compared with the words that the catalogue allows, both ways.

use paid_catalog::Literal;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::GenericParam;

use super::check::span_of;
use super::input::{Container, Field, Use};
use crate::function::mention;
use crate::place::moved;
use crate::rules::Event;

/// Constants that do not compile if an enum and the catalogue differ. A field whose type depends on a parameter is not checked.
pub(crate) fn checks(container: &Container<'_>, events: &[&Event<'_>]) -> TokenStream {
    let shapes = container.shapes.iter().zip(events);
    let fields = shapes.flat_map(|(shape, event)| shape.fields.iter().map(move |field| (field, event)));
    let data = fields.filter(|(field, _)| field.purpose == Use::Data && !depends_on_a_parameter(container, field));
    data.map(|(field, event)| check(container, field, event)).collect()
}

fn depends_on_a_parameter(container: &Container<'_>, field: &Field<'_>) -> bool {
    container.generics.params.iter().any(|parameter| {
        let name = match parameter {
            GenericParam::Lifetime(lifetime) => &lifetime.lifetime.ident,
            GenericParam::Type(ty) => &ty.ident,
            GenericParam::Const(constant) => &constant.ident,
        };
        mention(field.ty.to_token_stream(), &name.to_string()).is_some()
    })
}

fn check(container: &Container<'_>, field: &Field<'_>, event: &Event<'_>) -> TokenStream {
    let name = field.name(container.rename_all);
    let values = event.values(&name);
    if values.is_empty() {
        return TokenStream::new();
    }
    let (span, ty, shown) = (span_of(field.ty), field.ty, event.shown());
    let krate = moved(&container.krate, span);
    let private = quote_spanned!(span=> #krate::__private);
    let allowed = values.iter().map(|value| match value {
        Literal::Text(text) => text.clone(),
        other => other.to_string(),
    });
    let allowed: Vec<_> = allowed.collect();
    let made = values.iter().zip(&allowed).map(|(value, word)| {
        let message = format!("{shown} allows {value} for `{name}`, which no variant of this type makes");
        quote_spanned!(span=> assert!(#private::has_word(WORDS, #word), #message);)
    });
    let lacks =
        format!("`, which a variant of this type makes for `{name}`, is not among the values that {shown} allows");
    let variants = quote_spanned! {span=>
        if let ::core::option::Option::Some(word) = #private::word_beyond(WORDS, &[#(#allowed),*]) {
            panic!("{}", #private::Message::of(&["`", word, #lacks]).as_str());
        }
    };
    quote_spanned! {span=>
        const _: () = {
            #[allow(unused_imports)]
            use #private::Unspoken as _;
            const WORDS: ::core::option::Option<&'static [&'static str]> = <#private::Spoken<#ty>>::WORDS;
            #(const _: () = #made)*
            const _: () = { #variants };
        };
    }
}
