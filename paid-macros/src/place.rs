//! Tokens of ours at places in the user's code: errors point there, and names mean what they mean in ours, also where the
//! code comes out of a `macro_rules!`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Path, Token};

/// A variable of ours at a place, with a name that no code of the user's has. It is the same variable at the same place only.
pub(crate) fn local(name: &str, place: Span) -> Ident {
    Ident::new(&format!("__paid_{name}"), place)
}

/// The path of the library at a place. It is written token by token, which costs less than to read its tokens back.
pub(crate) fn at(krate: &Path, place: Span) -> Path {
    let mut krate = krate.clone();
    if krate.leading_colon.is_some() {
        krate.leading_colon = Some(Token![::](place));
    }
    for segment in &mut krate.segments {
        segment.ident.set_span(place);
    }
    for pair in krate.segments.pairs_mut() {
        if let Some(colons) = pair.into_tuple().1 {
            *colons = Token![::](place);
        }
    }
    krate
}

/// A path, or other tokens that no variable of ours is among, at a place: an error points there, and not at the annotation,
/// if all tokens of the expression have the same span.
pub(crate) fn moved(tokens: &impl ToTokens, place: Span) -> TokenStream {
    let at_place = |mut token: TokenTree| {
        token.set_span(place);
        token
    };
    tokens.to_token_stream().into_iter().map(at_place).collect()
}
