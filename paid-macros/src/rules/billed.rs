//! Whether a price bills the signal, where the catalogue has prices.

use paid_catalog::{Catalog, Level, Price, UNBILLED_SIGNAL, nearest_of};
use proc_macro2::TokenStream;

use super::{Event, warning};
use crate::diagnostics::Errors;

/// How many prices a message names.
const SHOWN: usize = 4;

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
        if catalog.products.values().all(|product| product.prices.is_empty()) {
            return None;
        }
        let name = self.name.value();
        let prices: Vec<_> = catalog.prices_of(&name, product).collect();
        let kind = known.kind;
        let objection = match prices.as_slice() {
            [] => self.without_price(catalog, &name, product),
            prices if prices.iter().any(|(_, price)| price.signal_type.is_none_or(|own| own == kind)) => return None,
            [(price, _), ..] => format!(
                "`{name}` is an {kind} in {shown}, but the price \"{price}\" bills it as an {other}; correct one of them",
                shown = self.shown(),
                other = kind.other(),
            ),
        };
        Some((catalog.level(UNBILLED_SIGNAL, Some(known)), format!("{objection} (`{UNBILLED_SIGNAL}`)")))
    }

    fn without_price(&self, catalog: &Catalog, name: &str, product: Option<&str>) -> String {
        let shown = self.shown();
        let of = product.map_or_else(|| format!("in {shown}"), |product| format!("of product \"{product}\""));
        if let Some(product) = product.filter(|product| !catalog.products.contains_key(*product)) {
            let near = nearest_of(product, catalog.products.keys().map(String::as_str));
            let hint = near.map_or_else(String::new, |near| format!("did you mean {near}? "));
            return format!("{shown} has no product \"{product}\" that bills `{name}`; {hint}{}", way_out(name));
        }
        let products = catalog.products.iter().filter(|(id, _)| product.is_none_or(|product| product == id.as_str()));
        let prices: Vec<(&String, &Price)> = products.flat_map(|(_, product)| &product.prices).collect();
        if let Some((price, _)) = prices.iter().find(|(_, price)| price.event_name.as_deref() == Some(name)) {
            return format!("the price \"{price}\" {of} would bill `{name}`, but is not active; {}", way_out(name));
        }
        let billed: Vec<String> = prices.iter().filter_map(|(price, facts)| in_words(price, facts)).collect();
        let others = match billed.as_slice() {
            [] => "none of its prices bills signals".to_owned(),
            few if few.len() <= SHOWN => format!("its prices bill {}", few.join(", ")),
            many => format!("its prices bill {} and {} more", many[..SHOWN].join(", "), many.len() - SHOWN),
        };
        format!("no price {of} bills `{name}`; {others}; {}", way_out(name))
    }
}

fn in_words(name: &str, price: &Price) -> Option<String> {
    let event = price.event_name.as_deref().filter(|_| price.active)?;
    let amounts = price.amounts();
    let amounts = if amounts.is_empty() { String::new() } else { format!(" at {}", amounts.join(" or ")) };
    Some(format!("`{event}` (\"{name}\"{amounts})"))
}

fn way_out(name: &str) -> String {
    format!("add a price with `event_name = \"{name}\"`, or `allow = [\"{UNBILLED_SIGNAL}\"]` to [signals.{name}]")
}
