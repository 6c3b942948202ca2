//! Whether a price bills a signal, where the catalogue has prices.

use crate::{Catalog, Kind, Price, UNBILLED_SIGNAL, nearest_of};

/// How many prices a message names.
const SHOWN: usize = 4;

impl Catalog {
    /// Why no price bills a signal of this name and type, and what to do; `None` if one does, or if the catalogue has no prices.
    /// `product` is the signal's own, `None` if only the running program knows it. `shown` is what the message calls the
    /// catalogue.
    pub fn unbilled(&self, name: &str, kind: Kind, product: Option<&str>, shown: &str) -> Option<String> {
        if self.products.values().all(|product| product.prices.is_empty()) {
            return None;
        }
        let prices: Vec<_> = self.prices_of(name, product).collect();
        match prices.as_slice() {
            [] => Some(self.without_price(name, product, shown)),
            prices if prices.iter().any(|(_, price)| price.signal_type.is_none_or(|own| own == kind)) => None,
            [(price, _), ..] => Some(format!(
                "`{name}` is an {kind} in {shown}, but the price \"{price}\" bills it as an {other}; correct one of them",
                other = kind.other(),
            )),
        }
    }

    fn without_price(&self, name: &str, product: Option<&str>, shown: &str) -> String {
        let of = product.map_or_else(|| format!("in {shown}"), |product| format!("of product \"{product}\""));
        if let Some(product) = product.filter(|product| !self.products.contains_key(*product)) {
            let near = nearest_of(product, self.products.keys().map(String::as_str));
            let hint = near.map_or_else(String::new, |near| format!("did you mean {near}? "));
            return format!("{shown} has no product \"{product}\" that bills `{name}`; {hint}{}", way_out(name));
        }
        let products = self.products.iter().filter(|(id, _)| product.is_none_or(|product| product == id.as_str()));
        let prices: Vec<(&String, &Price)> = products.flat_map(|(_, product)| &product.prices).collect();
        if let Some((price, _)) = prices.iter().find(|(_, price)| price.event_name.as_deref() == Some(name)) {
            return format!("the price \"{price}\" {of} would bill `{name}`, but is not active; {}", way_out(name));
        }
        let billed: Vec<String> = prices.iter().filter_map(|(price, facts)| in_words(price, facts)).collect();
        let others = match billed.as_slice() {
            [] => "none of its prices bills signals".to_owned(),
            few if few.len() <= SHOWN => format!("its prices bill {}", few.join(", ")),
            many => {
                let first: Vec<&str> = many.iter().take(SHOWN).map(String::as_str).collect();
                format!("its prices bill {} and {} more", first.join(", "), many.len() - SHOWN)
            }
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
