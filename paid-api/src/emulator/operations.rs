//! Which function executes which operation.

mod accounts;
mod credits;
mod sales;
mod state;

use serde_json::Value;

use super::contract::Matched;
use super::queries;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::values;
use crate::Timestamp;

/// Parts of the names of operations that depend on what began and ended since.
const TIMED: [&str; 5] = ["checkout", "customer-state", "invoice", "order", "payment"];

/// Executes an operation of its kind, and returns `None` for others.
type Execute = fn(&mut Store, &Matched, &Value) -> Option<Reply>;

const GROUPS: [Execute; 5] = [accounts::execute, credits::execute, sales::execute, values::execute, queries::execute];

impl Store {
    /// Executes an operation.
    pub(super) fn execute(&mut self, matched: &Matched, body: &Value) -> Reply {
        check_bounds(matched)?;
        self.is_created = false;
        if TIMED.iter().any(|part| matched.operation.contains(part)) {
            self.roll();
        }
        self.settle_credits();
        let reply = self.attempt(|store| store.executed(matched, body));
        // What was posted or activated may bring credits.
        self.settle_credits();
        reply
    }

    fn executed(&mut self, matched: &Matched, body: &Value) -> Reply {
        if let Some(reply) = GROUPS.into_iter().find_map(|execute| execute(self, matched, body)) {
            return reply;
        }
        match matched.operation.as_str() {
            "list-products" => Ok(self.list_products(matched)),
            "create-product" => self.create_product(body),
            "get-product-by-id" | "get-product-by-external-id" => self.get_product(matched),
            "update-product-by-id" | "update-product-by-external-id" => self.update_product(matched, body),
            "list-customers" => Ok(self.list_customers(matched)),
            "create-customer" => self.create_customer(body),
            "get-customer-by-id" | "get-customer-by-external-id" => self.get_customer(matched),
            "update-customer-by-id" | "update-customer-by-external-id" => self.update_customer(matched, body),
            "delete-customer-by-id" | "delete-customer-by-external-id" => self.delete_customer(matched),
            "list-contacts" => Ok(self.list_contacts(matched)),
            "create-contact" => self.create_contact(body),
            "get-contact-by-id" | "get-contact-by-external-id" => self.get_contact(matched),
            "update-contact-by-id" | "update-contact-by-external-id" => self.update_contact(matched, body),
            "delete-contact-by-id" | "delete-contact-by-external-id" => self.delete_contact(matched),
            "list-orders" => Ok(self.list_orders(matched)),
            "create-order" => self.create_order(body),
            "get-order-by-id" => self.get_order(matched),
            "update-order-by-id" => self.update_order(matched, body),
            "delete-order-by-id" => self.delete_order(matched),
            "activate-order-by-id" => self.activate_order(matched),
            "get-order-lines" => self.list_order_lines(matched),
            "create-signals" => Ok(self.create_signals(body)),
            "list-signals" => Ok(self.list_signals(matched)),
            "get-signal-by-id" => self.get_signal(matched),
            "create-costs" => self.create_costs(body),
            "list-invoices" => Ok(self.list_invoices(matched)),
            "get-invoice-by-id" => self.get_invoice(matched),
            "update-invoice-by-id" => self.update_invoice(matched, body),
            "list-webhooks" => Ok(self.webhooks.list()),
            "update-webhook" => self.webhooks.update(matched, body),
            "rotate-webhook-secret" => Ok(self.webhooks.rotate_secret()),
            "test-webhook" => self.webhooks.test(matched),
            "get-invoice-lines" => self.list_invoice_lines(matched),
            other => Err(Refusal::not_implemented(other)),
        }
    }
}

/// A bound of a list that is no time would find nothing, or everything.
fn check_bounds(matched: &Matched) -> Result<(), Refusal> {
    let mut bounds = matched.query.iter().filter(|(name, _)| name.ends_with("From") || name.ends_with("To"));
    match bounds.find(|(_, bound)| bound.parse::<Timestamp>().is_err()) {
        Some((name, bound)) => Err(Refusal::invalid(&format!("query.{name}"), format!("{bound:?} is no time"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::emulator::contract::Contract;

    #[test]
    fn every_operation_of_the_document_is_executed_or_refused_for_a_reason() {
        let ids: Vec<_> = Contract::of_paid().operations().collect();
        assert_eq!(ids.len(), 158);
        for operation in ids {
            let path = ["id", "externalId", "alias", "orderId", "displayId", "slug", "version", "seatId"];
            let path = path.into_iter().map(|name| (name.to_owned(), "x".to_owned())).collect();
            let matched = Matched { operation: operation.to_owned(), path, query: [].into(), status: 200 };
            if let Err(refusal) = Store::default().execute(&matched, &json!({})) {
                assert!(!refusal.error.ends_with(operation), "{refusal:?}");
            }
        }
    }
}
