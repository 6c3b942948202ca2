//! The list of transactions, and its filters.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Credits, Kind, Transaction, reference};
use crate::emulator::accounts::Customers;
use crate::emulator::contract::Matched;
use crate::emulator::refusal::Reply;
use crate::emulator::table::{Table, page_of, text};
use crate::{JsonObject, Timestamp};

/// What transactions refer to.
#[derive(Clone, Copy)]
pub(in crate::emulator) struct Named<'a> {
    pub(in crate::emulator) customers: &'a Customers,
    pub(in crate::emulator) products: &'a Table,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::PendingGrant => "pendingGrant",
            Self::Spend => "spend",
        }
    }
}

impl Transaction {
    /// What it changes: a spend takes credits away.
    fn signed(&self) -> Decimal {
        match self.kind {
            Kind::Spend => -self.credits,
            Kind::Grant | Kind::PendingGrant => self.credits,
        }
    }
}

impl Credits {
    /// The newest first.
    pub(in crate::emulator) fn list_transactions(&self, named: Named<'_>, matched: &Matched) -> Value {
        let all = self.ledger.transactions.iter().enumerate().rev();
        let meant = all.filter(|(_, transaction)| self.is_meant(transaction, named.customers, matched));
        page_of(meant, matched, |(index, transaction)| self.shown_transaction(index, transaction, named))
    }

    /// Whether the filters of a query let a transaction pass.
    pub(super) fn is_meant(&self, transaction: &Transaction, customers: &Customers, matched: &Matched) -> bool {
        matched.query.iter().all(|(name, wanted)| {
            let bound = wanted.parse::<Timestamp>().ok();
            let at = Some(Timestamp::from(transaction.at));
            match name.as_str() {
                "customerId" => transaction.customer == *wanted,
                "externalCustomerId" => {
                    let customer = customers.find("externalId", wanted);
                    customer.and_then(|row| text(row, "id")) == Some(&transaction.customer)
                }
                "creditsCurrencyId" => transaction.currency == *wanted,
                "creditCurrencyKey" => self.by_key(wanted) == Some(&transaction.currency),
                "eventName" => transaction.origin.event.as_deref() == Some(wanted),
                "orderId" => transaction.origin.order.as_deref() == Some(wanted),
                "type" => transaction.kind.word() == wanted,
                "createdAtFrom" => at >= bound,
                "createdAtTo" => at <= bound,
                _ => true,
            }
        })
    }

    fn shown_transaction(&self, index: usize, transaction: &Transaction, named: Named<'_>) -> Value {
        let origin = &transaction.origin;
        let product = origin.product.as_deref().and_then(|id| named.products.find("id", id));
        let customer = named.customers.find("id", &transaction.customer);
        let gone = || json!({ "id": transaction.customer, "externalId": null });
        json!({
            "id": format!("ctx_{:06}", index + 1),
            "type": transaction.kind.word(),
            "originCode": transaction.code,
            "amount": transaction.signed().normalize().to_string(),
            "creditCurrency": self.named(&transaction.currency),
            "customer": customer.map_or_else(gone, reference),
            "eventName": origin.event,
            "orderId": origin.order,
            "product": product.map(shown_product),
            "signalId": origin.signal,
            "createdAt": Timestamp::from(transaction.at).to_string(),
        })
    }

    /// The transactions of each interval, by currency and event.
    pub(in crate::emulator) fn summarize(&self, customers: &Customers, matched: &Matched) -> Reply {
        super::summary::of(self, customers, matched)
    }
}

fn shown_product(product: &JsonObject) -> Value {
    json!({ "id": product.get("id"), "externalId": product.get("externalId"), "name": product.get("name") })
}
