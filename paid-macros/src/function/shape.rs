//! How the body becomes a value, as far as the signature's tokens tell. What they do not tell is decided by the type.

use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, TypeParamBound};

use super::{Function, Written, mention};

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
    match returned(function) {
        Some(Type::ImplTrait(opaque)) if opaque.bounds.iter().any(|bound| is_trait(bound, "Future")) => {
            Shape::Future { boxed: false }
        }
        Some(Type::Path(path)) if is_boxed_future(&path.path) => Shape::Future { boxed: true },
        _ => Shape::Sync,
    }
}

/// The type that is written behind the arrow.
pub(crate) fn returned(function: &Function) -> Option<&Type> {
    match &function.signature.output {
        ReturnType::Type(_, ty) => Some(bare(ty)),
        ReturnType::Default => None,
    }
}

/// Without parentheses, and without the group that a fragment of `macro_rules!` makes.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

pub(crate) fn is_never(function: &Function) -> bool {
    matches!(returned(function), Some(Type::Never(_)))
}

pub(crate) fn is_trait(bound: &TypeParamBound, name: &str) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == name))
}

fn is_boxed_future(path: &Path) -> bool {
    let Some(last) = path.segments.last() else { return false };
    if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
        return !last.arguments.is_empty();
    }
    last.ident == "Pin" && mention(last.arguments.to_token_stream(), "Future").is_some()
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

/// Names of the standard library's that nobody gives to a boxed future.
pub(crate) fn is_evident(name: &str) -> bool {
    const NAMES: [&str; 20] = [
        "Result", "Option", "Vec", "String", "Box", "Arc", "Rc", "Poll", "bool", "char", "u8", "u16", "u32", "u64",
        "usize", "i32", "i64", "f64", "HashMap", "BTreeMap",
    ];
    NAMES.contains(&name)
}

/// Whether the type's head is written out, so that it is no `Result` whatever its parameters are: `Page<T>` is, and `T`,
/// `T::Out` and `Alias` are not.
pub(crate) fn head_is_written(ty: &Type, function: &Function) -> bool {
    match bare(ty) {
        Type::Path(path) if path.qself.is_none() => {
            let (Some(first), Some(last)) = (path.path.segments.first(), path.path.segments.last()) else {
                return false;
            };
            let of_a_parameter = path.path.segments.len() > 1
                && (function.written != Written::Item
                    || first.ident == "Self"
                    || function.signature.generics.type_params().any(|known| known.ident == first.ident));
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

fn has_type_arguments(arguments: &PathArguments) -> bool {
    match arguments {
        PathArguments::AngleBracketed(list) => {
            list.args.iter().any(|argument| matches!(argument, GenericArgument::Type(_) | GenericArgument::Const(_)))
        }
        _ => false,
    }
}

/// What a reference in the signature refers to, if its head is not written out.
pub(crate) fn hidden_behind_a_reference(ty: &Type, function: &Function) -> bool {
    matches!(bare(ty), Type::Reference(reference) if matches!(bare(&reference.elem), Type::Path(_)) && !head_is_written(&reference.elem, function))
}
