//! What the invoice says, by the prices of `signals.toml`: the emulator bills by Paid's rules.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use own_tests::{Lead, Reply, campaign};
use paid::account::{Catalog, push, read};
use paid::emulator::Emulator;
use paid::types::{CreateCustomerRequest, CreateOrderLineRequest, CreateOrderRequest, OrderCreationState, ProductId};
use paid::{Client, Decimal, Emitter};

/// A customer with an active order of the product.
async fn customer_with_order(client: &Client) {
    let catalog = Catalog::parse(include_str!("../signals.toml")).unwrap();
    push(client, &catalog).await.unwrap();
    let product = read(client).await.unwrap().products.remove(0);
    let customer = CreateCustomerRequest::new("Acme Ltd").external_id("acme");
    let customer = client.customers().create(&customer).await.unwrap();
    let order = CreateOrderRequest::new(&customer.id)
        .currency("USD")
        .creation_state(OrderCreationState::Active)
        .lines([CreateOrderLineRequest::new(ProductId::from(product.id))]);
    client.orders().create(&order).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_runs_twice_costs_what_it_costs_once() {
    let emulator = Emulator::start().await.unwrap();
    customer_with_order(&emulator.client()).await;
    let emitter = Emitter::new(emulator.client()).unwrap();
    paid::install(emitter.clone());
    let leads = [("1", Reply::Meeting(9)), ("2", Reply::Silence), ("3", Reply::Bounce)];
    let leads = leads.map(|(id, reply)| Lead { id: id.to_owned(), reply });
    for _ in 0..2 {
        tokio::task::block_in_place(|| campaign("acme", &leads));
    }
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    let invoices = emulator.client().invoices().list().await.unwrap();
    // Two e-mails and a meeting, in cents.
    let totals: Vec<_> = invoices.data.iter().map(|invoice| invoice.as_ref().unwrap().invoice_total).collect();
    assert_eq!(totals, [Decimal::from(2 * 10 + 50 * 100)]);
}
