//! What the account sells: its products with their prices, as Paid shows them.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use paid_catalog::Price;
use serde_json::Value;

use super::error::AccountError;
use super::prices;
use crate::{Client, Method};

/// How many items a page of a list has.
const PAGE: usize = 100;
/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// Products and prices as Paid has them, read by [`read`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Account {
    /// Products that are not archived and that have an external id, by it.
    pub products: Vec<AccountProduct>,
    /// What cannot stand in a catalogue, in sentences: products without an external id, prices that this version cannot read.
    pub left_out: Vec<String>,
}

/// A product with its prices, as Paid has it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AccountProduct {
    /// Paid's id.
    pub id: String,
    /// What your own system calls it; signals name it so.
    pub external_id: String,
    /// The name that customers see.
    pub name: String,
    /// What it does, in words for people.
    pub description: Option<String>,
    /// Whether it is sold.
    pub active: bool,
    /// Its prices, in the order that Paid has them.
    pub prices: Vec<AccountPrice>,
    /// The names of its prices that this version cannot read.
    pub unreadable: Vec<String>,
}

/// A price of the account: an attribute of a product, in Paid's words.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AccountPrice {
    /// Paid's id of the attribute.
    pub id: String,
    /// What it is called, as invoices show it.
    pub name: String,
    /// What it bills.
    pub price: Price,
}

impl Account {
    /// The product of this external id.
    pub fn product(&self, external_id: &str) -> Option<&AccountProduct> {
        self.products.iter().find(|product| product.external_id == external_id)
    }
}

/// Reads what the account sells.
///
/// # Errors
///
/// If a request fails, or an answer cannot be read.
pub async fn read(client: &Client) -> Result<Account, AccountError> {
    let listed = list(client, "/products/", &[]).await?;
    let mut account = Account::default();
    let mut ids = Vec::new();
    for product in &listed {
        let id = text(product, "id", "a product")?;
        if !product["archivedAt"].is_null() {
            continue;
        }
        if product["externalId"].as_str().is_none_or(str::is_empty) {
            let name = product["name"].as_str().unwrap_or_default();
            account.left_out.push(format!("the product {name:?} ({id}) has no external id: give it one"));
            continue;
        }
        ids.push(id);
    }
    let details = stream::iter(ids).map(|id| async move {
        let product = client.request(Method::GET, &format!("/products/{id}")).await?;
        Ok::<_, AccountError>((id, product))
    });
    let details: Vec<_> = details.buffered(AT_ONCE).try_collect().await?;
    for (id, product) in details {
        let product = one(id, &product, &mut account.left_out)?;
        account.products.push(product);
    }
    account.products.sort_by(|one, other| one.external_id.cmp(&other.external_id));
    Ok(account)
}

fn one(id: String, product: &Value, left_out: &mut Vec<String>) -> Result<AccountProduct, AccountError> {
    let place = format!("product {id}");
    let mut known = AccountProduct {
        external_id: text(product, "externalId", &place)?,
        name: text(product, "name", &place)?,
        description: product["description"].as_str().filter(|text| !text.is_empty()).map(str::to_owned),
        active: product["active"].as_bool().unwrap_or(true),
        prices: Vec::new(),
        unreadable: Vec::new(),
        id,
    };
    for attribute in product["productAttributes"].as_array().into_iter().flatten() {
        let name = text(attribute, "name", &place)?;
        match prices::of_attribute(attribute) {
            Ok(price) => {
                let id = text(attribute, "productAttributeId", &place)?;
                known.prices.push(AccountPrice { id, name, price });
            }
            Err(problem) => {
                left_out.push(format!("the price {name:?} of product {}: {problem}", known.external_id));
                known.unreadable.push(name);
            }
        }
    }
    Ok(known)
}

pub(super) fn text(value: &Value, key: &str, place: &str) -> Result<String, AccountError> {
    let text = value[key].as_str().map(str::to_owned);
    text.ok_or_else(|| AccountError::unreadable(place, format!("`{key}` is missing or no text")))
}

/// All items of a list.
pub(super) async fn list(
    client: &Client,
    path: &str,
    query: &[(&'static str, &str)],
) -> Result<Vec<Value>, AccountError> {
    let mut items = Vec::new();
    each(client, path, query, |item| items.push(item)).await?;
    Ok(items)
}

/// Gives all items of a list to `take`, page by page.
pub(super) async fn each(
    client: &Client,
    path: &str,
    query: &[(&'static str, &str)],
    mut take: impl FnMut(Value),
) -> Result<(), AccountError> {
    let mut taken = 0;
    loop {
        let mut call = client.request(Method::GET, path).query("limit", PAGE.to_string());
        call = call.query("offset", taken.to_string());
        for (name, value) in query {
            call = call.query(*name, *value);
        }
        let mut page = call.await?;
        let Value::Array(read) = page["data"].take() else {
            return Err(AccountError::unreadable(path, "`data` is no list"));
        };
        taken += read.len();
        let has_more = page["pagination"]["hasMore"].as_bool().unwrap_or(read.len() == PAGE) && !read.is_empty();
        read.into_iter().for_each(&mut take);
        if !has_more {
            return Ok(());
        }
    }
}
