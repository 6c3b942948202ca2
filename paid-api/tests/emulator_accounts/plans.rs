use paid::types::*;
use serde_json::{Value, json};

use crate::{Api, id, monthly, text, usage};

#[tokio::test]
async fn a_plan_overrides_prices_of_its_product() {
    let api = Api::start().await;
    let client = api.client();
    let (product, attributes) = api.product(&[("fee", monthly(1000)), ("use", usage(10))]).await;
    let pricing = RecurringPerUnitPricing::new(BillingFrequency::Monthly, [PricePointInput::new("USD", 700)]);
    let request = CreatePlanRequest::new([PlanAttributeInput::new(pricing, attributes[0].as_str())], product.as_str())
        .name("Small")
        .external_id("small");
    let plan = client.plans().create(&request).await.unwrap();
    assert_eq!((plan.product_id.as_ref(), plan.status), (product.as_str(), PlanStatus::Active));
    assert_eq!(plan.supported_currencies.as_deref(), Some(&["USD".to_owned()][..]));
    let shown = api.get("/plans/external/small").await;
    let attribute = &shown["attributes"][0];
    assert_eq!((&attribute["name"], &attribute["active"]), (&json!("fee"), &json!(true)));
    let pricing = &attribute["pricing"];
    // A plan shows these properties of a price and no others, as the document has it.
    let points = json!([{"currency": "USD", "unitPrice": 700}]);
    let kind = json!({"pricingType": "RecurringPerUnit", "chargeType": "recurring", "pricingModel": "perUnit", "pricePoints": points});
    assert_eq!(*pricing, kind);
    // What a request has replaces all attributes; what it has not stays.
    let update = json!({"attributes": [{"productAttributeId": attributes[1], "pricing": usage(5)}]});
    let updated = api.ok("PUT", &format!("/plans/{}", plan.id.as_ref() as &str), update).await;
    assert_eq!(updated["attributes"].as_array().unwrap().len(), 1);
    assert_eq!((&updated["attributes"][0]["name"], &updated["name"]), (&json!("use"), &json!("Small")));
}

#[tokio::test]
async fn a_plan_names_what_is_there_and_can_be_priced() {
    let api = Api::start().await;
    let (product, attributes) = api.product(&[("fee", monthly(1000))]).await;
    let plan = |more: Value| {
        let attribute = json!({"productAttributeId": attributes[0], "pricing": monthly(700)});
        let mut body = json!({"productId": product, "attributes": [attribute]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let attribute = |id: &str, pricing: Value| json!({"productAttributeId": id, "pricing": pricing});
    let own = attributes[0].as_str();
    let percent =
        json!({"pricingType": "RecurringPercentOfTotal", "billingFrequency": "Monthly", "percentageValue": -2});
    let unknown = "00000000-0000-4000-8000-000000000099";
    api.post("/plans/", plan(json!({"externalId": "taken"}))).await;
    for (more, status, place) in [
        (json!({"productId": "prod_none"}), 404, "body.productId"),
        (json!({"externalId": "taken"}), 400, "body.externalId"),
        (json!({"supportedCurrencies": ["USD", "EUR"]}), 400, "body.supportedCurrencies.1"),
        (json!({"supportedCurrencies": ["XXY"]}), 400, "body.supportedCurrencies.0"),
        (json!({"attributes": [attribute(unknown, monthly(1))]}), 404, "body.attributes.0.productAttributeId"),
        (
            json!({"attributes": [attribute(own, monthly(1)), attribute(own, monthly(2))]}),
            400,
            "body.attributes.1.productAttributeId",
        ),
    ] {
        assert_eq!(api.refused("POST", "/plans/", plan(more.clone())).await, (status, place.to_owned()), "{more}");
    }
    let refused = api.refused("POST", "/plans/", plan(json!({"attributes": [attribute(own, percent)]}))).await;
    assert_eq!(refused, (400, "body.attributes.0.pricing.percentageValue".to_owned()));
    assert_eq!(api.get("/plans/").await["pagination"]["total"], 1, "what is refused is not there");
    assert_eq!(api.refused("GET", "/plans/plan_none", Value::Null).await, (404, "path.id".to_owned()));
}

#[tokio::test]
async fn plans_are_archived_restored_and_listed_and_a_product_has_one_default() {
    let api = Api::start().await;
    let (product, _) = api.product(&[("fee", monthly(1000))]).await;
    let other = id(&api.post("/products/", json!({"name": "Q", "externalId": "q"})).await);
    let plan = async |product: &str, default: bool| {
        id(&api.post("/plans/", json!({"productId": product, "attributes": [], "isDefault": default})).await)
    };
    let (first, second) = (plan(&product, true).await, plan(&product, true).await);
    plan(&other, true).await;
    let default = async |id: &str| api.get(&format!("/plans/{id}")).await["isDefault"] == json!(true);
    assert_eq!((default(&first).await, default(&second).await), (false, true));
    let archived = api.ok("PUT", &format!("/plans/{first}"), json!({"status": "archived"})).await;
    assert!(archived["archivedAt"].is_string(), "{archived}");
    for (query, total) in [
        ("", 3),
        ("?includeArchived=false", 2),
        ("?externalProductId=q", 1),
        (&format!("?productId={product}&includeArchived=false"), 1),
    ] {
        assert_eq!(api.get(&format!("/plans/{query}")).await["pagination"]["total"], total, "{query}");
    }
    assert_eq!(api.refused("GET", "/plans/?productId=none", Value::Null).await, (404, "query.productId".to_owned()));
    let restored = api.ok("PUT", &format!("/plans/{first}"), json!({"status": "active"})).await;
    assert_eq!((&restored["archivedAt"], &restored["status"]), (&Value::Null, &json!("active")));
}

#[tokio::test]
async fn an_upgrade_path_orders_the_plans_of_one_frequency() {
    let api = Api::start().await;
    let (product, attributes) = api.product(&[("fee", monthly(1000))]).await;
    let plan = async |pricing: Value| {
        let attribute = json!({"productAttributeId": attributes[0], "pricing": pricing});
        id(&api.post("/plans/", json!({"productId": product, "attributes": [attribute]})).await)
    };
    let mut yearly = monthly(9000);
    yearly["billingFrequency"] = "Annual".into();
    let (small, large, year) = (plan(monthly(1)).await, plan(monthly(2)).await, plan(yearly).await);
    let path = |groups: Value| json!({"productId": product, "groups": groups});
    let group = |frequency: Value, plans: &[&String]| json!({"frequency": frequency, "planIds": plans});
    let set = path(json!([group(json!("Monthly"), &[&small, &large]), group(json!("Annual"), &[&year])]));
    let answer = api.ok("PUT", "/plans/upgrade-path", set).await;
    let orders: Vec<_> =
        answer["data"].as_array().unwrap().iter().map(|plan| plan["upgradePathOrder"].clone()).collect();
    assert_eq!(orders, [json!(1), json!(2), json!(1)]);
    // A path is set as a whole.
    api.ok("PUT", "/plans/upgrade-path", path(json!([group(json!("monthly"), &[&large])]))).await;
    assert_eq!(api.get(&format!("/plans/{small}")).await["upgradePathOrder"], Value::Null);
    assert_eq!(api.get(&format!("/plans/{large}")).await["upgradePathOrder"], 1);
    api.ok("PUT", &format!("/plans/{small}"), json!({"status": "archived"})).await;
    let none = "plan_none".to_owned();
    for (groups, status, place) in [
        (json!([group(json!("Monthly"), &[&none])]), 404, "body.groups.0.planIds.0"),
        (json!([group(json!("Monthly"), &[&small])]), 400, "body.groups.0.planIds.0"),
        (json!([group(json!("Monthly"), &[&large, &large])]), 400, "body.groups.0.planIds.1"),
        (json!([group(json!("Monthly"), &[&year])]), 400, "body.groups.0.planIds.0"),
        (json!([group(Value::Null, &[&year])]), 400, "body.groups.0.planIds.0"),
        (json!([group(json!("weekly"), &[])]), 400, "body.groups.0.frequency"),
    ] {
        let refused = api.refused("PUT", "/plans/upgrade-path", path(groups.clone())).await;
        assert_eq!(refused, (status, place.to_owned()), "{groups}");
    }
}

#[tokio::test]
async fn pricing_is_that_of_the_product() {
    let api = Api::start().await;
    let client = api.client();
    let (product, attributes) = api.product(&[("fee", monthly(1000)), ("use", usage(10))]).await;
    let all = client.pricing().list(product.as_str()).await.unwrap();
    assert_eq!(all.data.len(), 2);
    let path = format!("/pricing/{}", attributes[0]);
    assert_eq!(api.get(&path).await["pricing"]["pricePoints"][0]["unitPrice"], 1000);
    let updated = api.ok("PUT", &path, json!({"pricing": monthly(1200)})).await;
    assert_eq!((&updated["name"], &updated["pricing"]["chargeType"]), (&json!("fee"), &json!("recurring")));
    let shown = api.get(&format!("/products/{product}")).await;
    assert_eq!(shown["productAttributes"][0]["pricing"]["pricePoints"][0]["unitPrice"], 1200);
    // A new order costs what the price is now.
    let acme = api.customer("acme").await;
    let order =
        json!({"customerId": acme, "currency": "USD", "creationState": "active", "lines": [{"productId": product}]});
    api.post("/orders/", order).await;
    assert_eq!(api.get("/invoices/").await["data"][0]["invoiceTotal"], 1200);
    // An update by the name keeps the attribute's id, so that plans go on to mean it.
    let update = json!({"productAttributes": [{"name": "fee", "pricing": monthly(1300)}]});
    api.ok("PUT", &format!("/products/{product}"), update).await;
    assert_eq!(api.get(&path).await["pricing"]["pricePoints"][0]["unitPrice"], 1300);
    let unknown = "/pricing/00000000-0000-4000-8000-000000000099";
    assert_eq!(text(&json!(api.refused("GET", unknown, Value::Null).await.1)), "path.productAttributeId");
    let wrong = json!({"pricing": {"pricingType": "UsageVolume", "eventName": "e", "pricePoints": [{"currency": "USD", "unitPrice": 0, "tiers": []}]}});
    assert_eq!(api.refused("PUT", &path, wrong).await, (400, "body.pricing.pricePoints.0.tiers".to_owned()));
    assert_eq!(api.refused("GET", "/pricing/?productId=none", Value::Null).await.0, 404);
}
