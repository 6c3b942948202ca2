//! The macros of `paid-api`, which re-exports them: `#[paid::signal(...)]`, `paid::signal_block!(...)`,
//! `#[paid::trace(...)]` and `#[derive(paid::PaidSignal)]`.
//!
//! They parse, check against the rules and the catalogue, and expand into calls of the library. They read the catalogue,
//! what `Cargo.toml` says of it, and one environment variable, `PAID_SIGNALS`; they use no network, and the clock only for
//! `expires`.

mod arguments;
mod attribute;
mod catalog;
mod derive;
mod diagnostics;
mod event_name;
mod function;
#[cfg(test)]
mod hostile;
mod leaving;
mod library;
mod place;
mod roles;
mod rules;
mod signal_value;
#[cfg(test)]
mod snapshots;
mod trace;
mod values;
mod ways;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/signal.md")]
#[doc = include_str!("../docs/signals_toml.md")]
#[proc_macro_attribute]
pub fn signal(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(arguments.into(), item.into()).into()
}

#[doc = include_str!("../docs/signal_block.md")]
#[proc_macro]
pub fn signal_block(tokens: TokenStream) -> TokenStream {
    attribute::expand_block(tokens.into()).into()
}

#[doc = include_str!("../docs/trace.md")]
#[proc_macro_attribute]
pub fn trace(arguments: TokenStream, item: TokenStream) -> TokenStream {
    trace::expand(arguments.into(), item.into()).into()
}

#[doc = include_str!("../docs/signal_value.md")]
#[proc_macro_derive(SignalValue, attributes(paid, serde))]
pub fn derive_signal_value(item: TokenStream) -> TokenStream {
    signal_value::expand(item.into()).into()
}

#[doc = include_str!("../docs/derive.md")]
#[proc_macro_derive(PaidSignal, attributes(paid))]
pub fn derive_paid_signal(item: TokenStream) -> TokenStream {
    derive::expand(item.into()).into()
}

#[doc = include_str!("../docs/event_name.md")]
#[proc_macro]
pub fn event_name(tokens: TokenStream) -> TokenStream {
    event_name::expand(tokens.into(), event_name::Purpose::Sending).into()
}

/// The name in an assertion; what it checks is the catalogue's.
#[doc(hidden)]
#[proc_macro]
pub fn asserted_name(tokens: TokenStream) -> TokenStream {
    event_name::expand(tokens.into(), event_name::Purpose::Asserting).into()
}
