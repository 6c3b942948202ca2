use paid::emulator::Emulator;
use serde_json::{Value, json};

use crate::{Api, id, monthly};

/// Everything that can be read.
async fn all(api: &Api) -> Vec<Value> {
    let mut found = Vec::new();
    for path in [
        "/customers/",
        "/customers/external/alias/aliases",
        "/customers/external/alias/customer-units",
        "/customer-groups/",
        "/plans/",
        "/orders/",
        "/invoices/",
        "/checkouts/",
        "/payments/",
        "/payment-allocations/",
        "/payment-methods/",
        "/customers/external/alias/funding-instructions",
    ] {
        found.push(api.get(path).await);
    }
    found
}

#[tokio::test]
async fn what_was_sold_and_paid_is_the_same_after_a_restart_and_ids_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Emulator::builder().state(folder.path().join("account.jsonl")).start();
    let api = Api::of(start().await.unwrap());
    let acme = api.customer("acme").await;
    api.post("/customers/external/acme/aliases", json!({"alias": "alias"})).await;
    api.post("/customers/external/acme/customer-units", json!({"externalId": "u", "parentExternalId": "acme"})).await;
    api.post("/customers/external/acme/funding-instructions", json!({})).await;
    let group = id(&api.post("/customer-groups/", json!({"name": "Gold"})).await);
    api.post(&format!("/customer-groups/{group}/members"), json!({"customerIds": ["alias"]})).await;
    let (product, attributes) = api.product(&[("fee", monthly(1000))]).await;
    let plan =
        json!({"productId": product, "attributes": [{"productAttributeId": attributes[0], "pricing": monthly(700)}]});
    let plan = id(&api.post("/plans/", plan).await);
    api.post("/payment-methods/", json!({"customerId": acme, "confirmationToken": "t"})).await;
    let offer = json!({"products": [{"id": product, "plans": [{"id": plan}]}], "successUrl": "https://x.example",
        "externalCustomerId": "new"});
    let checkout = id(&api.post("/checkouts/", offer).await);
    let chosen = json!({"planId": plan, "customer": {"name": "New Ltd"}});
    assert_eq!(api.control(&format!("checkouts/{checkout}/complete"), chosen).await.0, 200);
    // What is refused assigns no id, not even for a moment.
    let wrong = json!({"customerId": acme, "currency": "EUR", "lines": [{"productId": product}]});
    assert_eq!(api.refused("POST", "/orders/", wrong).await.0, 400);
    let (invoice, lines) = api.invoice(&acme, &product, &[500]).await;
    let payment = json!({"customerId": acme, "amount": 500, "currency": "USD", "paymentType": "check"});
    let payment = id(&api.post("/payments/", payment).await);
    let allocation = json!({"paymentId": payment, "allocations": [{"invoiceLineId": lines[0], "amount": 200}]});
    api.post("/payment-allocations/", allocation).await;
    let draft = json!({"customerId": acme, "amount": 7, "currency": "USD", "paymentType": "ach", "status": "draft"});
    let draft = id(&api.post("/payments/", draft).await);
    assert_eq!(api.control(&format!("payments/{draft}/fail"), Value::Null).await.0, 200);
    let before = all(&api).await;
    drop(api);

    let api = Api::of(start().await.unwrap());
    assert_eq!(all(&api).await, before);
    let shown = api.get(&format!("/invoices/{invoice}")).await;
    assert_eq!((&shown["amountPaid"], &shown["paymentStatus"]), (&json!(200), &json!("partiallyPaid")));
    let bought = api.get(&format!("/checkouts/{checkout}")).await;
    assert_eq!((&bought["status"], &bought["selectedProduct"]["plan"]["id"]), (&json!("completed"), &json!(plan)));
    assert_eq!(api.get("/customers/external/new").await["name"], "New Ltd");
    let next = api.customer("next").await;
    assert!(before[0]["data"].as_array().unwrap().iter().all(|known| known["id"] != json!(next)), "{next}");
}
