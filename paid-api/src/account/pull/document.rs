//! Writes settings into a TOML document, and touches nothing else.

use paid_catalog::{Key, SETTINGS, Setting, Settings, Shape};
use toml_edit::{Array, InlineTable, Item, Table, TableLike, Value};

use crate::account::amounts::shown;
use crate::account::error::AccountError;

/// The table at a key. A missing one is added: as a table with a header, or within the braces of its parent.
pub(in crate::account) fn table_at<'a>(
    parent: &'a mut Item,
    key: &str,
    is_implicit: bool,
) -> Result<&'a mut Item, AccountError> {
    let is_inline = parent.is_inline_table();
    let table = as_table(parent)?;
    if table.get(key).is_none_or(Item::is_none) {
        let mut fresh = Table::new();
        fresh.set_implicit(is_implicit);
        let item = if is_inline { Item::Value(Value::InlineTable(InlineTable::new())) } else { Item::Table(fresh) };
        table.insert(key, item);
    }
    table.get_mut(key).ok_or_else(|| wrong(key))
}

pub(in crate::account) fn as_table(item: &mut Item) -> Result<&mut dyn TableLike, AccountError> {
    item.as_table_like_mut().ok_or_else(|| wrong("an entry"))
}

fn wrong(key: &str) -> AccountError {
    AccountError::Catalogue(format!("`{key}` is no table"))
}

/// Sets a value; its comment stays.
pub(in crate::account) fn set(table: &mut dyn TableLike, key: &str, value: Value) {
    let old = table.get(key).and_then(Item::as_value).map(|value| value.decor().clone());
    let mut value = value;
    if let Some(decor) = old {
        *value.decor_mut() = decor;
    }
    match table.get_mut(key) {
        Some(item) if !item.is_none() => *item = Item::Value(value),
        _ => drop(table.insert(key, Item::Value(value))),
    }
}

/// A setting of a price as a value of TOML.
pub(in crate::account) fn value_of(key: &str, setting: &Setting) -> Value {
    let shape = SETTINGS.iter().find(|known| known.name == key).map_or(Shape::Text, |known| known.shape);
    value(setting, shape, None, 1)
}

fn value(setting: &Setting, shape: Shape, currency: Option<&str>, depth: usize) -> Value {
    match (setting, shape) {
        (Setting::Table(amounts), Shape::Amounts) => {
            let mut table = InlineTable::new();
            for (currency, amount) in amounts {
                table.insert(currency, value(amount, Shape::Amount, Some(currency), depth));
            }
            Value::InlineTable(table)
        }
        (Setting::Decimal(amount), Shape::Amount) => shown(amount, currency.unwrap_or_default()).into(),
        (Setting::Table(settings), Shape::Table(keys)) => Value::InlineTable(table(settings, keys, currency, depth)),
        (Setting::List(tables), Shape::List(keys)) => {
            let mut array = Array::new();
            for settings in tables {
                let mut item = Value::InlineTable(table(settings, keys, currency, depth + 1));
                item.decor_mut().set_prefix(format!("\n{}", "    ".repeat(depth)));
                array.push_formatted(item);
            }
            if !tables.is_empty() {
                array.set_trailing(format!("\n{}", "    ".repeat(depth - 1)));
                array.set_trailing_comma(true);
            }
            Value::Array(array)
        }
        (Setting::Text(text) | Setting::Decimal(text), _) => text.as_str().into(),
        (Setting::Whole(number), _) => (*number).into(),
        (Setting::Flag(flag), _) => (*flag).into(),
        (Setting::Table(_) | Setting::List(_), _) => Value::InlineTable(InlineTable::new()),
    }
}

fn table(settings: &Settings, keys: &[Key], currency: Option<&str>, depth: usize) -> InlineTable {
    let currency = match settings.get("currency") {
        Some(Setting::Text(own)) => Some(own.as_str()),
        _ => currency,
    };
    let mut table = InlineTable::new();
    for key in keys {
        if let Some(setting) = settings.get(key.name) {
            table.insert(key.name, value(setting, key.shape, currency, depth));
        }
    }
    table
}
