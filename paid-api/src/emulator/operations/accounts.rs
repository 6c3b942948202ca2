//! The operations on what belongs to a customer.

use serde_json::Value;

use super::super::accounts::portal;
use super::super::contract::Matched;
use super::super::refusal::Reply;
use super::super::store::Store;
use super::state;

/// `None` if the operation is of another kind.
pub(super) fn execute(store: &mut Store, matched: &Matched, body: &Value) -> Option<Reply> {
    let operation = matched.operation.strip_suffix("-by-external-id").unwrap_or(&matched.operation);
    let time = store.clock.shown();
    Some(match operation {
        "list-customer-aliases" => store.customers.list_aliases(matched),
        "create-customer-alias" => store.customers.create_alias(matched, body, &time),
        "delete-customer-alias" => store.customers.delete_alias(matched),
        "upsert-customer-user" => {
            let id = store.id("usr");
            store.users.upsert(matched, body, &store.customers, id, &time)
        }
        "get-customer-state" | "get-customer-state-by-id" => state::customer_state(store, matched),
        "get-customer-funding-instructions" => store.funding.get(matched, &store.customers),
        "create-customer-funding-instructions" => {
            let id = store.id("fund");
            store.funding.create(matched, body, &store.customers, &id, &time).map(|(shown, is_new)| {
                store.is_created = is_new;
                shown
            })
        }
        "create-customer-portal" => {
            let id = store.id("cpo");
            portal(body, &store.customers, &id, store.clock.now())
        }
        _ => return of_groups(store, matched, body, &time).or_else(|| of_units(store, matched, body, &time)),
    })
}

fn of_groups(store: &mut Store, matched: &Matched, body: &Value, time: &Value) -> Option<Reply> {
    let Store { groups, customers, .. } = &mut *store;
    Some(match matched.operation.as_str() {
        "list-customer-groups" => Ok(groups.list(matched)),
        "create-customer-group" => {
            let id = store.uuid();
            store.groups.create(body, id, time)
        }
        "get-customer-group" => groups.get(matched, customers),
        "update-customer-group" => groups.update(matched, body, customers, time),
        "delete-customer-group" => groups.delete(matched),
        "create-customer-group-members" => groups.add_members(matched, body, customers, time),
        "update-customer-group-members" => groups.set_members(matched, body, customers, time),
        "delete-customer-group-members" => groups.remove_members(matched, body, customers, time),
        _ => return None,
    })
}

fn of_units(store: &mut Store, matched: &Matched, body: &Value, time: &Value) -> Option<Reply> {
    let operation = matched.operation.strip_suffix("-by-external-id").unwrap_or(&matched.operation);
    let checked = match operation {
        "create-customer-unit" => store.check_no_seats(matched),
        "delete-customer-unit" => store.check_no_cap(matched),
        _ => Ok(()),
    };
    if let Err(refusal) = checked {
        return Some(Err(refusal));
    }
    let Store { units, customers, .. } = store;
    Some(match operation {
        "list-customer-units" => units.list(matched, customers),
        "create-customer-unit" => units.create(matched, body, customers, time),
        "get-customer-unit" => units.get(matched, customers),
        "update-customer-unit" => units.update(matched, body, customers, time),
        "delete-customer-unit" => units.delete(matched, customers, time),
        _ => return None,
    })
}
