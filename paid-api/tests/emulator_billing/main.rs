//! The emulator's money, over HTTP as any client sends it; and random prices against a second calculation.
#![allow(clippy::unwrap_used, missing_docs)]

mod amended_credits;
mod amendments;
mod calculation;
mod catalogue;
mod costs;
mod credits;
mod orders;
mod properties;

use chrono::{DateTime, Days, Utc};
use paid::emulator::Emulator;
use serde_json::{Value, json};

use calculation::Case;
use catalogue::Catalogue;

struct Api {
    emulator: Emulator,
    http: reqwest::Client,
}

impl Api {
    async fn start() -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { emulator: Emulator::start().await.unwrap(), http }
    }

    async fn send(&self, method: &str, url: String, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), url).header("authorization", "Bearer paid_x");
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = (method != "GET" && !body.is_null()).then_some(body);
        self.send(method, format!("{}{path}", self.emulator.url()), body).await
    }

    /// Posts a body to the letter.
    async fn raw(&self, path: &str, body: &str) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.emulator.url())).header("authorization", "Bearer paid_x");
        let response = request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    async fn control(&self, path: &str) -> u16 {
        self.send("POST", format!("{}/__emulator/{path}", self.emulator.url().replace("/api/v2", "")), None).await.0
    }

    /// A product of one price, and a customer.
    async fn with_price(&self, pricing: &Value) -> (String, String) {
        let (_, product) = self.call("POST", "/products/", json!({"name": "P", "externalId": "p"})).await;
        let id = product["id"].as_str().unwrap().to_owned();
        let update = json!({"productAttributes": [{"name": "a", "pricing": pricing}]});
        let (status, answer) = self.call("PUT", &format!("/products/{id}"), update).await;
        assert_eq!(status, 200, "{pricing} {answer}");
        let (_, customer) = self.call("POST", "/customers/", json!({"name": "C", "externalId": "c"})).await;
        (id, customer["id"].as_str().unwrap().to_owned())
    }

    /// An active order; `more` are its other properties.
    async fn order(&self, product: &str, customer: &str, more: Value) -> (u16, Value) {
        let mut body = json!({"customerId": customer, "currency": "USD", "creationState": "active",
            "lines": [{"productId": product}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("POST", "/orders/", body).await
    }

    async fn signals(&self, times: &[DateTime<Utc>]) {
        for times in times.chunks(500) {
            let signal = |time: &DateTime<Utc>| {
                json!({"eventName": "e", "timestamp": time.to_rfc3339(),
                "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"}})
            };
            let body = json!({"signals": times.iter().map(signal).collect::<Vec<_>>()});
            let (_, answer) = self.call("POST", "/signals/bulk", body).await;
            assert_eq!(answer["ingested"], times.len());
        }
    }

    async fn invoices(&self) -> Vec<Value> {
        self.call("GET", "/invoices/?limit=1000", Value::Null).await.1["data"].as_array().unwrap().clone()
    }

    async fn totals(&self) -> Vec<i64> {
        self.invoices().await.iter().map(|invoice| invoice["invoiceTotal"].as_i64().unwrap()).collect()
    }
}

fn days_ago(days: u64) -> DateTime<Utc> {
    Utc::now().checked_sub_days(Days::new(days)).unwrap()
}

fn in_days(days: u64) -> String {
    Utc::now().checked_add_days(Days::new(days)).unwrap().to_rfc3339()
}

fn fee() -> Value {
    json!({"pricingType": "RecurringPerUnit", "billingFrequency": "Monthly", "pricePoints": [{"currency": "USD", "unitPrice": 1000}]})
}

fn usage() -> Value {
    json!({"pricingType": "UsagePerUnit", "eventName": "e", "pricePoints": [{"currency": "USD", "unitPrice": 10}]})
}

#[tokio::test]
async fn a_backdated_order_has_an_invoice_for_every_period_and_the_latest_that_ended_is_posted() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&usage()).await;
    api.signals(&[days_ago(99), days_ago(40), Utc::now()]).await;
    let start = days_ago(100).to_rfc3339();
    api.order(&product, &customer, json!({"startDate": start, "paymentTerms": "NET 30"})).await;
    assert_eq!(api.totals().await.iter().sum::<i64>(), 30);
    let invoices = api.invoices().await;
    let statuses: Vec<_> = invoices.iter().map(|invoice| invoice["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["draft", "draft", "posted", "draft"]);
    assert!(invoices.iter().all(|invoice| invoice["dueDate"].is_string()));
    // A late signal of the posted period is billed with the open one.
    let posted = invoices[2]["invoiceTotal"].clone();
    let within = invoices[2]["startDate"].as_str().unwrap().parse().unwrap();
    api.signals(&[within]).await;
    let after = api.invoices().await;
    assert_eq!((&after[2]["invoiceTotal"], after[3]["invoiceTotal"].as_i64()), (&posted, Some(20)));
}

#[tokio::test]
async fn dates_of_orders_and_lines_bound_what_is_billed() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&usage()).await;
    api.order(&product, &customer, json!({"startDate": in_days(30)})).await;
    api.signals(&[Utc::now()]).await;
    assert_eq!(api.totals().await, [] as [i64; 0], "it did not begin");
    api.emulator.reset();
    let (product, customer) = api.with_price(&fee()).await;
    let ended = json!({"startDate": days_ago(10).to_rfc3339(), "endDate": days_ago(5).to_rfc3339()});
    api.order(&product, &customer, ended).await;
    assert_eq!(api.totals().await, [1000]);
    let (_, orders) = api.call("GET", "/orders/?status=ended", Value::Null).await;
    assert_eq!(orders["pagination"]["total"], 1);
    api.emulator.reset();
    let (product, customer) = api.with_price(&fee()).await;
    let later = json!({"lines": [{"productId": product, "startDate": in_days(200)}]});
    api.order(&product, &customer, later).await;
    assert_eq!(api.totals().await, [0]);
}

#[tokio::test]
async fn a_paid_invoice_does_not_change_and_its_lines_and_its_order_agree() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&usage()).await;
    let (_, order) = api.order(&product, &customer, json!({})).await;
    let order = format!("/orders/{}", order["id"].as_str().unwrap());
    api.signals(&[Utc::now()]).await;
    let id = api.invoices().await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(api.control(&format!("invoices/{id}/post")).await, 200);
    assert_eq!(api.control(&format!("invoices/{id}/post")).await, 409, "it is posted already");
    assert_eq!(api.control(&format!("invoices/{id}/fail-payment")).await, 200);
    assert_eq!(api.invoices().await[0]["paymentStatus"], "error");
    assert_eq!(api.control(&format!("invoices/{id}/pay")).await, 200);
    api.signals(&[Utc::now()]).await;
    let invoice = &api.invoices().await[0];
    assert_eq!(
        (&invoice["invoiceTotal"], &invoice["amountPaid"], &invoice["status"]),
        (&json!(10), &json!(10), &json!("posted"))
    );
    let (_, lines) = api.call("GET", &format!("/invoices/{id}/lines"), Value::Null).await;
    assert_eq!(
        (&lines["data"][0]["totalPriceBeforeTax"], &lines["data"][0]["paymentStatus"]),
        (&json!(10), &json!("paid"))
    );
    let (_, shown) = api.call("GET", &order, Value::Null).await;
    assert_eq!((&shown["totalBilledAmount"], &shown["pendingBillingAmount"]), (&json!(10), &json!(0)));
    assert_eq!(api.call("DELETE", &order, Value::Null).await.0, 400);
}

#[tokio::test]
async fn what_would_change_money_and_cannot_be_done_is_refused_with_its_place() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&fee()).await;
    let line =
        |pricing: Value| json!({"lines": [{"productId": product, "attributes": [{"name": "a", "pricing": pricing}]}]});
    let priced = |charge: &str, more: Value| {
        let mut pricing = json!({"chargeType": charge, "pricingModel": "perUnit", "pricePoints": {"unitPrice": 1}});
        pricing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line(pricing)
    };
    for (more, status, place) in [
        (json!({"lines": []}), 400, "body.lines"),
        (json!({"paymentTerms": "soon"}), 400, "body.paymentTerms"),
        (json!({"billingAnchor": 32}), 400, "body.billingAnchor"),
        (json!({"endDate": "2020-01-01T00:00:00Z", "startDate": "2021-01-01T00:00:00Z"}), 400, "body.endDate"),
        (json!({"billingCustomerId": "cus_none"}), 404, "billing customer"),
        (priced("usage", json!({})), 400, "body.lines.0.attributes.0.pricing.eventName"),
        (priced("recurring", json!({"creditCost": 2})), 400, "body.lines.0.attributes.0.pricing.creditCost"),
        (priced("recurring", json!({"billingFrequency": "custom"})), 400, "pricing.billingFrequencyCustomMonths"),
    ] {
        let (got, answer) = api.order(&product, &customer, more).await;
        assert!(got == status && answer.to_string().contains(place), "{place}: {got} {answer}");
    }
    assert_eq!(api.totals().await, [] as [i64; 0]);
}

#[tokio::test]
async fn a_checkout_keeps_its_customer_and_refuses_what_cannot_be_sold() {
    let api = Api::start().await;
    let (product, customer) = api.with_price(&fee()).await;
    let checkout = |more: Value| {
        let mut body = json!({"products": [{"id": product}], "successUrl": "https://x.example"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (status, made) = api.call("POST", "/checkouts/", checkout(json!({"externalCustomerId": "c"}))).await;
    assert_eq!((status, &made["customerId"], &made["collectAddress"]), (201, &json!(customer), &json!(true)));
    for (more, status) in [
        (json!({"customerId": "cus_none"}), 404),
        (json!({"externalCustomerId": "c", "customerId": "cus_none"}), 404),
        (json!({"externalCustomerId": ""}), 400),
        (json!({"products": []}), 400),
        (json!({"expiresAt": "2020-01-01T00:00:00Z"}), 400),
    ] {
        let (got, answer) = api.call("POST", "/checkouts/", checkout(more)).await;
        assert_eq!(got, status, "{answer}");
    }
    // Paid creates the customer of an external id that it does not know yet.
    let (status, of_new) = api.call("POST", "/checkouts/", checkout(json!({"externalCustomerId": "none"}))).await;
    assert_eq!((status, &of_new["externalCustomerId"], &of_new["customerId"]), (201, &json!("none"), &Value::Null));
    let id = made["id"].as_str().unwrap();
    assert_eq!(api.control(&format!("checkouts/{id}/complete")).await, 200);
    assert_eq!(api.control(&format!("checkouts/{id}/expire")).await, 409);
}

#[tokio::test]
async fn an_external_id_belongs_to_one_object() {
    let api = Api::start().await;
    let (_, customer) = api.with_price(&fee()).await;
    for (path, name) in [("/customers/", "C2"), ("/products/", "P2")] {
        let (_, other) = api.call("POST", path, json!({"name": name})).await;
        let taken = if path == "/customers/" { "c" } else { "p" };
        let (status, _) =
            api.call("PUT", &format!("{path}{}", other["id"].as_str().unwrap()), json!({"externalId": taken})).await;
        assert_eq!(status, 400, "{path}");
    }
    let contact = || json!({"customerId": customer, "email": "a@a.example", "externalId": "k"});
    assert_eq!(api.call("POST", "/contacts/", contact()).await.0, 201);
    assert_eq!(api.call("POST", "/contacts/", contact()).await.0, 400);
    let other = json!({"customerId": customer, "email": "b@a.example"});
    let order = |id: Value| json!({"customerId": customer, "externalId": id});
    assert_eq!(api.call("POST", "/orders/", order("k".into())).await.0, 201);
    for (path, body) in [("/contacts/", other), ("/orders/", order("k2".into()))] {
        let (_, made) = api.call("POST", path, body).await;
        let path = format!("{path}{}", made["id"].as_str().unwrap());
        let (status, answer) = api.call("PUT", &path, json!({"externalId": "k"})).await;
        assert_eq!((status, &answer["details"]), (400, &json!("body.externalId")), "{path}");
    }
    assert_eq!(api.call("POST", "/orders/", order("k".into())).await.0, 400);
}

#[tokio::test]
async fn a_bound_that_is_no_time_is_refused() {
    let api = Api::start().await;
    for path in ["/invoices/?issueDateFrom=soon", "/orders/?endDateTo=soon", "/signals/?createdAtFrom=soon"] {
        assert_eq!(api.call("GET", path, Value::Null).await.0, 400, "{path}");
    }
    assert_eq!(api.call("GET", "/invoices/?issueDateFrom=2000-01-01", Value::Null).await.0, 200);
}

/// A message is given up after ten seconds; nobody waits for that long.
#[tokio::test]
async fn a_receiver_of_webhooks_that_does_not_answer_holds_up_nobody() {
    let api = Api::start().await;
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", mute.local_addr().unwrap());
    let (status, webhook) =
        api.call("PATCH", "/webhooks/billing-invoice-created", json!({"enabled": true, "url": url})).await;
    assert_eq!((status, &webhook["lastStatus"]), (200, &Value::Null), "none was sent yet");
    let (product, customer) = api.with_price(&fee()).await;
    let order = api.order(&product, &customer, json!({}));
    let (status, _) = tokio::time::timeout(std::time::Duration::from_secs(5), order).await.unwrap();
    assert_eq!(status, 201);
}

/// `PAID_BILLING_CASES` sets the number of cases.
/// `PAID_BILLING_CASES`, or so many.
fn number_of_cases(usual: usize) -> usize {
    std::env::var("PAID_BILLING_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// The cases of `PAID_BILLING_SEED`.
fn random_of_cases() -> fastrand::Rng {
    let seed = std::env::var("PAID_BILLING_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    fastrand::Rng::with_seed(seed)
}

#[tokio::test]
async fn random_catalogues_with_credits_costs_and_percentages_bill_what_a_second_calculation_says() {
    let api = Api::start().await;
    let (cases, mut random) = (number_of_cases(100), random_of_cases());
    let today = Utc::now();
    for number in 0..cases {
        api.emulator.reset();
        let case = Catalogue::random(&mut random, today);
        let credits = api.call("POST", "/credits/currencies", json!({"name": "T", "key": "tokens"})).await.1;
        let (_, product) = api.call("POST", "/products/", json!({"name": "P", "externalId": "p"})).await;
        let attributes = json!({"productAttributes": case.attributes(credits["id"].as_str().unwrap())});
        let (status, answer) = api.call("PUT", "/products/external/p", attributes).await;
        assert_eq!(status, 200, "{case:?} {answer}");
        let (_, customer) = api.call("POST", "/customers/", json!({"name": "C", "externalId": "c"})).await;
        let signal = |(at, units): &(DateTime<Utc>, i64)| {
            json!({"eventName": "e", "timestamp": at.to_rfc3339(), "data": {"units": units},
                "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"}})
        };
        let signals: Vec<_> = case.signals.iter().map(signal).collect();
        let (_, answer) = api.call("POST", "/signals/bulk", json!({ "signals": signals })).await;
        assert_eq!(answer["ingested"], signals.len(), "{answer}");
        let (status, answer) = api.call("POST", "/costs/bulk", json!({"costs": case.costs()})).await;
        assert_eq!(status, 200, "{answer}");
        let (product, customer) = (product["id"].as_str().unwrap(), customer["id"].as_str().unwrap());
        let (status, answer) = api.order(product, customer, case.order()).await;
        assert_eq!(status, 201, "{case:?} {answer}");
        assert_eq!(api.totals().await, case.totals(today), "case {number}: {case:#?}");
    }
}

#[tokio::test]
async fn random_prices_and_times_bill_what_a_second_calculation_says() {
    let api = Api::start().await;
    let (cases, mut random) = (number_of_cases(200), random_of_cases());
    let today = Utc::now();
    for number in 0..cases {
        api.emulator.reset();
        let case = Case::random(&mut random, today);
        let (product, customer) = api.with_price(&case.pricing()).await;
        // Activation posts the latest period that ended: its signals come first.
        api.signals(&case.signals).await;
        let (status, answer) = api.order(&product, &customer, case.order()).await;
        assert_eq!(status, 201, "{case:?} {answer}");
        assert_eq!(api.totals().await, case.totals(today), "case {number}: {case:#?}");
    }
}
