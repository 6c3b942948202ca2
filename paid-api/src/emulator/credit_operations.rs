//! Which function executes which operation on credits, caps, seats and amendments.

use serde_json::Value;

use super::contract::Matched;
use super::credits::Named;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::table::{addressed, text};
use crate::JsonObject;

impl Store {
    /// `None` for an operation on something else.
    pub(super) fn execute_on_credits(&mut self, matched: &Matched, body: &Value) -> Option<Reply> {
        let operation = matched.operation.trim_end_matches("-by-external-id");
        Some(match operation {
            "list-credit-currencies" => Ok(self.credits.list_currencies(matched)),
            "create-credit-currency" => {
                let (id, now) = (self.id("cc"), self.clock.shown());
                self.credits.create_currency(id, body, now)
            }
            "update-credit-currency-by-id" => self.credits.update_currency(matched, body, self.clock.shown()),
            "list-credit-transactions" => Ok(self.credits.list_transactions(self.named(), matched)),
            "get-credit-transaction-summary" => self.credits.summarize(&self.customers, matched),
            "get-customer-credit-balances" => {
                self.credit_customer(matched).map(|row| self.credits.balances(id_of(row), *self.clock.now()))
            }
            "list-customer-pending-credit-consumption" => {
                self.credit_customer(matched).map(|row| self.credits.pending(id_of(row), matched))
            }
            "grant-customer-credits" => self.credit_customer(matched).cloned().and_then(|row| {
                let now = self.clock.now();
                self.credits.grant_by_hand(&row, body, now)
            }),
            "set-customer-unit-cap" => self.set_cap(matched, body),
            "get-customer-unit-cap" => self.get_cap(matched),
            "end-customer-unit-cap" => self.end_cap(matched),
            "get-order-amendment-options" => self.amendment_options(matched),
            "preview-order-amendment" => self.preview_amendment(matched, body),
            "execute-order-amendment" => self.execute_amendment(matched, body),
            "list-order-seats" => self.list_seats(matched),
            "batch-order-seat-assignments" => self.assign_seats(matched, body),
            "update-order-seat-assignment" => self.assign_seat(matched, body),
            _ => return None,
        })
    }

    fn named(&self) -> Named<'_> {
        Named { customers: &self.customers, products: &self.products }
    }

    fn credit_customer(&self, matched: &Matched) -> Result<&JsonObject, Refusal> {
        let (key, id) = addressed(matched);
        self.customer_named(key, id).ok_or_else(|| Refusal::not_found("customer", id))
    }
}

fn id_of(row: &JsonObject) -> &str {
    text(row, "id").unwrap_or_default()
}
