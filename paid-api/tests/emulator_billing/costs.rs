//! Costs over HTTP: kept with every digit, or refused with their place, all or none.

use serde_json::{Value, json};

use super::{Api, fee};

fn cost(more: Value) -> Value {
    let mut cost = json!({"type": "cost", "customer": {"externalCustomerId": "c"}, "amount": 1, "currency": "USD"});
    cost.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    cost
}

#[tokio::test]
async fn costs_are_kept_with_every_digit() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&fee()).await;
    let body = r#"{"costs": [
        {"type": "cost", "customer": {"externalCustomerId": "c"}, "product": {"externalProductId": "p"},
         "amount": 0.10000000000000000000000001, "currency": "eur", "vendor": "openai", "timestamp": "2026-01-31T10:00:00Z"},
        {"type": "usage", "customer": {"externalCustomerId": "new"}, "vendor": "openai", "model": "m",
         "usage": {"inputTokens": 3}, "metadata": {"team": "a"}}]}"#;
    let (status, answer) = api.raw("/costs/bulk", body).await;
    assert_eq!((status, &answer["ingested"]), (200, &json!(2)), "{answer}");
    let costs = api.emulator.costs();
    assert_eq!(costs[0].amount.unwrap().to_string(), "0.10000000000000000000000001");
    assert_eq!((costs[0].currency.as_deref(), costs[0].vendor.as_str()), (Some("EUR"), "openai"));
    assert_eq!((&costs[0].customer_id, costs[0].product_id.as_ref()), (&customer, Some(&product)));
    assert_eq!(costs[0].timestamp.to_string(), "2026-01-31T10:00:00Z");
    assert_eq!((costs[1].amount, &costs[1].usage["inputTokens"]), (None, &json!(3)));
    let (_, new) = api.call("GET", "/customers/external/new", Value::Null).await;
    assert_eq!(new["id"], costs[1].customer_id, "a new external id creates the customer, as with signals");
}

#[tokio::test]
async fn one_bad_cost_refuses_all_and_says_where() {
    let api = Api::start().await;
    api.with_price(&fee()).await;
    let first = || cost(json!({"customer": {"externalCustomerId": "new"}}));
    let usage = |more: Value| {
        let mut usage =
            json!({"type": "usage", "customer": {"externalCustomerId": "c"}, "vendor": "v", "model": "m", "usage": {}});
        usage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        usage
    };
    for (bad, place) in [
        (cost(json!({"customer": {"customerId": "cus_none"}})), "costs.1.customer.customerId"),
        (cost(json!({"customer": {"externalCustomerId": ""}})), "costs.1.customer.externalCustomerId"),
        (cost(json!({"product": {"externalProductId": "none"}})), "costs.1.product.externalProductId"),
        (cost(json!({"amount": -1})), "costs.1.amount"),
        (cost(json!({"currency": "nonsense"})), "costs.1.currency"),
        (cost(json!({"timestamp": "yesterday"})), "costs/1"),
        (usage(json!({"costOverride": {"amount": -1, "currency": "USD"}})), "costs.1.costOverride.amount"),
        (usage(json!({"costOverride": {"amount": 1, "currency": "X"}})), "costs.1.costOverride.currency"),
        (usage(json!({"usage": {"inputTokens": -1}})), "costs.1.usage.inputTokens"),
    ] {
        let (status, answer) = api.call("POST", "/costs/bulk", json!({"costs": [first(), bad]})).await;
        assert!(status == 400 && answer["details"].to_string().contains(place), "{place}: {status} {answer}");
    }
    let long = format!(r#"{{"costs":[{}]}}"#, cost(json!({"amount": 7})).to_string().replace('7', "1e-40"));
    let (status, answer) = api.raw("/costs/bulk", &long).await;
    assert_eq!((status, answer["details"].as_str()), (400, Some("body/costs/0/amount")));
    assert_eq!(api.emulator.costs(), []);
    assert_eq!(api.call("GET", "/customers/external/new", Value::Null).await.0, 404, "nothing is done");
}

#[tokio::test]
async fn a_number_that_a_float_does_not_hold_is_refused_with_its_place() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&fee()).await;
    let order = |price: &str, quantity: &str| {
        format!(
            r#"{{"customerId":"{customer}","metadata":{{"a":1.00000000000000000001}},"lines":[{{"productId":"{product}",
            "attributes":[{{"name":"a","quantity":{quantity},"pricing":{{"chargeType":"oneTime","pricingModel":"perUnit",
            "pricePoints":{{"unitPrice":{price}}}}}}}]}}]}}"#
        )
    };
    let attribute = "body/lines/0/attributes/0";
    for (price, quantity, place) in [
        ("12345678901234567", "1", format!("{attribute}/pricing/pricePoints/unitPrice")),
        ("1.00000000000000000001", "1", format!("{attribute}/pricing/pricePoints/unitPrice")),
        ("1", "9007199254740993", format!("{attribute}/quantity")),
    ] {
        let (status, answer) = api.raw("/orders/", &order(price, quantity)).await;
        assert!(status == 400 && answer["details"] == place.as_str(), "{price} {quantity}: {status} {answer}");
    }
    let (status, made) = api.raw("/orders/", &order("123456789012345", "3")).await;
    assert_eq!((status, &made["totalAmount"]), (201, &json!(370_370_367_037_035_i64)), "{made}");
}

#[tokio::test]
async fn a_cost_with_a_known_key_is_a_duplicate_and_one_in_a_signal_is_a_cost() {
    let api = Api::start().await;
    let costs = json!({"pricingType": "UsageCostPlus", "costPlusMultiplier": 2});
    let (product, customer) = api.with_price(&costs).await;
    api.order(&product, &customer, json!({})).await;
    let cost = |key: &str| {
        json!({"type": "cost", "amount": 0.1, "currency": "USD", "idempotencyKey": key,
        "customer": {"externalCustomerId": "c"}, "product": {"externalProductId": "p"}})
    };
    let (_, answer) = api.call("POST", "/costs/bulk", json!({"costs": [cost("a"), cost("b"), cost("a")]})).await;
    assert_eq!((&answer["ingested"], &answer["duplicates"]), (&json!(2), &json!(1)));
    let (_, answer) = api.call("POST", "/costs/bulk", json!({"costs": [cost("b")]})).await;
    assert_eq!((&answer["ingested"], &answer["duplicates"]), (&json!(0), &json!(1)));
    let signal = |cost: Value| {
        json!({"eventName": "x", "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"},
        "data": {"costData": cost}})
    };
    let good = json!({"vendor": "v", "cost": {"amount": 0.05, "currency": "USD"}});
    let (_, answer) =
        api.call("POST", "/signals/bulk", json!({"signals": [signal(good), signal(json!({"vendor": "v"}))]})).await;
    assert_eq!((&answer["ingested"], &answer["failed"]), (&json!(1), &json!(1)));
    assert_eq!(api.totals().await, [50], "25 cents, twice");
    let problem = &api.emulator.failed_signals()[0].problem;
    assert!(problem.starts_with("body.signals.1.data.costData"), "{problem}");
}
