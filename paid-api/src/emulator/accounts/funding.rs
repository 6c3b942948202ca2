//! Where a customer sends money: a bank account of its own for each currency. The emulator has accounts in US dollars only.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::super::table::text;
use super::Customers;

/// The only currency of a checking account with a routing number.
const CURRENCY: &str = "USD";

/// By the customer's id.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Funding(BTreeMap<String, Value>);

impl Funding {
    /// Creates the account. If there is one, it is returned. Also tells whether it is new.
    pub(in crate::emulator) fn create(
        &mut self,
        matched: &Matched,
        body: &Value,
        customers: &Customers,
        id: &str,
        time: &Value,
    ) -> Result<(Value, bool), Refusal> {
        let customer = customers.at(matched)?;
        let currency = body["currency"].as_str().or_else(|| text(customer, "defaultCurrency")).unwrap_or(CURRENCY);
        if !currency.eq_ignore_ascii_case(CURRENCY) {
            let error = format!("the emulator has bank accounts in {CURRENCY} only, not in {currency}");
            let refusal = Refusal::invalid("body.currency", error);
            return Err(Refusal { status: 422, ..refusal });
        }
        let customer = text(customer, "id").unwrap_or_default();
        let number = id.rsplit('_').next().unwrap_or_default();
        let account = || {
            json!({
                "customerId": customer,
                "currency": CURRENCY,
                "accountHolderName": "Paid emulator",
                "accountNumber": format!("{number:0>12}"),
                "accountType": "checking",
                "bankName": "Emulator Bank",
                "routingNumber": "000000000",
                "memo": customer,
                "status": "active",
                "createdAt": time,
            })
        };
        let is_new = !self.0.contains_key(customer);
        Ok((self.0.entry(customer.to_owned()).or_insert_with(account).clone(), is_new))
    }

    pub(in crate::emulator) fn get(&self, matched: &Matched, customers: &Customers) -> Reply {
        let customer = customers.id_at(matched)?;
        let of_currency = |account: &&Value| {
            let wanted = matched.query.get("currency");
            wanted.is_none_or(|wanted| account["currency"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(wanted)))
        };
        let found = self.0.get(&customer).filter(of_currency).cloned();
        found.ok_or_else(|| Refusal::not_found("bank account of the customer", &customer).at("path"))
    }

    /// Forgets the account of a customer that is deleted.
    pub(in crate::emulator) fn forget(&mut self, customer: &str) {
        self.0.remove(customer);
    }
}
