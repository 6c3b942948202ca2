//! Credits, caps, seats and amendments.

use serde_json::Value;

use super::super::contract::Matched;
use super::super::credits::Named;
use super::super::refusal::Reply;
use super::super::store::Store;
use super::super::table::text;
use crate::JsonObject;

pub(super) fn execute(store: &mut Store, matched: &Matched, body: &Value) -> Option<Reply> {
    let now = store.clock.now();
    let customer = || store.customers.at(matched).map(|row| (id_of(row), row));
    let operation = matched.operation.trim_end_matches("-by-external-id");
    Some(match operation {
        "list-credit-currencies" => Ok(store.credits.list_currencies(matched)),
        "create-credit-currency" => {
            let id = store.id("cc");
            store.credits.create_currency(id, body, now.to_string().into())
        }
        "update-credit-currency-by-id" => store.credits.update_currency(matched, body, now.to_string().into()),
        "list-credit-transactions" => {
            let named = Named { customers: &store.customers, products: &store.products };
            Ok(store.credits.list_transactions(named, matched))
        }
        "get-credit-transaction-summary" => store.credits.summarize(&store.customers, matched),
        "get-customer-credit-balances" => customer().map(|(id, _)| store.credits.balances(id, *now)),
        "list-customer-pending-credit-consumption" => customer().map(|(id, _)| store.credits.pending(id, matched)),
        "grant-customer-credits" => {
            let row = match customer() {
                Ok((_, row)) => row.clone(),
                Err(refusal) => return Some(Err(refusal)),
            };
            store.credits.grant_by_hand(&row, body, now).map(|(shown, waited)| {
                store.spend_all(waited);
                shown
            })
        }
        "set-customer-unit-cap" => store.set_cap(matched, body),
        "get-customer-unit-cap" => store.get_cap(matched),
        "end-customer-unit-cap" => store.end_cap(matched),
        "get-order-amendment-options" => store.amendment_options(matched),
        "preview-order-amendment" => store.preview_amendment(matched, body),
        "execute-order-amendment" => store.execute_amendment(matched, body),
        "list-order-seats" => store.list_seats(matched),
        "batch-order-seat-assignments" => store.assign_seats(matched, body),
        "update-order-seat-assignment" => store.assign_seat(matched, body),
        _ => return None,
    })
}

fn id_of(row: &JsonObject) -> &str {
    text(row, "id").unwrap_or_default()
}
