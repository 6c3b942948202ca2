//! Whether a price bills the signal, where the catalogue has prices.

use paid_catalog::{Level, UNBILLED_SIGNAL};
use proc_macro2::TokenStream;

use super::{Event, warning};
use crate::diagnostics::Errors;

impl Event<'_> {
    /// Reports, at the event's name, that nothing bills the signal. `product` is the signal's own, `None` if only the running
    /// program knows it.
    pub(crate) fn check_billed(&self, product: Option<&str>, errors: &mut Errors) {
        if let Some((Level::Deny, message)) = self.unbilled(product) {
            errors.at(&self.name, message);
        }
    }

    /// A statement that warns of a signal that nothing bills, at the event's name.
    pub(crate) fn billed_warning(&self, product: Option<&str>) -> Option<TokenStream> {
        match self.unbilled(product)? {
            (Level::Warn, message) => Some(warning(UNBILLED_SIGNAL, &message, self.name.span())),
            _ => None,
        }
    }

    fn unbilled(&self, product: Option<&str>) -> Option<(Level, String)> {
        let (known, catalog) = (self.known?, &self.catalog?.catalog);
        let objection = catalog.unbilled(&self.name.value(), known.kind, product, self.shown())?;
        Some((catalog.level(UNBILLED_SIGNAL, Some(known)), format!("{objection} (`{UNBILLED_SIGNAL}`)")))
    }
}
