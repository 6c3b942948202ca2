//! Cost records as Paid gets them, and what is never sent twice.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::costs::{CostEmitter, CostEmitterBuilder, CostRecord, Spent};
use paid::emulator::{Emulator, Fault};
use paid::types::TokenUsage;
use paid::{Client, Currency, Money, RetryPolicy};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

fn builder(emulator: &Emulator) -> CostEmitterBuilder {
    builder_with_timeout(emulator, SECOND)
}

fn builder_with_timeout(emulator: &Emulator, timeout: Duration) -> CostEmitterBuilder {
    let client =
        Client::builder().api_key("paid_x").base_url(emulator.url()).retry(RetryPolicy::never()).timeout(timeout);
    CostEmitter::builder(client.build().unwrap()).retry_delays(SECOND / 100, SECOND / 10)
}

fn dollars(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

fn cost(vendor: &str) -> CostRecord<Spent> {
    CostRecord::amount(dollars("0.0021")).customer("acme").vendor(vendor)
}

/// The vendors of all records that were sent, in order, whatever the answer.
fn sent(emulator: &Emulator) -> Vec<String> {
    let costs = emulator
        .requests()
        .into_iter()
        .flat_map(|request| request.body["costs"].as_array().cloned().unwrap_or_default());
    costs.map(|cost| cost["vendor"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn records_are_what_the_document_says_and_amounts_are_exact() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("ai-sdr");
    let costs = builder(&emulator).build().unwrap();
    let receipts = paid::scope().customer("scoped").product("ai-sdr").run_sync(|| {
        let usage = TokenUsage::new().input_tokens(100).cache_read_input_tokens(40);
        [
            costs.record(CostRecord::amount(Money::parse("0.10000000000000000001", Currency::EUR).unwrap())),
            costs.record(
                CostRecord::usage("openai", "gpt-4o", usage)
                    .customer("acme")
                    .priced_at(dollars("1"))
                    .timestamp("2026-01-31T10:00:00Z".parse::<paid::Timestamp>().unwrap())
                    .metadata(paid::object!({"team": "a"})),
            ),
        ]
    });
    for receipt in receipts {
        receipt.await.unwrap();
    }
    let request = emulator.requests().into_iter().next().unwrap();
    assert_eq!((request.status, request.operation.as_deref()), (200, Some("create-costs")));
    let all = request.body["costs"].as_array().unwrap();
    let amount = all.iter().find(|cost| cost["type"] == "cost").unwrap();
    assert_eq!((&amount["currency"], &amount["customer"]), (&json!("EUR"), &json!({"externalCustomerId": "scoped"})));
    assert_eq!(amount["product"], json!({"externalProductId": "ai-sdr"}));
    let usage = all.iter().find(|cost| cost["type"] == "usage").unwrap();
    assert_eq!(
        *usage,
        json!({"type": "usage", "vendor": "openai", "model": "gpt-4o", "customer": {"externalCustomerId": "acme"},
               "product": {"externalProductId": "ai-sdr"}, "usage": {"inputTokens": 100, "cacheReadInputTokens": 40},
               "costOverride": {"amount": 1, "currency": "USD"}, "timestamp": "2026-01-31T10:00:00Z",
               "metadata": {"team": "a"}})
    );
}

#[tokio::test]
async fn what_cannot_be_a_cost_is_refused_before_it_is_sent() {
    let emulator = Emulator::start().await.unwrap();
    let costs = builder(&emulator).build().unwrap();
    let usage = |model, tokens| {
        let usage = TokenUsage::new().output_tokens(tokens);
        costs.record(CostRecord::usage("openai", model, usage).customer("acme"))
    };
    for (receipt, says) in [
        (
            costs.record(CostRecord::amount(dollars("1"))),
            "cost record has no customer and is attributed to nobody: call",
        ),
        (costs.record(CostRecord::amount(dollars("-1")).customer("acme")), "cost record: `amount` is negative"),
        (costs.record(cost("")), "`vendor` is empty"),
        (usage(" ", 1), "`model` is empty"),
        (usage("m", -1), "`outputTokens` is negative"),
    ] {
        let failure = receipt.await.unwrap_err().to_string();
        assert!(failure.contains(says), "{failure}");
    }
    assert_eq!(costs.stats().refused, 5);
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn one_bad_record_takes_no_other_along() {
    let emulator = Emulator::start().await.unwrap();
    let costs = builder(&emulator).build().unwrap();
    let good = costs.record(cost("good"));
    // The document wants an object here.
    let bad = costs.record(cost("bad").customer(paid::types::CustomerAttribution::Unknown(paid::object!({"x": 1}))));
    good.await.unwrap();
    assert!(bad.await.is_err());
    assert_eq!((costs.stats().delivered, costs.stats().rejected, costs.uncertain()), (1, 1, 0));
}

#[tokio::test]
async fn outages_that_lose_nothing_are_sat_out() {
    let emulator = Emulator::start().await.unwrap();
    let costs = builder(&emulator).build().unwrap();
    emulator.fault(Fault::status(503).times(2));
    emulator.fault(Fault::status(429));
    costs.record(cost("a")).await.unwrap();
    assert_eq!(costs.uncertain(), 0);
    assert_eq!(costs.stats().retries, 3);
}

#[tokio::test]
async fn a_lost_answer_makes_records_uncertain_and_nothing_sends_them_again() {
    let lost = || {
        [
            Fault::drop_connection().after_work(),
            Fault::truncate_body(),
            Fault::status(500).after_work(),
            Fault::latency(3 * SECOND),
            Fault::html(502, "<html>").after_work(),
        ]
    };
    for fault in lost() {
        let emulator = Emulator::start().await.unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&heard);
        let costs = builder(&emulator)
            .on_error(move |failure| hears.lock().unwrap().push(failure.to_string()))
            .build()
            .unwrap();
        emulator.fault(fault.clone());
        let receipts = [costs.record(cost("a")), costs.record(cost("b"))];
        for receipt in receipts {
            let failure = receipt.await.unwrap_err().to_string();
            assert!(failure.contains("uncertain"), "{fault:?}: {failure}");
        }
        costs.record(cost("c")).await.unwrap();
        assert_eq!(costs.uncertain(), 2);
        assert_eq!(heard.lock().unwrap().len(), 2);
        let mut vendors = sent(&emulator);
        vendors.retain(|vendor| vendor != "c");
        assert!(vendors.len() <= 2, "{fault:?}: sent twice: {vendors:?}");
    }
}

#[tokio::test]
async fn uncertain_records_are_sent_again_where_that_is_wanted() {
    let emulator = Emulator::start().await.unwrap();
    let costs = builder(&emulator).resend_uncertain(true).build().unwrap();
    emulator.fault(Fault::drop_connection().after_work());
    costs.record(cost("a")).await.unwrap();
    assert_eq!(sent(&emulator), ["a", "a"]);
}

#[tokio::test]
async fn uncertain_records_are_kept_over_a_restart_and_resubmitted_only_on_demand() {
    let emulator = Emulator::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let costs = builder(&emulator).outbox(folder.path()).build().unwrap();
    emulator.fault(Fault::drop_connection().after_work());
    assert!(costs.record(cost("a")).await.is_err());
    costs.shutdown(5 * SECOND).await.unwrap();
    drop(costs);
    let letters = paid::outbox::dead_letters(folder.path()).unwrap().letters;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].reason.contains("uncertain"));
    let costs = builder(&emulator).outbox(folder.path()).build().unwrap();
    assert_eq!(costs.uncertain(), 1);
    let outcome = costs.resubmit().await.unwrap();
    assert_eq!((outcome.delivered, costs.uncertain()), (1, 0));
    assert_eq!(sent(&emulator), ["a", "a"]);
    assert!(paid::outbox::dead_letters(folder.path()).unwrap().letters.is_empty());
}

#[tokio::test]
async fn a_cost_record_that_is_sent_again_says_what_became_of_it() {
    let emulator = Emulator::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let costs = builder(&emulator).outbox(folder.path()).build().unwrap();
    emulator.fault(Fault::status(400));
    assert!(costs.record(cost("a")).await.is_err());
    costs.shutdown(5 * SECOND).await.unwrap();
    drop(costs);
    let costs = builder_with_timeout(&emulator, 60 * SECOND).build().unwrap();
    let reason = || paid::outbox::dead_letters(folder.path()).unwrap().letters[0].reason.clone();
    let first = reason();
    // Refused as a whole: Paid does not have it.
    emulator.fault(Fault::status(401).times(3));
    let outcome = costs.resubmit_from(folder.path()).await.unwrap();
    assert_eq!((outcome.delivered, outcome.unanswered.len()), (0, 1));
    assert!(outcome.stopped.unwrap().contains("401"));
    assert_eq!(reason(), first);
    // In a request when the time was over: Paid may have it.
    emulator.fault(Fault::latency(20 * SECOND));
    let outcome = costs.resubmit_from(folder.path()).timeout(2 * SECOND).await.unwrap();
    assert_eq!((outcome.delivered, outcome.unanswered.len()), (0, 1));
    assert!(reason().starts_with("uncertain: sent again at"), "{}", reason());
    // Answered, but the answer was lost.
    emulator.fault(Fault::drop_connection().after_work());
    let outcome = costs.resubmit_from(folder.path()).await.unwrap();
    assert_eq!((outcome.delivered, outcome.refused.len()), (0, 1));
    assert!(reason().contains("the response was lost"), "{}", reason());
    let outcome = costs.resubmit_from(folder.path()).await.unwrap();
    assert_eq!((outcome.delivered, costs.uncertain()), (1, 0));
    assert!(costs.resubmit().await.unwrap_err().to_string().contains("no outbox"));
}

/// The process ends while a request is on its way: its records are in the outbox, and in the journal.
#[tokio::test]
async fn what_was_on_its_way_when_a_process_ended_is_uncertain_and_the_rest_is_sent() {
    let emulator = Emulator::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let client =
        Client::builder().api_key("paid_x").base_url(emulator.url()).retry(RetryPolicy::never()).timeout(60 * SECOND);
    let builder_of_one = CostEmitter::builder(client.build().unwrap()).in_flight(1).max_batch(1).linger(Duration::ZERO);
    let costs = builder_of_one.outbox(folder.path()).build().unwrap();
    emulator.fault(Fault::latency(5 * SECOND));
    let waiting = [costs.record(cost("on its way")), costs.record(cost("waits"))];
    tokio::time::sleep(SECOND / 2).await;
    assert!(costs.shutdown(SECOND / 10).await.is_err());
    for receipt in waiting {
        assert!(matches!(receipt.await, Err(paid::DeliveryError::InOutbox { .. })));
    }
    drop(costs);
    let costs = builder(&emulator).outbox(folder.path()).build().unwrap();
    costs.flush(10 * SECOND).await.unwrap();
    assert_eq!((costs.stats().delivered, costs.stats().rejected, costs.uncertain()), (1, 1, 1));
    let once: Vec<Value> = sent(&emulator).into_iter().filter(|vendor| vendor == "waits").map(Value::from).collect();
    assert_eq!(once.len(), 1);
}

#[tokio::test]
async fn an_outbox_of_costs_is_none_of_signals_and_the_other_way_round() {
    let emulator = Emulator::start().await.unwrap();
    let (costs, signals) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(builder(&emulator).outbox(costs.path()).build().unwrap());
    drop(paid::Emitter::builder(emulator.client()).outbox(signals.path()).build().unwrap());
    let refused = paid::Emitter::builder(emulator.client()).outbox(costs.path()).build().unwrap_err().to_string();
    assert!(refused.contains("an outbox of cost records"), "{refused}");
    let refused = builder(&emulator).outbox(signals.path()).build().unwrap_err().to_string();
    assert!(refused.contains("an outbox of signals"), "{refused}");
    let emitter = paid::Emitter::new(emulator.client()).unwrap();
    let refused = emitter.resubmit(costs.path()).await.unwrap_err().to_string();
    assert!(refused.contains("CostEmitter::resubmit"), "{refused}");
    // Each is opened again by its own.
    drop(builder(&emulator).outbox(costs.path()).build().unwrap());
    drop(paid::Emitter::builder(emulator.client()).outbox(signals.path()).build().unwrap());
}

#[tokio::test]
async fn records_of_several_customers_go_out_side_by_side() {
    let emulator = Emulator::start().await.unwrap();
    let costs = builder(&emulator).max_batch(1).linger(Duration::ZERO).in_flight(4).build().unwrap();
    emulator.fault(Fault::latency(SECOND / 2).times(8));
    for number in 0..8 {
        costs.record(CostRecord::amount(dollars("1")).customer(format!("c{number}")));
    }
    let mut most = 0;
    while costs.stats().delivered < 8 {
        most = most.max(costs.stats().in_flight);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(most > 1, "{most} at once");
}
