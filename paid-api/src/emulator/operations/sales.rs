//! The operations on what is sold and paid: plans, prices, checkouts and payments.

use serde_json::Value;

use super::super::attributes;
use super::super::contract::Matched;
use super::super::refusal::Reply;
use super::super::store::Store;

/// `None` if the operation is of another kind.
pub(super) fn execute(store: &mut Store, matched: &Matched, body: &Value) -> Option<Reply> {
    let time = store.clock.shown();
    Some(match matched.operation.as_str() {
        "list-plans" => store.plans.list(matched, &store.products),
        "create-plan" => {
            let id = store.id("plan");
            store.plans.create(body, (&store.products, &store.credits), id, &time)
        }
        "get-plan-by-id" | "get-plan-by-external-id" => store.plans.get(matched, &store.products),
        "update-plan-by-id" | "update-plan-by-external-id" => {
            store.plans.update(matched, body, (&store.products, &store.credits), &time)
        }
        "update-plan-upgrade-path" => store.plans.set_upgrade_path(body, &store.products, &time),
        "list-pricing" => attributes::list(&store.products, matched),
        "get-pricing" => attributes::get(&store.products, matched),
        "update-pricing" => attributes::update(&mut store.products, &store.credits, matched, body, &time),
        "list-checkouts" => Ok(store.list_checkouts(matched)),
        "create-checkout" => store.create_checkout(body),
        "get-checkout" => store.get_checkout(matched),
        "archive-checkout" => store.archive_checkout(matched),
        "list-payments" => Ok(store.payments.list(matched, &store.customers)),
        "create-payment" => store.create_payment(body),
        "get-payment" => store.payments.get(matched),
        "list-payment-allocations" => Ok(store.payments.list_allocations(matched)),
        "create-payment-allocation" => store.create_payment_allocation(body),
        "list-payment-methods" => Ok(store.payment_methods.list(matched, &store.customers)),
        "create-payment-method" => {
            let id = store.id("pm");
            store.payment_methods.create(body, &store.customers, id, store.clock.now())
        }
        "get-payment-method" => store.payment_methods.get(matched),
        "delete-payment-method" => store.payment_methods.delete(matched),
        "update-default-payment-method" => store.payment_methods.set_default(matched),
        _ => return None,
    })
}
