//! The order in which parameters are dropped: the last one first, as without the macro. What a closure or future captures is
//! dropped in the order in which it is mentioned there.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, Pat, PatIdent, ReceiverKind, Signature, Type};

use super::{Function, Written, may_mention};

/// A statement at the start of the body that mentions the parameters that it uses, the last one first, if several of them are
/// dropped. One that it does not use stays outside, so that the compiler says so, and is dropped after the others.
pub(super) fn mentioned(function: &Function) -> Option<TokenStream> {
    if function.written != Written::Item {
        return None;
    }
    let mut names: Vec<TokenStream> = Vec::new();
    for input in &function.signature.inputs {
        match input {
            FnArg::Receiver(receiver) if !matches!(receiver.kind, ReceiverKind::Reference(..)) => {
                names.push(receiver.self_token.to_token_stream());
            }
            FnArg::Typed(argument) if is_dropped(&argument.ty) => bound(&argument.pat, &mut names),
            _ => {}
        }
    }
    let is_used = |name: &TokenStream| may_mention(function.body.to_token_stream(), &name.to_string()).is_some();
    names.retain(|name| name.to_string().starts_with("__paid_unnamed") || is_used(name));
    if names.len() < 2 {
        return None;
    }
    let names = names.iter().rev();
    Some(quote!(let _ = (#(&#names),*);))
}

/// Gives names to parameters without one if several are dropped: else the body could not get them.
pub(super) fn name_all(signature: &mut Signature) {
    let is_dropped = |input: &FnArg| match input {
        FnArg::Receiver(receiver) => !matches!(receiver.kind, ReceiverKind::Reference(..)),
        FnArg::Typed(argument) => is_dropped(&argument.ty),
    };
    if signature.inputs.iter().filter(|input| is_dropped(input)).count() < 2 {
        return;
    }
    for (index, input) in signature.inputs.iter_mut().enumerate() {
        let FnArg::Typed(argument) = input else { continue };
        if let Pat::Wild(unnamed) = &*argument.pat {
            let span = unnamed.span().resolved_at(Span::mixed_site());
            let ident: Ident = format_ident!("__paid_unnamed{index}", span = span);
            let named = PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident, subpat: None };
            *argument.pat = Pat::Ident(named);
        }
    }
}

/// The variables of a pattern that own what they are bound to.
fn bound(pattern: &Pat, names: &mut Vec<TokenStream>) {
    match pattern {
        Pat::Ident(variable) if variable.by_ref.is_none() => names.push(variable.ident.to_token_stream()),
        Pat::Paren(inner) => bound(&inner.pat, names),
        Pat::Tuple(parts) => parts.elems.iter().for_each(|part| bound(part, names)),
        Pat::TupleStruct(parts) => parts.elems.iter().for_each(|part| bound(part, names)),
        Pat::Struct(parts) => parts.fields.iter().for_each(|field| bound(&field.pat, names)),
        _ => {}
    }
}

/// Whether a value of this type may do anything when it is dropped.
fn is_dropped(ty: &Type) -> bool {
    const PLAIN: [&str; 16] = [
        "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "isize", "f32", "f64",
        "String",
    ];
    match ty {
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) => false,
        Type::Path(path) => !path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)),
        _ => true,
    }
}
