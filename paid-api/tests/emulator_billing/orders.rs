//! What orders say of all their prices, and charges that come once.

use serde_json::json;

use super::{Api, days_ago, fee, in_days};

fn days(days: u64) -> std::time::Duration {
    std::time::Duration::from_secs(days * 24 * 60 * 60)
}

#[tokio::test]
async fn an_order_gives_all_its_prices_another_frequency() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&fee()).await;
    let other =
        json!({"startDate": days_ago(100).to_rfc3339(), "billingFrequencyOverride": {"frequency": "quarterly"}});
    let (status, order) = api.order(&product, &customer, other).await;
    assert_eq!((status, &order["billingFrequencyOverridden"]), (201, &json!(true)), "{order}");
    assert_eq!(order["billingFrequencyOverride"]["frequency"], "quarterly");
    assert_eq!(api.totals().await, [1000, 1000], "as if the price were quarterly");
    for (wrong, place) in [
        (json!({"frequency": "custom"}), "customMonths"),
        (json!({"frequency": "annual", "customMonths": 3}), "customMonths"),
        (json!({"frequency": "weekly"}), "billingFrequencyOverride"),
    ] {
        let (status, answer) = api.order(&product, &customer, json!({ "billingFrequencyOverride": wrong })).await;
        assert!(status == 400 && answer.to_string().contains(place), "{answer}");
    }
}

#[tokio::test]
async fn an_order_is_in_a_currency_of_iso_4217_however_it_is_written() {
    let api = Api::start().await;
    let costs = json!({"pricingType": "UsageCostPlus", "costPlusMultiplier": 1});
    let (product, customer) = api.with_price(&costs).await;
    let (status, answer) = api.order(&product, &customer, json!({"currency": "gold"})).await;
    assert!(status == 400 && answer["details"] == "body.currency", "{answer}");
    api.order(&product, &customer, json!({"currency": "jpy"})).await;
    let cost = json!({"type": "cost", "amount": 7, "currency": "JPY", "customer": {"externalCustomerId": "c"},
        "product": {"externalProductId": "p"}});
    api.call("POST", "/costs/bulk", json!({ "costs": [cost] })).await;
    assert_eq!((api.totals().await, &api.invoices().await[0]["currency"]), (vec![7], &json!("JPY")));
}

#[tokio::test]
async fn a_one_time_charge_in_arrears_comes_when_its_first_window_has_ended() {
    let api = Api::start().await;
    let once = json!({"pricingType": "OneTimePerUnit", "billingType": "Arrears", "pricePoints": [{"currency": "USD", "unitPrice": 700}]});
    let (product, customer) = api.with_price(&once).await;
    api.order(&product, &customer, json!({})).await;
    assert_eq!(api.totals().await, [0]);
    api.emulator.advance(days(32)).await;
    assert_eq!(api.totals().await, [700, 0]);
    api.emulator.advance(days(90)).await;
    assert_eq!(api.totals().await.iter().sum::<i64>(), 700);
    api.emulator.reset();
    let (product, customer) = api.with_price(&once).await;
    api.order(&product, &customer, json!({"endDate": in_days(3)})).await;
    api.emulator.advance(days(4)).await;
    assert_eq!(api.totals().await, [700], "the end of the order ends it");
}

#[tokio::test]
async fn a_charge_in_arrears_of_an_invoice_that_was_posted_early_is_on_the_next_one_once() {
    let once = json!({"pricingType": "OneTimePerUnit", "billingType": "Arrears", "pricePoints": [{"currency": "USD", "unitPrice": 700}]});
    let monthly = json!({"pricingType": "RecurringPerUnit", "billingType": "Arrears", "billingFrequency": "Monthly",
        "pricePoints": [{"currency": "USD", "unitPrice": 300}]});
    for (pricing, months, total) in [(once, 4, 700), (monthly, 3, 900)] {
        let api = Api::start().await;
        let (product, customer) = api.with_price(&pricing).await;
        api.order(&product, &customer, json!({})).await;
        let first = api.invoices().await[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(api.control(&format!("invoices/{first}/post")).await, 200);
        for _ in 0..months {
            api.emulator.advance(days(32)).await;
            // Others are posted early, too.
            let last = api.invoices().await.last().unwrap()["id"].as_str().unwrap().to_owned();
            api.control(&format!("invoices/{last}/post")).await;
        }
        api.emulator.advance(days(1)).await;
        let totals = api.totals().await;
        assert_eq!(totals[0], 0, "{totals:?}");
        assert_eq!(totals.iter().sum::<i64>(), total, "{totals:?}");
    }
}

#[tokio::test]
async fn a_signal_says_what_it_is_billed_as_or_why_it_is_not() {
    use paid::emulator::SignalOutcome;
    let api = Api::start().await;
    let (product, customer) = api.with_price(&super::usage()).await;
    api.order(&product, &customer, json!({})).await;
    api.signals(&[chrono::Utc::now(), days_ago(3)]).await;
    let other = json!({"eventName": "E", "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"},
        "idempotencyKey": "k", "data": {"n": 1}});
    let lost = json!({"eventName": "e", "customer": {"externalCustomerId": "c"}, "data": {"n": 2}});
    let answer = api.call("POST", "/signals/bulk", json!({"signals": [other, lost]})).await.1;
    assert_eq!((&answer["ingested"], &answer["failed"]), (&json!(1), &json!(1)));
    let signals = api.emulator.signals();
    let billed = |signal: &paid::emulator::ReceivedSignal| matches!(&signal.outcome, SignalOutcome::Billed { price, in_credits: false, .. } if price == "a");
    assert_eq!(signals.iter().map(billed).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!((signals[2].event_name.as_str(), signals[2].idempotency_key.as_deref()), ("E", Some("k")));
    assert_eq!((&signals[2].data, signals[2].external_customer_id.as_deref()), (&json!({"n": 1}), Some("c")));
    let reasons: Vec<_> = signals[1..].iter().map(|signal| format!("{:?}", signal.outcome)).collect();
    assert!(
        reasons[0].contains("outside the dates") && reasons[1].contains("no price has exactly this event name"),
        "{reasons:?}"
    );
    assert_eq!(api.emulator.failed_signals()[0].data, json!({"n": 2}));
}
