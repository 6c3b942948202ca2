//! Where the account is not what the catalogue says. Pure.

use std::collections::BTreeSet;

use paid_catalog::{Catalog, Price, Product, Setting, Settings};

use super::prices::{NEVER_SHOWN, in_full, in_words};
use super::remote::{Account, AccountPrice, AccountProduct};

/// Where the account is not what the catalogue says.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Differences {
    /// What [`push`](super::push()) would do, in its order.
    pub changes: Vec<Difference>,
    /// What only the account has, in sentences. Nothing is deleted.
    pub only_in_account: Vec<String>,
    /// Settings that Paid does not show, so that nothing can be said about them, in sentences.
    pub not_compared: Vec<String>,
}

/// One thing that the account has otherwise.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The external id of the product.
    pub product: String,
    /// The name of the price; `None` for the product itself.
    pub price: Option<String>,
    /// Which setting; `None` if the whole is missing.
    pub setting: Option<String>,
    /// What the account has; `None` if it has nothing.
    pub account: Option<String>,
    /// What the catalogue says.
    pub catalogue: String,
}

/// Compares what the account sells with what the catalogue says. What the catalogue leaves out is not compared.
pub fn compare(catalog: &Catalog, account: &Account) -> Differences {
    let mut differences = Differences::default();
    for (external_id, product) in &catalog.products {
        match account.product(external_id) {
            Some(known) => of_product(external_id, product, known, &mut differences),
            None => {
                differences.missing(external_id, None, shown_name(external_id, product));
                for (key, price) in &product.prices {
                    differences.missing(external_id, Some(name_of(key, price)), summary(price));
                }
            }
        }
    }
    for product in &account.products {
        if !catalog.products.contains_key(&product.external_id) {
            differences.only_in_account.push(format!("product {} ({:?})", product.external_id, product.name));
        }
    }
    differences
}

impl Differences {
    /// Whether the account is what the catalogue says.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn missing(&mut self, product: &str, price: Option<&str>, catalogue: String) {
        self.changes.push(Difference {
            product: product.to_owned(),
            price: price.map(str::to_owned),
            setting: None,
            account: None,
            catalogue,
        });
    }

    fn differs(
        &mut self,
        product: &str,
        price: Option<&str>,
        setting: &str,
        account: Option<String>,
        catalogue: String,
    ) {
        self.changes.push(Difference {
            product: product.to_owned(),
            price: price.map(str::to_owned),
            setting: Some(setting.to_owned()),
            account,
            catalogue,
        });
    }
}

fn of_product(id: &str, product: &Product, known: &AccountProduct, differences: &mut Differences) {
    if let Some(name) = product.name.as_ref().filter(|name| **name != known.name) {
        differences.differs(id, None, "name", Some(known.name.clone()), name.clone());
    }
    if let Some(text) = product.description.as_ref().filter(|text| Some(*text) != known.description.as_ref()) {
        differences.differs(id, None, "description", known.description.clone(), text.clone());
    }
    if product.active != known.active {
        differences.differs(id, None, "active", Some(known.active.to_string()), product.active.to_string());
    }
    let mut seen = BTreeSet::new();
    for (key, price) in &product.prices {
        match find(key, price, known) {
            Some(found) => {
                seen.insert(found.id.as_str());
                of_price(id, key, price, found, differences);
            }
            None => differences.missing(id, Some(name_of(key, price)), summary(price)),
        }
    }
    for price in known.prices.iter().filter(|price| !seen.contains(price.id.as_str())) {
        differences.only_in_account.push(format!("price {:?} of product {id}", price.name));
    }
}

fn of_price(product: &str, key: &str, price: &Price, known: &AccountPrice, differences: &mut Differences) {
    let name = name_of(key, price);
    let before = differences.changes.len();
    let mut differs = |setting: &str, account: Option<String>, catalogue: String| {
        differences.differs(product, Some(name), setting, account, catalogue);
    };
    if name != known.name {
        differs("name", Some(known.name.clone()), name.to_owned());
    }
    if price.pricing_type != known.price.pricing_type {
        differs("pricing_type", Some(known.price.pricing_type.clone()), price.pricing_type.clone());
    }
    if price.event_name != known.price.event_name {
        differs("event_name", known.price.event_name.clone(), price.event_name.clone().unwrap_or_default());
    }
    if let Some(kind) = price.signal_type.filter(|kind| Some(*kind) != known.price.signal_type) {
        differs("signal_type", known.price.signal_type.map(|kind| kind.to_string()), kind.to_string());
    }
    if price.active != known.price.active {
        differs("active", Some(known.price.active.to_string()), price.active.to_string());
    }
    let (own, theirs) = (in_full(price), in_full(&known.price));
    let mut hidden = Vec::new();
    for (key, setting) in own.iter().filter(|(key, _)| !matches!(key.as_str(), "id" | "name")) {
        match theirs.get(key) {
            Some(their) if is_same(setting, their) => {}
            None if NEVER_SHOWN.contains(&key.as_str()) => hidden.push(key.as_str()),
            their => differs(key, their.map(in_words), in_words(setting)),
        }
    }
    let is_changed = differences.changes.len() > before;
    let reset: Vec<&str> = may_be_reset(price).filter(|key| is_changed && !own.contains_key(*key)).collect();
    if !reset.is_empty() {
        let settings = reset.join(", ");
        differences.not_compared.push(format!(
            "price {name:?} of product {product}: a push sends it whole, and Paid does not show {settings}: write them into the catalogue if \
             the price has them, or they are reset"
        ));
    }
    if !hidden.is_empty() {
        let sentence = format!("price {name:?} of product {product}: Paid does not show {}", hidden.join(", "));
        differences.not_compared.push(sentence);
    }
}

/// What a price of this type may have that Paid does not show.
fn may_be_reset(price: &Price) -> impl Iterator<Item = &'static str> {
    let keys: &[&str] = match price.pricing_type.as_str() {
        "OneTimePerUnit" => &["fee_type"],
        "UsageBracketedPrepaidCredits" => &["overage_unit_price", "credit_rollover_amount"],
        _ => &[],
    };
    keys.iter().copied()
}

/// Whether two settings say the same, whatever zeros they are written with.
pub(super) fn is_same(one: &Setting, other: &Setting) -> bool {
    match (one, other) {
        (Setting::Table(one), Setting::Table(other)) => is_same_table(one, other),
        (Setting::List(one), Setting::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same_table(one, other))
        }
        _ => one == other,
    }
}

fn is_same_table(one: &Settings, other: &Settings) -> bool {
    one.len() == other.len()
        && one.iter().all(|(key, setting)| other.get(key).is_some_and(|other| is_same(setting, other)))
}

/// The price of the account that a price of the catalogue is: by Paid's id, if the catalogue has it, or by name.
pub(super) fn find<'a>(key: &str, price: &Price, product: &'a AccountProduct) -> Option<&'a AccountPrice> {
    if let Some(Setting::Text(id)) = price.settings.get("id") {
        return product.prices.iter().find(|known| known.id == *id);
    }
    let name = name_of(key, price);
    product.prices.iter().find(|known| known.name == name)
}

/// What a price is called: its key, or the `name` that it sets.
pub(super) fn name_of<'a>(key: &'a str, price: &'a Price) -> &'a str {
    match price.settings.get("name") {
        Some(Setting::Text(name)) => name,
        _ => key,
    }
}

pub(super) fn shown_name(external_id: &str, product: &Product) -> String {
    product.name.clone().unwrap_or_else(|| external_id.to_owned())
}

/// A price in one line: `UsagePerUnit of meeting_booked, 1.50 USD`.
fn summary(price: &Price) -> String {
    let mut text = price.pricing_type.clone();
    if let Some(event) = &price.event_name {
        text.push_str(&format!(" of {event}"));
    }
    if let Some(points) = in_full(price).get("price_points") {
        text.push_str(&format!(", {}", in_words(points)));
    }
    text
}
