//! Webhooks: signatures, events, the extractor, and the emulator that sends them.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::Request;
use axum::{Router, routing::post};
use paid::emulator::Emulator;
use paid::types::*;
use paid::webhook::{Event, Message, SIGNATURE_HEADER, Verifier, WebhookError};
use proptest::prelude::*;

/// The vector of the facts about the wire, computed apart from this code.
const BODY: &[u8] = br#"{"event":"billing-invoice-paid","timestamp":"2026-04-16T14:05:00.000Z","isTest":true,"data":{"invoice":{"id":"inv_1"}}}"#;
const HEADER: &str = "t=1760000000000,s=DGGQvN2uiEmlXyiiv9XtrXUJu8cJPD0EJHdZSNgnAj0=";

fn at(milliseconds: u64) -> impl Fn() -> SystemTime + Send + Sync {
    move || SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
}

fn verifier() -> Verifier {
    Verifier::new("whsec_test").clock(at(1_760_000_000_000))
}

#[test]
fn a_signature_made_elsewhere_is_verified_and_the_event_is_typed() {
    let message = verifier().verify(HEADER, BODY).unwrap();
    assert!(message.is_test);
    assert_eq!(message.timestamp.to_string(), "2026-04-16T14:05:00Z");
    let Event::InvoicePaid(invoice) = message.event else { panic!("{message:?}") };
    assert_eq!(invoice.id(), Some("inv_1"));
    assert_eq!(verifier().sign(BODY), HEADER);
    // Fields in another order, blanks, and fields that are not known yet.
    let (time, mac) = HEADER.split_once(',').unwrap();
    verifier().verify(format!("{mac}, v=2 ,{time}"), BODY).unwrap();
}

#[test]
fn what_is_not_from_paid_is_refused_and_says_why() {
    let changed = String::from_utf8_lossy(BODY).replace("inv_1", "inv_2");
    assert_eq!(verifier().verify(HEADER, changed.as_bytes()), Err(WebhookError::WrongSignature));
    assert_eq!(Verifier::new("other").verify(HEADER, BODY), Err(WebhookError::WrongSignature));
    // A secret that was forgotten lets nobody in.
    let forgotten = Verifier::new("").clock(at(1_760_000_000_000));
    assert_eq!(forgotten.verify(forgotten.sign(BODY), BODY), Err(WebhookError::WrongSignature));
    // A time that was not signed.
    let later = HEADER.replace("1760000000000", "1760000000001");
    assert_eq!(verifier().verify(later, BODY), Err(WebhookError::WrongSignature));
    for header in [
        "",
        "t=1",
        "s=AA==",
        "t=x,s=AA==",
        "t=-1,s=AA==",
        "t=1,s=*",
        "t=1,t=2,s=AA==",
        "t",
        "t=99999999999999999999,s=AA==",
    ] {
        assert_eq!(verifier().verify(header, BODY), Err(WebhookError::MalformedSignature), "{header}");
    }
    for (now, ahead) in [(1_760_000_300_001, false), (1_759_999_699_999, true)] {
        let refused = Verifier::new("whsec_test").clock(at(now)).verify(HEADER, BODY).unwrap_err();
        assert!(matches!(refused, WebhookError::Expired { ahead: found, .. } if found == ahead), "{refused}");
        assert_eq!(refused.status(), 401);
    }
    assert!(Verifier::new("whsec_test").clock(at(1_760_000_300_000)).verify(HEADER, BODY).is_ok());
    assert!(matches!(verifier().max_bytes(10).verify(HEADER, BODY), Err(WebhookError::TooLarge { limit: 10, .. })));
    for body in [&b"{}"[..], b"[]", b"", br#"{"event":1,"timestamp":"2026-01-01T00:00:00Z","data":{}}"#] {
        let header = verifier().sign(body);
        assert!(matches!(verifier().verify(header, body), Err(WebhookError::Unreadable { .. })));
    }
}

#[test]
fn a_secret_that_is_rotated_overlaps_and_none_is_printed() {
    let rotated = Verifier::new("whsec_new").also("whsec_test").clock(at(1_760_000_000_000));
    rotated.verify(HEADER, BODY).unwrap();
    assert!(!format!("{rotated:?}").contains("whsec"));
}

#[test]
fn a_secret_from_a_file_may_have_whitespace_around_it() {
    for secret in ["whsec_test\n", "whsec_test\r\n", " \twhsec_test ", "\u{feff}whsec_test\n"] {
        let verifier = Verifier::new(secret).clock(at(1_760_000_000_000));
        verifier.verify(HEADER, BODY).unwrap();
        assert_eq!(verifier.sign(BODY), HEADER);
        Verifier::new("whsec_new").also(secret).clock(at(1_760_000_000_000)).verify(HEADER, BODY).unwrap();
    }
    // A file that is empty lets nobody in.
    for secret in ["\n", " ", "\u{feff}"] {
        let forgotten = Verifier::new(secret).clock(at(1_760_000_000_000));
        assert_eq!(forgotten.verify(forgotten.sign(BODY), BODY), Err(WebhookError::WrongSignature));
    }
}

#[test]
fn every_tolerance_and_every_clock_is_an_answer() {
    let far = || SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    let before = || SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 30);
    for tolerance in [Duration::MAX, Duration::ZERO] {
        let verifiers = [Verifier::new("whsec_test").clock(far), Verifier::new("whsec_test").clock(before)];
        for verifier in verifiers.map(|verifier| verifier.tolerance(tolerance)) {
            assert_eq!(verifier.verify(HEADER, BODY).is_ok(), tolerance == Duration::MAX);
            let newest = format!("t={},s=AA==", u64::MAX);
            assert_eq!(verifier.verify(newest, BODY), Err(WebhookError::WrongSignature));
            assert!(verifier.verify(verifier.sign(BODY), BODY).is_ok());
        }
    }
    let broken = Verifier::new("whsec_test").clock(|| panic!("no time"));
    assert_eq!(broken.verify(HEADER, BODY), Err(WebhookError::NoClock));
    assert_eq!(WebhookError::NoClock.status(), 500);
    assert!(broken.sign(BODY).starts_with("t=0,"));
}

#[test]
fn unknown_events_and_odd_data_are_kept() {
    for (event, data) in [
        ("billing-credit-cap-reached", r#"{"cap":{"id":1}}"#),
        ("billing-invoice-paid", r#"{"invoice":"no object"}"#),
        ("billing-invoice-paid", r#"{"other":{}}"#),
    ] {
        let body = format!(r#"{{"event":"{event}","timestamp":"2026-01-01T00:00:00Z","data":{data}}}"#);
        let message = verifier().verify(verifier().sign(body.as_bytes()), body.as_bytes()).unwrap();
        let Event::Other { name, data: kept, .. } = message.event else { panic!("{event}") };
        assert_eq!((name.as_str(), serde_json::to_string(&kept).unwrap().as_str()), (event, data));
    }
}

proptest! {
    /// Whatever comes: no panic, and nothing is believed that was not signed.
    #[test]
    fn arbitrary_headers_and_bodies_are_refused(
        header in prop_oneof![".{0,80}", "t=[0-9]{0,22},s=[A-Za-z0-9+/=]{0,60}"],
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(verifier().verify(header, &body).is_err());
    }
}

type Heard = Arc<Mutex<Vec<Message>>>;

fn receiver(verifier: Verifier, heard: &Heard) -> Router {
    let heard = Arc::clone(heard);
    let handler = move |message: Message| async move { heard.lock().unwrap().push(message) };
    Router::new().route("/webhooks/paid", post(handler)).with_state(verifier)
}

#[tokio::test]
async fn the_extractor_answers_rightly() {
    use tower::ServiceExt;
    let heard = Heard::default();
    for (header, body, status) in [
        (Some(HEADER), BODY.to_vec(), 200),
        (None, BODY.to_vec(), 401),
        (Some("nonsense"), BODY.to_vec(), 400),
        (Some(HEADER), b"{}".to_vec(), 401),
        (Some(HEADER), vec![b' '; 2 << 20], 413),
    ] {
        let mut request = Request::post("/webhooks/paid");
        if let Some(header) = header {
            request = request.header(SIGNATURE_HEADER, header);
        }
        let request = request.body(Body::from(body)).unwrap();
        let answer = receiver(verifier(), &heard).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{header:?}");
    }
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_emulator_sends_what_it_does() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/paid", listener.local_addr().unwrap());

    // A URL elsewhere is refused; a webhook without one cannot be tried.
    let elsewhere = UpdateWebhookRequest::new().url("https://example.com/hook");
    assert!(client.webhooks().update(WebhookName::BillingInvoiceCreated, &elsewhere).await.is_err());
    assert!(client.webhooks().test(WebhookName::BillingInvoiceCreated).await.is_err());

    let setting = UpdateWebhookRequest::new().enabled(true).url(url);
    let secret = client.webhooks().update(WebhookName::BillingInvoiceCreated, &setting).await.unwrap();
    let secret = secret.signing_secret.expect("shown the first time");
    for name in [WebhookName::BillingInvoicePaid, WebhookName::BillingCreditsDepleted] {
        let set = client.webhooks().update(name, &setting).await.unwrap();
        assert_eq!(set.signing_secret, None, "shown once");
    }
    let app = receiver(Verifier::new(&secret), &heard);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    assert!(client.webhooks().test(WebhookName::BillingInvoiceCreated).await.unwrap().success);
    assert!(heard.lock().unwrap().pop().unwrap().is_test);

    let product = client.products().create(&CreateProductRequest::new("P")).await.unwrap();
    let acme = client.customers().create(&CreateCustomerRequest::new("Acme")).await.unwrap();
    let order = CreateOrderRequest::new(&acme.id).currency("USD").lines([CreateOrderLineRequest::new(&product.id)]);
    let order = client.orders().create(&order).await.unwrap();
    client.orders().activate(&order.id).await.unwrap();
    let invoice = client.invoices().list().order_id(&order.id).await.unwrap().data.first().unwrap().unwrap();
    assert!(emulator.pay_invoice(invoice.id.as_str()).await);
    assert!(!emulator.pay_invoice("inv_none").await);
    assert!(emulator.send_webhook("billing-credits-depleted", paid::object!({ "credits": { "id": "c" } })).await);
    assert!(!emulator.send_webhook("billing-overage-incurred", paid::object!({})).await, "nobody wants it");

    let names: Vec<_> = heard.lock().unwrap().iter().map(|message| message.event.name().to_owned()).collect();
    assert_eq!(names, ["billing-invoice-created", "billing-invoice-paid", "billing-credits-depleted"]);
    let first = heard.lock().unwrap().remove(0).event;
    let Event::InvoiceCreated(created) = first else { panic!() };
    assert_eq!(created.id(), Some(invoice.id.as_str()));
    assert_eq!(created.read::<Invoice>().unwrap().order_id, invoice.order_id);
    let paid = client.invoices().get(&invoice.id).await.unwrap();
    assert_eq!(serde_json::to_value(paid.payment_status).unwrap(), "paid");

    // A rotated secret stops the old one at once.
    client.webhooks().rotate_secret().await.unwrap();
    assert!(!client.webhooks().test(WebhookName::BillingInvoicePaid).await.unwrap().success);
    let listed = client.webhooks().list().await.unwrap();
    assert!(listed.signing_secret_configured);
}

#[tokio::test]
async fn the_emulator_tells_of_checkouts() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/paid", listener.local_addr().unwrap());
    let mut secret = None;
    for name in [
        WebhookName::BillingCheckoutCreated,
        WebhookName::BillingCheckoutCompleted,
        WebhookName::BillingCheckoutExpired,
    ] {
        let setting = UpdateWebhookRequest::new().enabled(true).url(url.as_str());
        secret = client.webhooks().update(name, &setting).await.unwrap().signing_secret.or(secret);
    }
    let app = receiver(Verifier::new(secret.unwrap()), &heard);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    let product = client.products().create(&CreateProductRequest::new("P")).await.unwrap();
    let nobody = CreateCheckoutRequest::new([CheckoutProduct::new("prod_none")], "https://acme.example/thanks");
    assert!(client.checkouts().create(&nobody).await.is_err());
    let request = || CreateCheckoutRequest::new([CheckoutProduct::new(&product.id)], "https://acme.example/thanks");
    let [bought, late, withdrawn] = [
        client.checkouts().create(&request()),
        client.checkouts().create(&request()),
        client.checkouts().create(&request()),
    ];
    let (bought, late, withdrawn) = (bought.await.unwrap(), late.await.unwrap(), withdrawn.await.unwrap());
    assert!(emulator.complete_checkout(bought.id.as_str()).await);
    assert!(!emulator.complete_checkout(bought.id.as_str()).await, "it is not open any more");
    assert!(emulator.expire_checkout(late.id.as_str()).await);
    client.checkouts().archive(&withdrawn.id).await.unwrap();
    assert_eq!(client.checkouts().get(&bought.id).await.unwrap().status, CheckoutStatus::Completed);
    let open = client.checkouts().list().status(CheckoutStatusFilter::Active).await.unwrap();
    assert!(open.data.is_empty());

    let names: Vec<_> = heard.lock().unwrap().iter().map(|message| message.event.name().to_owned()).collect();
    let created = "billing-checkout-created";
    assert_eq!(names, [created, created, created, "billing-checkout-completed", "billing-checkout-expired"]);
}
