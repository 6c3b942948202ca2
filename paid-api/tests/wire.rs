//! What goes over the wire and what comes back, against a server that answers whatever a test tells it to.
//! One test for every row of what a stock generator gets wrong with this document.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use paid::types::*;
use paid::{Client, Error, Method, Patch, RetryPolicy, Timestamp, object};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Answers = Arc<Mutex<Vec<(u16, &'static str, String)>>>;

/// Answers in turn; the last one again and again.
struct Server {
    url: String,
    answers: Answers,
    seen: Arc<Mutex<Vec<(Uri, HeaderMap, Bytes)>>>,
}

impl Server {
    async fn start(answers: Vec<(u16, &'static str, String)>) -> Self {
        let answers = Arc::new(Mutex::new(answers));
        let seen = Arc::default();
        let router = Router::new().fallback(answer).with_state((Arc::clone(&answers), Arc::clone(&seen)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v2/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, answers, seen }
    }

    async fn json(status: u16, body: Value) -> Self {
        Self::start(vec![(status, "application/json", body.to_string())]).await
    }

    fn client(&self) -> Client {
        let quick = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(2));
        Client::builder().api_key("paid_secret").base_url(&self.url).retry(quick).build().unwrap()
    }

    fn body(&self, index: usize) -> Value {
        serde_json::from_slice(&self.seen.lock().unwrap()[index].2).unwrap()
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

type Shared = (Answers, Arc<Mutex<Vec<(Uri, HeaderMap, Bytes)>>>);

async fn answer(State((answers, seen)): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    seen.lock().unwrap().push((uri, headers, body));
    let mut answers = answers.lock().unwrap();
    let (status, kind, text) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
    Response::builder().status(status).header("content-type", kind).body(Body::from(text)).unwrap()
}

fn customer() -> Value {
    json!({
        "id": "cus_1", "name": "Acme", "legalName": null, "email": "", "phone": "", "website": "",
        "externalId": null, "billingAddress": {}, "creationState": "active", "status": "active", "churnDate": null,
        "vatNumber": null, "metadata": null, "defaultCurrency": "USD", "connections": {"stripe": {"customerId": ""}},
        "createdAt": "2026-01-31T23:00:00Z", "updatedAt": "2026-01-31T23:00:00Z"
    })
}

fn page(items: Value) -> Value {
    let total = items.as_array().unwrap().len();
    json!({"data": items, "pagination": {"limit": 10, "offset": 0, "total": total, "hasMore": false}})
}

async fn listed(change: impl FnOnce(&mut Value)) -> Result<Vec<Customer>, Error> {
    let mut one = customer();
    change(&mut one);
    let server = Server::json(200, page(json!([customer(), one]))).await;
    server.client().customers().list().await?.data.all()
}

// ---------------------------------------------------------------- requests

#[tokio::test]
async fn null_empty_lists_and_empty_maps_can_be_sent() {
    let server = Server::json(200, customer()).await;
    let update = UpdateCustomerRequest::new().vat_number(Patch::Clear).metadata(object!({}));
    let _ = server.client().customers().update("cus_1", &update).await;
    assert_eq!(server.body(0), json!({"vatNumber": null, "metadata": {}}));
    let contact = UpdateContactRequest::new().roles([]);
    let _ = server.client().contacts().update("con_1", &contact).await;
    assert_eq!(server.body(1), json!({"roles": []}));
}

#[tokio::test]
async fn only_what_was_set_is_sent() {
    let server = Server::json(500, json!({})).await;
    let _ = server.client().products().create(&CreateProductRequest::new("AI SDR")).await;
    assert_eq!(server.body(0), json!({"name": "AI SDR"}));
}

#[tokio::test]
async fn ids_that_would_address_something_else_are_refused_before_the_call() {
    let server = Server::json(200, json!({})).await;
    for id in ["", ".", ".."] {
        let error = server.client().customers().delete(id).await.unwrap_err();
        assert!(matches!(error, Error::Request(_)), "{error}");
        assert!(error.to_string().contains("/customers/{id}"), "{error}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn other_ids_are_encoded() {
    let server = Server::json(200, customer()).await;
    let id = "a/b c?d#e%2F..;ü";
    server.client().customers().get_by_external_id(id).await.unwrap();
    let path = server.seen.lock().unwrap()[0].0.path().to_owned();
    assert_eq!(path, "/api/v2/customers/external/a%2Fb%20c%3Fd%23e%252F..%3B%C3%BC");
}

#[tokio::test]
async fn a_base_url_with_a_trailing_slash_makes_no_double_slash_and_paths_keep_theirs() {
    let server = Server::json(200, page(json!([]))).await;
    server.client().customers().list().limit(5).name("a&b=c").await.unwrap();
    let uri = server.seen.lock().unwrap()[0].0.to_string();
    assert_eq!(uri, "/api/v2/customers/?limit=5&name=a%26b%3Dc");
}

#[tokio::test]
async fn a_query_is_written_so_that_every_decoder_reads_it() {
    let server = Server::json(200, json!({})).await;
    let call = server.client().request(Method::GET, "/signals/");
    call.query("name", "a b+c&d=e%ü#").query("from", "2026-01-31T23:00:00+01:00").await.unwrap();
    let uri = server.seen.lock().unwrap()[0].0.to_string();
    let query = "name=a%20b%2Bc%26d%3De%25%C3%BC%23&from=2026-01-31T23%3A00%3A00%2B01%3A00";
    assert_eq!(uri, format!("/api/v2/signals/?{query}"));
}

#[tokio::test]
async fn requests_carry_the_key_a_user_agent_and_no_version_header() {
    let server = Server::json(200, page(json!([]))).await;
    server.client().customers().list().await.unwrap();
    let headers = server.seen.lock().unwrap()[0].1.clone();
    assert_eq!(headers["authorization"], "Bearer paid_secret");
    assert!(headers["user-agent"].to_str().unwrap().starts_with("paid-rust/"));
    assert!(!headers.contains_key("api-version"));
}

#[tokio::test]
async fn a_number_that_json_cannot_say_is_an_error_and_nothing_is_sent() {
    let server = Server::json(200, json!({})).await;
    for number in [f64::NAN, f64::INFINITY] {
        let price = TieredPricePoint::new("USD", [PriceTierInput::new(0).index(number)], 10);
        let pricing = UsageVolumePricing::new("email_sent", [price]);
        let update = UpdateProductRequest::new().product_attributes([ProductAttributeUpsert::new("Emails", pricing)]);
        let error = server.client().products().update("prod_1", &update).await.unwrap_err();
        assert!(error.to_string().contains("index` is not a finite number"), "{error}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_body_that_is_nested_too_deeply_is_an_error_and_no_stack_overflow() {
    struct Deep(u32);
    impl serde::Serialize for Deep {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                0 => serializer.serialize_unit(),
                depth => serializer.collect_seq([Deep(depth - 1)]),
            }
        }
    }
    let server = Server::json(200, json!({})).await;
    let send = |depth| server.client().request(Method::POST, "/x/").body(&Deep(depth));
    send(100).await.unwrap();
    let error = send(1_000_000).await.unwrap_err();
    assert!(error.to_string().contains("more than 100 levels deep"), "{error}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_raw_call_has_the_same_key_retries_and_errors() {
    let answers = vec![(503, "application/json", "{}".into()), (200, "application/json", r#"{"data":[7]}"#.into())];
    let server = Server::start(answers).await;
    let answer = server.client().request(Method::GET, "/payments/").query("limit", "1").await.unwrap();
    assert_eq!(answer["data"][0], 7);
    assert_eq!(server.seen.lock().unwrap()[1].0.to_string(), "/api/v2/payments/?limit=1");
}

// ---------------------------------------------------------------- answers

#[tokio::test]
async fn an_unknown_enum_value_sinks_no_list_and_survives_a_round_trip() {
    let customers = listed(|one| one["status"] = "hibernating".into()).await.unwrap();
    assert_eq!(customers[1].status, CustomerStatus::Unknown("hibernating".into()));
    assert_eq!(serde_json::to_value(&customers[1].status).unwrap(), "hibernating");
}

#[tokio::test]
async fn unknown_fields_and_missing_nullable_ones_sink_no_list() {
    let customers = listed(|one| {
        one["novelty"] = json!({"a": 1});
        one.as_object_mut().unwrap().remove("legalName");
    });
    assert_eq!(customers.await.unwrap()[1].legal_name, None);
}

#[tokio::test]
async fn fields_that_paid_adds_later_are_kept_and_written_again() {
    let novelty = json!({"score": 0.1, "tags": ["a", null], "big": 9_007_199_254_740_993_u64});
    let customers = listed(|one| {
        one["novelty"] = novelty.clone();
        one["connections"]["acme"] = json!({"id": 7});
    });
    let customer = customers.await.unwrap().remove(1);
    assert_eq!(customer.other_fields, object!({ "novelty": novelty }));
    assert_eq!(customer.connections.as_ref().unwrap().other_fields["acme"], json!({"id": 7}));
    let written = serde_json::to_value(&customer).unwrap();
    assert_eq!((&written["novelty"], &written["connections"]["acme"]["id"]), (&novelty, &json!(7)));
    assert!(listed(|_| {}).await.unwrap().iter().all(|customer| customer.other_fields.is_empty()));
}

#[tokio::test]
async fn times_without_a_zone_and_dates_alone_sink_no_list() {
    let customers = listed(|one| {
        one["createdAt"] = "2026-01-31T23:00:00".into();
        one["updatedAt"] = "2026-01-31".into();
    });
    let customer = customers.await.unwrap().remove(1);
    assert_eq!(customer.created_at.unwrap(), "2026-01-31T23:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(customer.updated_at.unwrap().to_string(), "2026-01-31T00:00:00Z");
}

#[tokio::test]
async fn a_whole_number_may_be_written_as_a_float() {
    let server = Server::json(200, json!({"ingested": 1.0, "duplicates": 0, "failed": 2.0})).await;
    let answer = server.client().signals().create(&CreateSignalsRequest::new([])).await.unwrap();
    assert_eq!((answer.ingested, answer.failed), (1, 2));
}

#[tokio::test]
async fn any_2xx_is_a_success_and_an_empty_one_is_an_empty_answer() {
    for status in [200, 201, 202] {
        let server = Server::json(status, customer()).await;
        server.client().customers().create(&CreateCustomerRequest::new("Acme")).await.unwrap();
    }
    let server = Server::start(vec![(204, "application/json", String::new())]).await;
    server.client().customers().delete("cus_1").await.unwrap();
}

#[tokio::test]
async fn a_200_that_is_not_json_is_an_error_and_not_data() {
    let server = Server::start(vec![(200, "text/html", "<html>login</html>".into())]).await;
    let error = server.client().customers().get("cus_1").await.unwrap_err();
    assert!(matches!(error, Error::Decode(_)), "{error}");
    assert!(error.to_string().contains("HTML or XML, not JSON") && !error.to_string().contains("login"), "{error}");
}

#[tokio::test]
async fn what_was_done_does_not_look_undone_because_its_answer_is_of_another_shape() {
    let mut created = customer();
    created["name"] = json!({"en": "Acme"});
    let server = Server::json(201, created.clone()).await;
    let error = server.client().customers().create(&CreateCustomerRequest::new("Acme")).await.unwrap_err();
    assert_eq!((server.count(), error.is_retryable(), error.verdict()), (1, false, paid::Verdict::Done));
    let Error::Unreadable(error) = error else { panic!("{error}") };
    assert_eq!((error.path.as_str(), error.id.as_deref(), &error.json), ("name", created["id"].as_str(), &created));
    let text = format!("{error} {error:?}");
    assert!(text.contains("done (201 Created)") && text.contains("do not send it again"), "{text}");
    assert!(!text.contains("billingAddress"), "{text}");
}

#[tokio::test]
async fn a_page_without_its_end_is_followed_by_others_until_one_is_empty() {
    use futures_util::TryStreamExt;
    let pages = [json!({"data": [customer()]}), json!({"data": [], "pagination": {}})];
    let server = Server::start(pages.iter().map(|page| (200, "application/json", page.to_string())).collect()).await;
    let all: Vec<_> = server.client().customers().list().stream().try_collect().await.unwrap();
    assert_eq!((all.len(), server.count()), (1, 2));
}

#[tokio::test]
async fn an_item_of_another_shape_is_reported_in_its_place_and_sinks_no_page() {
    use futures_util::StreamExt;
    let server = Server::json(200, page(json!([customer(), {"id": 7, "secret": "s3"}, customer()]))).await;
    let page = server.client().customers().list().await.unwrap();
    let read: Vec<_> = page.data.iter().map(|item| item.is_ok()).collect();
    assert_eq!(read, [true, false, true]);
    let lost = page.data.unreadable().next().unwrap();
    assert_eq!((lost.path.as_str(), &lost.json["secret"]), ("[1].id", &json!("s3")));
    let streamed: Vec<_> = server.client().customers().list().stream().collect().await;
    assert!(matches!(streamed.as_slice(), [Ok(_), Err(Error::Item(_)), Ok(_)]), "{streamed:?}");
    assert!(!format!("{streamed:?}").contains("s3"));
}

#[test]
fn both_ids_at_once_are_an_error_and_an_unknown_kind_is_kept() {
    let both = json!({"customerId": "cus_1", "externalCustomerId": "acme"});
    let error = serde_json::from_value::<CustomerAttribution>(both).unwrap_err().to_string();
    assert!(error.contains("only one of"), "{error}");
    let other = json!({"customerUnitId": "u"});
    let kept: CustomerAttribution = serde_json::from_value(other.clone()).unwrap();
    assert_eq!(serde_json::to_value(kept).unwrap(), other);
}

/// Reads a request back, as a store or a queue does.
fn read_back<T: serde::de::DeserializeOwned + serde::Serialize>(json: &Value) -> Result<Value, String> {
    let request: T = serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(request).unwrap())
}

#[test]
fn a_request_that_is_read_back_with_two_ids_is_an_error_and_not_a_dropped_customer() {
    let with = |mut request: Value, key: &str, value: &str| {
        request[key] = value.into();
        request
    };
    let checkout = json!({"products": [], "successUrl": "https://acme.test"});
    assert_eq!(read_back::<CreateCheckoutRequest>(&checkout).unwrap(), checkout);
    let known = with(checkout.clone(), "externalCustomerId", "acme");
    assert_eq!(read_back::<CreateCheckoutRequest>(&known).unwrap(), known);
    let error = read_back::<CreateCheckoutRequest>(&with(known, "customerId", "cus_1")).unwrap_err();
    assert!(error.contains("expected only one of `externalCustomerId`, `customerId`"), "{error}");

    let portal = json!({"returnUrl": "https://acme.test"});
    let error = read_back::<CreateCustomerPortalRequest>(&portal).unwrap_err();
    assert!(error.contains("only one of"), "{error}");
    let portal = with(portal, "customerId", "cus_1");
    assert_eq!(read_back::<CreateCustomerPortalRequest>(&portal).unwrap(), portal);
    let error = read_back::<CreateCustomerPortalRequest>(&with(portal, "externalCustomerId", "acme")).unwrap_err();
    assert!(error.contains("only one of"), "{error}");

    let receipt =
        json!({"customerId": "cus_1", "orderId": "ord_1", "startDate": "2026-01-01", "endDate": "2026-01-31"});
    assert!(read_back::<SyncValueReceiptRequest>(&receipt).is_ok());
    let mut both = receipt;
    both["product"] = json!({"productId": "prod_1"});
    let error = read_back::<SyncValueReceiptRequest>(&both).unwrap_err();
    assert!(error.contains("only one of"), "{error}");

    let signal = json!({"eventName": "a", "customer": {"customerId": "c", "externalCustomerId": "d"}});
    assert!(read_back::<NewSignal>(&signal).unwrap_err().contains("only one of"));
    let signal = json!({"eventName": "a", "customer": {"customerId": "c"}, "attribution": {"productId": "c", "externalProductId": "d"}});
    assert!(read_back::<NewSignal>(&signal).unwrap_err().contains("only one of"));
}

#[test]
fn an_id_that_is_null_is_not_chosen() {
    let one = json!({"customerId": null, "externalCustomerId": "acme"});
    let read: CustomerAttribution = serde_json::from_value(one).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), json!({"externalCustomerId": "acme"}));
}

#[test]
fn an_unknown_discriminator_value_is_kept_as_json() {
    let novelty = json!({"pricingType": "UsageByMoonPhase", "phase": 3});
    let kept: PricingInput = serde_json::from_value(novelty.clone()).unwrap();
    assert!(matches!(kept, PricingInput::Unknown(_)));
    assert_eq!(serde_json::to_value(kept).unwrap(), novelty);
}

// ---------------------------------------------------------------- errors

#[tokio::test]
async fn an_html_error_keeps_status_headers_and_body_and_is_retryable() {
    let server = Server::start(vec![(500, "text/html", "<h1>jane@acme.test</h1>".into())]).await;
    let error = server.client().customers().get("cus_1").await.unwrap_err();
    let api = error.as_api().unwrap();
    assert_eq!((api.status.as_u16(), api.attempts), (500, 3));
    assert_eq!(api.headers["content-type"], "text/html");
    assert_eq!(&api.body[..], b"<h1>jane@acme.test</h1>");
    assert!(error.is_retryable());
    assert!(!format!("{error} {error:?}").contains("jane"), "{error:?}");
}

#[tokio::test]
async fn undocumented_statuses_and_both_envelopes_are_decoded() {
    for (status, body) in [
        (401, json!({"error": "no such key", "code": "unauthorized"})),
        (422, json!({"error": {"message": "no such key", "code": "unauthorized"}})),
        (418, json!({"message": "no such key", "code": "unauthorized"})),
    ] {
        let server = Server::json(status, body).await;
        let error = server.client().customers().get("cus_1").await.unwrap_err();
        assert_eq!(error.status().unwrap(), status);
        let api = error.as_api().unwrap();
        assert_eq!((api.message.as_deref(), api.code.as_deref()), (Some("no such key"), Some("unauthorized")));
        assert!(!error.is_retryable());
    }
}

/// Reads a request and answers with these bytes, then closes; counts connections.
async fn raw_server(bytes: &'static [u8]) -> (String, Arc<Mutex<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            *counted.lock().unwrap() += 1;
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    (url, count)
}

fn at(url: &str) -> Client {
    let quick = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(2));
    Client::builder().api_key("paid_secret").base_url(url).retry(quick).build().unwrap()
}

#[tokio::test]
async fn a_truncated_answer_is_retried_where_repeating_does_no_harm() {
    let (url, count) = raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":").await;
    let error = at(&url).customers().get("cus_1").await.unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    assert_eq!(*count.lock().unwrap(), 3);
    let error = at(&url).customers().create(&CreateCustomerRequest::new("Acme")).await.unwrap_err();
    assert!(matches!(error, Error::Decode(_)), "{error}");
    assert!(!error.is_retryable(), "its status said that it is done: {error}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
    assert_eq!(*count.lock().unwrap(), 4, "a create that may have been done is not repeated");
}

#[tokio::test]
async fn a_value_receipt_that_may_be_there_is_not_created_again() {
    let (url, count) = raw_server(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"id\":").await;
    let customer = CustomerAttribution::from(ExternalCustomerId::from("acme"));
    let day = |text: &str| text.parse::<Timestamp>().unwrap();
    let receipt = SyncValueReceiptRequest::new(customer, day("2026-01-31"), day("2026-01-01"));
    at(&url).value_receipts().create(&receipt).await.unwrap_err();
    assert_eq!(*count.lock().unwrap(), 1);
    let server = Server::json(500, json!({})).await;
    server.client().value_receipts().create(&receipt).await.unwrap_err();
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_truncated_error_body_still_tells_the_status() {
    let (url, _) = raw_server(b"HTTP/1.1 404 Not Found\r\ncontent-length: 100\r\n\r\n{\"error\":").await;
    assert_eq!(at(&url).customers().get("cus_1").await.unwrap_err().status().unwrap(), 404);
}

#[tokio::test]
async fn a_create_is_retried_when_nothing_was_reached_or_the_server_said_wait() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error =
        at(&format!("http://{closed}")).customers().create(&CreateCustomerRequest::new("Acme")).await.unwrap_err();
    assert!(error.to_string().contains("cannot connect to Paid (3 attempt(s))"), "{error}");
    for status in [429, 503] {
        let answers =
            vec![(status, "application/json", "{}".into()), (201, "application/json", customer().to_string())];
        let server = Server::start(answers).await;
        server.client().customers().create(&CreateCustomerRequest::new("Acme")).await.unwrap();
        assert_eq!(server.count(), 2);
    }
    let server = Server::json(500, json!({})).await;
    server.client().customers().create(&CreateCustomerRequest::new("Acme")).await.unwrap_err();
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::builder()
        .api_key("paid_secret")
        .base_url(url)
        .timeout(Duration::from_millis(50))
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let error = client.customers().get("cus_1").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_what_to_do() {
    let server = Server::start(vec![(302, "text/html", String::new())]).await;
    let error = server.client().customers().get("cus_1").await.unwrap_err();
    assert!(error.to_string().contains("the base URL redirects"), "{error}");
    assert_eq!(server.count(), 1);
    assert_eq!(server.answers.lock().unwrap().len(), 1);
}
