//! Plays Paid's part with the emulator: a customer orders, gets an invoice and pays it.

use anyhow::{Context, Result};
use paid::emulator::Emulator;
use paid::types::*;
use paid::webhook::Verifier;
use tokio::net::TcpListener;

pub(crate) async fn run() -> Result<()> {
    let emulator = Emulator::start().await?;
    let client = emulator.client();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webhooks/paid", listener.local_addr()?);

    // Set up the integration: Paid shows the signing secret only once.
    let setting = UpdateWebhookRequest::new().enabled(true).url(url);
    let first = client.webhooks().update(WebhookName::BillingInvoiceCreated, &setting).await?;
    client.webhooks().update(WebhookName::BillingInvoicePaid, &setting).await?;
    let secret = first.signing_secret.context("the response to the first webhook has no signing secret")?;
    let service = crate::receiver::router(Verifier::new(secret));
    tokio::spawn(async move { axum::serve(listener, service).await });
    let tested = client.webhooks().test(WebhookName::BillingInvoicePaid).await?;
    anyhow::ensure!(tested.success, "the receiver did not acknowledge the test");

    let product = client.products().create(&CreateProductRequest::new("AI SDR")).await?;
    let acme = client.customers().create(&CreateCustomerRequest::new("Acme Ltd")).await?;
    let order = CreateOrderRequest::new(&acme.id).currency("USD").lines([CreateOrderLineRequest::new(&product.id)]);
    let order = client.orders().create(&order).await?;
    client.orders().activate(&order.id).await?;
    let invoices = client.invoices().list().order_id(&order.id).await?.data.all()?;
    let invoice = invoices.first().context("an active order has an invoice")?;
    // Delivered twice, as Paid does if an acknowledgement is lost.
    for _ in 0..2 {
        emulator.pay_invoice(invoice.id.as_str()).await;
    }
    Ok(())
}
