//! What bills the signals that Paid has: on the emulator.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use chrono::TimeDelta;
use paid::account::{Billed, Reconcile, billed};
use paid::emulator::{Emulator, Fault};
use paid::outbox::Entry;
use paid::{Method, Timestamp};
use serde_json::{Value, json};

struct Account {
    emulator: Emulator,
    folder: tempfile::TempDir,
}

fn in_days(days: i64) -> String {
    Timestamp::from(*Timestamp::now() + TimeDelta::days(days)).to_string()
}

impl Account {
    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        self.emulator.client().request(method, path).body(&body).await.unwrap()
    }

    /// A customer `c` with an active order, since 60 days, of a product `p` with these prices.
    async fn selling(attributes: Value) -> Self {
        Self::with_lines(attributes, 0).await
    }

    /// The same, with lines of other products before it.
    async fn with_lines(attributes: Value, others: usize) -> Self {
        let account = Self { emulator: Emulator::start().await.unwrap(), folder: tempfile::tempdir().unwrap() };
        account.call(Method::POST, "/credits/currencies", json!({"name": "Tokens", "key": "tokens"})).await;
        let currencies = account.emulator.client().request(Method::GET, "/credits/currencies").await.unwrap();
        let tokens = currencies["data"][0]["id"].as_str().unwrap();
        let attributes: Value = serde_json::from_str(&attributes.to_string().replace("TOKENS", tokens)).unwrap();
        let product =
            account.call(Method::POST, "/products/", json!({"name": "P", "externalId": "p", "active": true})).await;
        let path = format!("/products/{}", product["id"].as_str().unwrap());
        account.call(Method::PUT, &path, json!({ "productAttributes": attributes })).await;
        let customer = account.call(Method::POST, "/customers/", json!({"name": "C", "externalId": "c"})).await;
        let mut lines = Vec::new();
        for number in 0..others {
            let other = json!({"name": "Other", "externalId": format!("other-{number}"), "active": true});
            lines.push(json!({"productId": account.call(Method::POST, "/products/", other).await["id"]}));
        }
        lines.push(json!({"productId": product["id"]}));
        let order = json!({"customerId": customer["id"], "currency": "USD", "creationState": "active",
            "startDate": in_days(-60), "lines": lines});
        account.call(Method::POST, "/orders/", order).await;
        account
    }

    /// Sends signals of these events, and returns what bills them.
    async fn after(&self, events: &[&str], window: Option<[&str; 2]>) -> Vec<Billed> {
        self.after_of(events, json!({"externalCustomerId": "c"}), window).await
    }

    async fn after_of(&self, events: &[&str], last: Value, window: Option<[&str; 2]>) -> Vec<Billed> {
        let signal = |(number, event): (usize, &&str)| {
            let customer = if number + 1 == events.len() { last.clone() } else { json!({"externalCustomerId": "c"}) };
            json!({"eventName": event, "customer": customer, "attribution": {"externalProductId": "p"},
                "idempotencyKey": format!("{event}-{number}"), "data": {"n": number}})
        };
        let signals: Vec<Value> = events.iter().enumerate().map(signal).collect();
        self.call(Method::POST, "/signals/bulk", json!({ "signals": signals })).await;
        self.of(&signals, window).await
    }

    /// What bills these signals, which were sent.
    async fn of(&self, signals: &[Value], window: Option<[&str; 2]>) -> Vec<Billed> {
        let lines: Vec<String> = signals.iter().map(Value::to_string).collect();
        let file = self.folder.path().join("sent.jsonl");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let mut reconcile = Reconcile::new(self.emulator.client()).settled(Duration::ZERO);
        if let Some([from, to]) = window {
            reconcile = reconcile.from(from.parse().unwrap()).to(to.parse().unwrap());
        }
        let entries: Vec<std::io::Result<Entry>> = paid::outbox::entries(&file).unwrap().collect();
        let report = reconcile.run(entries, |_, _| {}).await.unwrap();
        billed(&self.emulator.client(), &report).await.unwrap()
    }
}

fn prepaid(more: Value) -> Value {
    let mut pricing = json!({"pricingType": "UsagePrepaidCredits", "eventName": "call", "creditCost": 2.5, "creditsCurrencyId": "TOKENS"});
    pricing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"name": "Calls", "pricing": pricing})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_that_spend_credits_are_known_by_their_transactions() {
    let account = Account::selling(json!([prepaid(json!({}))])).await;
    let grant = json!({"creditCurrencyKey": "tokens", "amount": 5});
    account.call(Method::POST, "/customers/external/c/credits/grants", grant).await;
    let found = account.after(&["call", "call", "call"], None).await;
    let [calls] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((calls.signals, calls.spent, calls.waiting, calls.unpriced()), (3, 2, 1, 0), "{calls:?}");
    assert_eq!(calls.credits.get("tokens").map(String::as_str), Some("5"));
    assert_eq!(calls.reasons, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_by_its_own_id_and_by_paids_is_one() {
    let account = Account::selling(json!([prepaid(json!({}))])).await;
    let grant = json!({"creditCurrencyKey": "tokens", "amount": 5});
    account.call(Method::POST, "/customers/external/c/credits/grants", grant).await;
    let customer = account.emulator.client().request(Method::GET, "/customers/external/c").await.unwrap();
    let found = account.after_of(&["call", "call", "call"], json!({"customerId": customer["id"]}), None).await;
    let [calls] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((calls.signals, calls.spent, calls.waiting, calls.unpriced()), (3, 2, 1, 0), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_customer_spent_who_is_deleted_since_was_billed() {
    let account = Account::selling(json!([prepaid(json!({}))])).await;
    let grant = json!({"creditCurrencyKey": "tokens", "amount": 5});
    account.call(Method::POST, "/customers/external/c/credits/grants", grant).await;
    let signal = |number: usize| {
        json!({"eventName": "call", "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"},
            "idempotencyKey": format!("call-{number}"), "data": {"paid_ref": format!("call-{number}")}})
    };
    let signals: Vec<Value> = (0..2).map(signal).collect();
    account.call(Method::POST, "/signals/bulk", json!({ "signals": signals })).await;
    let customer = account.emulator.client().request(Method::GET, "/customers/external/c").await.unwrap();
    let mut unpaid = signal(2);
    unpaid["customer"] = json!({"customerId": customer["id"]});
    account.call(Method::POST, "/signals/bulk", json!({ "signals": [unpaid] })).await;
    let signals = [signals, vec![unpaid]].concat();
    // The emulator deletes no customer with orders; Paid's own ids of signals and transactions stay either way.
    for operation in ["get-customer-by-external-id", "get-customer-by-id"] {
        account.emulator.fault(Fault::status(404).operation(operation).times(9));
    }
    let found = account.of(&signals, None).await;
    let [calls, by_paids_id] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((calls.signals, calls.spent, calls.unpriced()), (2, 2, 0), "{calls:?}");
    assert_eq!(calls.credits.get("tokens").map(String::as_str), Some("5"));
    assert_eq!(calls.reasons[0].rule, "unknown_customer");
    assert_eq!((by_paids_id.signals, by_paids_id.spent, by_paids_id.unpriced()), (1, 0, 1), "{by_paids_id:?}");
    assert!(by_paids_id.credits.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_stands_on_lines_of_invoices_with_units_and_money() {
    let usage = json!({"name": "Mails", "pricing": {"pricingType": "UsagePerUnit", "eventName": "mail",
        "billingFrequency": "Monthly", "pricePoints": [{"currency": "USD", "unitPrice": 150}]}});
    let account = Account::selling(json!([usage])).await;
    let found = account.after(&["mail", "mail", "other"], None).await;
    let [mails, others] = found.as_slice() else { panic!("{found:?}") };
    let line = mails.lines.iter().find(|line| line.quantity == "2").unwrap();
    assert_eq!((line.total.as_str(), line.currency.as_str(), line.description.as_str()), ("3.00", "USD", "Mails"));
    assert!(line.from < Timestamp::now() && Timestamp::now() < line.to);
    assert_eq!((mails.unpriced(), mails.reasons.len()), (0, 0));
    assert_eq!((others.unpriced(), others.reasons[0].rule), (1, "no_price"));
    let before = account.after(&["mail"], Some([&in_days(-400), &in_days(-300)])).await;
    assert!(before.iter().all(|billed| billed.lines.is_empty()), "of another time: {before:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_credits_should_have_billed_and_did_not_is_counted_and_not_priced() {
    // The order has the price of its time; the product's price is changed to another event afterwards.
    let account = Account::selling(json!([prepaid(json!({"eventName": "old_call"}))])).await;
    let product = account.emulator.client().request(Method::GET, "/products/external/p").await.unwrap();
    let mut attribute = product["productAttributes"][0].clone();
    attribute["pricing"]["eventName"] = json!("call");
    let path = format!("/products/{}", product["id"].as_str().unwrap());
    account.call(Method::PUT, &path, json!({"productAttributes": [attribute]})).await;
    let found = account.after(&["call", "call"], None).await;
    let [calls] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((calls.spent, calls.waiting, calls.unpriced()), (0, 0, 2), "{calls:?}");
    assert_eq!(calls.reasons[0].rule, "not_spent");
    assert!(calls.reasons[0].problem.starts_with("2 of 2 have no credit transaction"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_of_many_lines_is_read_to_its_end() {
    let usage = json!({"name": "Mails", "pricing": {"pricingType": "UsagePerUnit", "eventName": "mail",
        "billingFrequency": "Monthly", "pricePoints": [{"currency": "USD", "unitPrice": 150}]}});
    let account = Account::with_lines(json!([usage]), 11).await;
    let found = account.after(&["mail"], None).await;
    let [mails] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((mails.unpriced(), mails.reasons.len()), (0, 0), "{mails:?}");
    assert!(mails.lines.iter().any(|line| line.quantity == "1"), "{mails:?}");
}

/// Signals of another window that Paid lists at its edge are no cover for those of this one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credits_of_signals_before_the_window_cover_none_in_it() {
    let account = Account::selling(json!([prepaid(json!({}))])).await;
    let grant = json!({"creditCurrencyKey": "tokens", "amount": 5});
    account.call(Method::POST, "/customers/external/c/credits/grants", grant).await;
    // Two that are not emitted by this program in this window take all credits.
    let other = |number: usize| {
        json!({"eventName": "call", "customer": {"externalCustomerId": "c"},
        "attribution": {"externalProductId": "p"}, "data": {"other": number}})
    };
    account.call(Method::POST, "/signals/bulk", json!({"signals": [other(0), other(1)]})).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let now = Timestamp::now().to_string();
    let found = account.after(&["call"], Some([&now, &in_days(1)])).await;
    let [calls] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((calls.signals, calls.spent, calls.waiting), (1, 0, 1), "{calls:?}");
    assert!(calls.credits.is_empty(), "{calls:?}");
}
