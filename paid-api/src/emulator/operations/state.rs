//! What a customer has at this moment: orders, seats, credits and checkouts.

use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::plans;
use super::super::refusal::Reply;
use super::super::seats::Seat;
use super::super::store::Store;
use super::super::table::text;
use crate::JsonObject;

pub(super) fn customer_state(store: &Store, matched: &Matched) -> Reply {
    let customer = store.customers.at(matched)?;
    let id = text(customer, "id").unwrap_or_default();
    let of = |key: &str| customer.get(key).cloned().unwrap_or_default();
    let is_empty = |address: &Value| address.as_object().is_none_or(JsonObject::is_empty);
    let address = Some(of("billingAddress")).filter(|address| !is_empty(address));
    Ok(json!({
        "customer": {"id": of("id"), "externalId": of("externalId"), "name": of("name"), "billingAddress": address},
        "defaultCurrency": of("defaultCurrency"),
        "orders": orders(store, id),
        "seats": seats(store, id),
        "credits": store.credits.summary(id, None, *store.clock.now()),
        "checkoutLinks": checkouts(store, id),
        "timestamp": store.clock.shown(),
    }))
}

fn orders(store: &Store, customer: &str) -> Value {
    let of_customer = store.orders.rows().iter().filter(|row| text(row, "customerId") == Some(customer));
    let shown = of_customer.map(|row| {
        let of = |key: &str| row.get(key).cloned().unwrap_or_default();
        json!({
            "id": of("id"),
            "externalId": of("externalId"),
            "name": of("name"),
            "currency": of("currency"),
            "startDate": of("startDate"),
            "endDate": of("endDate"),
            "effectiveUntil": of("endDate"),
            "state": store.state_of(row),
        })
    });
    shown.collect()
}

fn seats(store: &Store, customer: &str) -> Value {
    let orders = store.orders.rows().iter().filter(|row| text(row, "customerId") == Some(customer));
    let orders: Vec<_> = orders.filter_map(|row| text(row, "id")).collect();
    let seats: Vec<_> = store.seats.of_orders(&orders).map(|seat| shown_seat(store, customer, seat)).collect();
    let assigned = seats.iter().filter(|seat| seat["status"] == "assigned").count();
    json!({"total": seats.len(), "assigned": assigned, "unassigned": seats.len() - assigned, "data": seats})
}

fn shown_seat(store: &Store, customer: &str, seat: &Seat) -> Value {
    let user = seat.user().and_then(|id| store.users.rows().iter().find(|row| text(row, "id") == Some(id)));
    let assignee = user.map(|row| {
        let of = |key: &str| row.get(key).cloned().unwrap_or_default();
        json!({"id": of("id"), "externalId": of("externalId"), "name": of("name"), "email": of("email")})
    });
    json!({
        "id": seat.id,
        "orderId": seat.order(),
        "product": store.products.find("id", seat.product()).map(plans::reference),
        "status": if assignee.is_some() { "assigned" } else { "unassigned" },
        "assignee": assignee,
        "credits": store.credits.summary(customer, Some(&seat.id), *store.clock.now()),
    })
}

/// The links that can still be used.
fn checkouts(store: &Store, customer: &str) -> Value {
    let is_meant =
        |row: &&JsonObject| text(row, "customerId") == Some(customer) && text(row, "status") == Some("active");
    let shown = store.checkouts.rows().iter().filter(is_meant).map(|row| {
        let of = |key: &str| row.get(key).cloned().unwrap_or_default();
        let products = row.get("products").and_then(Value::as_array).into_iter().flatten();
        json!({
            "id": of("id"),
            "url": of("url"),
            "status": of("status"),
            "productIds": products.map(|product| &product["id"]).collect::<Vec<_>>(),
            "allowedCurrencies": of("allowedCurrencies"),
            "singleUse": of("singleUse"),
            "expiresAt": of("expiresAt"),
        })
    });
    shown.collect()
}
