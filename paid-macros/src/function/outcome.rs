//! Whether the function succeeded: what its type says, or what the annotation says.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Path, Type};

use super::Function;
use super::lifetimes::without;
use super::placeholders::without_impl;
use super::shape::{head_is_written, returned};
use super::types::{bare, is_evident};
use super::unseen::{Returned, supposed, unseen};
use crate::place::at;

/// How the outcome is found.
pub(crate) struct Outcome<'a> {
    pub(crate) krate: &'a Path,
    pub(crate) function: &'a Function,
    /// A reference to what was returned.
    pub(crate) out: TokenStream,
}

impl Outcome<'_> {
    /// An `Option` of a reference to the success value.
    pub(crate) fn success(&self) -> TokenStream {
        let Some(ty) = returned(self.function) else {
            let out = &self.out;
            return quote!(::core::option::Option::Some(#out));
        };
        let known = head_is_written(ty, self.function);
        let success = self.asked(ty, if known { "known_success" } else { "success" }, &self.out);
        let unseen = unseen(self.function);
        let success = if unseen.may_be_work { self.unless_it_is_work(&success, place_of(ty)) } else { success };
        let held = unseen.held.iter().map(|ty| self.is_seen(ty));
        let called = unseen.called.iter().map(|returned| self.is_called_later(returned));
        let named = unseen.named.iter().map(|ty| self.is_no_other_name(ty));
        let by_bounds = unseen.named_by_bounds.iter().map(|(ty, parameter)| self.is_no_other_name_of(ty, parameter));
        let asked: Vec<_> = held.chain(called).chain(named).chain(by_bounds).collect();
        if asked.is_empty() { success } else { quote!({ #(#asked)* #success }) }
    }

    /// The success, unless the value turns out to be an `async` block or a closure, when the program runs.
    fn unless_it_is_work(&self, success: &TokenStream, place: Span) -> TokenStream {
        let krate = at(self.krate, place);
        quote_spanned!(place=> #krate::__private::unless_it_is_work(#success))
    }

    /// A statement that does not compile where a type is another name of what is decided by its parameter.
    fn is_no_other_name(&self, ty: &Type) -> TokenStream {
        let place = place_of(ty);
        let krate = at(self.krate, place);
        let written = without_impl(ty.to_token_stream());
        let supposed = supposed(&krate, written.clone(), self.function);
        quote_spanned! {place=>
            {
                #[allow(unused_imports)]
                use #krate::__private::supposed_types::*;
                (&&#krate::__private::Supposed::<#supposed, #written>::new()).__paid_supposed();
            }
        }
    }

    /// The same for one parameter.
    fn is_no_other_name_of(&self, ty: &Type, parameter: &Ident) -> TokenStream {
        let place = place_of(ty);
        let krate = at(self.krate, place);
        let written = without_impl(ty.to_token_stream());
        quote_spanned! {place=>
            {
                #[allow(unused_imports)]
                use #krate::__private::supposed_types::*;
                (&&#krate::__private::Named::<#written, #parameter>::new()).__paid_supposed();
            }
        }
    }

    /// A statement that does not compile where a type that the value holds may be a `Result`.
    fn is_seen(&self, ty: &Type) -> TokenStream {
        let place = place_of(ty);
        let expected = without_impl(ty.to_token_stream());
        let value = Ident::new("__paid_held", place.resolved_at(Span::mixed_site()));
        let asked = self.asked(ty, "success", &value.to_token_stream());
        quote_spanned!(place=> let _ = |#value: &#expected| { let _ = #asked; };)
    }

    /// A statement that does not compile where a callable returns what can fail.
    fn is_called_later(&self, returned: &Returned<'_>) -> TokenStream {
        let (place, ty) = (place_of(returned.ty), without(&returned.of_each_call, returned.ty.to_token_stream()));
        let krate = at(self.krate, place);
        quote_spanned! {place=>
            {
                #[allow(unused_imports)]
                use #krate::__private::calls::*;
                (&&&#krate::__private::Called::<#ty>::new()).__paid_called();
            }
        }
    }

    /// The same, where nobody can know that the value is no `Result`: it is one that `ret` names, of a type of the user's.
    pub(crate) fn success_of_a_signal(&self) -> TokenStream {
        match returned(self.function) {
            Some(ty) => self.asked(ty, "known_success", &self.out),
            None => self.success(),
        }
    }

    /// What a closure of the user's makes of it.
    pub(crate) fn success_by(&self, judge: &Expr) -> TokenStream {
        let (krate, out) = (at(self.krate, judge.span()), &self.out);
        quote_spanned!(judge.span()=> #krate::__private::success(#out, #judge))
    }

    /// An `Option` of a reference to the error.
    pub(crate) fn error(&self) -> TokenStream {
        match returned(self.function) {
            Some(ty) => self.asked(ty, "error", &self.out),
            None => quote!(::core::option::Option::None::<&::core::convert::Infallible>),
        }
    }

    /// A statement that does not compile where the type is a future: then nothing has been done yet.
    pub(crate) fn is_there(&self) -> Option<TokenStream> {
        let ty = returned(self.function)?;
        if !may_be_a_future(ty) {
            return None;
        }
        let error = self.asked(ty, "error", &self.out);
        Some(quote!(let _ = #error;))
    }

    /// The answer of one of the library's probes, with errors at the type. Their traits are in scope in the function.
    fn asked(&self, ty: &Type, method: &str, out: &TokenStream) -> TokenStream {
        let place = place_of(ty);
        let (krate, method) = (at(self.krate, place), Ident::new(&format!("__paid_{method}"), place));
        let answer = quote_spanned!(place=> (&&#krate::__private::Probe(#out)).#method());
        if !may_come_later(ty) {
            return answer;
        }
        quote_spanned! {place=>
            {
                #[allow(unused_imports)]
                use #krate::__private::outcomes_to_come::*;
                #answer
            }
        }
    }
}

/// Where an error about the type is shown: for a reference, what it refers to, since lints take a borrow of ours for the
/// user's where the source has a `&`.
pub(crate) fn place_of(ty: &Type) -> Span {
    match bare(ty) {
        Type::Reference(reference) => place_of(&reference.elem),
        other => other.span(),
    }
}

fn may_be_a_future(ty: &Type) -> bool {
    match bare(ty) {
        Type::Path(path) => !path.path.get_ident().is_some_and(|name| is_evident(&name.to_string())),
        Type::Reference(_) | Type::Tuple(_) | Type::Array(_) | Type::Slice(_) | Type::FnPtr(_) => false,
        _ => true,
    }
}

/// Whether the type may be an iterator or a stream.
fn may_come_later(ty: &Type) -> bool {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last().is_none_or(|last| {
            matches!(last.ident.to_string().as_str(), "Box" | "Pin") || !is_evident(&last.ident.to_string())
        }),
        Type::ImplTrait(_) | Type::Infer(_) | Type::Macro(_) => true,
        Type::Reference(reference) => may_come_later(&reference.elem),
        _ => false,
    }
}
