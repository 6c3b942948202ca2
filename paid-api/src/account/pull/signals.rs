//! Signals that prices bill are added; what a person wrote about a signal stays.

use std::collections::{BTreeMap, BTreeSet};

use paid_catalog::{Catalog, Kind};
use toml_edit::{Array, DocumentMut, InlineTable, TableLike, Value};

use super::Pulled;
use super::document::{as_table, set, table_at};
use crate::account::error::AccountError;
use crate::account::observed::{Observed, ObservedField};
use crate::account::remote::Account;

/// What the account's prices say of a signal.
#[derive(Default)]
struct Billed<'a> {
    products: BTreeSet<&'a str>,
    kinds: BTreeSet<&'static str>,
}

pub(super) fn merge(
    document: &mut DocumentMut,
    catalog: &Catalog,
    account: &Account,
    observed: Option<&Observed>,
    pulled: &mut Pulled,
) -> Result<(), AccountError> {
    let billed = billed(account);
    for (name, facts) in &billed {
        match catalog.signal(name) {
            Some(signal) => contradiction(name, signal.kind, facts, pulled),
            None => {
                let signals = table_at(document.as_item_mut(), "signals", true)?;
                let signal = table_at(signals, name, false)?;
                write(as_table(signal)?, name, facts, pulled);
                let fields = observed.and_then(|observed| observed.get(*name)).filter(|fields| !fields.is_empty());
                if let Some(fields) = fields {
                    let data = table_at(signal, "data", false)?;
                    let data = as_table(data)?;
                    for (field, facts) in fields {
                        set(data, field, Value::InlineTable(field_of(facts)));
                    }
                }
                pulled.added.push(format!("the signal {name}"));
            }
        }
    }
    for name in observed.into_iter().flat_map(BTreeMap::keys) {
        if catalog.signal(name).is_none() && !billed.contains_key(name.as_str()) {
            pulled.to_decide.push(format!(
                "Paid has received signals {name:?}, which neither the catalogue has nor a price bills: a typing error, or a price is missing"
            ));
        }
    }
    Ok(())
}

fn billed(account: &Account) -> BTreeMap<&str, Billed<'_>> {
    let mut billed: BTreeMap<&str, Billed<'_>> = BTreeMap::new();
    for product in &account.products {
        for price in product.prices.iter().map(|price| &price.price).filter(|price| price.active) {
            if let Some(name) = &price.event_name {
                let facts = billed.entry(name).or_default();
                facts.products.insert(&product.external_id);
                facts.kinds.extend(price.signal_type.map(Kind::as_str));
            }
        }
    }
    billed
}

fn contradiction(name: &str, kind: Kind, facts: &Billed<'_>, pulled: &mut Pulled) {
    if !facts.kinds.is_empty() && !facts.kinds.contains(kind.as_str()) {
        let other = kind.other();
        pulled.to_decide.push(format!("{name} is an {kind} in the catalogue, and an {other} in the account's prices"));
    }
}

fn write(signal: &mut dyn TableLike, name: &str, facts: &Billed<'_>, pulled: &mut Pulled) {
    let kinds: Vec<&str> = facts.kinds.iter().copied().collect();
    let kind = match kinds.as_slice() {
        [only] => *only,
        _ => Kind::Activity.as_str(),
    };
    set(signal, "type", kind.into());
    if kinds.len() != 1 {
        if let Some(mut key) = signal.key_mut("type") {
            let comment = "# The account does not say which: correct it if it is an outcome.\n";
            key.leaf_decor_mut().set_prefix(comment);
        }
        pulled.to_decide.push(format!("the account does not say whether {name} is an activity or an outcome"));
    }
    let products: Vec<&str> = facts.products.iter().copied().collect();
    match products.as_slice() {
        [only] => set(signal, "product", (*only).into()),
        several => pulled.to_decide.push(format!(
            "{name} is billed by several products ({}): the program has to say which",
            several.join(", ")
        )),
    }
}

/// A field, as the catalogue describes it.
pub(in crate::account) fn field_of(facts: &ObservedField) -> InlineTable {
    let mut table = InlineTable::new();
    let types: Vec<&str> = facts.types.iter().map(|kind| kind.as_str()).collect();
    match types.as_slice() {
        [] => {}
        [only] => drop(table.insert("type", (*only).into())),
        several => drop(table.insert("type", Value::Array(Array::from_iter(several.iter().copied())))),
    }
    table
}
