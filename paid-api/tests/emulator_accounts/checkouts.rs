use std::time::Duration;

use paid::types::*;
use serde_json::{Value, json};

use crate::{Api, id, monthly, text, usage};

const EVENTS: [&str; 6] = [
    "billing-invoice-created",
    "billing-invoice-posted",
    "billing-invoice-paid",
    "billing-payment-succeeded",
    "billing-checkout-completed",
    "billing-checkout-expired",
];

fn offer(product: &str, more: Value) -> Value {
    let mut body = json!({"products": [{"id": product}], "successUrl": "https://x.example"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

impl Api {
    async fn checkout(&self, body: Value) -> String {
        id(&self.post("/checkouts/", body).await)
    }

    async fn complete(&self, checkout: &str, chosen: Value) -> (u16, String) {
        let (status, answer) = self.control(&format!("checkouts/{checkout}/complete"), chosen).await;
        (status, answer["details"].as_str().unwrap_or_default().to_owned())
    }

    async fn plan(&self, product: &str, attribute: &str, cents: i64, more: Value) -> String {
        let mut plan =
            json!({"productId": product, "attributes": [{"productAttributeId": attribute, "pricing": monthly(cents)}]});
        plan.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        id(&self.post("/plans/", plan).await)
    }
}

#[tokio::test]
async fn a_completed_checkout_made_the_customer_the_order_the_invoice_and_the_payment() {
    let api = Api::start().await;
    let client = api.client();
    let (product, attributes) = api.product(&[("fee", monthly(1000)), ("use", usage(10))]).await;
    let plan = api.plan(&product, &attributes[0], 700, json!({"name": "Small", "externalId": "small"})).await;
    let checkout = api.checkout(offer(&product, json!({"externalCustomerId": "new"}))).await;
    let open = client.checkouts().get(checkout.as_str()).await.unwrap();
    assert!(open.selected_product.is_none() && open.order_id.is_none() && open.customer_id.is_none(), "{open:?}");
    assert_eq!(api.refused("GET", "/customers/external/new", Value::Null).await.0, 404, "nobody bought yet");
    let heard = api.hear(&EVENTS).await;

    assert!(api.emulator.complete_checkout(&checkout).await);
    let (created, posted, paid) = ("billing-invoice-created", "billing-invoice-posted", "billing-invoice-paid");
    assert_eq!(heard.names(), [created, posted, "billing-payment-succeeded", paid, "billing-checkout-completed"]);
    let customer = id(&api.get("/customers/external/new").await);
    let bought = client.checkouts().get(checkout.as_str()).await.unwrap();
    assert_eq!(bought.status, CheckoutStatus::Completed);
    assert_eq!(bought.customer_id.as_ref().map(AsRef::as_ref), Some(customer.as_str()));
    let selected = bought.selected_product.unwrap().plan.unwrap();
    assert_eq!((json!(selected.id), selected.name.as_deref()), (json!(plan), Some("Small")));
    let order = text(&json!(bought.order_id.unwrap()));
    let shown = api.get(&format!("/orders/{order}")).await;
    assert_eq!((&shown["creationState"], &shown["customerId"]), (&json!("active"), &json!(customer)));
    let invoice = api.get("/invoices/").await["data"][0].clone();
    assert_eq!(
        (&invoice["invoiceTotal"], &invoice["paymentStatus"], &invoice["status"]),
        (&json!(700), &json!("paid"), &json!("posted"))
    );
    let payment = api.get("/payments/").await["data"][0].clone();
    assert_eq!((&payment["amount"], &payment["orderId"], &payment["balance"]), (&json!(700), &json!(order), &json!(0)));
    // Usage is the product's price, and is billed later: the invoice is closed.
    let signal =
        json!({"eventName": "e", "customer": {"externalCustomerId": "new"}, "attribution": {"externalProductId": "p"}});
    api.post("/signals/bulk", json!({ "signals": [signal] })).await;
    assert_eq!(api.get("/invoices/").await["data"][0]["invoiceTotal"], 700);
    api.emulator.advance(Duration::from_secs(32 * 24 * 60 * 60)).await;
    assert_eq!(api.get("/invoices/").await["data"][1]["invoiceTotal"], 710);
    assert!(!api.emulator.complete_checkout(&checkout).await, "it is used");
}

#[tokio::test]
async fn the_customer_chooses_among_what_is_offered() {
    let api = Api::start().await;
    let (product, attributes) = api.product(&[("fee", monthly(1000))]).await;
    let small = api.plan(&product, &attributes[0], 700, json!({})).await;
    let large = api.plan(&product, &attributes[0], 2000, json!({"isDefault": true})).await;
    let gone = api.plan(&product, &attributes[0], 1, json!({})).await;
    let other = id(&api.post("/products/", json!({"name": "Q"})).await);
    let total = async || {
        let all = api.get("/payments/?limit=100").await;
        all["data"].as_array().unwrap().last().unwrap()["amount"].as_i64().unwrap()
    };
    // The default plan, if none is chosen.
    let checkout = api.checkout(offer(&product, json!({}))).await;
    assert_eq!(api.complete(&checkout, Value::Null).await.0, 200);
    assert_eq!(total().await, 2000);
    // One that is chosen, by somebody who says who it is.
    let two = json!({"products": [{"id": other}, {"id": product, "plans": [{"id": large}, {"id": small}]}], "collectPhone": true});
    let checkout = api.checkout(offer(&product, two)).await;
    let ada = json!({"name": "Ada", "email": "ada@x.example", "phone": "1", "billingAddress": {"city": "Bern"}});
    for (wanted, place) in [
        (json!({"productId": "none"}), "body.productId"),
        (json!({"productId": product, "planId": gone}), "body.planId"),
        (json!({"productId": product, "planId": small, "currency": "EUR"}), "body.currency"),
        (json!({"plan": small}), "body"),
    ] {
        assert_eq!(api.complete(&checkout, wanted.clone()).await, (400, place.to_owned()), "{wanted}");
    }
    assert_eq!(api.get("/customers/").await["pagination"]["total"], 1, "a refused purchase creates nobody");
    let wanted = json!({"productId": product, "planId": small, "customer": ada});
    assert_eq!(api.complete(&checkout, wanted).await.0, 200);
    assert_eq!(total().await, 700);
    let made = api.get("/customers/").await["data"][1].clone();
    assert_eq!(
        (&made["name"], &made["billingAddress"]["city"], &made["phone"]),
        (&json!("Ada"), &json!("Bern"), &json!("1"))
    );
    // What is archived since is not sold.
    let checkout = api.checkout(offer(&product, json!({"products": [{"id": product, "plans": [{"id": gone}]}]}))).await;
    api.ok("PUT", &format!("/plans/{gone}"), json!({"status": "archived"})).await;
    assert_eq!(api.complete(&checkout, Value::Null).await, (400, "body.planId".to_owned()));
    let refused = |plan: &str| offer(&product, json!({"products": [{"id": product, "plans": [{"id": plan}]}]}));
    let place = "body.products.0.plans.0.id".to_owned();
    assert_eq!(api.refused("POST", "/checkouts/", refused(&gone)).await, (400, place.clone()));
    assert_eq!(api.refused("POST", "/checkouts/", refused("plan_none")).await, (404, place.clone()));
    let elsewhere = offer(&other, json!({"products": [{"id": other, "plans": [{"id": small}]}]}));
    assert_eq!(api.refused("POST", "/checkouts/", elsewhere).await, (400, place));
}

#[tokio::test]
async fn a_checkout_sells_in_its_currency_and_a_customer_keeps_that_of_its_orders() {
    let api = Api::start().await;
    let points = json!([{"currency": "USD", "unitPrice": 100}, {"currency": "EUR", "unitPrice": 90}]);
    let fee = json!({"pricingType": "RecurringPerUnit", "billingFrequency": "Monthly", "pricePoints": points});
    let (product, _) = api.product(&[("fee", fee)]).await;
    let all = api.post("/checkouts/", offer(&product, json!({}))).await;
    assert_eq!(all["allowedCurrencies"], json!(["USD", "EUR"]));
    let franc = api.refused("POST", "/checkouts/", offer(&product, json!({"currency": "CHF"}))).await;
    assert_eq!(franc, (400, "body.currency".to_owned()));
    let checkout = api.checkout(offer(&product, json!({"currency": "EUR", "externalCustomerId": "acme"}))).await;
    assert_eq!(api.complete(&checkout, json!({"currency": "USD"})).await, (400, "body.currency".to_owned()));
    assert_eq!(api.complete(&checkout, Value::Null).await.0, 200);
    let payment = api.get("/payments/").await["data"][0].clone();
    assert_eq!((&payment["amount"], &payment["currency"]), (&json!(90), &json!("EUR")));
    assert_eq!(api.get("/customers/external/acme").await["defaultCurrency"], "EUR");
    let dollars = offer(&product, json!({"currency": "USD", "externalCustomerId": "acme"}));
    assert_eq!(api.refused("POST", "/checkouts/", dollars).await, (400, "body.currency".to_owned()));
    // Of what is left open, it is that of the order.
    let checkout = api.checkout(offer(&product, json!({"externalCustomerId": "acme"}))).await;
    assert_eq!(api.complete(&checkout, json!({"currency": "USD"})).await.0, 400);
    assert_eq!(api.complete(&checkout, json!({"customer": {"name": "x"}})).await, (400, "body.customer".to_owned()));
    assert_eq!(api.complete(&checkout, Value::Null).await.0, 200);
    assert_eq!(api.get("/payments/").await["data"][1]["currency"], "EUR");
}

#[tokio::test]
async fn a_checkout_expires_with_time_and_one_for_more_uses_stays_open() {
    let api = Api::start().await;
    let heard = api.hear(&EVENTS).await;
    let (product, _) = api.product(&[("use", usage(10))]).await;
    let expires = *api.emulator.now() + chrono::TimeDelta::days(2);
    let checkout = api.checkout(offer(&product, json!({"expiresAt": expires.to_rfc3339(), "singleUse": false}))).await;
    for _ in 0..2 {
        assert_eq!(api.complete(&checkout, Value::Null).await.0, 200);
    }
    let shown = api.get(&format!("/checkouts/{checkout}")).await;
    assert_eq!((&shown["status"], &shown["customerId"]), (&json!("active"), &Value::Null));
    assert_eq!(api.get("/orders/").await["pagination"]["total"], 2);
    assert_eq!(api.get("/payments/").await["pagination"]["total"], 0, "nothing was due at once");
    heard.take();
    api.emulator.advance(Duration::from_secs(3 * 24 * 60 * 60)).await;
    assert_eq!(heard.names(), ["billing-checkout-expired"]);
    assert_eq!(api.get(&format!("/checkouts/{checkout}")).await["status"], "expired");
    assert_eq!(api.complete(&checkout, Value::Null).await.0, 409);
}

#[tokio::test]
async fn a_customer_with_an_open_checkout_is_not_deleted() {
    let api = Api::start().await;
    let (product, _) = api.product(&[]).await;
    api.customer("acme").await;
    let checkout = api.checkout(offer(&product, json!({"externalCustomerId": "acme"}))).await;
    assert_eq!(api.refused("DELETE", "/customers/external/acme", Value::Null).await.0, 400);
    api.ok("DELETE", &format!("/checkouts/{checkout}"), Value::Null).await;
    api.ok("DELETE", "/customers/external/acme", Value::Null).await;
}
