//! Types and bounds by their tokens.

use proc_macro2::Ident;
use syn::{GenericArgument, PathArguments, Type, TypeParamBound};

/// Without parentheses, and without the group that a fragment of `macro_rules!` makes.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

pub(crate) fn is_trait(bound: &TypeParamBound, name: &str) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == name))
}

/// The type between the angles of a path that ends in this name.
pub(crate) fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(list) = &last.arguments else { return None };
    list.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(bare(inner)),
        _ => None,
    })
}

/// Names of the standard library's that nobody gives to a boxed future.
pub(crate) fn is_evident(name: &str) -> bool {
    const NAMES: [&str; 20] = [
        "Result", "Option", "Vec", "String", "Box", "Arc", "Rc", "Poll", "bool", "char", "u8", "u16", "u32", "u64",
        "usize", "i32", "i64", "f64", "HashMap", "BTreeMap",
    ];
    NAMES.contains(&name)
}

/// `T`, `T1`: it may be a parameter of the `impl` around.
pub(crate) fn is_called_like_a_parameter(name: &Ident) -> bool {
    let name = name.to_string();
    name == "Self" || !name.contains(char::is_lowercase)
}
