//! What a client says of the resources that a build leaves out: a call that does not compile names the feature it needs.

use anyhow::Result;
use proc_macro2::TokenStream;
use quote::quote;

use super::syntax::rust_name;
use crate::facts::{EXPERIMENTAL, Resource};

/// The traits that no build implements, and the methods that ask for them.
#[derive(Default)]
pub(super) struct LeftOut {
    pub(super) traits: TokenStream,
    pub(super) methods: TokenStream,
}

impl LeftOut {
    /// Adds a resource that exists under this condition.
    pub(super) fn add(&mut self, resource: &Resource, condition: &TokenStream) -> Result<()> {
        let (name, missing) = (rust_name(&resource.module())?, rust_name(&resource.type_name())?);
        let feature = &resource.feature;
        let (what, list) = if resource.is_experimental() {
            (format!("features `{feature}` and `{EXPERIMENTAL}`"), format!("{feature:?}, {EXPERIMENTAL:?}"))
        } else {
            (format!("feature `{feature}`"), format!("{feature:?}"))
        };
        let message = format!("`client.{name}()` needs {what} of `paid-api`");
        let note = format!("in Cargo.toml: `paid-api = {{{{ ..., features = [{list}] }}}}`");
        self.traits.extend(quote! {
            #[cfg(not(#condition))]
            #[diagnostic::on_unimplemented(message = #message, label = "this build leaves the resource out", note = #note)]
            #[doc(hidden)]
            pub trait #missing<H> {
                fn handle(client: &crate::Client) -> H;
            }
        });
        // The type is left open: a wrong one would cause a second error at the next call.
        self.methods.extend(quote! {
            #[cfg(not(#condition))]
            #[doc(hidden)]
            pub fn #name<H>(&self) -> H
            where
                for<'a> &'a (): left_out::#missing<H>,
            {
                <&() as left_out::#missing<H>>::handle(self)
            }
        });
        Ok(())
    }
}
