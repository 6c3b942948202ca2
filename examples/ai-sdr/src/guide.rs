//! The developer guide's set-up steps and its invoice. Each step finds what an earlier run created, so the example can
//! be run again.

use std::time::Duration;

use anyhow::{Result, bail};
use paid::types::{
    BillingFrequency, Contact, CreateContactRequest, CreateCustomerRequest, CreateOrderLineRequest, CreateOrderRequest,
    CreateProductRequest, Customer, Invoice, InvoiceLine, Order, OrderCreationState, PricePointInput,
    ProductAttributeUpsert, ProductDetail, RecurringPerUnitPricing, SignalType, UpdateProductRequest,
    UsagePerUnitPricing,
};
use paid::{Client, Decimal, Error};

/// Our own id of the product, which Paid calls external.
pub(crate) const PRODUCT: &str = "ai-sdr-001";
/// Our own id of the account.
pub(crate) const ACCOUNT: &str = "acme-001";
const CONTACT: &str = "acme-001-john-doe";
const ORDER: &str = "acme-001-ai-sdr";

/// Prices in US cents: the API's amounts are in the currency's smallest unit.
const PLATFORM_FEE: i64 = 50_000;
const EMAIL: i64 = 10;
const MEETING: i64 = 5_000;

/// The price of a signal of this name, in US dollars.
pub(crate) fn price_in_dollars(signal: &str) -> Decimal {
    let cents = match signal {
        "email_sent" => EMAIL,
        "meeting_booked" => MEETING,
        _ => 0,
    };
    Decimal::new(cents, 2)
}

/// Converts a 404 to `None`.
fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.status().is_some_and(|status| status == 404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Step 1: the product and its prices.
pub(crate) async fn product(client: &Client) -> Result<ProductDetail> {
    let products = client.products();
    let product = match found(products.get_by_external_id(PRODUCT).await)? {
        Some(product) => product,
        None => {
            let request = CreateProductRequest::new("AI SDR").external_id(PRODUCT).active(true);
            products.create(&request).await?;
            products.get_by_external_id(PRODUCT).await?
        }
    };
    let missing: Vec<_> = prices()
        .into_iter()
        .filter(|price| {
            !product.product_attributes.iter().any(|known| known.is_ok_and(|known| known.name == price.name))
        })
        .collect();
    let product = if missing.is_empty() {
        product
    } else {
        products.update(&product.id, &UpdateProductRequest::new().product_attributes(missing)).await?
    };
    println!("1. product   {} ({PRODUCT}) with {} prices", product.id, product.product_attributes.len());
    Ok(product)
}

fn prices() -> [ProductAttributeUpsert; 3] {
    let dollars = |cents: i64| [PricePointInput::new("USD", cents)];
    let monthly = RecurringPerUnitPricing::new(BillingFrequency::Monthly, dollars(PLATFORM_FEE));
    let email = UsagePerUnitPricing::new("email_sent", dollars(EMAIL)).signal_type(SignalType::Activity);
    let meeting = UsagePerUnitPricing::new("meeting_booked", dollars(MEETING)).signal_type(SignalType::Outcome);
    [
        ProductAttributeUpsert::new("Platform fee", monthly),
        ProductAttributeUpsert::new("Emails sent", email),
        ProductAttributeUpsert::new("Meetings booked", meeting),
    ]
}

/// Step 2: the account that pays. Creating it again with the same external id returns the existing one.
pub(crate) async fn account(client: &Client) -> Result<Customer> {
    let request = CreateCustomerRequest::new("Acme Ltd").external_id(ACCOUNT).email("billing@acme.example");
    let customer = client.customers().create(&request).await?;
    println!("2. account   {} ({ACCOUNT})", customer.id);
    Ok(customer)
}

/// Step 3: who gets the invoice.
pub(crate) async fn contact(client: &Client, customer: &Customer) -> Result<Contact> {
    let contacts = client.contacts();
    let contact = match found(contacts.get_by_external_id(CONTACT).await)? {
        Some(contact) => contact,
        None => {
            let request = CreateContactRequest::new(&customer.id, "john.doe@acme.example")
                .first_name("John")
                .last_name("Doe")
                .external_id(CONTACT);
            contacts.create(&request).await?
        }
    };
    println!("3. contact   {} ({})", contact.id, contact.email);
    Ok(contact)
}

/// Step 4: who buys what. Billing starts when the order is activated.
pub(crate) async fn order(
    client: &Client,
    customer: &Customer,
    contact: &Contact,
    product: &ProductDetail,
) -> Result<Order> {
    let orders = client.orders();
    let known = orders.list().external_id(ORDER).limit(1).await?.data.first()?;
    let order = match known {
        Some(order) => order,
        None => {
            let request = CreateOrderRequest::new(&customer.id)
                .name("AI SDR for Acme")
                .external_id(ORDER)
                .currency("USD")
                .billing_contact_ids([contact.id.clone()])
                .lines([CreateOrderLineRequest::new(&product.id)]);
            orders.create(&request).await?
        }
    };
    let order = match order.creation_state {
        OrderCreationState::Active => order,
        _ => orders.activate(&order.id).await?,
    };
    println!("4. order     {} is {}", order.id, order.creation_state);
    Ok(order)
}

/// Step 6: the invoice and its lines. Paid may take a moment to create the invoice.
pub(crate) async fn invoice(client: &Client, order: &Order) -> Result<(Invoice, Vec<InvoiceLine>)> {
    let invoices = client.invoices();
    for attempt in 0..15 {
        if let Some(invoice) = invoices.list().order_id(&order.id).limit(1).await?.data.first()? {
            println!("6. invoice   {}", invoice.id);
            let lines = invoices.get_lines(&invoice.id).limit(100).await?.data.all()?;
            return Ok((invoice, lines));
        }
        if attempt == 0 {
            println!("6. invoice   is being created ...");
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    bail!(
        "Paid has created no invoice for order {} within 30 s; look for it in Paid, or run this again later",
        order.id
    )
}
