//! Amendments of what grants and spends credits, and what a closed order and a line of type `CREDIT` do to them.

use serde_json::{Value, json};

use super::amendments::Amended;
use super::credits::{fee, prepaid};
use super::{Api, days_ago, in_days};

impl Amended {
    /// An active order of a product with these attributes; `more` are its other properties.
    async fn selling(api: Api, attributes: Value, more: Value) -> Self {
        let (status, order) = api.selling(attributes, more).await;
        assert_eq!(status, 201, "{order}");
        Self { order: order["id"].as_str().unwrap().to_owned(), api }
    }
}

fn started() -> Value {
    json!({"startDate": days_ago(10).to_rfc3339()})
}

#[tokio::test]
async fn a_period_s_credits_come_once_whatever_amendments_do_in_it() {
    for treatment in ["allSignalsInPeriod", "signalsFromAmendment"] {
        let api = Api::start().await;
        let id = api.currency().await;
        let benefit = json!({"creditsCurrencyId": id, "amount": 10});
        let usage = json!({"name": "Calls", "creditBenefits": [benefit], "pricing": super::usage()});
        let amended = Amended::selling(api, json!([usage]), started()).await;
        assert_eq!(amended.api.balances().await, [[10.0, 0.0, 10.0]]);
        for price in [50, 60] {
            let intent = json!({"type": "updatePricing", "orderLineAttributeId": amended.attribute(0).await,
                "newUnitPriceMinor": price, "treatment": treatment});
            amended.amend(json!([intent])).await;
            assert_eq!(amended.api.balances().await, [[10.0, 0.0, 10.0]], "{treatment}");
        }
        amended.api.emulator.advance(std::time::Duration::from_secs(32 * 24 * 60 * 60)).await;
        assert_eq!(amended.api.balances().await, [[10.0, 0.0, 10.0]], "{treatment}");
    }
}

#[tokio::test]
async fn what_an_amendment_adds_has_the_overage_of_a_benefit_and_gives_its_own() {
    let api = Api::start().await;
    let id = api.currency().await;
    let benefit = json!({"creditsCurrencyId": id, "amount": 5, "overageUnitPrice": 7});
    let amended = Amended::selling(api, json!([fee(benefit)]), started()).await;
    let added = json!({"type": "addAttribute", "lineName": "Calls", "productId": "prod_000002", "quantity": 1,
        "pricing": {"chargeType": "usage", "pricingModel": "prepaidCredits", "eventName": "e", "creditCost": 2,
            "creditsCurrencyId": id, "pricePoints": {"unitPrice": 0}}});
    amended.amend(json!([added])).await;
    let before = amended.total().await;
    for _ in 0..4 {
        amended.api.use_with(json!({})).await;
    }
    assert_eq!(amended.total().await, before + 3 * 7, "8 credits, of which 5 came with the fee");

    let api = Api::start().await;
    let id = api.currency().await;
    let amended = Amended::selling(api, json!([prepaid(&id, json!({"creditCost": 2}))]), started()).await;
    let fee = json!({"chargeType": "recurring", "pricingModel": "perUnit", "pricePoints": {"unitPrice": 0},
        "creditBenefits": [{"creditsCurrencyId": id, "amount": 3, "overageUnitPrice": 9}]});
    let added = json!({"type": "addAttribute", "lineName": "Fee", "productId": "prod_000002", "quantity": 1,
        "pricing": fee, "creditGrant": "full"});
    let plan = amended.preview(json!([added])).await;
    let (status, done) =
        amended.post("", json!({"orderVersion": 1, "planHash": plan["planHash"], "intents": [added]})).await;
    assert_eq!(status, 200, "the credits of now come a moment later: {done}");
    assert_eq!(done["plan"]["operations"]["adds"][0]["creditGrant"], "full");
    amended.api.use_with(json!({})).await;
    amended.api.use_with(json!({})).await;
    assert_eq!(amended.total().await, 9);
}

#[tokio::test]
async fn what_is_prorated_on_a_line_of_type_credit_has_the_other_sign() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&super::fee()).await;
    let line = |kind: &str| json!({"productId": product, "lineType": kind});
    let more = json!({"startDate": days_ago(10).to_rfc3339(), "lines": [line("CREDIT"), line("STANDARD")]});
    let order = api.order(&product, &customer, more).await.1["id"].as_str().unwrap().to_owned();
    let amended = Amended { api, order };
    assert_eq!(amended.total().await, 0);
    let intent =
        json!({"type": "updateQuantity", "orderLineAttributeId": amended.attribute(0).await, "newQuantity": 3});
    let plan = amended.preview(json!([intent])).await;
    let amounts: Vec<_> =
        plan["moneyEffects"].as_array().unwrap().iter().map(|one| one["amountMinor"].as_i64().unwrap()).collect();
    assert!(amounts[0] > 0 && amounts[1] < 0 && (amounts[1] + 3 * amounts[0]).abs() <= 2, "{amounts:?}");
    amended.amend(json!([intent])).await;
    assert_eq!(amended.total().await, amounts.iter().sum::<i64>());
    let end = json!({"type": "endAttribute", "orderLineAttributeId": amended.attribute(0).await});
    amended.amend(json!([end])).await;
    // What is added from the catalogue stands on the line that charges.
    let added = json!({"type": "addFromCatalog", "productAttributeId": "00000000-0000-4000-8000-000000000002"});
    let plan = amended.preview(json!([added])).await;
    assert!(plan["moneyEffects"][0]["amountMinor"].as_i64().unwrap() > 0, "{plan}");
}

#[tokio::test]
async fn nothing_is_prorated_once_the_last_invoice_is_posted() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&super::fee()).await;
    let more = json!({"startDate": days_ago(10).to_rfc3339(), "endDate": in_days(5)});
    let order = api.order(&product, &customer, more).await.1["id"].as_str().unwrap().to_owned();
    let amended = Amended { api, order };
    let invoice = amended.api.invoices().await[0]["id"].as_str().unwrap().to_owned();
    let change = |treatment: &str, id: &Value| {
        let intent =
            json!({"type": "updateQuantity", "orderLineAttributeId": id, "newQuantity": 2, "treatment": treatment});
        json!({"orderVersion": 1, "intents": [intent]})
    };
    let id = amended.attribute(0).await;
    assert_eq!(amended.post("/preview", change("prorate", &id)).await.0, 200, "the invoice is a draft");
    assert_eq!(amended.api.control(&format!("invoices/{invoice}/post")).await, 200);
    for rest in ["/preview", ""] {
        let (status, answer) = amended.post(rest, change("prorate", &id)).await;
        assert_eq!((status, &answer["code"]), (409, &json!("NO_OPEN_INVOICE")), "{answer}");
    }
    assert_eq!(amended.post("", change("none", &id)).await.0, 200, "planned and executed at once, without a hash");
}

#[tokio::test]
async fn an_attribute_of_a_plan_is_added_if_the_product_has_both() {
    let api = Api::start().await;
    let amended = Amended::selling(api, json!([{"name": "Fee", "pricing": super::fee()}]), started()).await;
    let plan = json!({"productId": "prod_000001", "name": "Gold", "attributes": []});
    let plan = amended.api.call("POST", "/plans/", plan).await.1;
    let attribute = "00000000-0000-4000-8000-000000000002";
    let pricing = json!({"chargeType": "recurring", "pricingModel": "perUnit", "pricePoints": {"unitPrice": 700}});
    let added = |plan: &Value, attribute: &str| {
        json!([{"type": "addAttribute", "lineName": "Support", "productId": "prod_000001", "quantity": 1, "pricing": pricing,
            "planProductId": plan, "productAttributeId": attribute}])
    };
    let done = amended.amend(added(&plan["id"], attribute)).await;
    assert_eq!(done["plan"]["operations"]["adds"][0]["productAttributeId"], attribute);
    for (plan, attribute) in
        [(json!("plan_none"), attribute), (plan["id"].clone(), "00000000-0000-4000-8000-0000000000aa")]
    {
        let (status, answer) =
            amended.post("/preview", json!({"orderVersion": 2, "intents": added(&plan, attribute)})).await;
        assert_eq!((status, &answer["intentIndex"]), (404, &json!(0)), "{answer}");
    }
}
