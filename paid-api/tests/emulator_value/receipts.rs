//! Value receipts and their states.

use std::time::Duration;

use paid::Timestamp;
use paid::types::*;
use serde_json::{Value, json};

use super::{World, decimal, hours};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn january(customer: &str) -> SyncValueReceiptRequest {
    let customer = ExternalCustomerId::from(customer);
    SyncValueReceiptRequest::new(customer, time("2026-01-31T23:59:59Z"), time("2026-01-01T00:00:00Z"))
}

async fn valued() -> World {
    let world = World::new().await;
    world.model(hours()).await;
    world.signal("acme", "ticket_resolved", "2026-01-05T00:00:00Z", json!({"minutes": 60})).await;
    world.signal_of("other", "acme", "ticket_resolved", "2026-01-06T00:00:00Z", json!({"minutes": 30})).await;
    world.signal("globex", "ticket_resolved", "2026-01-05T00:00:00Z", json!({"minutes": 6})).await;
    world
}

#[tokio::test]
async fn a_receipt_holds_what_was_delivered_when_it_was_filled() {
    let world = valued().await;
    let receipts = world.client.value_receipts();
    let created = receipts.create(&january("acme")).await.unwrap();
    assert_eq!(created.status, "draft");
    let receipt = receipts.get(&created.id).await.unwrap();
    assert_eq!((receipt.total_delivered_value, receipt.currency.as_str()), (Some(decimal("75")), "USD"));
    assert_eq!((receipt.customer_name.as_deref(), receipt.is_published), (Some("Acme, Inc."), Some(false)));
    assert!(receipt.public_url.ends_with(receipt.public_url_token.as_deref().unwrap()));
    let product = world.client.products().get_by_external_id("other").await.unwrap().id;
    let of_product = january("acme").scope(ValueReceiptProduct::new(product.clone()).currency("usd"));
    let of_product = receipts.create(&of_product).await.unwrap();
    assert_eq!(receipts.get(&of_product.id).await.unwrap().total_delivered_value, Some(decimal("25")));
    let lines = [CreateOrderLineRequest::new(product.clone())];
    let order = CreateOrderRequest::new(world.customer("acme").await).lines(lines);
    let order = world.client.orders().create(&order).await.unwrap().id;
    let of_order = receipts.create(&january("acme").scope(order.clone())).await.unwrap();
    assert_eq!(receipts.get(&of_order.id).await.unwrap().total_delivered_value, Some(decimal("25")));

    world.signal("acme", "ticket_resolved", "2026-01-07T00:00:00Z", json!({"minutes": 60})).await;
    assert_eq!(receipts.get(&created.id).await.unwrap().total_delivered_value, Some(decimal("75")));
    receipts.refresh(&created.id).await.unwrap();
    assert_eq!(receipts.get(&created.id).await.unwrap().total_delivered_value, Some(decimal("125")));

    let of = |list: ValueReceiptListResponse| {
        let ids: Vec<String> = list.data.iter().map(|each| each.unwrap().id.to_string()).collect();
        (ids, list.total)
    };
    let all = of(receipts.list().await.unwrap());
    assert_eq!((all.0.len(), all.1), (3, Some(3)));
    assert_eq!(of(receipts.list().product_id(product).await.unwrap()).0, [of_product.id.to_string()]);
    assert_eq!(of(receipts.list().order_id(order).await.unwrap()).0, [of_order.id.to_string()]);
    assert_eq!(of(receipts.list().external_customer_id("globex").await.unwrap()).1, Some(0));
    assert_eq!(of(receipts.list().limit(1).offset(2).await.unwrap()).0, [of_order.id.to_string()]);
}

#[tokio::test]
#[allow(deprecated)] // By Paid, who still has it.
async fn syncing_fills_the_receipt_of_a_period_again_and_creating_makes_another() {
    let world = valued().await;
    let receipts = world.client.value_receipts();
    let first = receipts.sync(&january("acme")).await.unwrap();
    world.signal("acme", "ticket_resolved", "2026-01-07T00:00:00Z", json!({"minutes": 60})).await;
    let again = receipts.sync(&january("acme")).await.unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(receipts.get(&first.id).await.unwrap().total_delivered_value, Some(decimal("125")));
    assert_ne!(receipts.create(&january("acme")).await.unwrap().id, first.id);
    // A sealed receipt stays as it is.
    let other = receipts.sync(&january("globex")).await.unwrap();
    receipts.seal(&other.id).await.unwrap();
    world.signal("globex", "ticket_resolved", "2026-01-07T00:00:00Z", json!({})).await;
    let sealed = receipts.sync(&january("globex")).await.unwrap();
    assert_eq!((sealed.id.clone(), sealed.status.as_str()), (other.id, "posted"));
    assert_eq!(receipts.get(&sealed.id).await.unwrap().total_delivered_value, Some(decimal("5")));
    receipts.archive(&sealed.id).await.unwrap();
    assert_eq!(receipts.sync(&january("globex")).await.unwrap_err().status().unwrap(), 409);
}

#[tokio::test]
async fn every_state_allows_what_it_allows_and_refuses_the_rest() {
    let world = valued().await;
    let receipts = world.client.value_receipts();
    let id = receipts.create(&january("acme")).await.unwrap().id;
    let status = |result: Result<(), paid::Error>| result.err().and_then(|error| error.status()).map(|it| it.as_u16());
    assert_eq!(status(receipts.unarchive(&id).await.map(drop)), Some(409), "it is not archived");
    let published = PublishValueReceiptRequest::new().publish_expires_at(time("2020-01-01T00:00:00Z"));
    assert_eq!(status(receipts.publish(&id, &published).await.map(drop)), Some(400), "the end is past");
    let end = *world.emulator.now() + chrono::TimeDelta::days(1);
    let published = PublishValueReceiptRequest::new().publish_expires_at(Timestamp::from(end));
    let shown = receipts.publish(&id, &published).await.unwrap();
    assert!(shown.is_published == Some(true) && shown.published_at.is_some() && shown.publish_expires_at.is_some());
    world.emulator.advance(Duration::from_secs(25 * 60 * 60)).await;
    assert_eq!(receipts.get(&id).await.unwrap().is_published, Some(false), "the link has expired");

    receipts.seal(&id).await.unwrap();
    assert_eq!(status(receipts.seal(&id).await.map(drop)), Some(409));
    assert_eq!(status(receipts.refresh(&id).await.map(drop)), Some(409));
    receipts.publish(&id, &PublishValueReceiptRequest::new()).await.unwrap();
    receipts.archive(&id).await.unwrap();
    receipts.archive(&id).await.unwrap();
    assert_eq!(receipts.list().await.unwrap().total, Some(0));
    assert_eq!(receipts.list().archived(ValueReceiptArchivedFilter::True).await.unwrap().total, Some(1));
    let shown = receipts.unpublish(&id).await.unwrap();
    assert!(shown.is_published == Some(false) && shown.archived_at.is_some(), "a link can always be revoked");
    assert_eq!(status(receipts.publish(&id, &PublishValueReceiptRequest::new()).await.map(drop)), Some(409));
    receipts.unarchive(&id).await.unwrap();
    assert_eq!(receipts.get(&id).await.unwrap().status, "posted");
    for action in ["refresh", "seal", "archive", "unarchive", "publish", "unpublish"] {
        let path = format!("/value-receipts/vr_none/{action}");
        assert_eq!(world.refused("POST", &path, json!({})).await.0, 404, "{action}");
    }
}

#[tokio::test]
async fn receipts_that_cannot_be_are_refused() {
    let world = World::new().await;
    let without_model = world.client.value_receipts().create(&january("acme")).await.unwrap();
    let shown = world.client.value_receipts().get(&without_model.id).await.unwrap();
    assert_eq!(shown.total_delivered_value, None, "nothing says what signals are worth");
    world.model(hours()).await;
    let product = world.client.products().get_by_external_id("support").await.unwrap().id.to_string();
    let order = CreateOrderRequest::new(world.customer("globex").await);
    let order = world.client.orders().create(&order).await.unwrap().id.to_string();
    let (start, end) = ("2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z");
    let with = |more: Value| {
        let mut body = json!({"startDate": start, "endDate": end});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let acme = "acme";
    for (body, status, place) in [
        (with(json!({})), 400, "body.customerId"),
        (with(json!({"customerId": "x", "externalCustomerId": acme})), 400, "body.externalCustomerId"),
        (with(json!({"externalCustomerId": "nobody"})), 404, "nobody"),
        (with(json!({"externalCustomerId": acme, "product": {"productId": "prod_none"}})), 404, "prod_none"),
        (
            with(json!({"externalCustomerId": acme, "product": {"productId": product}, "orderId": order})),
            400,
            "body.orderId",
        ),
        (with(json!({"externalCustomerId": acme, "orderId": order})), 400, "body.orderId"),
        (with(json!({"externalCustomerId": acme, "endDate": "2025-01-01T00:00:00Z"})), 400, "body.endDate"),
        (with(json!({"externalCustomerId": acme, "endDate": "2999-01-01T00:00:00Z"})), 400, "body.endDate"),
        (
            with(json!({"externalCustomerId": acme, "product": {"productId": product, "currency": "EUR"}})),
            501,
            "body.product.currency",
        ),
    ] {
        let (found, details) = world.refused("POST", "/value-receipts/", body).await;
        assert!(found == status && details.contains(place), "{found} {details} instead of {status} {place}");
    }
}
