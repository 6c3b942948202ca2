//! How the body becomes a value, as far as the signature's tokens tell. What they do not tell is decided by the type.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, Visibility};

use super::types::{argument_of, bare, is_evident, is_trait};
use super::{Function, Written};

/// How the body becomes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Sync,
    Async,
    /// Returns a future that is recognised as one.
    Future {
        /// Whether it is in a box.
        boxed: bool,
    },
}

pub(crate) fn shape(function: &Function) -> Shape {
    if function.signature.asyncness.is_some() {
        return Shape::Async;
    }
    match boxed_future(function) {
        Some(boxed) => Shape::Future { boxed },
        None => Shape::Sync,
    }
}

/// Whether the future that the return type is written as has to be in a box: there it may move.
pub(crate) fn boxed_future(function: &Function) -> Option<bool> {
    if !returns_a_future(function) {
        return None;
    }
    Some(match returned(function) {
        Some(Type::ImplTrait(opaque)) => opaque.bounds.iter().any(|bound| is_trait(bound, "Unpin")),
        _ => true,
    })
}

/// Whether the return type is written as a future.
pub(crate) fn returns_a_future(function: &Function) -> bool {
    match returned(function) {
        Some(Type::ImplTrait(opaque)) => opaque.bounds.iter().any(|bound| is_trait(bound, "Future")),
        Some(ty) => is_boxed_future(ty),
        None => false,
    }
}

/// The type that is written behind the arrow.
pub(crate) fn returned(function: &Function) -> Option<&Type> {
    match &function.signature.output {
        ReturnType::Type(_, ty) => Some(bare(ty)),
        ReturnType::Default => None,
    }
}

pub(crate) fn is_never(function: &Function) -> bool {
    matches!(returned(function), Some(Type::Never(_)))
}

/// `Pin<Box<dyn Future>>`, written out. Under another name, such as `BoxFuture`, it may be any type of the user's.
fn is_boxed_future(ty: &Type) -> bool {
    let held = argument_of(ty, "Pin").and_then(|inner| argument_of(inner, "Box"));
    let bounds = match held {
        Some(Type::TraitObject(object)) => &object.bounds,
        Some(Type::ImplTrait(opaque)) => &opaque.bounds,
        _ => return false,
    };
    bounds.iter().any(|bound| is_trait(bound, "Future"))
}

/// Whether the name is one that the `futures` crates give to a future in a box.
pub(crate) fn is_called_boxed_future(function: &Function) -> bool {
    let Some(Type::Path(path)) = returned(function) else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "BoxFuture" || last.ident == "LocalBoxFuture")
}

/// Whether the type may be a future in a box under another name.
pub(crate) fn may_hold_a_future(ty: &Type) -> bool {
    match bare(ty) {
        Type::Path(path) => {
            let plain = path.qself.is_none()
                && path.path.segments.last().is_some_and(|last| is_evident(&last.ident.to_string()));
            !plain
        }
        Type::Macro(_) => true,
        _ => false,
    }
}

/// Whether the type's head is written out, so that it is no `Result` whatever its parameters are: `Page<T>` is, and `T`,
/// `T::Out` and `Alias` are not.
pub(crate) fn head_is_written(ty: &Type, function: &Function) -> bool {
    match bare(ty) {
        Type::Path(path) if path.qself.is_none() => {
            let (Some(first), Some(last)) = (path.path.segments.first(), path.path.segments.last()) else {
                return false;
            };
            if path.path.is_ident("Self") {
                return self_is_a_type_of_the_users(function);
            }
            let of_a_parameter = path.path.segments.len() > 1
                && (function.written != Written::Item
                    || of_own_parameter(&path.path, function)
                    || is_a_type(&first.ident.to_string()));
            !of_a_parameter
                && (has_type_arguments(&last.arguments)
                    || path.path.is_ident(&last.ident) && is_evident(&last.ident.to_string()))
        }
        Type::ImplTrait(_) | Type::Array(_) | Type::Slice(_) => true,
        Type::Reference(reference) => head_is_written(&reference.elem, function),
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        _ => false,
    }
}

/// Whether this is a type parameter of the function's, or something of one.
pub(crate) fn of_own_parameter(path: &Path, function: &Function) -> bool {
    path.segments.first().is_some_and(|first| {
        first.arguments.is_empty() && function.signature.generics.type_params().any(|known| known.ident == first.ident)
    })
}

/// Modules begin with a lower-case letter.
fn is_a_type(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// Whether `Self` is a struct or an enum that the user declares: only their own methods have a visibility, and only a struct
/// is made by `Self { ... }` or `Self(...)`.
fn self_is_a_type_of_the_users(function: &Function) -> bool {
    !matches!(function.visibility, Visibility::Inherited) || makes_self(function.body.to_token_stream())
}

fn makes_self(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let made = tokens.windows(2).any(|window| match window {
        [TokenTree::Ident(name), TokenTree::Group(group)] => name == "Self" && group.delimiter() != Delimiter::Bracket,
        _ => false,
    });
    made || tokens.iter().any(|token| matches!(token, TokenTree::Group(group) if makes_self(group.stream())))
}

fn has_type_arguments(arguments: &PathArguments) -> bool {
    match arguments {
        PathArguments::AngleBracketed(list) => {
            list.args.iter().any(|argument| matches!(argument, GenericArgument::Type(_) | GenericArgument::Const(_)))
        }
        _ => false,
    }
}
