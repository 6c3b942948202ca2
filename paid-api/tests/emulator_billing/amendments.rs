//! Amendments: what the plan says is what the invoices bill.

use serde_json::{Value, json};

use super::{Api, days_ago, fee, usage};

/// An order of a product with these prices, which began 10 days ago.
pub(super) struct Amended {
    pub(super) api: Api,
    pub(super) order: String,
}

impl Amended {
    async fn new(pricing: &[Value]) -> Self {
        let api = Api::start().await;
        let (_, product) = api.call("POST", "/products/", json!({"name": "P", "externalId": "p"})).await;
        let product = product["id"].as_str().unwrap().to_owned();
        let attributes: Vec<_> = pricing
            .iter()
            .enumerate()
            .map(|(at, pricing)| json!({"name": format!("a{at}"), "pricing": pricing}))
            .collect();
        api.call("PUT", &format!("/products/{product}"), json!({ "productAttributes": attributes })).await;
        let (_, customer) = api.call("POST", "/customers/", json!({"name": "C", "externalId": "c"})).await;
        let start = json!({"startDate": days_ago(10).to_rfc3339()});
        let (status, order) = api.order(&product, customer["id"].as_str().unwrap(), start).await;
        assert_eq!(status, 201, "{order}");
        Self { api, order: order["id"].as_str().unwrap().to_owned() }
    }

    pub(super) async fn post(&self, rest: &str, body: Value) -> (u16, Value) {
        self.api.call("POST", &format!("/orders/{}/amendments{rest}", self.order), body).await
    }

    async fn options(&self) -> Value {
        self.api.call("GET", &format!("/orders/{}/amendments/options", self.order), Value::Null).await.1
    }

    /// The id of an attribute, by its place.
    pub(super) async fn attribute(&self, at: usize) -> Value {
        self.options().await["lines"][0]["attributes"][at]["orderLineAttributeId"].clone()
    }

    pub(super) async fn preview(&self, intents: Value) -> Value {
        let version = self.options().await["orderVersion"].clone();
        let (status, plan) = self.post("/preview", json!({"orderVersion": version, "intents": intents})).await;
        assert_eq!(status, 200, "{plan}");
        plan
    }

    /// Previews and executes, and holds one against the other.
    pub(super) async fn amend(&self, intents: Value) -> Value {
        let plan = self.preview(intents.clone()).await;
        let body = json!({"orderVersion": plan["orderVersion"], "planHash": plan["planHash"], "intents": intents});
        let before = self.total().await;
        let (status, done) = self.post("", body).await;
        assert_eq!(status, 200, "{done}");
        let same = ["operations", "moneyEffects", "creditEffects", "usageEffects", "planHash"];
        assert!(same.iter().all(|key| done["plan"][key] == plan[key]), "{done}\n{plan}");
        let money = plan["moneyEffects"].as_array().unwrap();
        let effects: i64 = money.iter().map(|one| one["amountMinor"].as_i64().unwrap()).sum();
        assert_eq!(self.total().await, before + effects, "{plan}");
        done
    }

    pub(super) async fn total(&self) -> i64 {
        self.api.totals().await.iter().sum()
    }
}

fn seats() -> Value {
    json!({"pricingType": "SeatBasedPerUnit", "billingFrequency": "Monthly", "pricePoints": [{"currency": "USD", "unitPrice": 3100}]})
}

#[tokio::test]
async fn another_quantity_costs_the_rest_of_the_period_and_the_whole_of_the_next() {
    let amended = Amended::new(&[seats()]).await;
    let intents =
        json!([{"type": "updateQuantity", "orderLineAttributeId": amended.attribute(0).await, "newQuantity": 3}]);
    let plan = amended.preview(intents.clone()).await;
    let (total, rest) = (&plan["moneyEffects"][0]["totalDaysInCycle"], &plan["moneyEffects"][0]["remainingDays"]);
    let (total, rest) = (total.as_i64().unwrap(), rest.as_i64().unwrap());
    assert_eq!(rest, total - 10);
    let of = |amount: i64| (amount * rest * 2 + total) / (2 * total);
    let amounts: Vec<_> = plan["moneyEffects"].as_array().unwrap().iter().map(|one| &one["amountMinor"]).collect();
    assert_eq!(amounts, [&json!(-of(3100)), &json!(of(9300))]);
    amended.amend(intents).await;
    let seats = amended.api.call("GET", &format!("/orders/{}/seats", amended.order), Value::Null).await.1;
    assert_eq!(seats["pagination"]["total"], 3);
    amended.api.emulator.advance(std::time::Duration::from_secs(32 * 24 * 60 * 60)).await;
    let totals = amended.api.totals().await;
    assert_eq!((totals[0], totals[1]), (3100 - of(3100) + of(9300), 9300));
}

#[tokio::test]
async fn without_proration_the_next_period_is_the_first() {
    let amended = Amended::new(&[fee()]).await;
    let intent = json!({"type": "updatePricing", "orderLineAttributeId": amended.attribute(0).await, "newUnitPriceMinor": 500, "treatment": "none"});
    let done = amended.amend(json!([intent])).await;
    assert_eq!(done["plan"]["moneyEffects"], json!([]));
    amended.api.emulator.advance(std::time::Duration::from_secs(32 * 24 * 60 * 60)).await;
    assert_eq!(amended.api.totals().await[..2], [1000, 500]);
}

#[tokio::test]
async fn signals_are_billed_at_the_price_of_their_time_or_all_at_the_new_one() {
    for (treatment, total) in [("signalsFromAmendment", 10 + 50), ("allSignalsInPeriod", 50 + 50)] {
        let amended = Amended::new(&[usage()]).await;
        amended.api.signals(&[days_ago(5)]).await;
        let intent = json!({"type": "updatePricing", "orderLineAttributeId": amended.attribute(0).await, "newUnitPriceMinor": 50, "treatment": treatment});
        let plan = amended.preview(json!([intent])).await;
        let body = json!({"orderVersion": plan["orderVersion"], "planHash": plan["planHash"], "intents": [intent]});
        assert_eq!(amended.post("", body).await.0, 200);
        amended.api.signals(&[chrono::Utc::now()]).await;
        assert_eq!(amended.total().await, total, "{treatment}");
    }
}

#[tokio::test]
async fn what_is_ended_is_credited_and_what_is_added_is_charged() {
    let amended = Amended::new(&[fee(), seats()]).await;
    let added = json!({"type": "addAttribute", "lineName": "Support", "productId": "prod_000001", "quantity": 2,
        "pricing": {"chargeType": "recurring", "pricingModel": "perUnit", "billingFrequency": "monthly", "pricePoints": {"unitPrice": 700}}});
    let ended = json!({"type": "endAttribute", "orderLineAttributeId": amended.attribute(0).await});
    let done = amended.amend(json!([added, ended])).await;
    assert_eq!(done["createdLineIds"].as_array().unwrap().len(), 1);
    let changes: Vec<_> =
        done["plan"]["stateDiff"].as_array().unwrap().iter().map(|one| one["change"].clone()).collect();
    assert_eq!(changes, ["added", "ended"]);
    amended.api.emulator.advance(std::time::Duration::from_secs(32 * 24 * 60 * 60)).await;
    assert_eq!(amended.api.totals().await[1], 3100 + 1400);
    let from_catalog = json!({"type": "addFromCatalog", "productAttributeId": "00000000-0000-4000-8000-000000000002", "chargeStub": "none"});
    amended.amend(json!([from_catalog])).await;
}

#[tokio::test]
async fn a_stale_plan_and_what_makes_no_sense_are_refused_with_the_intent() {
    let amended = Amended::new(&[fee(), usage()]).await;
    let (fixed, used) = (amended.attribute(0).await, amended.attribute(1).await);
    let quantity = |id: &Value| json!({"type": "updateQuantity", "orderLineAttributeId": id, "newQuantity": 2});
    let end = json!({"type": "endAttribute", "orderLineAttributeId": used});
    for (intents, status, says) in [
        (json!([]), 400, "add an intent"),
        (json!([end, quantity(&used)]), 400, "another intent changes this attribute"),
        (json!([quantity(&fixed), quantity(&used)]), 400, "it is counted"),
        (json!([{"type": "endAttribute", "orderLineAttributeId": "ola_none"}]), 404, "ola_none"),
        (
            json!([{"type": "endAttribute", "orderLineAttributeId": fixed, "treatment": "allSignalsInPeriod"}]),
            400,
            "does not go with",
        ),
        (json!([{"type": "updatePricing", "orderLineAttributeId": fixed}]), 400, "newUnitPriceMinor or newPricing"),
        (json!([{"type": "updateOrderTerm", "newEndDate": days_ago(1).to_rfc3339()}]), 400, "is past"),
    ] {
        let last = intents.as_array().unwrap().len().checked_sub(1);
        let (got, answer) = amended.post("/preview", json!({"orderVersion": 1, "intents": intents})).await;
        assert!(got == status && answer.to_string().contains(says), "{says}: {got} {answer}");
        assert_eq!(answer.get("intentIndex").and_then(Value::as_u64), last.map(|last| last as u64), "{answer}");
    }
    let plan = amended.preview(json!([quantity(&fixed)])).await;
    let execute = |version: u64, intents: Value| json!({"orderVersion": version, "planHash": plan["planHash"], "intents": intents});
    let (status, answer) = amended.post("", execute(1, json!([end]))).await;
    assert_eq!((status, &answer["code"]), (409, &json!("PLAN_CONFLICT")));
    assert_eq!(amended.post("", execute(1, json!([quantity(&fixed)]))).await.0, 200);
    let (status, answer) = amended.post("", execute(1, json!([quantity(&fixed)]))).await;
    assert_eq!((status, &answer["code"]), (409, &json!("ORDER_VERSION_CONFLICT")));
}

#[tokio::test]
async fn a_draft_is_not_amended() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&fee()).await;
    let (_, order) = api.order(&product, &customer, json!({"creationState": "draft"})).await;
    let path = format!("/orders/{}/amendments", order["id"].as_str().unwrap());
    let (_, options) = api.call("GET", &format!("{path}/options"), Value::Null).await;
    assert_eq!((&options["amendable"], &options["notAmendableCode"]), (&json!(false), &json!("ORDER_NOT_ACTIVE")));
    let body = json!({"orderVersion": 1, "intents": [{"type": "endAttribute", "orderLineAttributeId": "x"}]});
    assert_eq!(api.call("POST", &format!("{path}/preview"), body).await.0, 409);
}

#[tokio::test]
async fn no_more_is_credited_than_was_charged() {
    let amended = Amended::new(&[fee()]).await;
    let free = json!({"type": "addFromCatalog", "productAttributeId": "00000000-0000-4000-8000-000000000002", "chargeStub": "none"});
    amended.amend(json!([free])).await;
    let before = amended.total().await;
    let end = json!({"type": "endAttribute", "orderLineAttributeId": amended.attribute(1).await});
    amended.amend(json!([end])).await;
    assert_eq!(amended.total().await, before, "what was added without a charge");
}

#[tokio::test]
async fn a_first_period_that_is_cut_short_is_credited_by_the_days_of_a_whole_one() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&fee()).await;
    let anchor = chrono::Datelike::day(&(chrono::Utc::now() + chrono::Days::new(4)));
    let more = json!({"startDate": days_ago(3).to_rfc3339(), "billingAnchor": anchor});
    let order = api.order(&product, &customer, more).await.1["id"].as_str().unwrap().to_owned();
    let amended = Amended { api, order };
    let charged = amended.total().await;
    let end = json!({"type": "endAttribute", "orderLineAttributeId": amended.attribute(0).await});
    let plan = amended.preview(json!([end])).await;
    assert!(plan["moneyEffects"][0]["totalDaysInCycle"].as_i64().unwrap() >= 28, "{plan}");
    amended.amend(json!([end])).await;
    let left = amended.total().await;
    assert!(left > 0 && left < charged, "{left} of {charged}");
}
