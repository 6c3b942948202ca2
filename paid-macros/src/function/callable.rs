//! A function of its own whose bounds promise a callable: what a closure takes that is returned as `impl Fn(&str) -> &str`.
//! Items do not see the parameters of what is around them, so types become parameters of the function's. Lifetimes that belong
//! to each call stay where they are.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, BoundLifetimes, GenericArgument, Generics, Lifetime, ParenthesizedGenericArguments,
    Path, PathArguments, ReturnType, Token, TraitBound, Type, TypeParamBound, TypePath, TypeReference,
};

use super::lifetimes::{declared, is_of_each_call};
use super::own_bounds::bounds_of;
use super::types::{bare, is_called_like_a_parameter};

/// What the body stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Closure,
    AsyncBlock,
}

/// `content` where this bound is expected of it; `None` where the bound cannot be said outside the function.
pub(super) fn callable_from(
    generics: &Generics,
    bound: &TraitBound,
    within: Within,
    content: &TokenStream,
) -> Option<TokenStream> {
    let last = bound.path.segments.last()?;
    let PathArguments::Parenthesized(signature) = &last.arguments else { return None };
    let mut types = Types::new(generics, bound.lifetimes.as_ref());
    let signature = types.signature(signature)?;
    let Types { lifetimes, parameters, arguments, .. } = types;
    let (of_each_call, name) = (&bound.lifetimes, Ident::new(&last.ident.to_string(), Span::call_site()));
    let [expected, callable, body, value] =
        ["expected", "Callable", "Body", "value"].map(|name| Ident::new(&format!("__paid_{name}"), Span::mixed_site()));
    let lifetimes = lifetimes.iter().map(|(_, lifetime)| lifetime);
    let bounds = quote!(#(#lifetimes,)* #(#parameters,)* #callable: #of_each_call ::core::ops::#name #signature);
    Some(match within {
        Within::Closure => quote! {{
            #[allow(non_camel_case_types)]
            fn #expected<#bounds, #body: ::core::ops::FnOnce() -> #callable>(#value: #body) -> #callable {
                #value()
            }
            #expected::<#(#arguments,)* _, _>(#content)
        }},
        Within::AsyncBlock => quote! {{
            #[allow(non_camel_case_types)]
            fn #expected<#bounds>(#value: #callable) -> #callable {
                #value
            }
            #expected::<#(#arguments,)* _>(#content)
        }},
    })
}

struct Types<'a> {
    generics: &'a Generics,
    /// Those of each call that have names.
    of_each_call: Vec<Lifetime>,
    /// Those of the user's that are not: as they were written, and as parameters.
    lifetimes: Vec<(Lifetime, Lifetime)>,
    parameters: Vec<TokenStream>,
    arguments: Vec<TokenStream>,
}

/// Where a type stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On its own: it has a size.
    Alone,
    /// Behind a reference: it need not have one.
    Behind,
    /// Between the angles of a type, which may ask for a bound.
    Argument,
    /// Between the angles of a type that asks for none.
    Held,
}

impl<'a> Types<'a> {
    fn new(generics: &'a Generics, of_each_call: Option<&BoundLifetimes>) -> Self {
        let of_each_call = of_each_call.map(declared).unwrap_or_default();
        Self { generics, of_each_call, lifetimes: Vec::new(), parameters: Vec::new(), arguments: Vec::new() }
    }

    fn signature(&mut self, signature: &ParenthesizedGenericArguments) -> Option<TokenStream> {
        let inputs = signature.inputs.iter().map(|input| self.of(&input.ty, Place::Alone));
        let inputs = inputs.collect::<Option<Vec<_>>>()?;
        let returns = match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => {
                let output = self.of(ty, Place::Alone)?;
                Some(quote!(-> #output))
            }
        };
        Some(quote!((#(#inputs),*) #returns))
    }

    /// The type with its inner types as parameters.
    fn of(&mut self, ty: &Type, place: Place) -> Option<TokenStream> {
        let ty = bare(ty);
        match ty {
            Type::ImplTrait(_) => return None,
            // Without a lifetime, it has that of the reference.
            Type::TraitObject(object) if place == Place::Behind && !has_a_lifetime(&object.bounds) => {
                return self.object(object.dyn_token, &object.bounds);
            }
            Type::Path(path) if path.qself.is_none() && may_hide_a_lifetime(&path.path) => {
                return Some(ty.to_token_stream());
            }
            _ => {}
        }
        let is_whole = match place {
            Place::Alone | Place::Behind => !is_of_each_call(ty, &self.of_each_call),
            Place::Argument | Place::Held => self.begins_with_a_parameter(ty),
        };
        if is_whole {
            return self.parameter(ty, place);
        }
        let part = if place == Place::Behind { Place::Alone } else { place };
        match ty {
            Type::Reference(reference) => self.reference(reference),
            Type::Path(TypePath { qself: None, path, .. }) => self.path(path),
            Type::TraitObject(object) => self.object(object.dyn_token, &object.bounds),
            Type::Slice(slice) => self.of(&slice.elem, part).map(|element| quote!([#element])),
            Type::Tuple(tuple) => {
                let parts = tuple.elems.iter().map(|element| self.of(element, part));
                parts.collect::<Option<Vec<_>>>().map(|parts| quote!((#(#parts,)*)))
            }
            _ => None,
        }
    }

    fn reference(&mut self, reference: &TypeReference) -> Option<TokenStream> {
        let lifetime = reference.lifetime.as_ref().map(|lifetime| self.lifetime(lifetime));
        let (mutability, inner) = (&reference.mutability, self.of(&reference.elem, Place::Behind)?);
        Some(quote!(& #lifetime #mutability #inner))
    }

    fn lifetime(&mut self, written: &Lifetime) -> Lifetime {
        if written.ident == "_" || written.ident == "static" || self.of_each_call.contains(written) {
            return written.clone();
        }
        if let Some((_, known)) = self.lifetimes.iter().find(|(known, _)| known == written) {
            return known.clone();
        }
        let own = Lifetime::new(&format!("'__paid{}", self.lifetimes.len()), Span::mixed_site());
        self.lifetimes.push((written.clone(), own.clone()));
        own
    }

    fn object(
        &mut self,
        word: Option<Token![dyn]>,
        bounds: &Punctuated<TypeParamBound, Token![+]>,
    ) -> Option<TokenStream> {
        let bounds = bounds.iter().map(|bound| match bound {
            TypeParamBound::Trait(TraitBound { lifetimes: None, path, .. }) => self.path(path),
            TypeParamBound::Lifetime(lifetime) => Some(self.lifetime(lifetime).to_token_stream()),
            _ => None,
        });
        bounds.collect::<Option<Vec<_>>>().map(|bounds| quote!((#word #(#bounds)+*)))
    }

    /// Whether the type is a parameter of the user's, or something of one.
    fn begins_with_a_parameter(&self, ty: &Type) -> bool {
        let Type::Path(path) = ty else { return false };
        let first = path.path.segments.first().map(|first| &first.ident);
        path.qself.is_some() || first.is_some_and(|name| self.is_own(name) || is_called_like_a_parameter(name))
    }

    /// The path with what is between its last angles or parentheses as parameters.
    fn path(&mut self, path: &Path) -> Option<TokenStream> {
        let last = path.segments.last()?;
        if path.segments.iter().rev().skip(1).any(|before| !before.arguments.is_empty()) {
            return None;
        }
        let arguments = match &last.arguments {
            PathArguments::None => return Some(path.to_token_stream()),
            PathArguments::Parenthesized(signature) => self.signature(signature)?,
            PathArguments::AngleBracketed(list) => {
                self.list(list, if asks_for_nothing(&last.ident) { Place::Held } else { Place::Argument })?
            }
        };
        let mut bare = path.clone();
        bare.segments.last_mut()?.arguments = PathArguments::None;
        Some(quote!(#bare #arguments))
    }

    fn list(&mut self, list: &AngleBracketedGenericArguments, place: Place) -> Option<TokenStream> {
        let arguments = list.args.iter().map(|argument| match argument {
            GenericArgument::Lifetime(lifetime) => Some(self.lifetime(lifetime).to_token_stream()),
            GenericArgument::Type(ty) => self.of(ty, place),
            GenericArgument::AssocType(assigned) if assigned.generics.is_none() => {
                let (name, ty) = (&assigned.ident, self.of(&assigned.ty, Place::Alone)?);
                Some(quote!(#name = #ty))
            }
            _ => None,
        });
        arguments.collect::<Option<Vec<_>>>().map(|arguments| quote!(<#(#arguments),*>))
    }

    /// A parameter of the function's that stands for the type, with the bounds of the user's parameter where one is asked for.
    fn parameter(&mut self, ty: &Type, place: Place) -> Option<TokenStream> {
        let bounds = match (place, own_name(ty).filter(|name| self.is_own(name))) {
            (Place::Alone, _) => TokenStream::new(),
            (Place::Behind, _) => quote!(?::core::marker::Sized),
            (Place::Argument | Place::Held, Some(own)) => bounds_of(own, self.generics)?,
            (Place::Held, None) => TokenStream::new(),
            // It may be a parameter of the `impl` around, whose bounds are not seen.
            (Place::Argument, None) => return None,
        };
        let parameter = format_ident!("__Paid{}", self.parameters.len(), span = Span::mixed_site());
        self.arguments.push(ty.to_token_stream());
        self.parameters.push(quote!(#parameter: #bounds));
        Some(parameter.into_token_stream())
    }

    fn is_own(&self, name: &Ident) -> bool {
        self.generics.type_params().any(|known| known.ident == *name)
    }
}

fn own_name(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.get_ident(),
        _ => None,
    }
}

/// The standard library's types whose parameters have no bounds.
fn asks_for_nothing(name: &Ident) -> bool {
    const NAMES: [&str; 16] = [
        "Option",
        "Result",
        "Vec",
        "VecDeque",
        "Box",
        "Arc",
        "Rc",
        "Pin",
        "Poll",
        "Ref",
        "RefMut",
        "MutexGuard",
        "RwLockReadGuard",
        "RwLockWriteGuard",
        "HashMap",
        "BTreeMap",
    ];
    NAMES.iter().any(|known| name == known)
}

fn has_a_lifetime(bounds: &Punctuated<TypeParamBound, Token![+]>) -> bool {
    bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_)))
}

/// Whether a lifetime may be left out here, as in `fmt::Formatter`: where that cannot be a parameter of the user's.
fn may_hide_a_lifetime(path: &Path) -> bool {
    if path.segments.iter().any(|segment| !segment.arguments.is_empty()) {
        return false;
    }
    let first = path.segments.first().map(|first| first.ident.to_string()).unwrap_or_default();
    match path.get_ident() {
        Some(name) => name == "Formatter" || name == "Context",
        None => path.leading_colon.is_some() || first.starts_with(char::is_lowercase),
    }
}
