//! Credits: granted, spent, rolled over, and what no grant covers.

use serde_json::{Value, json};

use super::{Api, days_ago, in_days};

impl Api {
    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(super) async fn currency(&self) -> String {
        let (status, currency) =
            self.call("POST", "/credits/currencies", json!({"name": "Tokens", "key": "tokens"})).await;
        assert_eq!(status, 201, "{currency}");
        currency["id"].as_str().unwrap().to_owned()
    }

    async fn grant(&self, more: Value) -> (u16, Value) {
        let mut body = json!({"creditCurrencyKey": "tokens", "amount": 10});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("POST", "/customers/external/c/credits/grants", body).await
    }

    /// Of each balance: the total, what is used and what is available.
    pub(super) async fn balances(&self) -> Vec<[f64; 3]> {
        let answer = self.get("/customers/external/c/credits/balances").await;
        let parts = |balance: &Value| ["total", "used", "available"].map(|key| balance[key].as_f64().unwrap());
        answer["data"].as_array().unwrap().iter().map(parts).collect()
    }

    pub(super) async fn use_with(&self, data: Value) -> Value {
        let signal = json!({"eventName": "e", "customer": {"externalCustomerId": "c"},
            "attribution": {"externalProductId": "p"}, "data": data});
        self.call("POST", "/signals/bulk", json!({ "signals": [signal] })).await.1
    }

    async fn transactions(&self, query: &str) -> Vec<Value> {
        self.get(&format!("/credits/transactions?limit=100&{query}")).await["data"].as_array().unwrap().clone()
    }

    /// A product whose attributes these are, a customer, and an active order.
    pub(super) async fn selling(&self, attributes: Value, order: Value) -> (u16, Value) {
        let (_, product) = self.call("POST", "/products/", json!({"name": "P", "externalId": "p"})).await;
        let id = product["id"].as_str().unwrap().to_owned();
        let (status, answer) =
            self.call("PUT", &format!("/products/{id}"), json!({ "productAttributes": attributes })).await;
        if status != 200 {
            return (status, answer);
        }
        let (_, customer) = self.call("POST", "/customers/", json!({"name": "C", "externalId": "c"})).await;
        self.order(&id, customer["id"].as_str().unwrap(), order).await
    }
}

pub(super) fn prepaid(currency: &str, more: Value) -> Value {
    let mut pricing = json!({"pricingType": "UsagePrepaidCredits", "eventName": "e", "creditCost": 2.5, "creditsCurrencyId": currency});
    pricing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"name": "Calls", "pricing": pricing})
}

pub(super) fn fee(benefit: Value) -> Value {
    json!({"name": "Fee", "creditBenefits": [benefit], "pricing": {"pricingType": "RecurringPerUnit",
        "billingFrequency": "Monthly", "pricePoints": [{"currency": "USD", "unitPrice": 1000}]}})
}

#[tokio::test]
async fn a_credit_currency_is_created_archived_and_restored() {
    let api = Api::start().await;
    let id = api.currency().await;
    let create = async |body: Value| api.call("POST", "/credits/currencies", body).await.0;
    assert_eq!(create(json!({"name": "T", "key": "tokens"})).await, 400, "the key is taken");
    assert_eq!(create(json!({"name": "T", "key": "To kens"})).await, 400);
    api.call("POST", "/customers/", json!({"name": "C", "externalId": "c"})).await;
    let update = async |body: Value| api.call("PUT", &format!("/credits/currencies/{id}"), body).await.1;
    let archived = update(json!({"status": "archived", "description": "old"})).await;
    assert!(archived["archivedAt"].is_string() && archived["description"] == "old", "{archived}");
    assert_eq!(api.grant(json!({})).await.0, 400, "archived");
    assert_eq!(api.get("/credits/currencies?status=active").await["data"].as_array().unwrap().len(), 0);
    assert_eq!(api.get("/credits/currencies").await["data"].as_array().unwrap().len(), 1);
    assert_eq!(update(json!({"status": "active"})).await["archivedAt"], Value::Null);
    assert_eq!(api.grant(json!({})).await.0, 201);
    for more in [
        json!({"amount": 0}),
        json!({"amount": 0.1234567}),
        json!({"startsAt": in_days(1)}),
        json!({"expiresAt": days_ago(1).to_rfc3339()}),
        json!({"creditCurrencyKey": "gold"}),
    ] {
        assert!(matches!(api.grant(more.clone()).await.0, 400 | 404), "{more}");
    }
}

#[tokio::test]
async fn signals_spend_credits_and_what_no_grant_covers_waits_for_one() {
    let api = Api::start().await;
    let id = api.currency().await;
    let input = json!({"pricingInput": {"kind": "signalQuantity", "path": "$.usage.quantity"}});
    let (status, order) = api.selling(json!([prepaid(&id, input)]), json!({})).await;
    assert_eq!(status, 201, "{order}");
    api.grant(json!({"amount": 20})).await;
    assert_eq!(api.use_with(json!({"usage": {"quantity": 3}})).await["ingested"], 1);
    api.use_with(json!({})).await;
    assert_eq!(api.balances().await, [[20.0, 10.0, 10.0]]);
    assert_eq!(api.use_with(json!({"usage": {"quantity": "many"}})).await["failed"], 1);
    api.use_with(json!({"usage": {"quantity": 5}})).await;
    assert_eq!(api.balances().await, [[20.0, 20.0, 0.0]]);
    let waiting = api.get("/customers/external/c/credits/pending-consumption").await;
    assert_eq!((&waiting["data"][0]["creditsDecimal"], &waiting["data"][0]["eventName"]), (&json!("2.5"), &json!("e")));
    api.grant(json!({"amount": 4})).await;
    assert_eq!(api.balances().await, [[24.0, 22.5, 1.5]]);
    assert_eq!(api.get("/customers/external/c/credits/pending-consumption").await["pagination"]["total"], 0);
    let spends = api.transactions("type=spend&eventName=e&externalCustomerId=c").await;
    let amounts: Vec<_> = spends.iter().map(|one| one["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["-2.5", "-10", "-2.5", "-7.5"]);
    assert!(spends.iter().all(|one| one["orderId"] == order["id"] && one["signalId"].is_string()), "{spends:?}");
    let from = days_ago(1).format("%Y-%m-%d");
    let summary = api
        .get(&format!("/credits/transactions/summary?createdAtFrom={from}T00:00:00Z&groupBy=eventName&interval=month"))
        .await;
    assert_eq!((&summary["data"][0]["credits"], &summary["data"][0]["transactionCount"]), (&json!("22.5"), &json!(4)));
    assert_eq!(api.totals().await, [0]);
}

#[tokio::test]
async fn credits_beyond_the_benefit_cost_money() {
    let api = Api::start().await;
    let id = api.currency().await;
    let benefit = json!({"creditsCurrencyId": id, "amount": 10, "overageUnitPrice": 7});
    let (status, _) = api.selling(json!([fee(benefit), prepaid(&id, json!({}))]), json!({})).await;
    assert_eq!(status, 201);
    for _ in 0..6 {
        api.use_with(json!({})).await;
    }
    // 15 credits are spent, 10 came with the fee, and 5 cost 7 each.
    assert_eq!(api.totals().await, [1000 + 35]);
    let grants = api.transactions("type=grant").await;
    assert_eq!((grants.len(), &grants[0]["originCode"]), (1, &json!("benefit")));
}

#[tokio::test]
async fn credits_come_with_each_period_and_what_is_left_rolls_over() {
    let api = Api::start().await;
    let id = api.currency().await;
    let benefit = json!({"creditsCurrencyId": id, "amount": 10, "rolloverAmount": 3, "rolloverDuration": 40, "rolloverDurationUnit": "days"});
    api.selling(json!([fee(benefit), prepaid(&id, json!({}))]), json!({})).await;
    api.use_with(json!({})).await;
    assert_eq!(api.balances().await, [[10.0, 2.5, 7.5]]);
    let days = |days: u64| std::time::Duration::from_secs(days * 24 * 60 * 60);
    api.emulator.advance(days(32)).await;
    assert_eq!(api.balances().await, [[20.0, 2.5, 13.0]], "10 new, and 3 of 7.5");
    api.use_with(json!({})).await;
    // What the new grant has beyond its rollover is lost before the 3 of the old one.
    assert_eq!(api.balances().await, [[20.0, 5.0, 10.5]]);
    api.emulator.advance(days(45)).await;
    assert_eq!(api.balances().await, [[20.0, 2.5, 13.0]], "what is lost first was spent first");
}

#[tokio::test]
async fn a_benefit_waits_for_its_invoice() {
    let api = Api::start().await;
    let id = api.currency().await;
    let benefit = json!({"creditsCurrencyId": id, "amount": 10, "creditGrantTiming": "on_payment"});
    api.selling(json!([fee(benefit)]), json!({})).await;
    assert_eq!(api.balances().await, [] as [[f64; 3]; 0]);
    assert_eq!(api.transactions("type=pendingGrant").await[0]["amount"], "10");
    let invoice = api.invoices().await[0]["id"].as_str().unwrap().to_owned();
    api.control(&format!("invoices/{invoice}/post")).await;
    assert_eq!(api.balances().await, [] as [[f64; 3]; 0]);
    api.control(&format!("invoices/{invoice}/pay")).await;
    assert_eq!(api.balances().await, [[10.0, 0.0, 10.0]]);
}

#[tokio::test]
async fn a_backdated_order_replays_its_signals_into_the_credits_of_their_periods() {
    let api = Api::start().await;
    let id = api.currency().await;
    let benefit = json!({"creditsCurrencyId": id, "amount": 5, "overageUnitPrice": 100});
    let attributes = json!([fee(benefit), prepaid(&id, json!({}))]);
    api.call("POST", "/products/", json!({"name": "P", "externalId": "p"})).await;
    api.signals(&[days_ago(75), days_ago(74), days_ago(73)]).await;
    let products = api.get("/products/external/p").await;
    let path = format!("/products/{}", products["id"].as_str().unwrap());
    assert_eq!(api.call("PUT", &path, json!({ "productAttributes": attributes })).await.0, 200);
    let customer = api.get("/customers/external/c").await;
    let start = json!({"startDate": days_ago(80).to_rfc3339()});
    api.order(products["id"].as_str().unwrap(), customer["id"].as_str().unwrap(), start).await;
    assert_eq!(api.totals().await, [1250, 1000, 1000], "the third signal is beyond the first period's credits");
}

#[tokio::test]
async fn an_earlier_signal_without_a_quantity_spends_nothing_and_is_told_of() {
    let api = Api::start().await;
    let id = api.currency().await;
    let input = json!({"pricingInput": {"kind": "signalQuantity", "path": "$.n"}});
    api.selling(json!([prepaid(&id, input)]), json!({"creationState": "draft"})).await;
    api.grant(json!({"amount": 20})).await;
    api.use_with(json!({"n": "many"})).await;
    api.use_with(json!({"n": 2})).await;
    let order = api.get("/orders/").await["data"][0]["id"].as_str().unwrap().to_owned();
    // The order begins when it is created, before the signals.
    assert_eq!(api.call("POST", &format!("/orders/{order}/activate"), Value::Null).await.0, 200);
    assert_eq!(api.balances().await, [[20.0, 5.0, 15.0]]);
    let failed = api.emulator.failed_signals();
    assert!(
        failed.len() == 1 && failed[0].problem.contains("sig_000001") && failed[0].problem.contains("many"),
        "{failed:?}"
    );
}

#[tokio::test]
async fn brackets_seats_costs_and_parts_of_the_total_bill_as_written() {
    let api = Api::start().await;
    let id = api.currency().await;
    let bracketed = json!({"name": "Calls", "pricing": {"pricingType": "UsageBracketedPrepaidCredits", "eventName": "e",
        "creditsCurrencyId": id, "overageUnitPrice": 3, "pricingInput": {"kind": "signalQuantity", "path": "$.n"},
        "creditUnitBrackets": [{"upTo": 10, "creditUnits": 1}, {"upTo": null, "creditUnits": 2, "creditUnitsPerUnit": 0.5}]}});
    let costs = json!({"name": "Costs", "pricing": {"pricingType": "UsageCostPlus", "costPlusMultiplier": 1.5}});
    let part = json!({"name": "Support", "pricing": {"pricingType": "RecurringPercentOfTotal", "billingFrequency": "Monthly", "percentageValue": 10}});
    let seats = json!({"name": "Seats", "pricing": {"pricingType": "SeatBasedPrepaidCredits", "billingFrequency": "Monthly", "creditCost": 4, "creditsCurrencyId": id}});
    let benefit = json!({"creditsCurrencyId": id, "amount": 5});
    let (status, answer) = api.selling(json!([part, bracketed, costs, seats, fee(benefit)]), json!({})).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(api.balances().await, [[5.0, 4.0, 1.0]], "a seat spends 4");
    api.use_with(json!({"n": 10})).await;
    api.use_with(json!({"n": 20})).await;
    assert_eq!(api.transactions("type=spend").await.len(), 3);
    let cost = |amount: f64, currency: &str| {
        json!({"type": "cost", "amount": amount, "currency": currency, "vendor": "v",
        "customer": {"externalCustomerId": "c"}, "product": {"externalProductId": "p"}})
    };
    let (status, answer) =
        api.call("POST", "/costs/bulk", json!({"costs": [cost(2.005, "USD"), cost(9.0, "EUR")]})).await;
    assert_eq!(status, 200, "{answer}");
    // The fee, 12 credits at 3, costs of 200.5 cents times 1.5, and a tenth of it all.
    assert_eq!(api.totals().await, [1000 + 36 + 301 + 134]);
}

#[tokio::test]
async fn the_quantity_stands_where_the_price_says_or_in_quantity() {
    for (input, data, used) in [
        (json!({}), json!({"quantity": 3}), 2.5),
        (json!({"pricingInput": {"kind": "signalQuantity"}}), json!({"quantity": 3}), 7.5),
        (json!({"pricingInput": {"kind": "signalQuantity", "path": "rooms"}}), json!({"rooms": 2, "quantity": 3}), 5.0),
        (
            json!({"pricingInput": {"kind": "signalQuantity", "path": "size.pages"}}),
            json!({"size": {"pages": 4}}),
            10.0,
        ),
    ] {
        let api = Api::start().await;
        let id = api.currency().await;
        api.selling(json!([prepaid(&id, input.clone())]), json!({})).await;
        api.grant(json!({"amount": 20})).await;
        api.use_with(data).await;
        assert_eq!(api.balances().await, [[20.0, used, 20.0 - used]], "{input}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_price_in_credits_is_said() {
    // The first id of an account.
    let id = Api::start().await.currency().await;
    let benefit = |more: Value| {
        let mut benefit = json!({"creditsCurrencyId": id, "amount": 10});
        benefit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fee(benefit)
    };
    for (attribute, place) in [
        (prepaid("gold", json!({})), "gold"),
        (prepaid(&id, json!({"creditCost": -1})), "creditCost"),
        (prepaid(&id, json!({"pricingInput": {"kind": "signalQuantity", "path": "a[0]"}})), "pricingInput.path"),
        (prepaid(&id, json!({"pricePoints": [{"currency": "USD", "unitPrice": 5}]})), "pricePoints.0.unitPrice"),
        (benefit(json!({"rolloverAmount": 3})), "rolloverAmount"),
        (benefit(json!({"rolloverDuration": 3, "rolloverDurationUnit": "weeks"})), "rolloverDurationUnit"),
        (benefit(json!({"amount": -1})), "creditBenefits.0.amount"),
        (benefit(json!({"amount": 0.0000001})), "creditBenefits.0.amount"),
        (benefit(json!({"creditsCurrencyId": "gold"})), "gold"),
    ] {
        let api = Api::start().await;
        assert_eq!(api.currency().await, id);
        let (status, answer) = api.selling(json!([attribute]), json!({})).await;
        assert!(matches!(status, 400 | 404) && answer.to_string().contains(place), "{place}: {status} {answer}");
    }
}
