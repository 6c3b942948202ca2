//! Lifetimes in the types of a callable: those that every call has anew, and all others.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{BoundLifetimes, GenericArgument, GenericParam, Lifetime, PathArguments, Type, TypeParamBound};

use super::types::bare;

/// The names behind `for`.
pub(super) fn declared(lifetimes: &BoundLifetimes) -> Vec<Lifetime> {
    let name = |parameter: &GenericParam| match parameter {
        GenericParam::Lifetime(known) => Some(known.lifetime.clone()),
        _ => None,
    };
    lifetimes.lifetimes.iter().filter_map(name).collect()
}

/// Whether the type has a lifetime of each call: one without a name, or one of these. What a callable in it takes is its own.
pub(super) fn is_of_each_call(ty: &Type, names: &[Lifetime]) -> bool {
    let is_one = |lifetime: &Lifetime| lifetime.ident == "_" || names.contains(lifetime);
    match bare(ty) {
        Type::Reference(reference) => {
            reference.lifetime.as_ref().is_none_or(is_one) || is_of_each_call(&reference.elem, names)
        }
        Type::Path(path) => path.path.segments.iter().any(|segment| in_arguments(&segment.arguments, names)),
        Type::TraitObject(object) => object.bounds.iter().any(|bound| match bound {
            TypeParamBound::Lifetime(lifetime) => is_one(lifetime),
            TypeParamBound::Trait(bound) => {
                bound.path.segments.iter().any(|segment| in_arguments(&segment.arguments, names))
            }
            _ => false,
        }),
        Type::Slice(slice) => is_of_each_call(&slice.elem, names),
        Type::Array(array) => is_of_each_call(&array.elem, names),
        Type::Tuple(tuple) => tuple.elems.iter().any(|part| is_of_each_call(part, names)),
        Type::FnPtr(pointer) => mentions(pointer.to_token_stream(), names),
        other => mentions(other.to_token_stream(), names),
    }
}

fn in_arguments(arguments: &PathArguments, names: &[Lifetime]) -> bool {
    match arguments {
        PathArguments::None => false,
        PathArguments::Parenthesized(signature) => mentions(signature.to_token_stream(), names),
        PathArguments::AngleBracketed(list) => list.args.iter().any(|argument| match argument {
            GenericArgument::Lifetime(lifetime) => lifetime.ident == "_" || names.contains(lifetime),
            GenericArgument::Type(ty) => is_of_each_call(ty, names),
            GenericArgument::AssocType(assigned) => is_of_each_call(&assigned.ty, names),
            _ => false,
        }),
    }
}

/// Whether one of these names stands in the tokens.
fn mentions(tokens: TokenStream, names: &[Lifetime]) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let here = tokens.windows(2).any(|pair| match pair {
        [TokenTree::Punct(mark), TokenTree::Ident(name)] => {
            mark.as_char() == '\'' && names.iter().any(|known| known.ident == *name)
        }
        _ => false,
    });
    here || tokens.iter().any(|token| matches!(token, TokenTree::Group(group) if mentions(group.stream(), names)))
}

/// The tokens with `'_` in place of these names.
pub(super) fn without(names: &[Lifetime], tokens: TokenStream) -> TokenStream {
    let mut after_mark = false;
    tokens
        .into_iter()
        .map(|token| {
            let is_name = after_mark;
            after_mark = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '\'');
            match token {
                TokenTree::Ident(name) if is_name && names.iter().any(|known| known.ident == name) => {
                    TokenTree::Ident(proc_macro2::Ident::new("_", name.span()))
                }
                TokenTree::Group(group) => {
                    let mut inner = proc_macro2::Group::new(group.delimiter(), without(names, group.stream()));
                    inner.set_span(group.span());
                    TokenTree::Group(inner)
                }
                other => other,
            }
        })
        .collect()
}
