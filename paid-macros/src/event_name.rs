//! `paid::event_name!("...")`: a literal that the catalogue knows, for what takes an event name outside of annotations.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use crate::catalog;
use crate::diagnostics::Errors;
use crate::rules;

/// What the name is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A signal is sent: one that is retired is warned of.
    Sending,
    /// A test looks for it.
    Asserting,
}

pub(crate) fn expand(tokens: TokenStream, purpose: Purpose) -> TokenStream {
    let name: LitStr = match syn::parse2(tokens) {
        Ok(name) => name,
        Err(error) => {
            let message = "expected the event name as a literal, as in `event_name!(\"meeting_booked\")`";
            let error = syn::Error::new(error.span(), message).to_compile_error();
            return quote!({ #error "" });
        }
    };
    let mut errors = Errors::default();
    let loaded = catalog::load();
    rules::report_broken(&loaded, name.span(), &mut errors);
    // Without a catalogue any name may be meant: also one that an older system gave.
    let event = loaded.in_force().is_some().then(|| rules::event(&name, &loaded, &mut errors));
    let event = event.filter(|_| purpose == Purpose::Sending);
    if let Some(event) = &event {
        event.check_retired(&mut errors);
    }
    if !errors.is_empty() {
        let errors = errors.into_tokens();
        return quote!({ #errors #name });
    }
    let (tracked, absence) = (loaded.tracked(), rules::absence_warning(&loaded, name.span()));
    let warnings = event.iter().flat_map(|event| event.retired_warnings());
    quote!({ #tracked #absence #(#warnings)* #name })
}
