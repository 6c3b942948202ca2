use paid::types::*;
use serde_json::{Value, json};

use crate::{Api, id};

const EVENTS: [&str; 3] = ["billing-payment-succeeded", "billing-payment-failed", "billing-invoice-paid"];

fn payment(customer: &str, amount: i64) -> Value {
    json!({"customerId": customer, "amount": amount, "currency": "USD", "paymentType": "bankTransfer"})
}

fn allocation(payment: &str, shares: &[(&String, i64)]) -> Value {
    let shares: Value = shares.iter().map(|(line, amount)| json!({"invoiceLineId": line, "amount": amount})).collect();
    json!({"paymentId": payment, "allocations": shares})
}

async fn amounts(api: &Api, invoice: &str) -> (Value, Value, Value) {
    let shown = api.get(&format!("/invoices/{invoice}")).await;
    assert_eq!(shown["amountDue"], shown["amountRemaining"]);
    (shown["amountPaid"].clone(), shown["amountRemaining"].clone(), shown["paymentStatus"].clone())
}

#[tokio::test]
async fn an_invoice_is_paid_in_parts_by_allocations_to_its_lines() {
    let api = Api::start().await;
    let client = api.client();
    let heard = api.hear(&EVENTS).await;
    let (acme, (product, _)) = (api.customer("acme").await, api.product(&[]).await);
    let (invoice, lines) = api.invoice(&acme, &product, &[1000, 500]).await;
    let request =
        CreatePaymentRequest::new(PaymentType::BankTransfer, 1600, "USD").customer(ExternalCustomerId::from("acme"));
    let made = client.payments().create(&request).await.unwrap();
    assert_eq!((made.amount, made.balance, made.status.as_str()), (1600, 1600, "posted"));
    let heard_payment = heard.take();
    assert_eq!((heard_payment.len(), heard_payment[0].0.as_str()), (1, "billing-payment-succeeded"));
    assert_eq!(heard_payment[0].1["payment"]["id"], json!(made.id));

    let first = allocation(made.id.as_ref(), &[(&lines[0], 400)]);
    let first = api.post("/payment-allocations/", first).await;
    assert_eq!((&first["data"][0]["invoiceId"], &first["data"][0]["amount"]), (&json!(invoice), &json!(400)));
    assert_eq!(amounts(&api, &invoice).await, (json!(400), json!(1100), json!("partiallyPaid")));
    let shown = api.get(&format!("/invoices/{invoice}/lines")).await;
    let line = |at: usize, key: &str| shown["data"][at][key].clone();
    assert_eq!((line(0, "balanceAmount"), line(0, "paymentStatus")), (json!(600), json!("partiallyPaid")));
    assert_eq!((line(1, "balanceAmount"), line(1, "paymentStatus")), (json!(500), json!("pending")));
    let listed = api.get("/invoices/?paymentStatus=partiallyPaid").await;
    assert_eq!(listed["pagination"]["total"], 1);
    assert!(heard.take().is_empty(), "it is not paid");

    let rest = CreatePaymentAllocationRequest::new(
        &made.id,
        [PaymentAllocationInput::new(lines[0].as_str(), 600), PaymentAllocationInput::new(lines[1].as_str(), 500)],
    );
    assert_eq!(client.payment_allocations().create(&rest).await.unwrap().data.len(), 2);
    assert_eq!(amounts(&api, &invoice).await, (json!(1500), json!(0), json!("paid")));
    let paid = heard.take();
    assert_eq!((paid.len(), paid[0].0.as_str()), (1, "billing-invoice-paid"));
    assert_eq!((&paid[0].1["invoice"]["id"], &paid[0].1["invoice"]["amountRemaining"]), (&json!(invoice), &json!(0)));
    let after = api.get(&format!("/payments/{}", made.id.as_ref() as &str)).await;
    assert_eq!(
        (&after["allocatedAmount"], &after["balance"], &after["invoiceId"]),
        (&json!(1500), &json!(100), &json!(invoice))
    );
    assert_eq!(api.control(&format!("invoices/{invoice}/pay"), Value::Null).await.0, 409, "it is paid");
    let of_invoice = client.payment_allocations().list().invoice_id(invoice.as_str()).limit(2).await.unwrap();
    assert_eq!((of_invoice.data.len(), of_invoice.pagination.unwrap().total), (2, Some(3)));
}

#[tokio::test]
async fn more_than_what_is_left_is_refused_and_nothing_of_the_request_is_done() {
    let api = Api::start().await;
    let (acme, other, (product, _)) = (api.customer("acme").await, api.customer("other").await, api.product(&[]).await);
    let (invoice, lines) = api.invoice(&acme, &product, &[1000, 500]).await;
    let (draft, _) = api.invoice(&acme, &product, &[100]).await;
    let money = id(&api.post("/payments/", payment(&acme, 1200)).await);
    let others = id(&api.post("/payments/", payment(&other, 1200)).await);
    let mut euros = payment(&acme, 1200);
    euros["currency"] = "EUR".into();
    let euros = id(&api.post("/payments/", euros).await);
    let mut waiting = payment(&acme, 1200);
    waiting["status"] = "draft".into();
    let waiting = id(&api.post("/payments/", waiting).await);
    let none = "inv_none-ola_1".to_owned();
    let [a, b] = &lines[..] else { panic!("{lines:?}") };
    for (body, status, place) in [
        (allocation(&money, &[(a, 1001)]), 400, "body.allocations.0.amount"),
        (allocation(&money, &[(a, 600), (a, 401)]), 400, "body.allocations.1.amount"),
        (allocation(&money, &[(a, 1000), (b, 201)]), 400, "body.allocations.1.amount"),
        (allocation(&money, &[(a, 0)]), 400, "body.allocations.0.amount"),
        (allocation(&money, &[(a, -5)]), 400, "body.allocations.0.amount"),
        (allocation(&money, &[]), 400, "body.allocations"),
        (allocation(&money, &[(a, 1), (&none, 1)]), 404, "body.allocations.1.invoiceLineId"),
        (allocation("pay_none", &[(a, 1)]), 404, "body.paymentId"),
        (allocation(&others, &[(a, 1)]), 400, "body.allocations.0.invoiceLineId"),
        (allocation(&euros, &[(a, 1)]), 400, "body.allocations.0.currency"),
        (allocation(&waiting, &[(a, 1)]), 400, "body.paymentId"),
    ] {
        assert_eq!(
            api.refused("POST", "/payment-allocations/", body.clone()).await,
            (status, place.to_owned()),
            "{body}"
        );
    }
    assert_eq!(amounts(&api, &invoice).await, (json!(0), json!(1500), json!("pending")));
    assert_eq!(api.get("/payment-allocations/").await["pagination"]["total"], 0);
    // A line of a draft can still change.
    api.control(&format!("invoices/{draft}/post"), Value::Null).await;
    let order = json!({"customerId": acme, "currency": "USD", "creationState": "active", "lines": [{"productId": product,
        "attributes": [{"name": "a", "pricing": {"chargeType": "recurring", "pricingModel": "perUnit", "pricePoints": {"unitPrice": 5}}}]}]});
    let order = id(&api.post("/orders/", order).await);
    let open = id(&api.get(&format!("/invoices/?orderId={order}")).await["data"][0]);
    let line = id(&api.get(&format!("/invoices/{open}/lines")).await["data"][0]);
    let refused = api.refused("POST", "/payment-allocations/", allocation(&money, &[(&line, 1)])).await;
    assert_eq!(refused, (400, "body.allocations.0.invoiceLineId".to_owned()));
    // A posted draft is money.
    assert_eq!(api.control(&format!("payments/{waiting}/post"), Value::Null).await.0, 200);
    assert_eq!(api.control(&format!("payments/{waiting}/post"), Value::Null).await.0, 409);
    api.post("/payment-allocations/", allocation(&waiting, &[(a, 1000)])).await;
}

#[tokio::test]
async fn a_charge_of_an_invoice_is_a_payment_of_all_that_is_left() {
    let api = Api::start().await;
    let heard = api.hear(&EVENTS).await;
    let (acme, (product, _)) = (api.customer("acme").await, api.product(&[]).await);
    let (invoice, lines) = api.invoice(&acme, &product, &[1000, 500]).await;
    let first = id(&api.post("/payments/", payment(&acme, 300)).await);
    api.post("/payment-allocations/", allocation(&first, &[(&lines[1], 300)])).await;
    heard.take();
    assert_eq!(api.control(&format!("invoices/{invoice}/fail-payment"), Value::Null).await.0, 200);
    let failed = heard.take();
    assert_eq!((failed.len(), failed[0].0.as_str()), (1, "billing-payment-failed"));
    assert_eq!(
        (&failed[0].1["payment"]["status"], &failed[0].1["payment"]["invoiceId"]),
        (&json!("failed"), &json!(invoice))
    );
    assert_eq!(amounts(&api, &invoice).await, (json!(300), json!(1200), json!("error")));
    assert!(api.emulator.pay_invoice(&invoice).await);
    assert_eq!(heard.names(), ["billing-payment-succeeded", "billing-invoice-paid"]);
    assert_eq!(amounts(&api, &invoice).await, (json!(1500), json!(0), json!("paid")));
    let payments = api.get("/payments/?externalCustomerId=acme").await;
    let seen: Vec<_> = payments["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["amount"].clone(), it["status"].clone(), it["balance"].clone()))
        .collect();
    let row = |amount: i64, status: &str| (json!(amount), json!(status), json!(0));
    assert_eq!(seen, [row(300, "posted"), row(1200, "failed"), row(1200, "posted")]);
    assert_eq!(api.get("/payments/?status=failed").await["pagination"]["total"], 1);
    let shares = api.get(&format!("/payment-allocations/?invoiceId={invoice}")).await;
    let amounts: Vec<_> = shares["data"].as_array().unwrap().iter().map(|it| it["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [300, 1000, 200]);
}

#[tokio::test]
async fn a_credit_on_an_invoice_lowers_what_its_lines_can_be_paid() {
    let api = Api::start().await;
    let (acme, (product, _)) = (api.customer("acme").await, api.product(&[]).await);
    let line = |kind: &str, cents: i64| {
        json!({"productId": product, "lineType": kind, "attributes": [{"name": kind, "pricing": {"chargeType": "recurring",
            "pricingModel": "perUnit", "pricePoints": {"unitPrice": cents}}}]})
    };
    let order = json!({"customerId": acme, "currency": "USD", "creationState": "active", "lines": [line("STANDARD", 100), line("CREDIT", 30)]});
    api.post("/orders/", order).await;
    let invoice = id(&api.get("/invoices/").await["data"][0]);
    api.control(&format!("invoices/{invoice}/post"), Value::Null).await;
    let line = id(&api.get(&format!("/invoices/{invoice}/lines")).await["data"][0]);
    let money = id(&api.post("/payments/", payment(&acme, 100)).await);
    assert_eq!(api.refused("POST", "/payment-allocations/", allocation(&money, &[(&line, 71)])).await.0, 400);
    api.post("/payment-allocations/", allocation(&money, &[(&line, 70)])).await;
    assert_eq!(amounts(&api, &invoice).await, (json!(70), json!(0), json!("paid")));
}

#[tokio::test]
async fn a_payment_names_a_customer_an_amount_and_a_currency() {
    let api = Api::start().await;
    let acme = api.customer("acme").await;
    let other = |key: &str, value: Value| {
        let mut body = payment(&acme, 100);
        body[key] = value;
        body
    };
    let mut nobodys = payment(&acme, 100);
    nobodys.as_object_mut().unwrap().remove("customerId");
    for (body, status, place) in [
        (nobodys, 400, "body.customerId"),
        (other("customerId", json!("cus_none")), 404, "body.customerId"),
        (other("externalCustomerId", json!("none")), 404, "body.externalCustomerId"),
        (other("amount", json!(0)), 400, "body.amount"),
        (other("amount", json!(-1)), 400, "body.amount"),
        (other("currency", json!("dollars")), 400, "body.currency"),
    ] {
        assert_eq!(api.refused("POST", "/payments/", body).await, (status, place.to_owned()));
    }
    let made = api.post("/payments/", other("paymentDate", json!("2026-01-02T03:04:05Z"))).await;
    assert_eq!((&made["paymentDate"], &made["number"]), (&json!("2026-01-02T03:04:05Z"), &json!(1)));
    assert_eq!(api.refused("GET", "/payments/pay_none", Value::Null).await, (404, "path.id".to_owned()));
    // Who paid is not deleted.
    assert_eq!(api.refused("DELETE", &format!("/customers/{acme}"), Value::Null).await.0, 400);
}

#[tokio::test]
async fn the_first_payment_method_is_the_default_until_another_is() {
    let api = Api::start().await;
    let client = api.client();
    let acme = api.customer("acme").await;
    let request = |token: &str| CreatePaymentMethodRequest::new(token).customer(ExternalCustomerId::from("acme"));
    let setup = client.payment_methods().create(&request("t1")).await.unwrap();
    assert_eq!(
        (setup.customer_id.unwrap().as_ref(), setup.setup_intent.status.as_deref()),
        (acme.as_str(), Some("succeeded"))
    );
    client.payment_methods().create(&request("t2")).await.unwrap();
    let used = json!({"customerId": acme, "confirmationToken": "t1"});
    assert_eq!(api.refused("POST", "/payment-methods/", used).await, (400, "body.confirmationToken".to_owned()));
    let all = api.get("/payment-methods/?externalCustomerId=acme").await;
    let seen = |at: usize| (id(&all["data"][at]), all["data"][at]["isDefault"].as_bool().unwrap());
    let ((first, true), (second, false)) = (seen(0), seen(1)) else { panic!("{all}") };
    assert_eq!(all["data"][0]["card"]["last4"], "4242");
    let default = client.payment_methods().set_default(second.as_str()).await.unwrap();
    assert!(default.is_default);
    assert_eq!(api.get(&format!("/payment-methods/{first}")).await["isDefault"], false);
    api.ok("DELETE", &format!("/payment-methods/{first}"), Value::Null).await;
    assert_eq!(
        api.refused("GET", &format!("/payment-methods/{first}"), Value::Null).await,
        (404, "path.id".to_owned())
    );
    assert_eq!(api.get("/payment-methods/").await["pagination"]["total"], 1);
    assert_eq!(api.get("/payment-methods/?externalCustomerId=nobody").await["pagination"]["total"], 0);
}
