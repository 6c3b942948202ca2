//! Products and prices become what the account has.

use std::collections::BTreeSet;

use paid_catalog::{Catalog, Price, Product, Setting};
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::Pulled;
use super::document::{as_table, set, table_at, value_of};
use crate::account::differences::{is_same, name_of};
use crate::account::error::AccountError;
use crate::account::prices::{NEVER_SHOWN, in_full, in_short};
use crate::account::remote::{Account, AccountPrice, AccountProduct};

/// The order in which a price's keys are written.
const ORDER: [&str; 19] = [
    "id",
    "name",
    "fee_type",
    "billing_frequency",
    "billing_frequency_custom_months",
    "billing_type",
    "percentage_value",
    "cost_plus_multiplier",
    "credits_currency_id",
    "credit_cost",
    "unit_value",
    "pricing_input",
    "credit_unit_brackets",
    "credit_rollover_amount",
    "overage_unit_price",
    "price",
    "price_points",
    "credit_benefits",
    "tax_code",
];

pub(super) fn merge(
    document: &mut DocumentMut,
    catalog: &Catalog,
    account: &Account,
    pulled: &mut Pulled,
) -> Result<(), AccountError> {
    for product in &account.products {
        let products = table_at(document.as_item_mut(), "products", true)?;
        let known = catalog.products.get(&product.external_id);
        let item = table_at(products, &product.external_id, false)?;
        of_product(item, known, product, pulled)?;
    }
    for (external_id, product) in &catalog.products {
        match account.product(external_id) {
            None => pulled.only_in_catalogue.push(format!("the product {external_id}")),
            Some(known) => {
                let lost = product.prices.iter().filter(|(key, price)| matching(key, price, known).is_none());
                let lost =
                    lost.map(|(key, price)| format!("the price {:?} of product {external_id}", name_of(key, price)));
                pulled.only_in_catalogue.extend(lost);
            }
        }
    }
    Ok(())
}

fn matching<'a>(key: &str, price: &Price, product: &'a AccountProduct) -> Option<&'a AccountPrice> {
    crate::account::differences::find(key, price, product)
}

fn of_product(
    item: &mut Item,
    known: Option<&Product>,
    product: &AccountProduct,
    pulled: &mut Pulled,
) -> Result<(), AccountError> {
    let id = &product.external_id;
    if known.is_none() {
        pulled.added.push(format!("the product {id} ({:?})", product.name));
    }
    let table = as_table(item)?;
    let name = known.and_then(|known| known.name.as_ref());
    let mut change = |key: &str, old: Option<String>, value: Value| {
        if known.is_some() {
            let old = old.map_or_else(|| "nothing".to_owned(), |old| format!("{old:?}"));
            pulled.changed.push(format!("`{key}` of product {id}: {old} became {}", value.to_string().trim()));
        }
        set(table, key, value);
    };
    if name != Some(&product.name) && (name.is_some() || product.name != *id) {
        change("name", name.cloned(), product.name.as_str().into());
    }
    let text = known.and_then(|known| known.description.as_ref());
    if let Some(own) = product.description.as_ref().filter(|own| Some(*own) != text) {
        change("description", text.cloned(), own.as_str().into());
    }
    let active = known.is_none_or(|known| known.active);
    if active != product.active {
        change("active", Some(active.to_string()), product.active.into());
    }
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for price in &product.prices {
        let own = known.and_then(|known| known.prices.iter().find(|(key, own)| is_of(key, own, price, product)));
        if let Some((key, own)) = own {
            let prices = table_at(item, "prices", true)?;
            let item = table_at(prices, key, false)?;
            change_price(as_table(item)?, own, id, price, pulled);
            continue;
        }
        let is_twice = !taken.insert(&price.name) || known.is_some_and(|known| known.prices.contains_key(&price.name));
        let key = if is_twice { format!("{} ({})", price.name, price.id) } else { price.name.clone() };
        let prices = table_at(item, "prices", true)?;
        let fresh = table_at(prices, &key, false)?;
        pulled.added.push(format!("the price {key:?} of product {id}"));
        write_price(as_table(fresh)?, price, is_twice);
    }
    Ok(())
}

/// Whether a price of the catalogue is this one of the account's.
fn is_of(key: &str, own: &Price, price: &AccountPrice, product: &AccountProduct) -> bool {
    matching(key, own, product).is_some_and(|found| found.id == price.id)
}

fn write_price(table: &mut dyn TableLike, price: &AccountPrice, with_id: bool) {
    if with_id {
        set(table, "id", price.id.as_str().into());
        set(table, "name", price.name.as_str().into());
    }
    let known = &price.price;
    set(table, "pricing_type", known.pricing_type.as_str().into());
    if let Some(event) = &known.event_name {
        set(table, "event_name", event.as_str().into());
    }
    if let Some(kind) = known.signal_type {
        set(table, "signal_type", kind.as_str().into());
    }
    if !known.active {
        set(table, "active", false.into());
    }
    let settings = in_short(&in_full(known));
    for key in ORDER {
        if let Some(setting) = settings.get(key) {
            set(table, key, value_of(key, setting));
        }
    }
}

/// A price of the catalogue, and what is said about what became of it.
struct Change<'a> {
    table: &'a mut dyn TableLike,
    of: String,
    changed: &'a mut Vec<String>,
}

impl Change<'_> {
    fn set(&mut self, key: &str, value: Value) {
        let shown = value.to_string();
        let shown: Vec<&str> = shown.split_whitespace().collect();
        self.changed.push(format!("`{key}` {} became {}", self.of, shown.join(" ")));
        set(self.table, key, value);
    }

    fn remove(&mut self, key: &str) {
        if self.table.remove(key).is_some() {
            self.changed.push(format!("`{key}` {} is gone", self.of));
        }
    }

    /// Points of prices are written in short where that says the same.
    fn set_points(&mut self, points: &Setting) {
        let short = in_short(&[("price_points".to_owned(), points.clone())].into());
        let (key, other) =
            if short.contains_key("price") { ("price", "price_points") } else { ("price_points", "price") };
        self.table.remove(other);
        if let Some(setting) = short.get(key) {
            self.set(key, value_of(key, setting));
        }
    }
}

fn change_price(table: &mut dyn TableLike, own: &Price, id: &str, price: &AccountPrice, pulled: &mut Pulled) {
    let theirs = &price.price;
    let of = format!("of the price {:?} of product {id}", price.name);
    let mut change = Change { table, of, changed: &mut pulled.changed };
    if own.pricing_type != theirs.pricing_type {
        change.set("pricing_type", theirs.pricing_type.as_str().into());
    }
    match &theirs.event_name {
        Some(event) if own.event_name.as_ref() != Some(event) => change.set("event_name", event.as_str().into()),
        None => change.remove("event_name"),
        _ => {}
    }
    if let Some(kind) = theirs.signal_type.filter(|kind| own.signal_type != Some(*kind)) {
        change.set("signal_type", kind.as_str().into());
    }
    if own.active != theirs.active {
        change.set("active", theirs.active.into());
    }
    let (before, after) = (in_full(own), in_full(theirs));
    for key in ORDER.into_iter().filter(|key| !matches!(*key, "id" | "name" | "price")) {
        match (before.get(key), after.get(key)) {
            (Some(one), Some(other)) if is_same(one, other) => {}
            (_, Some(points)) if key == "price_points" => change.set_points(points),
            (_, Some(setting)) => change.set(key, value_of(key, setting)),
            (Some(_), None) if key == "price_points" => {
                change.remove("price");
                change.remove("price_points");
            }
            (Some(_), None) if !NEVER_SHOWN.contains(&key) => change.remove(key),
            _ => {}
        }
    }
}
