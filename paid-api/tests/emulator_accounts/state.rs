use paid::types::*;
use serde_json::{Value, json};

use crate::{Api, id, monthly, text};

#[tokio::test]
async fn the_state_of_a_customer_is_its_orders_and_open_checkouts() {
    let api = Api::start().await;
    let client = api.client();
    let (product, _) = api.product(&[("fee", monthly(100))]).await;
    let acme = api.customer("acme").await;
    let order = |more: Value| {
        let mut body =
            json!({"customerId": acme, "currency": "EUR", "externalId": "o1", "endDate": "2099-01-01T00:00:00Z"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let draft = id(&api.post("/orders/", order(json!({}))).await);
    let ended = order(json!({"externalId": "o2", "currency": "USD", "creationState": "active",
        "startDate": "2020-01-01T00:00:00Z", "endDate": "2020-02-01T00:00:00Z", "lines": [{"productId": product}]}));
    api.post("/orders/", ended).await;
    let offer = json!({"products": [{"id": product}], "successUrl": "https://x.example", "customerId": acme});
    let open = id(&api.post("/checkouts/", offer.clone()).await);
    let archived = id(&api.post("/checkouts/", offer).await);
    api.ok("DELETE", &format!("/checkouts/{archived}"), Value::Null).await;

    let state = client.customers().get_state(acme.as_str()).await.unwrap();
    assert_eq!(state.orders.len(), 2);
    let state = api.get("/customers/external/acme/state").await;
    assert_eq!(state["customer"], json!({"id": acme, "externalId": "acme", "name": "acme", "billingAddress": null}));
    let seen = |at: usize, key: &str| state["orders"][at][key].clone();
    assert_eq!((seen(0, "id"), seen(0, "externalId"), seen(0, "currency")), (json!(draft), json!("o1"), json!("EUR")));
    assert_eq!((seen(0, "state"), seen(1, "state")), (json!("draft"), json!("ended")));
    assert_eq!(seen(0, "effectiveUntil"), "2099-01-01T00:00:00Z");
    let links = state["checkoutLinks"].as_array().unwrap();
    assert_eq!((links.len(), &links[0]["id"], &links[0]["productIds"]), (1, &json!(open), &json!([product])));
    assert_eq!((&state["defaultCurrency"], &state["seats"]["total"]), (&json!("USD"), &json!(0)));
    assert_eq!(api.refused("GET", "/customers/cus_none/state", Value::Null).await, (404, "path.id".to_owned()));
}

#[tokio::test]
async fn a_user_is_created_once_and_then_changed() {
    let api = Api::start().await;
    let client = api.client();
    api.customer("acme").await;
    api.post("/customers/external/acme/aliases", json!({"alias": "a"})).await;
    let request = UpsertCustomerUserRequest::new().name("Ada").email("ada@acme.example");
    let made = client.customers().upsert_user_by_external_id("acme", "u1", &request).await.unwrap();
    assert_eq!(
        (made.created, made.name.as_deref(), made.status),
        (Some(true), Some("Ada"), Some(CustomerUserStatus::Active))
    );
    let path = "/customers/a/users/u1";
    let changed = api.ok("PUT", path, json!({"status": "deactivated", "email": null})).await;
    assert_eq!((&changed["created"], &changed["id"]), (&json!(false), &json!(made.id)));
    assert_eq!((&changed["name"], &changed["email"]), (&json!("Ada"), &Value::Null));
    assert_eq!((&changed["status"], &changed["customerExternalId"]), (&json!("deactivated"), &json!("acme")));
    assert_eq!(api.ok("PUT", "/customers/acme/users/u2", json!({})).await["created"], true);
    let nobody = api.refused("PUT", "/customers/nobody/users/u", json!({})).await;
    assert_eq!(nobody, (404, "path.customerExternalId".to_owned()));
}

#[tokio::test]
async fn a_portal_is_open_for_an_hour_or_as_long_as_is_asked() {
    let api = Api::start().await;
    let client = api.client();
    let acme = api.customer("acme").await;
    let request =
        CreateCustomerPortalRequest::new(ExternalCustomerId::from("acme")).return_url("https://x.example/back");
    let portal = client.customer_portals().create(&request).await.unwrap();
    assert_eq!(portal.customer_id.as_ref().map(AsRef::as_ref), Some(acme.as_str()));
    let portal = api.post("/customer-portals/", json!({"customerId": acme, "expiresAt": "2099-01-01T00:00:00Z"})).await;
    assert_eq!((&portal["expiresAt"], &portal["status"]), (&json!("2099-01-01T00:00:00Z"), &json!("active")));
    for (body, status, place) in [
        (json!({}), 400, "body.customerId"),
        (json!({"customerId": "cus_none"}), 404, "body.customerId"),
        (json!({"externalCustomerId": "none"}), 404, "body.externalCustomerId"),
        (json!({"customerId": acme, "expiresAt": "2020-01-01T00:00:00Z"}), 400, "body.expiresAt"),
    ] {
        assert_eq!(api.refused("POST", "/customer-portals/", body).await, (status, place.to_owned()));
    }
}

#[tokio::test]
async fn a_customer_has_one_bank_account_in_dollars() {
    let api = Api::start().await;
    let client = api.client();
    let acme = api.customer("acme").await;
    let path = format!("/customers/{acme}/funding-instructions");
    assert_eq!(api.refused("GET", &path, Value::Null).await.0, 404, "none was created");
    let made = client.customers().create_funding_instructions(acme.as_str(), &CreateFundingInstructionsRequest::new());
    let made = made.await.unwrap();
    assert_eq!((made.currency.as_str(), json!(made.customer_id)), ("USD", json!(acme)));
    let again = api.post("/customers/external/acme/funding-instructions", json!({"currency": "usd"})).await;
    assert_eq!(text(&again["accountNumber"]), made.account_number);
    assert_eq!(api.get(&format!("{path}?currency=USD")).await, again);
    assert_eq!(api.refused("GET", &format!("{path}?currency=EUR"), Value::Null).await.0, 404);
    assert_eq!(api.refused("POST", &path, json!({"currency": "EUR"})).await, (422, "body.currency".to_owned()));
    let other = api.customer("other").await;
    let other = api.post(&format!("/customers/{other}/funding-instructions"), json!({})).await;
    assert_ne!(other["accountNumber"], again["accountNumber"]);
}

#[tokio::test]
async fn what_is_made_is_201_and_what_is_there_is_200_and_signals_are_listed_newest_first() {
    let api = Api::start().await;
    api.customer("acme").await;
    for status in [201, 200] {
        let answer = api.call("POST", "/customers/external/acme/funding-instructions", json!({})).await;
        assert_eq!(answer.0, status, "{}", answer.1);
    }
    api.post("/products/", json!({"name": "P", "externalId": "p"})).await;
    for event in ["first", "second"] {
        let signal = json!({"eventName": event, "customer": {"externalCustomerId": "acme"}, "attribution": {"externalProductId": "p"}});
        api.post("/signals/bulk", json!({ "signals": [signal] })).await;
    }
    let listed = api.get("/signals/?limit=1").await;
    assert_eq!((&listed["data"][0]["name"], &listed["pagination"]["total"]), (&json!("second"), &json!(2)));
}
