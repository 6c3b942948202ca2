//! What a return type hides. A value of a type parameter, or behind `impl Trait`, may be a `Result`, on its own or in what
//! holds it; what a callable returns comes later.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{
    BoundLifetimes, GenericArgument, GenericParam, Lifetime, Path, PathArguments, ReturnType, Token, Type, TypeParam,
    TypeParamBound, WherePredicate,
};

use super::lifetimes::declared;
use super::shape::{of_own_parameter, returned};
use super::types::{bare, is_called_like_a_parameter, is_evident, is_trait};
use super::{Function, mention};

/// What the return type hides.
#[derive(Default)]
pub(crate) struct Unseen<'a> {
    /// Parts of which the tokens say that nobody can know what they are.
    pub(crate) parts: Vec<TokenStream>,
    /// Types in pointers and the like of which the compiler has to say whether they can be seen.
    pub(super) held: Vec<&'a Type>,
    /// What callables return.
    pub(super) called: Vec<Returned<'a>>,
    /// Types that may be other names of the parameters between their angles.
    pub(super) named: Vec<&'a Type>,
    /// The same for parameters with bounds, which nothing can stand in for.
    pub(super) named_by_bounds: Vec<(&'a Type, Ident)>,
    /// Whether the return type may be another name of something of a parameter, with bounds or of the `impl` around.
    pub(super) may_be_work: bool,
}

/// What a callable returns.
pub(super) struct Returned<'a> {
    pub(super) ty: &'a Type,
    /// Those of each call that have names.
    pub(super) of_each_call: Vec<Lifetime>,
}

pub(crate) fn unseen(function: &Function) -> Unseen<'_> {
    let mut unseen = Unseen::default();
    if let Some(ty) = returned(function) {
        unseen.look(ty, function, false);
    }
    unseen
}

impl<'a> Unseen<'a> {
    fn look(&mut self, ty: &'a Type, function: &Function, held: bool) {
        match bare(ty) {
            Type::Reference(reference) => self.look(&reference.elem, function, true),
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|part| self.look(part, function, true)),
            Type::ImplTrait(opaque) => self.opaque(ty, &opaque.bounds, !may_be_a_result(&opaque.bounds)),
            Type::TraitObject(object) => self.opaque(ty, &object.bounds, !is_a_result_as_an_object(&object.bounds)),
            Type::FnPtr(pointer) => self.called.extend(output(&pointer.output, pointer.lifetimes.as_ref())),
            Type::Path(path) if path.qself.is_none() => self.path(ty, &path.path, function, held),
            Type::Path(_) if held => self.held.push(ty),
            _ => {}
        }
    }

    fn path(&mut self, ty: &'a Type, path: &'a Path, function: &Function, held: bool) {
        let Some(last) = path.segments.last() else { return };
        if of_own_parameter(path, function) {
            return self.parts.push(ty.to_token_stream());
        }
        let PathArguments::AngleBracketed(list) = &last.arguments else {
            if held && !is_evident(&last.ident.to_string()) {
                self.held.push(ty);
            }
            return;
        };
        let types = list.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(inner) => Some(inner),
            _ => None,
        });
        if holds_one(&last.ident.to_string()) {
            types.for_each(|inner| self.look(inner, function, true));
        } else if last.ident != "Result" {
            let mentioned = mentioned_parameters(path, function);
            if mentioned.iter().any(|known| is_free(known, function)) {
                self.named.push(ty);
            }
            let may_be_other_name = !is_evident(&last.ident.to_string());
            let bound = mentioned.iter().filter(|known| may_be_other_name && !is_free(known, function));
            self.named_by_bounds.extend(bound.map(|known| (ty, known.ident.clone())));
            self.may_be_work |= !held
                && (mentioned.iter().any(|known| !is_free(known, function))
                    || mentions_what_is_called_like_a_parameter(path.to_token_stream(), function));
        }
    }

    fn opaque(&mut self, ty: &'a Type, bounds: &'a Punctuated<TypeParamBound, Token![+]>, is_seen: bool) {
        if !is_seen {
            return self.parts.push(ty.to_token_stream());
        }
        self.called.extend(bounds.iter().filter_map(called));
    }
}

/// The function's parameters that are between the angles.
fn mentioned_parameters<'a>(path: &Path, function: &'a Function) -> Vec<&'a TypeParam> {
    let written = path.to_token_stream();
    let is_there = |known: &&TypeParam| mention(written.clone(), &known.ident.to_string()).is_some();
    function.signature.generics.type_params().filter(is_there).collect()
}

fn mentions_what_is_called_like_a_parameter(tokens: TokenStream, function: &Function) -> bool {
    let is_own = |name: &Ident| {
        function.signature.generics.params.iter().any(|known| match known {
            GenericParam::Type(known) => known.ident == *name,
            GenericParam::Const(known) => known.ident == *name,
            GenericParam::Lifetime(_) => false,
        })
    };
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(name) => is_called_like_a_parameter(&name) && !is_own(&name),
        TokenTree::Group(group) => mentions_what_is_called_like_a_parameter(group.stream(), function),
        _ => false,
    })
}

/// Whether any type at all may stand for the parameter.
fn is_free(parameter: &TypeParam, function: &Function) -> bool {
    const TRAITS: [&str; 12] =
        ["Debug", "Clone", "Copy", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Default", "Send", "Sync", "Unpin"];
    let name = parameter.ident.to_string();
    let predicates = function.signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let is_bound = |predicate: &WherePredicate| match predicate {
        WherePredicate::Type(bounds) => mention(bounds.bounded_ty.to_token_stream(), &name).is_some(),
        _ => false,
    };
    !predicates.into_iter().any(is_bound)
        && parameter.bounds.iter().all(|bound| match bound {
            TypeParamBound::Lifetime(lifetime) => lifetime.ident == "static",
            bound => TRAITS.iter().any(|name| is_trait(bound, name)),
        })
}

/// The type with the library's stand-in for each of the function's parameters that may be any type.
pub(super) fn supposed(krate: &Path, tokens: TokenStream, function: &Function) -> TokenStream {
    let of_own = |name: &Ident| {
        function.signature.generics.type_params().any(|known| known.ident == *name && is_free(known, function))
    };
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(name) if of_own(&name) => quote!(#krate::__private::Parameter),
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), supposed(krate, group.stream(), function));
                inner.set_span(group.span());
                TokenTree::Group(inner).into()
            }
            other => other.into(),
        })
        .collect()
}

/// The standard library's types of one value, which decides. A `Result` decides itself, and a
/// collection of a parameter's values is a success, as it is for a `Vec<Option<_>>`.
fn holds_one(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "Option",
        "Box",
        "Arc",
        "Rc",
        "Poll",
        "Pin",
        "Cow",
        "MutexGuard",
        "RwLockReadGuard",
        "RwLockWriteGuard",
        "Ref",
        "RefMut",
    ];
    NAMES.contains(&name)
}

/// Whether a `Result` may have these bounds: none of them is one that it never has.
fn may_be_a_result(bounds: &Punctuated<TypeParamBound, Token![+]>) -> bool {
    const NEVER: [&str; 23] = [
        "Iterator",
        "DoubleEndedIterator",
        "ExactSizeIterator",
        "FusedIterator",
        "Fn",
        "FnMut",
        "FnOnce",
        "AsyncFn",
        "AsyncFnMut",
        "AsyncFnOnce",
        "Future",
        "Stream",
        "Sink",
        "Display",
        "ToString",
        "Error",
        "Read",
        "BufRead",
        "Write",
        "Seek",
        "AsyncRead",
        "AsyncWrite",
        "Deref",
    ];
    !bounds.iter().any(|bound| NEVER.iter().any(|name| is_trait(bound, name)))
}

/// Whether these are traits that a `Result` has. Few give it a trait of their own.
fn is_a_result_as_an_object(bounds: &Punctuated<TypeParamBound, Token![+]>) -> bool {
    bounds.iter().any(|bound| is_trait(bound, "Debug") || is_trait(bound, "Any"))
}

/// What a callable of this bound returns.
fn called(bound: &TypeParamBound) -> Option<Returned<'_>> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    match &bound.path.segments.last()?.arguments {
        PathArguments::Parenthesized(signature) => output(&signature.output, bound.lifetimes.as_ref()),
        _ => None,
    }
}

fn output<'a>(output: &'a ReturnType, lifetimes: Option<&BoundLifetimes>) -> Option<Returned<'a>> {
    match output {
        ReturnType::Type(_, ty) if !is_plain(ty) => {
            Some(Returned { ty, of_each_call: lifetimes.map(declared).unwrap_or_default() })
        }
        _ => None,
    }
}

fn is_plain(ty: &Type) -> bool {
    match bare(ty) {
        Type::Path(path) => path.path.get_ident().is_some_and(|name| is_evident(&name.to_string())),
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Never(_) | Type::ImplTrait(_) => true,
        _ => false,
    }
}
