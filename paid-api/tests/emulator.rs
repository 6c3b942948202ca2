//! The emulator as its users meet it: through the client.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use futures_util::TryStreamExt;
use paid::emulator::{Emulator, Fault};
use paid::types::*;
use paid::{Client, Decimal, Error, Method, Patch, RetryPolicy, object};

/// A customer with an active order for a product of these prices.
async fn with_order(client: &Client, prices: Vec<ProductAttributeUpsert>) -> Order {
    let product = client.products().create(&CreateProductRequest::new("AI SDR").external_id("sdr")).await.unwrap();
    let update = UpdateProductRequest::new().product_attributes(prices);
    client.products().update(&product.id, &update).await.unwrap();
    let customer = client.customers().create(&CreateCustomerRequest::new("Acme").external_id("acme")).await.unwrap();
    let request =
        CreateOrderRequest::new(&customer.id).currency("USD").lines([CreateOrderLineRequest::new(&product.id)]);
    let order = client.orders().create(&request).await.unwrap();
    client.orders().activate(&order.id).await.unwrap()
}

fn per_signal(name: &str, event: &str, cents: i64) -> ProductAttributeUpsert {
    ProductAttributeUpsert::new(name, UsagePerUnitPricing::new(event, [PricePointInput::new("USD", cents)]))
}

fn signal(event: &str, key: &str) -> NewSignal {
    NewSignal::new(event, ExternalCustomerId::from("acme"))
        .attribution(ExternalProductId::from("sdr"))
        .idempotency_key(key)
}

async fn send(client: &Client, signals: impl Into<Vec<NewSignal>>) -> (i64, i64, i64) {
    let answer = client.signals().create(&CreateSignalsRequest::new(signals)).await.unwrap();
    (answer.ingested, answer.duplicates, answer.failed)
}

async fn total(client: &Client, order: &Order) -> Decimal {
    client.invoices().list().order_id(&order.id).await.unwrap().data.first().unwrap().unwrap().invoice_total
}

#[tokio::test]
async fn signals_are_priced_into_the_invoice_of_their_order() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let fee = RecurringPerUnitPricing::new(BillingFrequency::Monthly, [PricePointInput::new("USD", 50_000)]);
    let prices = vec![
        ProductAttributeUpsert::new("Fee", fee),
        per_signal("Emails", "email_sent", 1),
        ProductAttributeUpsert::new("Setup", OneTimePerUnitPricing::new([PricePointInput::new("USD", 99)])),
        ProductAttributeUpsert::new(
            "Seats",
            SeatBasedPerUnitPricing::new(BillingFrequency::Monthly, [PricePointInput::new("USD", 7)]),
        ),
    ];
    let order = with_order(&client, prices).await;
    assert_eq!(total(&client, &order).await, Decimal::from(50_106));
    let emails: Vec<_> = (0..3).map(|number| signal("email_sent", &format!("e{number}"))).collect();
    assert_eq!(send(&client, emails).await, (3, 0, 0));
    assert_eq!(total(&client, &order).await, Decimal::from(50_109));
    let invoice = client.invoices().list().external_customer_id("acme").await.unwrap().data.first().unwrap().unwrap();
    let lines = client.invoices().get_lines(&invoice.id).await.unwrap().data.all().unwrap();
    let shown: Vec<_> = lines.iter().map(|line| (line.description.as_str(), line.quantity)).collect();
    assert_eq!(shown, [("Fee", 1), ("Emails", 3), ("Setup", 1), ("Seats", 1)]);
}

#[tokio::test]
async fn a_repeated_key_bills_once_within_a_batch_and_across_batches() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let order = with_order(&client, vec![per_signal("Emails", "email_sent", 10)]).await;
    assert_eq!(send(&client, [signal("email_sent", "a"), signal("email_sent", "a")]).await, (1, 1, 0));
    assert_eq!(send(&client, [signal("email_sent", "a"), signal("email_sent", "b")]).await, (1, 1, 0));
    assert_eq!(total(&client, &order).await, Decimal::from(20));
}

#[tokio::test]
async fn a_signal_that_cannot_be_billed_fails_with_a_reason_and_one_of_another_name_is_stored() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let order = with_order(&client, vec![per_signal("Emails", "email_sent", 10)]).await;
    let unattributed = NewSignal::new("email_sent", ExternalCustomerId::from("acme")).idempotency_key("u");
    let elsewhere = signal("email_sent", "k").attribution(ExternalProductId::from("another"));
    let mut nobody = signal("email_sent", "n");
    nobody.customer = CustomerId::from("cus_none").into();
    assert_eq!(send(&client, [signal("email_send", "a"), unattributed, elsewhere, nobody]).await, (1, 0, 3));
    assert_eq!(total(&client, &order).await, Decimal::from(0));
    let failed = emulator.failed_signals();
    let problems: Vec<_> = failed.iter().map(|failed| failed.problem.as_str()).collect();
    assert_eq!(
        problems,
        [
            "body.signals.1.attribution: names no product, so nothing would be billed",
            "body.signals.2.attribution.externalProductId: there is no product \"another\"",
            "body.signals.3.customer.customerId: there is no customer \"cus_none\"",
        ]
    );
    assert_eq!(failed[0].idempotency_key.as_deref(), Some("u"));
    // What failed may be sent again under its key.
    assert_eq!(send(&client, [signal("email_sent", "u")]).await, (1, 0, 0));
}

#[tokio::test]
async fn an_unknown_external_customer_is_created_and_signals_can_be_read() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    with_order(&client, vec![per_signal("Emails", "email_sent", 10)]).await;
    let mut of_new = signal("email_sent", "n").data(object!({"to": "x"}));
    of_new.customer = ExternalCustomerId::from("new").into();
    assert_eq!(send(&client, [signal("email_sent", "a"), of_new]).await, (2, 0, 0));
    let created = client.customers().get_by_external_id("new").await.unwrap();
    let list = client.signals().list().customer_id(&created.id).await.unwrap().data.all().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].data, Some(object!({"to": "x"})));
    assert_eq!(list[0].external_product_id.as_ref().map(AsRef::as_ref), Some("sdr"));
    let all = || client.signals().list();
    for (filtered, found) in
        [(all().signal_name("email_sent"), 2), (all().signal_name("email"), 0), (all().external_customer_id("acme"), 1)]
    {
        assert_eq!(filtered.await.unwrap().data.all().unwrap().len(), found);
    }
    assert_eq!(client.signals().get(&list[0].id).await.unwrap().name, "email_sent");
}

#[tokio::test]
async fn prices_of_the_order_itself_win_over_those_of_the_product() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    with_order(&client, vec![per_signal("Emails", "email_sent", 10)]).await;
    let product = client.products().get_by_external_id("sdr").await.unwrap();
    let tiers = [
        OrderPriceTier::new().lower_bound(0).upper_bound(2).unit_amount(100),
        OrderPriceTier::new().lower_bound(2).unit_amount(50),
    ];
    let points = OrderPricePoint::new(0).tiers(tiers);
    let pricing = OrderLinePricing::new(OrderChargeType::Usage, OrderPricingModel::GraduatedPricing, points)
        .event_name("meeting_booked");
    let line = CreateOrderLineRequest::new(&product.id)
        .attributes([CreateOrderLineAttributeRequest::new("Meetings", pricing)]);
    let customer = client.customers().get_by_external_id("acme").await.unwrap();
    let request = CreateOrderRequest::new(&customer.id).lines([line]).creation_state(OrderCreationState::Active);
    let order = client.orders().create(&request).await.unwrap();
    let meetings: Vec<_> = (0..3).map(|number| signal("meeting_booked", &format!("m{number}"))).collect();
    send(&client, meetings).await;
    assert_eq!(total(&client, &order).await, Decimal::from(250));
}

#[tokio::test]
async fn what_the_document_does_not_allow_gets_400_and_the_place() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    for (path, body, place) in [
        ("/customers/", object!({"nam": "Acme"}), "body"),
        ("/customers/", object!({"name": "Acme", "metadata": 7}), "body/metadata"),
        ("/signals/bulk", object!({"signals": [{"eventName": "e", "customer": {}}]}), "body/signals/0/customer"),
    ] {
        let error = client.request(Method::POST, path).body(&body).await.unwrap_err();
        let api = error.as_api().unwrap();
        assert_eq!((api.status.as_u16(), api.details.as_deref()), (400, Some(place)), "{error}");
    }
    let error = client.request(Method::PUT, "/customers/cus_1").body(&object!({"name": 7})).await.unwrap_err();
    assert_eq!(error.as_api().unwrap().details.as_deref(), Some("body/name"), "{error}");
}

#[tokio::test]
async fn an_invalid_api_key_gets_403() {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::builder().api_key("wrong").base_url(emulator.url()).build().unwrap();
    let error = client.products().list().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 403);
    assert!(error.to_string().contains("check that the API key is right"), "{error}");
}

#[tokio::test]
async fn a_list_is_streamed_over_all_its_pages_and_goes_on_after_an_error() {
    let emulator = Emulator::start().await.unwrap();
    let client =
        Client::builder().api_key("paid_x").base_url(emulator.url()).retry(RetryPolicy::never()).build().unwrap();
    for number in 0..25 {
        client.products().create(&CreateProductRequest::new(format!("p{number}"))).await.unwrap();
    }
    let mut stream = client.products().list().limit(10).stream();
    let mut names = Vec::new();
    let mut errors = 0;
    loop {
        match stream.try_next().await {
            Ok(Some(product)) => names.push(product.name),
            Ok(None) => break,
            Err(_) => errors += 1,
        }
        if names.len() == 10 && errors == 0 {
            emulator.fault(Fault::status(500).operation("list-products"));
        }
    }
    let expected: Vec<_> = (0..25).map(|number| format!("p{number}")).collect();
    assert_eq!((names, errors), (expected, 1));
    let pages = emulator.requests().iter().filter(|request| request.method == "GET").count();
    assert_eq!(pages, 4, "three pages, one of them asked for twice");
}

#[tokio::test]
async fn a_lost_answer_to_signals_with_keys_bills_once() {
    let emulator = Emulator::start().await.unwrap();
    let quick = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(2));
    let client = Client::builder().api_key("paid_x").base_url(emulator.url()).retry(quick).build().unwrap();
    let order = with_order(&client, vec![per_signal("Emails", "email_sent", 10)]).await;
    emulator.fault(Fault::drop_connection().after_work().operation("create-signals"));
    assert_eq!(send(&client, [signal("email_sent", "a")]).await, (0, 1, 0));
    emulator.fault(Fault::truncate_body().operation("create-signals"));
    assert_eq!(send(&client, [signal("email_sent", "b")]).await, (0, 1, 0));
    assert_eq!(total(&client, &order).await, Decimal::from(20));
    let mut keyless = signal("email_sent", "c");
    keyless.idempotency_key = None;
    emulator.fault(Fault::drop_connection().after_work().operation("create-signals"));
    let error = client.signals().create(&CreateSignalsRequest::new([keyless])).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "without a key it is not sent twice: {error}");
    assert_eq!(total(&client, &order).await, Decimal::from(30));
}

#[tokio::test]
async fn faults_come_once_or_as_often_as_asked_and_only_where_asked() {
    let emulator = Emulator::start().await.unwrap();
    let client =
        Client::builder().api_key("paid_x").base_url(emulator.url()).retry(RetryPolicy::never()).build().unwrap();
    emulator.fault(Fault::status(503).header("retry-after", "0").operation("list-customers").times(2));
    client.products().list().await.unwrap();
    for _ in 0..2 {
        assert_eq!(client.customers().list().await.unwrap_err().status().unwrap(), 503);
    }
    client.customers().list().await.unwrap();
    emulator.fault(Fault::html(502, "<html>bad gateway</html>"));
    let error = client.customers().list().await.unwrap_err();
    assert!(error.to_string().contains("502 Bad Gateway, 24 bytes of text/html"), "{error}");
}

#[tokio::test]
async fn properties_are_left_cleared_and_set() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let request = CreateCustomerRequest::new("Acme").external_id("acme").vat_number("DE1").legal_name("Acme Ltd");
    client.customers().create(&request).await.unwrap();
    let update = UpdateCustomerRequest::new().vat_number(Patch::Clear);
    let customer = client.customers().update_by_external_id("acme", &update).await.unwrap();
    assert_eq!((customer.vat_number, customer.legal_name.as_deref()), (None, Some("Acme Ltd")));
    let bodies: Vec<_> = emulator.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies[1], serde_json::json!({"vatNumber": null}));
}
