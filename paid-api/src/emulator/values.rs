//! Value models, value metrics, delivered value and value receipts of the emulated account: the operations, over its customers,
//! orders and signals.

use serde_json::Value;

use super::billing::Charge;
use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use super::signals::Signal;
use super::store::Store;
use super::table::text;
use super::value::{Figures, Given, Occurrence, Period, Scope};
use crate::JsonObject;

/// Executes an operation of this group; `None` if it is of another.
pub(super) fn execute(store: &mut Store, matched: &Matched, body: &Value) -> Option<Reply> {
    let now = store.clock.now();
    let reply = match matched.operation.as_str() {
        "get-current-value-model" => store.models.current(),
        "update-value-model" => store.models.upload(body, now),
        "refresh-value-model-backfill" => store.models.backfill(),
        "list-value-model-versions" => Ok(store.models.list(matched)),
        "get-value-model-version" => store.models.get(matched),
        "list-value-metrics" => store.models.list_metrics(matched),
        "get-value-metric" => store.models.get_metric(matched),
        "create-value-metric" => {
            let events = known_events(store);
            store.models.create_metric(body, &|event| events.iter().any(|known| known == event), now)
        }
        "update-value-metric" => store.models.update_metric(matched, body, now),
        "archive-value-metric" => store.models.archive_metric(matched, now),
        "get-delivered-value" => delivered(store, matched, |delivered| delivered.shown()),
        "get-delivered-value-summary" => delivered(store, matched, |delivered| delivered.summary(matched)),
        "create-value-receipt" => create_receipt(store, body),
        "sync-value-receipt" => sync_receipt(store, body),
        "refresh-value-receipt" => refresh_receipt(store, matched),
        "list-value-receipts" => Ok(store.receipts.list(matched, &named(store), now)),
        "get-value-receipt-by-id" => store.receipts.get(matched, &named(store), now),
        operation if operation.ends_with("-value-receipt") => {
            let mut receipts = std::mem::take(&mut store.receipts);
            let reply = receipts.act(matched, body, &named(store), now);
            store.receipts = receipts;
            reply
        }
        _ => return None,
    };
    Some(reply)
}

/// Properties of customers, by id.
fn named(store: &Store) -> impl Fn(&str, &str) -> Value {
    |id, key| store.customers.find("id", id).and_then(|row| row.get(key)).cloned().unwrap_or_default()
}

/// The events that were sent, or that an active product bills.
fn known_events(store: &Store) -> Vec<String> {
    let sent = store.signals.iter().map(|signal| signal.event_name.to_owned());
    let products = store.products.rows().iter().filter(|product| product.get("active") == Some(&Value::Bool(true)));
    let prices = products.filter_map(|product| text(product, "id")).flat_map(|id| store.product_prices(id, None));
    let billed = prices.filter_map(|(price, _)| match price.charge {
        Charge::Usage { event_name } | Charge::Credits { event_name, .. } => Some(event_name),
        _ => None,
    });
    sent.chain(billed).collect()
}

/// A signal, as value is calculated from it.
pub(super) fn occurrence(signal: Signal<'_>) -> Occurrence<'_> {
    Occurrence {
        id: signal.id(),
        event: signal.event_name,
        product: signal.product,
        at: *signal.at,
        data: signal.data().into(),
    }
}

/// The customer that `customerId` names, by Paid's id or the user's own, or that `externalCustomerId` names: one of them.
fn customer<'a>(
    store: &'a Store,
    id: Option<&str>,
    external: Option<&str>,
    place: &str,
) -> Result<&'a JsonObject, Refusal> {
    match (id, external) {
        (Some(id), None) => {
            let found = store.customers.find("id", id).or_else(|| store.customers.find("externalId", id));
            found.ok_or_else(|| Refusal::not_found("customer", id))
        }
        (None, Some(id)) => store.customers.find("externalId", id).ok_or_else(|| Refusal::not_found("customer", id)),
        (Some(_), Some(_)) => {
            Err(Refusal::invalid(&format!("{place}.externalCustomerId"), "is there beside customerId"))
        }
        (None, None) => Err(Refusal::invalid(&format!("{place}.customerId"), "names no customer")),
    }
}

fn delivered(store: &Store, matched: &Matched, show: impl FnOnce(&super::value::Delivered<'_>) -> Reply) -> Reply {
    let query = |key: &str| matched.query.get(key).map(String::as_str);
    let customer = customer(store, query("customerId"), query("externalCustomerId"), "query")?;
    let period = Period::of_query(matched)?;
    let id = text(customer, "id").unwrap_or_default();
    let signals = store.signals.iter().filter(|signal| signal.customer == id).map(occurrence);
    show(&store.models.delivered((customer, store.groups.of(id)), period, signals)?)
}

/// What a receipt is about: the objects that the request names.
fn given(store: &Store, body: &Value) -> Result<Given, Refusal> {
    let customer = customer(store, body["customerId"].as_str(), body["externalCustomerId"].as_str(), "body")?;
    let customer = text(customer, "id").unwrap_or_default();
    let (product, order) = (body["product"]["productId"].as_str(), body["orderId"].as_str());
    if product.is_some() && order.is_some() {
        return Err(Refusal::invalid("body.orderId", "is there beside product"));
    }
    if let Some(id) = product {
        store.products.find("id", id).ok_or_else(|| Refusal::not_found("product", id))?;
    }
    if let Some(id) = order {
        let order = store.orders.find("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        if text(order, "customerId") != Some(customer) {
            return Err(Refusal::invalid("body.orderId", "is an order of another customer"));
        }
    }
    let given = Given::new(Scope::new(customer, product, order), body)?;
    let currency = figures(store, &given.scope, given.period)?.currency;
    match body["product"]["currency"].as_str().filter(|asked| !asked.eq_ignore_ascii_case(&currency)) {
        Some(_) => {
            let what =
                format!("receipts in another currency than the value model's, {currency} (body.product.currency)");
            Err(Refusal::not_implemented(&what))
        }
        None => Ok(given),
    }
}

/// What the signals of a scope and a period delivered. Without a value model, there is no total.
fn figures(store: &Store, scope: &Scope, period: Period) -> Result<Figures, Refusal> {
    let customer = store.customers.find("id", &scope.customer);
    let customer = customer.ok_or_else(|| Refusal::not_found("customer", &scope.customer))?;
    if store.models.model().is_none() {
        return Ok(Figures::new(text(customer, "defaultCurrency").unwrap_or("USD"), None));
    }
    let lines = scope.order.as_deref().and_then(|order| store.order_lines.get(order));
    let is_of_scope = |signal: &Signal<'_>| {
        signal.customer == scope.customer
            && scope.product.as_ref().is_none_or(|product| *product == signal.product)
            && (scope.order.is_none() || lines.into_iter().flatten().any(|line| line.product == signal.product))
    };
    let signals = store.signals.iter().filter(is_of_scope).map(occurrence);
    let of = (customer, store.groups.of(&scope.customer));
    let delivered = store.models.delivered(of, period, signals)?;
    Ok(Figures::new(delivered.currency(), Some(delivered.total())))
}

fn create_receipt(store: &mut Store, body: &Value) -> Reply {
    let given = given(store, body)?;
    given.check_ended(store.clock.now())?;
    add_receipt(store, given)
}

fn add_receipt(store: &mut Store, given: Given) -> Reply {
    let figures = figures(store, &given.scope, given.period)?;
    let names = (store.id("vr"), store.id("vrt"));
    Ok(store.receipts.add(names, given, figures, store.clock.now()))
}

fn sync_receipt(store: &mut Store, body: &Value) -> Reply {
    let given = given(store, body)?;
    let figures = figures(store, &given.scope, given.period)?;
    match store.receipts.sync(&given, &figures, store.clock.now()) {
        Some(reply) => reply,
        None => add_receipt(store, given),
    }
}

fn refresh_receipt(store: &mut Store, matched: &Matched) -> Reply {
    let (scope, period) = store.receipts.draft(matched)?;
    let figures = figures(store, &scope, period)?;
    store.receipts.refresh(matched, figures, store.clock.now())
}
