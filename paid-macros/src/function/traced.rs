//! How `#[paid::trace]` and `#[paid::signal]` meet on one function, whatever they are called there. A signal belongs into
//! the scope, so it expands first. Where `trace` expands first, it leaves in the body what it was given, and `signal` puts
//! it back: the function as it was, with `trace` behind it.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Path, Token};

use super::Function;

const MARK: &str = "__paid_traced";

/// What is left in the body of a traced function, if another attribute may be one of ours. The compiler drops it.
pub(crate) fn mark(krate: &Path, arguments: &TokenStream, function: &Function) -> Option<TokenStream> {
    if function.attributes.iter().all(is_inert) {
        return None;
    }
    let (mark, body) = (Ident::new(MARK, Span::call_site()), &function.body);
    Some(quote!(#[cfg(any())] #mark! { (#krate) (#arguments) #body }))
}

/// The body before `trace` expanded; the attribute goes behind the others.
pub(super) fn untraced(body: TokenTree, attributes: &mut Vec<Attribute>) -> TokenTree {
    let TokenTree::Group(group) = &body else { return body };
    let Ok((krate, arguments, original)) = read.parse2(group.stream()) else { return body };
    attributes.push(syn::parse_quote!(#[#krate::trace(#arguments)]));
    original
}

fn read(input: ParseStream<'_>) -> syn::Result<(TokenStream, TokenStream, TokenTree)> {
    input.call(Attribute::parse_outer)?;
    let mark: Ident = input.parse()?;
    if mark != MARK {
        return Err(syn::Error::new(mark.span(), "another macro"));
    }
    input.parse::<Token![!]>()?;
    let left: Group = input.parse()?;
    input.parse::<TokenStream>()?;
    let inside = |input: ParseStream<'_>| {
        let (krate, arguments): (Group, Group) = (input.parse()?, input.parse()?);
        Ok((krate.stream(), arguments.stream(), input.parse()?))
    };
    inside.parse2(left.stream())
}

/// Whether an attribute is one of the compiler's own, which changes nothing in the body.
fn is_inert(attribute: &Attribute) -> bool {
    const INERT: [&str; 16] = [
        "doc",
        "allow",
        "expect",
        "warn",
        "deny",
        "forbid",
        "inline",
        "cold",
        "must_use",
        "track_caller",
        "deprecated",
        "cfg",
        "no_mangle",
        "export_name",
        "target_feature",
        "test",
    ];
    let path = attribute.path();
    INERT.iter().any(|name| path.is_ident(name)) || path.segments.len() > 1 && tool(path)
}

fn tool(path: &Path) -> bool {
    let first = path.segments.first().map(|first| first.ident.to_token_stream().to_string());
    matches!(first.as_deref(), Some("rustfmt" | "clippy" | "rust_analyzer" | "diagnostic"))
}
