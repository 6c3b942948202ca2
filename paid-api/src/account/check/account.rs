//! Rules about the account: prices on one side only, products that nobody has ordered.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use paid_catalog::{MISSING_PRICE, UNLISTED_PRICE, UNORDERED_PRODUCT};

use super::{Checked, Finding};
use crate::Client;
use crate::account::differences::{Difference, compare, find, name_of};
use crate::account::error::AccountError;
use crate::account::remote::{Account, list};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// The products, by Paid's id, that active orders have.
pub type Ordered = BTreeSet<String>;

/// Asks Paid which of these products, by Paid's id, active orders have. It stops when each of them was found.
///
/// # Errors
///
/// If a request fails, or an answer cannot be read.
pub async fn ordered(client: &Client, products: &BTreeSet<String>) -> Result<Ordered, AccountError> {
    let mut found = Ordered::new();
    if products.is_empty() {
        return Ok(found);
    }
    let orders = list(client, "/orders/", &[("status", "active")]).await?;
    let ids: Vec<String> = orders.iter().filter_map(|order| order["id"].as_str().map(str::to_owned)).collect();
    let lines = stream::iter(ids).map(|id| async move { list(client, &format!("/orders/{id}/lines"), &[]).await });
    let mut lines = lines.buffer_unordered(AT_ONCE);
    while let Some(lines) = lines.next().await {
        found.extend(lines?.iter().filter_map(|line| line["productId"].as_str().map(str::to_owned)));
        if products.is_subset(&found) {
            break;
        }
    }
    Ok(found)
}

impl Checked {
    /// The ids, by Paid, of the products that the catalogue names: what [`ordered`] is asked for.
    pub fn products_in(&self, account: &Account) -> BTreeSet<String> {
        self.named().into_iter().filter_map(|id| account.product(id)).map(|product| product.id.clone()).collect()
    }

    /// The external ids of the products that the catalogue names.
    fn named(&self) -> BTreeSet<&String> {
        let of_signals = self.catalog.signals.values().filter_map(|signal| signal.product.as_ref());
        self.catalog.products.keys().chain(of_signals).collect()
    }

    pub(super) fn about_account(&self, account: &Account, ordered: &Ordered) -> Vec<Finding> {
        let mut findings = self.missing(account);
        findings.extend(self.unlisted(account));
        findings.extend(self.unordered(account, ordered));
        findings
    }

    fn missing(&self, account: &Account) -> Vec<Finding> {
        let differences = compare(&self.catalog, account);
        // The name and description of a product say nothing about a price.
        let counts = |change: &&Difference| {
            change.price.is_some() || change.setting.as_deref().is_none_or(|key| key == "active")
        };
        let changes = differences.changes.iter().filter(counts);
        changes.map(|change| {
            let key = change.price.as_deref().map(|price| self.key_of(&change.product, price));
            let spot = key.and_then(|key| self.places.prices.get(&(change.product.clone(), key)));
            let spot = spot.or_else(|| self.places.products.get(&change.product)).copied();
            let fix = "make the account so with `cargo paid products push`, or take its prices with `cargo paid signals pull`";
            self.found(MISSING_PRICE, None, self.at(spot), in_words(change), fix.to_owned())
        }).collect()
    }

    /// The key of a price in the catalogue, which may differ from its name.
    fn key_of(&self, product: &str, name: &str) -> String {
        let prices = self.catalog.products.get(product).into_iter().flat_map(|product| &product.prices);
        let mut named = prices.filter(|(key, price)| name_of(key, price) == name);
        named.next().map_or_else(|| name.to_owned(), |(key, _)| key.clone())
    }

    fn unlisted(&self, account: &Account) -> Vec<Finding> {
        let mut findings = Vec::new();
        for product in account.products.iter().filter(|product| product.active) {
            let known = self.catalog.products.get(&product.external_id);
            let listed: BTreeSet<&str> = known
                .into_iter()
                .flat_map(|known| &known.prices)
                .filter_map(|(key, price)| find(key, price, product))
                .map(|price| price.id.as_str())
                .collect();
            let of_account = product.prices.iter().filter(|price| price.price.active);
            for price in of_account.filter(|price| !listed.contains(price.id.as_str())) {
                let spot = self.places.products.get(&product.external_id).copied();
                let message = format!(
                    "the account has the price {:?} of product {}, and {} does not",
                    price.name, product.external_id, self.shown
                );
                let fix = "take it with `cargo paid signals pull`".to_owned();
                findings.push(self.found(UNLISTED_PRICE, None, self.at(spot), message, fix));
            }
        }
        findings
    }

    fn unordered(&self, account: &Account, ordered: &Ordered) -> Vec<Finding> {
        let mut findings = Vec::new();
        for id in self.named() {
            let Some(product) = account.product(id).filter(|product| !ordered.contains(&product.id)) else { continue };
            let spot = self.places.products.get(id).copied();
            let spot = spot.or_else(|| {
                let mut signals = self.catalog.signals.iter().filter(|(_, signal)| signal.product.as_ref() == Some(id));
                signals.next().and_then(|(name, _)| self.places.signals.get(name)).copied()
            });
            let message =
                format!("no active order has the product {id} ({:?}), so none of its signals is billed", product.name);
            let fix = "activate an order that has it; until then, its signals are counted for nobody".to_owned();
            findings.push(self.found(UNORDERED_PRODUCT, None, self.at(spot), message, fix));
        }
        findings
    }
}

fn in_words(change: &Difference) -> String {
    let what = match &change.price {
        Some(price) => format!("the price {price:?} of product {}", change.product),
        None => format!("the product {}", change.product),
    };
    match (&change.setting, &change.account) {
        (None, _) => format!("the account does not have {what}: {}", change.catalogue),
        (Some(setting), Some(account)) => {
            format!("`{setting}` of {what} is {account} in the account, and {} here", change.catalogue)
        }
        (Some(setting), None) => {
            format!("`{setting}` of {what} is {} here, and nothing in the account", change.catalogue)
        }
    }
}
