//! What was emitted against what Paid has, and why a signal is not billed: on the emulator.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paid::account::{Auditor, Question, Reconcile, import, push, read, read_file, resend, why_unbilled};
use paid::emulator::{Emulator, Fault};
use paid::outbox::{Ledger, entries};
use paid::{Client, Emitter, Method, RetryPolicy, Signal, Timestamp};
use paid_catalog::Catalog;
use serde_json::{Value, json};

fn client(emulator: &Emulator) -> Client {
    Client::builder().api_key("paid_x").base_url(emulator.url()).retry(RetryPolicy::never()).build().unwrap()
}

/// Signals through an emitter with a ledger; the emulator loses `lost` of them. Returns the keys that it lost.
async fn emitted(
    emulator: &Emulator,
    folder: &std::path::Path,
    number: usize,
    lost: usize,
    with_reference: bool,
) -> BTreeSet<String> {
    let mut random = fastrand::Rng::with_seed(7);
    let lost: BTreeSet<String> =
        random.choose_multiple(0..number, lost).into_iter().map(|key| format!("k-{key}")).collect();
    emulator.lose_signals(lost.iter().cloned());
    let builder = Emitter::builder(client(emulator)).ledger(Ledger::new(folder)).with_reference(with_reference);
    let emitter = builder.queue(number + 1).build().unwrap();
    for key in 0..number {
        let signal = Signal::new(if key % 3 == 0 { "meeting_booked" } else { "email_sent" }).product("p");
        let signal = signal.customer(format!("customer-{}", key % 50)).field("lead", &(key % 250));
        drop(emitter.emit(signal.idempotency_key(format!("k-{key}"))));
    }
    emitter.shutdown(Duration::from_secs(120)).await.unwrap();
    assert_eq!(emitter.stats().delivered, number as u64);
    lost
}

fn keys(folder: &std::path::Path, positions: impl Iterator<Item = usize>) -> BTreeSet<String> {
    let all: Vec<Value> =
        entries(folder).unwrap().map(|entry| serde_json::from_str(entry.unwrap().signal.get()).unwrap()).collect();
    positions.map(|position| all[position]["idempotencyKey"].as_str().unwrap().to_owned()).collect()
}

/// `PAID_SIGNALS_LOST=100000` makes as many signals.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconciliation_names_exactly_what_was_lost_and_sends_it_again() {
    let number = std::env::var("PAID_SIGNALS_LOST").ok().and_then(|number| number.parse().ok()).unwrap_or(5_000);
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let folder = tempfile::tempdir().unwrap();
    let lost = emitted(&emulator, folder.path(), number, 137, true).await;
    let now = Reconcile::new(emulator.client()).settled(Duration::ZERO);
    let report = now.clone().run(entries(folder.path()).unwrap(), |_, _| {}).await.unwrap();
    assert_eq!((report.emitted, report.found), (number as u64, number as u64 - 137));
    assert_eq!(keys(folder.path(), report.missing.iter().map(|missing| missing.position)), lost);
    assert!(report.uncertain.is_empty() && report.extra.is_empty() && report.unacknowledged.is_empty());
    let by_tally: u64 = report.tallies.values().map(|tally| tally.missing).sum();
    assert_eq!(by_tally, 137);

    // Entries are known by their keys: others that came in between are not sent.
    let shifted = entries(folder.path()).unwrap().skip(1).chain(entries(folder.path()).unwrap().take(1));
    let resent = resend(&emulator.client(), shifted, &report.missing).await.unwrap();
    assert_eq!((resent.ingested, resent.duplicates, resent.failed, resent.not_found), (137, 0, 0, 0));
    let report = now.run(entries(folder.path()).unwrap(), |_, _| {}).await.unwrap();
    assert!(report.is_clean() && report.found == number as u64, "{report:?}");
}

/// A server that takes a key before it keeps the signal would answer like this.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_of_what_paid_does_not_list_is_no_mend() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let folder = tempfile::tempdir().unwrap();
    emitted(&emulator, folder.path(), 40, 3, true).await;
    let now = Reconcile::new(emulator.client()).settled(Duration::ZERO);
    let report = now.clone().run(entries(folder.path()).unwrap(), |_, _| {}).await.unwrap();
    assert_eq!(report.missing.len(), 3);
    let taken: Vec<Value> = keys(folder.path(), report.missing.iter().map(|missing| missing.position))
        .iter()
        .map(|key| {
            json!({ "eventName": "other", "customer": { "externalCustomerId": "x" },
            "attribution": { "externalProductId": "p" }, "idempotencyKey": key })
        })
        .collect();
    emulator.client().request(Method::POST, "/signals/bulk").body(&json!({ "signals": taken })).await.unwrap();
    let resent = resend(&emulator.client(), entries(folder.path()).unwrap(), &report.missing).await.unwrap();
    assert_eq!((resent.ingested, resent.duplicates, resent.failed), (0, 3, 0));
    let report = now.run(entries(folder.path()).unwrap(), |_, _| {}).await.unwrap();
    assert_eq!((report.missing.len(), report.is_clean()), (3, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_finds_and_sends_what_was_lost_by_itself() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let folder = tempfile::tempdir().unwrap();
    emitted(&emulator, folder.path(), 600, 5, true).await;
    let (tell, mut audits) = tokio::sync::mpsc::unbounded_channel();
    let auditor = Auditor::new(emulator.client(), folder.path()).every(Duration::from_millis(20)).resend(true);
    let auditor = auditor.settled(Duration::ZERO).on_audit(move |audit| {
        let audit = audit.as_ref().unwrap();
        let _ = tell.send((audit.reconciliation.missing.len(), audit.resent.map(|resent| resent.ingested)));
    });
    let auditor = auditor.start().unwrap();
    assert_eq!(audits.recv().await, Some((5, Some(5))));
    assert_eq!(audits.recv().await, Some((0, None)));
    tokio::task::spawn_blocking(move || drop(auditor)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_reference_the_numbers_are_right_and_what_is_alike_is_uncertain() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let folder = tempfile::tempdir().unwrap();
    // Each lead of each customer has several signals that are alike.
    let lost = emitted(&emulator, folder.path(), 3_000, 20, false).await;
    let report = Reconcile::new(emulator.client()).settled(Duration::ZERO);
    let report = report.run(entries(folder.path()).unwrap(), |_, _| {}).await.unwrap();
    assert_eq!(report.missing.len() + report.uncertain.len(), 20);
    assert!(report.extra.is_empty());
    let certain = keys(folder.path(), report.missing.iter().map(|missing| missing.position));
    assert!(certain.is_subset(&lost), "nothing is called missing on a guess");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_paid_never_acknowledged_is_no_loss_and_what_others_sent_is_extra() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let folder = tempfile::tempdir().unwrap();
    emulator.fault(Fault::status(403).operation("create-signals").times(1000));
    let emitter = Emitter::builder(client(&emulator)).ledger(Ledger::new(folder.path())).build().unwrap();
    drop(emitter.emit(Signal::new("email_sent").customer("acme").product("p")));
    emitter.shutdown(Duration::from_millis(300)).await.unwrap_err();
    let other = json!({ "signals": [{ "eventName": "other", "customer": { "externalCustomerId": "acme" },
        "attribution": { "externalProductId": "p" } }] });
    // The faults are for the first thousand: this one goes beside them.
    let emulator_of_others = Emulator::start().await.unwrap();
    emulator_of_others.add_product("p");
    emulator_of_others.client().request(Method::POST, "/signals/bulk").body(&other).await.unwrap();
    let report = Reconcile::new(emulator_of_others.client()).settled(Duration::ZERO);
    let report = report.run(entries(folder.path()).unwrap(), |_, _| {}).await.unwrap();
    assert_eq!((report.unacknowledged.len(), report.missing.len(), report.extra.len()), (1, 0, 1));
    assert!(report.is_clean());
}

const PRICES: &str = r#"
[products.sdr.prices."Meeting booked"]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
price = { USD = "1.50" }
[products.sdr.prices."E-mail sent"]
pricing_type = "UsagePerUnit"
event_name = "email_sent"
price = { USD = 0 }
[products.sdr.prices."Call made"]
pricing_type = "UsagePerUnit"
event_name = "call_made"
price = { USD = 1 }
active = false
[products.other.prices.x]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
price = { USD = 1 }
[products.off]
active = false
[products.old.prices.x]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
price = { USD = 1 }
[products.off.prices.x]
pricing_type = "UsagePerUnit"
event_name = "meeting_booked"
price = { USD = 1 }
"#;

/// An account with a customer of every kind: the id of each product, by its external id.
async fn with_customers(emulator: &Emulator) -> BTreeMap<String, String> {
    let client = emulator.client();
    push(&client, &Catalog::parse(PRICES).unwrap()).await.unwrap();
    let account = read(&client).await.unwrap();
    let ids: BTreeMap<String, String> =
        account.products.into_iter().map(|product| (product.external_id, product.id)).collect();
    let day = |days: i64| Timestamp::from(*Timestamp::now() + chrono::TimeDelta::days(days)).to_string();
    for (customer, order) in [
        ("acme", Some(json!({ "creationState": "active", "startDate": day(-60) }))),
        ("draft", Some(json!({ "creationState": "draft" }))),
        ("orderless", None),
        ("ended", Some(json!({ "creationState": "active", "startDate": day(-60), "endDate": day(-10) }))),
    ] {
        let body = json!({ "name": customer, "externalId": customer });
        let made = client.request(Method::POST, "/customers/").body(&body).await.unwrap();
        if let Some(Value::Object(mut order)) = order {
            order.insert("customerId".into(), made["id"].clone());
            order.insert("currency".into(), "USD".into());
            order.insert("lines".into(), json!([{ "productId": ids["sdr"] }]));
            client.request(Method::POST, "/orders/").body(&order).await.unwrap();
        }
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reason_why_a_signal_is_not_billed_is_found_with_its_fix() {
    let emulator = Emulator::start().await.unwrap();
    let ids = with_customers(&emulator).await;
    assert!(emulator.archive_product(&ids["old"]).await && !emulator.archive_product(&ids["old"]).await);
    let client = emulator.client();
    let sdr = || Some("sdr".to_owned());
    let long_ago: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let good = Question::new("meeting_booked", "acme", sdr());
    assert_eq!(why_unbilled(&client, &good).await.unwrap(), []);
    for (question, rule, fix) in [
        (Question::new("meeting_booked", "acne", sdr()), "unknown_customer", "did you mean `acme`?"),
        (Question::new("meeting_booked", "orderless", sdr()), "no_order", "create an order"),
        (Question::new("meeting_booked", "draft", sdr()), "order_not_active", "/activate"),
        (Question::new("meeting_booked", "acme", Some("other".into())), "product_not_ordered", "an amendment"),
        (Question::new("meeting_boked", "acme", sdr()), "no_price", "did you mean `meeting_booked`"),
        (good.clone().at(long_ago), "before_the_order", "when it happened"),
        (Question::new("meeting_booked", "ended", sdr()), "after_the_order", "renew the order"),
        (Question::new("meeting_booked", "acme", Some("off".into())), "inactive_product", "cargo paid products push"),
        (Question::new("meeting_booked", "acme", Some("old".into())), "archived_product", "restore this one"),
        (Question::new("email_sent", "acme", sdr()), "zero_price", "set the price"),
        (Question::new("call_made", "acme", sdr()), "inactive_price", "activate the price"),
        (Question::new("meeting_booked", "acme", None), "no_product", "name the product"),
        (Question::new("meeting_booked", "acme", Some("sdrr".into())), "unknown_product", "did you mean `sdr`?"),
    ] {
        let reasons = why_unbilled(&client, &question).await.unwrap();
        let found = reasons.iter().find(|reason| reason.rule == rule);
        assert!(found.is_some_and(|found| found.fix.contains(fix)), "{rule} of {question:?}: {reasons:?}");
    }
    let listed = client.request(Method::GET, "/products/").await.unwrap();
    assert!(!listed["data"].as_array().unwrap().iter().any(|product| product["externalId"] == "old"), "{listed}");
    let refused = push(&client, &Catalog::parse(PRICES).unwrap()).await.unwrap_err().to_string();
    assert_eq!(refused, "the product old is archived: restore it in Paid, or take it out of the catalogue");
    assert!(emulator.restore_product(&ids["old"]).await);
    let reasons = why_unbilled(&client, &Question::new("meeting_booked", "acme", Some("old".into()))).await.unwrap();
    assert_eq!(reasons.iter().map(|reason| reason.rule).collect::<Vec<_>>(), ["product_not_ordered"]);
}

/// `PAID_KILLS=100` ends the import as often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_cut_again_and_again_bills_once() {
    let kills = std::env::var("PAID_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(12_u32);
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signals.csv");
    let mut text = String::from("event_name,customer,product,timestamp,data.lead\n");
    for number in 0..2_000 {
        text.push_str(&format!("email_sent,acme,p,2026-01-{:02}T00:00:00Z,lead-{}\n", number % 28 + 1, number / 2));
    }
    std::fs::write(&file, text).unwrap();
    let signals = read_file(&file).unwrap();
    assert_eq!((signals.signals.len(), signals.problems.len()), (2_000, 0));
    let client = client(&emulator);
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..kills {
        // Cut at any moment, before or after Paid has taken a request in.
        let importing = import(&client, &file, &signals.signals, |_, _| {});
        let _ = tokio::time::timeout(Duration::from_micros(random.u64(..15_000)), importing).await;
        if random.bool() {
            emulator.fault(Fault::drop_connection().operation("create-signals").after_work());
        }
        if random.u8(..8) == 0 {
            // The note of how far it is may be lost, too.
            let _ = std::fs::remove_file(folder.path().join(".signals.csv.imported"));
        }
    }
    let done = loop {
        match import(&client, &file, &signals.signals, |_, _| {}).await {
            Ok(done) => break done,
            Err(error) => drop(error),
        }
    };
    assert_eq!(done.before + done.sent.ingested + done.sent.duplicates, 2_000);
    // What one account has says nothing about another.
    let other = Emulator::start().await.unwrap();
    other.add_product("p");
    let sent = import(&other.client(), &file, &signals.signals, |_, _| {}).await.unwrap();
    assert_eq!((sent.before, sent.sent.ingested), (0, 2_000));
    let listed = client.request(Method::GET, "/signals/").query("limit", "1").await.unwrap();
    assert_eq!(listed["pagination"]["total"], 2_000, "each is there, and once");
}
