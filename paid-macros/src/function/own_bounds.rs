//! What the signature says of one of its type parameters.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Type, TypeParamBound, WherePredicate};

/// The bounds of a parameter of the function's, wherever they stand; `None` if they speak of another parameter or of a
/// lifetime.
pub(super) fn bounds_of(name: &Ident, generics: &Generics) -> Option<TokenStream> {
    let inline = generics.type_params().filter(|known| known.ident == *name).flat_map(|known| &known.bounds);
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let behind = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(bounds) if bounds.lifetimes.is_none() && is_named(&bounds.bounded_ty, name) => {
            Some(&bounds.bounds)
        }
        _ => None,
    });
    let bounds: Vec<&TypeParamBound> = inline.chain(behind.flatten()).collect();
    let speaks_of_others = |bound: &&TypeParamBound| {
        matches!(bound, TypeParamBound::Lifetime(lifetime) if lifetime.ident != "static")
            || generics.type_params().any(|known| has(bound.to_token_stream(), &known.ident))
    };
    (!bounds.iter().any(speaks_of_others)).then(|| quote!(#(#bounds)+*))
}

fn is_named(ty: &Type, name: &Ident) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(name))
}

fn has(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == *name,
        TokenTree::Group(group) => has(group.stream(), name),
        _ => false,
    })
}
