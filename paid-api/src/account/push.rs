//! Makes the account what the catalogue says. Nothing is deleted.

use paid_catalog::{Catalog, Price, Product, Setting};
use serde_json::{Map, Value, json};

use super::differences::{Differences, compare, find, name_of, shown_name};
use super::error::AccountError;
use super::prices::{NEVER_SHOWN, in_full, to_attribute};
use super::remote::{Account, AccountProduct, list, read};
use crate::{Client, Method};

/// What a push changed in the account, and what differs all the same.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Pushed {
    /// What was different before.
    pub done: Differences,
    /// What the account has otherwise afterwards, as it was read again: empty, unless Paid keeps something else than it was sent.
    pub left: Differences,
}

/// Makes the account what the catalogue says, and reads it again to see that it is. What the catalogue leaves out stays as it
/// is; nothing is deleted. A second push has nothing to do.
///
/// # Errors
///
/// If the catalogue says something that cannot be sent, nothing has been sent. If a request fails, what came before it is
/// done: push again.
pub async fn push(client: &Client, catalog: &Catalog) -> Result<Pushed, AccountError> {
    let account = read(client).await?;
    let done = compare(catalog, &account);
    refuse_archived(client, catalog, &account).await?;
    for request in requests(catalog, &account, &done)? {
        client.request(request.method, &request.path).body(&request.body).await?;
    }
    let left = match done.is_empty() {
        true => Differences::default(),
        false => compare(catalog, &read(client).await?),
    };
    Ok(Pushed { done, left })
}

/// A product that was archived is not created anew beside it.
async fn refuse_archived(client: &Client, catalog: &Catalog, account: &Account) -> Result<(), AccountError> {
    let missing: Vec<&String> = catalog.products.keys().filter(|id| account.product(id).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let archived = list(client, "/products/", &[("archived", "true")]).await?;
    let is_archived =
        |id: &String| archived.iter().any(|known| known["externalId"] == **id && !known["archivedAt"].is_null());
    let problems: Vec<String> = missing
        .into_iter()
        .filter(|id| is_archived(id))
        .map(|id| format!("the product {id} is archived: restore it in Paid, or take it out of the catalogue"))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(AccountError::Catalogue(problems.join("\n"))) }
}

struct Request {
    method: Method,
    path: String,
    body: Value,
}

/// All requests, before the first is sent: what cannot be sent stops everything.
fn requests(catalog: &Catalog, account: &Account, differences: &Differences) -> Result<Vec<Request>, AccountError> {
    let mut requests = Vec::new();
    let mut problems = Vec::new();
    for (external_id, product) in &catalog.products {
        if !differences.changes.iter().any(|change| change.product == *external_id) {
            continue;
        }
        let known = account.product(external_id);
        let mut body = changes(product, known);
        let attributes = attributes(external_id, product, known, differences, &mut problems);
        if known.is_none() {
            let mut created = body.clone();
            created.insert("name".into(), json!(shown_name(external_id, product)));
            created.insert("externalId".into(), json!(external_id));
            requests.push(Request { method: Method::POST, path: "/products/".into(), body: created.into() });
            body = Map::new();
        }
        if !attributes.is_empty() {
            body.insert("productAttributes".into(), attributes.into());
        }
        if !body.is_empty() {
            let path = format!("/products/external/{}", segment(external_id));
            requests.push(Request { method: Method::PUT, path, body: body.into() });
        }
    }
    if problems.is_empty() { Ok(requests) } else { Err(AccountError::Catalogue(problems.join("\n"))) }
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn changes(product: &Product, known: Option<&AccountProduct>) -> Map<String, Value> {
    let mut body = Map::new();
    let known_name = known.map(|known| &known.name);
    if let Some(name) = product.name.as_ref().filter(|name| Some(*name) != known_name) {
        body.insert("name".into(), json!(name));
    }
    let known_text = known.and_then(|known| known.description.as_ref());
    if let Some(text) = product.description.as_ref().filter(|text| Some(*text) != known_text) {
        body.insert("description".into(), json!(text));
    }
    // A product that is created is not sold, unless it is said.
    if known.is_none_or(|known| known.active != product.active) {
        body.insert("active".into(), json!(product.active));
    }
    body
}

fn attributes(
    external_id: &str,
    product: &Product,
    known: Option<&AccountProduct>,
    differences: &Differences,
    problems: &mut Vec<String>,
) -> Vec<Value> {
    let differs = |name: &str| {
        let mut changes = differences.changes.iter();
        changes.any(|change| change.product == external_id && change.price.as_deref() == Some(name))
    };
    let mut attributes = Vec::new();
    for (key, price) in &product.prices {
        let name = name_of(key, price);
        if !differs(name) {
            continue;
        }
        if known.is_some_and(|known| known.unreadable.iter().any(|unreadable| unreadable == name)) {
            problems.push(format!(
                "the price `{name}` of product {external_id} is there, in a form that this version cannot read"
            ));
            continue;
        }
        match attribute(key, price, known) {
            Ok(attribute) => attributes.push(attribute),
            Err(problem) => problems.push(format!("the price `{name}` of product {external_id}: {problem}")),
        }
    }
    attributes
}

/// The attribute as the catalogue says, and where the catalogue says nothing, as the account has it.
fn attribute(key: &str, price: &Price, known: Option<&AccountProduct>) -> Result<Value, String> {
    let found = known.and_then(|known| find(key, price, known));
    if let (None, Some(Setting::Text(id))) = (found, price.settings.get("id")) {
        return Err(format!("the account has no price {id}; remove `id` to create one"));
    }
    let mut settings = found.map(|found| in_full(&found.price)).unwrap_or_default();
    let own = in_full(price);
    if let Some(found) = found.filter(|found| found.price.pricing_type == price.pricing_type) {
        let lost = needed_and_never_shown(&found.price).find(|key| !own.contains_key(*key));
        if let Some(key) = lost {
            return Err(format!("a change needs `{key}`, which Paid does not show: write it into the catalogue"));
        }
    } else if found.is_some() {
        settings.clear();
    }
    settings.extend(own);
    let signal_type = price.signal_type.or_else(|| found.and_then(|found| found.price.signal_type));
    let price = Price { signal_type, ..price.clone() };
    to_attribute(name_of(key, &price), &price, &settings, found.map(|found| found.id.as_str()))
}

/// What a price has to say, and what Paid does not show of it.
fn needed_and_never_shown(price: &Price) -> impl Iterator<Item = &'static str> {
    let is_bracketed = price.pricing_type == "UsageBracketedPrepaidCredits";
    let is_custom = price.settings.get("billing_frequency") == Some(&Setting::Text("Custom".to_owned()));
    NEVER_SHOWN.into_iter().filter(move |key| match *key {
        "credit_unit_brackets" | "pricing_input" => is_bracketed,
        "billing_frequency_custom_months" => is_custom,
        _ => false,
    })
}
