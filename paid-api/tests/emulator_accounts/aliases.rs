use paid::types::*;
use serde_json::json;

use crate::{Api, id, text, usage};

#[tokio::test]
async fn an_alias_names_its_customer_wherever_an_external_id_does() {
    let api = Api::start().await;
    let client = api.client();
    let (product, _) = api.product(&[("u", usage(10))]).await;
    let acme = api.customer("acme").await;
    let request = CreateCustomerAliasRequest::new("acme-eu").name("Europe").description("the old system");
    let made = client.customers().create_alias(acme.as_str(), &request).await.unwrap();
    assert_eq!((made.alias.as_str(), made.customer_id.as_ref().map(AsRef::as_ref)), ("acme-eu", Some(acme.as_str())));
    // Paths.
    assert_eq!(id(&api.get("/customers/external/acme-eu").await), acme);
    let update = UpdateCustomerRequest::new().name("Acme Ltd");
    assert_eq!(client.customers().update_by_external_id("acme-eu", &update).await.unwrap().name, "Acme Ltd");
    // Signals and costs name no new customer.
    let signal = NewSignal::new("e", ExternalCustomerId::from("acme-eu")).attribution(ExternalProductId::from("p"));
    assert_eq!(client.signals().create(&CreateSignalsRequest::new([signal])).await.unwrap().ingested, 1);
    let cost = json!({"type": "cost", "amount": 1, "currency": "USD", "customer": {"externalCustomerId": "acme-eu"}});
    api.post("/costs/bulk", json!({ "costs": [cost] })).await;
    assert_eq!(api.emulator.costs()[0].customer_id, acme);
    assert_eq!(api.get("/customers/").await["pagination"]["total"], 1);
    // Filters of lists.
    let listed = api.get("/customers/?externalId=acme-eu").await;
    assert_eq!((&listed["data"][0]["id"], &listed["pagination"]["total"]), (&json!(acme), &json!(1)));
    assert_eq!(api.get("/customers/?externalId=nobody").await["pagination"]["total"], 0);
    let order =
        json!({"customerId": acme, "currency": "USD", "creationState": "active", "lines": [{"productId": product}]});
    api.post("/orders/", order).await;
    api.post(
        "/payments/",
        json!({"externalCustomerId": "acme-eu", "amount": 1, "currency": "USD", "paymentType": "cash"}),
    )
    .await;
    for list in ["signals", "orders", "invoices", "payments"] {
        for (named, found) in [("acme-eu", 1), ("acme", 1), ("nobody", 0)] {
            let answer = api.get(&format!("/{list}/?externalCustomerId={named}")).await;
            assert_eq!(answer["pagination"]["total"], found, "{list} of {named}");
        }
    }
    // Bodies.
    let checkout =
        json!({"products": [{"id": product}], "successUrl": "https://x.example", "externalCustomerId": "acme-eu"});
    let checkout = api.post("/checkouts/", checkout).await;
    assert_eq!((&checkout["customerId"], &checkout["externalCustomerId"]), (&json!(acme), &json!("acme-eu")));
    assert_eq!(
        text(&api.post("/customer-portals/", json!({"externalCustomerId": "acme-eu"})).await["customerId"]),
        acme
    );
    // A customer of that id is there already.
    assert_eq!(id(&api.post("/customers/", json!({"name": "Acme", "externalId": "acme-eu"})).await), acme);
}

#[tokio::test]
async fn an_alias_is_one_customers_and_free_again_when_it_is_deleted() {
    let api = Api::start().await;
    let (acme, other) = (api.customer("acme").await, api.customer("other").await);
    let aliases = format!("/customers/{acme}/aliases");
    for alias in ["a", "b", "c"] {
        api.post(&aliases, json!({ "alias": alias })).await;
    }
    for taken in ["a", "acme", "other"] {
        let (status, place) =
            api.refused("POST", &format!("/customers/{other}/aliases"), json!({"alias": taken})).await;
        assert_eq!((status, place.as_str()), (409, "body.alias"), "{taken}");
    }
    assert_eq!(api.refused("POST", &aliases, json!({"alias": " "})).await.0, 400);
    let renamed = api.refused("PUT", &format!("/customers/{other}"), json!({"externalId": "a"})).await;
    assert_eq!(renamed, (400, "body.externalId".to_owned()));
    let page = api.get("/customers/external/b/aliases?limit=1&offset=1").await;
    assert_eq!((&page["data"][0]["alias"], &page["pagination"]["total"]), (&json!("b"), &json!(3)));
    // Of another customer it is not there.
    assert_eq!(api.refused("DELETE", "/customers/external/other/aliases/a", json!(null)).await.0, 404);
    api.ok("DELETE", "/customers/external/acme/aliases/a", json!(null)).await;
    assert_eq!(api.refused("GET", "/customers/external/a", json!(null)).await, (404, String::new()));
    api.post("/customers/external/other/aliases", json!({"alias": "a"})).await;
    api.ok("DELETE", &format!("/customers/{other}/aliases/a"), json!(null)).await;
    // With its customer, an alias is gone.
    api.ok("DELETE", "/customers/external/b", json!(null)).await;
    assert_eq!(api.refused("GET", "/customers/external/c", json!(null)).await.0, 404);
    assert_eq!(api.refused("GET", "/customers/cus_none/aliases", json!(null)).await, (404, "path.id".to_owned()));
}
