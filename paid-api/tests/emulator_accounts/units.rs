use paid::types::*;
use serde_json::{Value, json};

use crate::{Api, text};

const UNITS: &str = "/customers/external/acme/customer-units";

#[tokio::test]
async fn a_customer_with_an_external_id_has_its_root_and_a_tree_below_it() {
    let api = Api::start().await;
    let client = api.client();
    let acme = api.customer("acme").await;
    let root = client.customer_units().get(acme.as_str(), "acme").await.unwrap();
    assert!(root.is_root == Some(true) && root.parent_external_id.is_none(), "{root:?}");
    let request = CreateCustomerUnitRequest::new("rnd").parent_external_id("acme").external_type("department");
    let made = client.customer_units().create_by_external_id("acme", &request).await.unwrap();
    assert_eq!((made.name.as_str(), made.is_root), ("rnd", Some(false)), "the name is the key if none is given");
    for (key, parent) in [("team", "rnd"), ("sales", "acme")] {
        api.post(UNITS, json!({"externalId": key, "parentExternalId": parent})).await;
    }
    let keys = async |query: &str| {
        let all = api.get(&format!("{UNITS}{query}")).await;
        all["data"].as_array().unwrap().iter().map(|unit| text(&unit["externalId"])).collect::<Vec<_>>()
    };
    assert_eq!(keys("").await, ["acme", "rnd", "team", "sales"]);
    assert_eq!(keys("?parentExternalId=acme").await, ["rnd", "sales"]);
    assert_eq!(keys("?externalType=department").await, ["rnd"]);
    assert_eq!(keys("?limit=1&offset=2").await, ["team"]);
    // A unit moves with all below it, and not below itself.
    let moved =
        api.ok("PATCH", &format!("{UNITS}/rnd"), json!({"parentExternalId": "sales", "externalType": null})).await;
    assert_eq!((&moved["parentExternalId"], &moved["externalType"]), (&json!("sales"), &Value::Null));
    for (unit, parent) in [("sales", "team"), ("sales", "sales"), ("acme", "rnd"), ("rnd", "nobody")] {
        let refused = api.refused("PATCH", &format!("{UNITS}/{unit}"), json!({"parentExternalId": parent})).await;
        assert_eq!(refused, (409, "body.parentExternalId".to_owned()), "{unit} below {parent}");
    }
}

#[tokio::test]
async fn a_deleted_unit_is_kept_and_its_key_is_not_free() {
    let api = Api::start().await;
    api.customer("acme").await;
    api.post(UNITS, json!({"externalId": "rnd", "parentExternalId": "acme", "metadata": {"k": 1}})).await;
    for (body, status, place) in [
        (json!({"externalId": "x"}), 409, "body.parentExternalId"),
        (json!({"externalId": "rnd", "parentExternalId": "acme"}), 409, "body.externalId"),
        (json!({"externalId": "x", "parentExternalId": "nobody"}), 409, "body.parentExternalId"),
        (json!({"externalId": "..", "parentExternalId": "acme"}), 400, "body.externalId"),
        (json!({"externalId": "k".repeat(256), "parentExternalId": "acme"}), 400, "body.externalId"),
    ] {
        assert_eq!(api.refused("POST", UNITS, body.clone()).await, (status, place.to_owned()), "{body}");
    }
    assert_eq!(api.refused("DELETE", &format!("{UNITS}/acme"), json!(null)).await.0, 409, "it has a unit below it");
    let deleted = api.ok("DELETE", &format!("{UNITS}/rnd"), json!(null)).await;
    assert_eq!((&deleted["status"], &deleted["metadata"]["k"]), (&json!("DELETED"), &json!(1)));
    assert_eq!(api.get(UNITS).await["pagination"]["total"], 1);
    assert_eq!(api.get(&format!("{UNITS}?status=DELETED")).await["data"][0]["externalId"], "rnd");
    for (method, path) in [("DELETE", "rnd"), ("PATCH", "rnd")] {
        let body = if method == "PATCH" { json!({"name": "n"}) } else { Value::Null };
        assert_eq!(api.refused(method, &format!("{UNITS}/{path}"), body).await.0, 409, "{method}");
    }
    let again = json!({"externalId": "rnd", "parentExternalId": "acme"});
    assert_eq!(api.refused("POST", UNITS, again).await.0, 409);
    // Without a root there is room for another.
    api.ok("DELETE", &format!("{UNITS}/acme"), json!(null)).await;
    assert_eq!(api.post(UNITS, json!({"externalId": "new"})).await["isRoot"], true);
}

#[tokio::test]
async fn a_tree_is_at_most_ten_levels_high_also_after_a_move() {
    let api = Api::start().await;
    api.customer("acme").await;
    let mut parent = "acme".to_owned();
    for level in 2..=10 {
        let key = format!("l{level}");
        api.post(UNITS, json!({"externalId": key, "parentExternalId": parent})).await;
        parent = key;
    }
    let eleventh = json!({"externalId": "l11", "parentExternalId": parent});
    assert_eq!(api.refused("POST", UNITS, eleventh).await.0, 409);
    api.post(UNITS, json!({"externalId": "x", "parentExternalId": "acme"})).await;
    api.post(UNITS, json!({"externalId": "y", "parentExternalId": "x"})).await;
    let below = |key: &str| json!({ "parentExternalId": key });
    assert_eq!(api.refused("PATCH", &format!("{UNITS}/x"), below("l9")).await.0, 409);
    api.ok("PATCH", &format!("{UNITS}/x"), below("l8")).await;
}

#[tokio::test]
async fn a_customer_billed_by_seats_gets_no_units() {
    let api = Api::start().await;
    let acme = api.customer("acme").await;
    let seats = json!({"pricingType": "SeatBasedPerUnit", "billingFrequency": "Monthly",
        "pricePoints": [{"currency": "USD", "unitPrice": 5}]});
    let (product, _) = api.product(&[("seats", seats)]).await;
    let order =
        json!({"customerId": acme, "currency": "USD", "creationState": "active", "lines": [{"productId": product}]});
    api.post("/orders/", order).await;
    let unit = json!({"externalId": "rnd", "parentExternalId": "acme"});
    assert_eq!(api.refused("POST", UNITS, unit).await.0, 409);
}

#[tokio::test]
async fn a_unit_with_a_cap_is_not_deleted_and_caps_are_as_paid_describes_them() {
    let api = Api::start().await;
    api.customer("acme").await;
    api.post("/credits/currencies", json!({"name": "Tokens", "key": "tokens"})).await;
    api.post(UNITS, json!({"externalId": "rnd", "parentExternalId": "acme"})).await;
    let (unit, cap) = (format!("{UNITS}/rnd"), format!("{UNITS}/rnd/cap"));
    assert_eq!(api.refused("GET", &cap, Value::Null).await.0, 404);
    assert_eq!(api.refused("PUT", &cap, json!({"amount": 0})).await.0, 400);
    let later = json!({"amount": 5, "effectiveFrom": "2099-01-01T00:00:00Z"});
    assert_eq!(api.ok("PUT", &cap, later).await["currentPeriod"], Value::Null);
    assert_eq!(api.refused("GET", &cap, Value::Null).await.0, 404, "it is not in force yet");
    assert_eq!(api.refused("DELETE", &unit, Value::Null).await, (409, "path.externalCustomerUnitId".to_owned()));
    api.ok("PUT", &cap, json!({"amount": 3})).await;
    assert_eq!(api.get(&cap).await["currentPeriod"]["remaining"], 3);
    assert_eq!(api.ok("DELETE", &cap, Value::Null).await["endedVersions"], 2);
    assert_eq!(api.refused("DELETE", &cap, Value::Null).await.0, 404, "none is open");
    api.ok("DELETE", &unit, Value::Null).await;
}

#[tokio::test]
async fn credits_that_waited_tell_of_caps_and_of_the_last_credit_when_a_grant_covers_them() {
    let api = Api::start().await;
    let customer = api.customer("acme").await;
    let currency = api.post("/credits/currencies", json!({"name": "Tokens", "key": "tokens"})).await["id"].clone();
    let price =
        json!({"pricingType": "UsagePrepaidCredits", "eventName": "e", "creditCost": 4, "creditsCurrencyId": currency});
    let (product, _) = api.product(&[("Calls", price)]).await;
    let order = json!({"customerId": customer, "currency": "USD", "creationState": "active", "lines": [{"productId": product}]});
    api.post("/orders/", order).await;
    api.ok("PUT", &format!("{UNITS}/acme/cap"), json!({"amount": 10})).await;
    let heard = api.hear(&["billing-credits-depleted", "billing-credit-cap-reached"]).await;
    let signal = json!({"eventName": "e", "customer": {"externalCustomerId": "acme"}, "attribution": {"externalProductId": "p"},
        "customerUnit": {"externalCustomerUnitId": "acme"}});
    api.post("/signals/bulk", json!({"signals": [signal, signal, signal]})).await;
    assert_eq!(heard.names(), [] as [String; 0]);
    let grant = async |amount: i64| {
        let grant = json!({"creditCurrencyKey": "tokens", "amount": amount});
        api.post("/customers/external/acme/credits/grants", grant).await;
    };
    grant(8).await;
    assert_eq!(heard.names(), ["billing-credits-depleted"]);
    grant(20).await;
    let told = heard.take();
    assert_eq!(told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["billing-credit-cap-reached"]);
    assert_eq!((&told[0].1["cap"]["used"], &told[0].1["cap"]["amount"]), (&json!(12), &json!(10)));
}
