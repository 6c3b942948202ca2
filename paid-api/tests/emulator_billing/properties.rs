//! No property of a request is ignored: another value bills or shows something else, or is refused by name. What need not be
//! read is listed with its reason.

mod document;
mod world;

use serde_json::{Value, json};

use super::Api;
use world::{Outcome, Read, World};

/// What need not be read, each with its reason. What is read after all must leave this list.
const HARMLESS: [(&str, &str, &str); 13] = [
    ("create-order", "lines.attributes.pricing.pricePoints.tiers.index", "the bounds order the tiers"),
    ("create-order", "lines.attributes.pricing.pricePoints.tiers.number", "the bounds order the tiers"),
    ("create-order", "lines.attributes.pricing.signalType", "activities and outcomes bill alike"),
    ("create-signals", "signals.customerUnit.externalCustomerUnitId", "units cap credits, and a cap stops nothing"),
    ("update-product-by-id", "productAttributes.pricing.unitValue", "what a credit is worth, which is shown"),
    ("create-order", "lines.attributes.pricing.creditBenefits.id", "a name for the benefit"),
    ("create-payment-method", "confirmationToken", "there is no payment processor: each token is a card of its own"),
    ("create-payment-method", "metadata", "it is the processor's, and no operation shows it"),
    ("create-payment-method", "returnUrl", "a card of the emulator is confirmed at once"),
    ("update-product-by-id", "productAttributes.pricing.feeType", "a label, which is shown"),
    ("update-product-by-id", "productAttributes.pricing.pricePoints.tiers.index", "the bounds order the tiers"),
    ("update-product-by-id", "productAttributes.pricing.pricePoints.tiers.number", "the bounds order the tiers"),
    ("update-product-by-id", "productAttributes.pricing.signalType", "activities and outcomes bill alike"),
];

/// Where else the prices of products are: in these properties.
const PRICES: [(&str, &str); 4] = [
    ("update-product-by-id", "productAttributes.pricing"),
    ("create-plan", "attributes.pricing"),
    ("update-plan-by-id", "attributes.pricing"),
    ("update-pricing", "pricing"),
];

fn is_harmless(operation: &str, property: &str) -> bool {
    let listed = |operation: &str, property: &str| {
        HARMLESS.iter().any(|(of, harmless, _)| *of == operation && *harmless == property)
    };
    let of_price = PRICES.iter().find(|(of, _)| *of == operation);
    let as_of_product = of_price.and_then(|(_, prices)| property.strip_prefix(prices));
    let (product, prices) = PRICES[0];
    listed(operation, property) || as_of_product.is_some_and(|rest| listed(product, &format!("{prices}{rest}")))
}

/// What is refused as a whole, with a value: the properties below it are refused with it.
fn refused() -> Vec<(&'static str, String, Value)> {
    vec![("create-order", "lines.attributes.pricing.creditRolloverAmount".to_owned(), json!(1))]
}

/// The properties whose effect is money: to be shown is not enough.
fn is_money(operation: &str, property: &str) -> bool {
    const OF_ORDERS: [&str; 11] = [
        "autoPostInvoices",
        "billingAnchor",
        "billingCustomerId",
        "creationState",
        "currency",
        "customerId",
        "endDate",
        "lines.endDate",
        "lines.startDate",
        "paymentTerms",
        "startDate",
    ];
    const OF_PAYMENTS: [&str; 3] = ["allocations.amount", "allocations.invoiceLineId", "paymentId"];
    const OF_CHECKOUTS: [&str; 6] =
        ["currency", "customerId", "externalCustomerId", "products.id", "products.plans.id", "singleUse"];
    let of_operation: &[&str] = match operation {
        "create-payment-allocation" => &OF_PAYMENTS,
        "create-checkout" => &OF_CHECKOUTS,
        _ => &[],
    };
    let priced = property.contains(".pricing.")
        || property.starts_with("pricing.")
        || property.ends_with("quantity")
        || property.ends_with("lineType");
    priced
        || of_operation.contains(&property)
        || (operation.contains("order") && OF_ORDERS.contains(&property))
        || property.ends_with("attributes.active")
}

#[tokio::test]
async fn what_is_refused_as_a_whole_is_refused_with_501_and_its_name() {
    let api = Api::start().await;
    for (operation, property, value) in refused() {
        let world = World::of(&api, operation).await;
        // Of the bases, the one in credits: what is refused goes with them.
        let mut bases = world.bases(operation);
        let in_credits = bases.iter().position(|base| base.to_string().contains("creditCost")).unwrap();
        let mut body = bases.swap_remove(in_credits);
        let name = property.rsplit('.').next().unwrap().to_owned();
        world::set(&mut body, &property, value);
        let outcome = world.outcome(operation, &body, Read::Money).await;
        assert!(outcome.status == 501 && outcome.answer.to_string().contains(&name), "{property}: {outcome:?}");
    }
}

#[tokio::test]
async fn no_property_of_an_order_is_ignored() {
    none_is_ignored(&["create-order", "update-order-by-id"]).await;
}

#[tokio::test]
async fn no_property_of_a_product_is_ignored() {
    none_is_ignored(&["create-product", "update-product-by-id"]).await;
}

#[tokio::test]
async fn no_property_of_a_new_plan_is_ignored() {
    none_is_ignored(&["create-plan"]).await;
}

#[tokio::test]
async fn no_property_of_a_plan_is_ignored() {
    none_is_ignored(&["update-plan-by-id", "update-plan-upgrade-path"]).await;
}

#[tokio::test]
async fn no_property_of_pricing_is_ignored() {
    none_is_ignored(&["update-pricing"]).await;
}

#[tokio::test]
async fn no_property_of_anything_else_is_ignored() {
    let is_other = |name: &&str| !["order", "product", "plan", "pricing"].iter().any(|part| name.contains(part));
    let others = document::OPERATIONS.into_iter().filter(is_other);
    none_is_ignored(&others.collect::<Vec<_>>()).await;
}

async fn none_is_ignored(operations: &[&str]) {
    let api = Api::start().await;
    let (mut ignored, mut read_after_all) = (Vec::new(), Vec::new());
    for operation in operations {
        let mut plain = Vec::new();
        for base in World::of(&api, operation).await.bases(operation) {
            let outcome = World::of(&api, operation).await.outcome(operation, &base, Read::All).await;
            assert!(outcome.status < 300, "{operation} {base}: {outcome:?}");
            plain.push((base, outcome));
        }
        for (property, schema) in document::properties(operation) {
            if is_refused_as_a_whole(operation, &property) || is_read_as_of_a_product(operation, &property) {
                continue;
            }
            let read = is_read(&api, operation, &property, &schema, &plain).await;
            let listed = is_harmless(operation, &property);
            match (read, listed) {
                (false, false) => ignored.push(format!("{operation} {property}")),
                (true, true) => read_after_all.push(format!("{operation} {property}")),
                _ => {}
            }
        }
    }
    assert!(ignored.is_empty(), "accepted and ignored:\n{}", ignored.join("\n"));
    assert!(read_after_all.is_empty(), "listed as harmless, but read:\n{}", read_after_all.join("\n"));
}

/// Returns true if a value of [`refused`] has the property.
fn is_refused_as_a_whole(operation: &str, property: &str) -> bool {
    refused().into_iter().any(|(of, refused, _)| {
        of == operation && (property == refused || property.starts_with(&format!("{refused}.")))
    })
}

/// Prices of plans and of `/pricing/` are read by what reads those of products, where each property is tried. Here, these are.
fn is_read_as_of_a_product(operation: &str, property: &str) -> bool {
    const TRIED: [&str; 4] = [".eventName", ".pricePoints.unitPrice", ".pricePoints.currency", ".billingFrequency"];
    let others = PRICES.iter().skip(1).find(|(of, _)| *of == operation);
    others.is_some_and(|(_, prices)| {
        let benefits = prices.replace("pricing", "creditBenefits");
        let rest = property.strip_prefix(prices).filter(|rest| !TRIED.contains(rest));
        property.starts_with(&benefits) || rest.is_some_and(|rest| !rest.is_empty())
    })
}

async fn is_read(api: &Api, operation: &str, property: &str, schema: &Value, plain: &[(Value, Outcome)]) -> bool {
    let read = if is_money(operation, property) { Read::Money } else { Read::All };
    for (base, expected) in plain {
        for value in World::of(api, operation).await.candidates(property, schema) {
            let mut body = base.clone();
            world::set(&mut body, property, value.clone());
            let outcome = World::of(api, operation).await.outcome(operation, &body, read).await;
            let read = match outcome.status {
                200..300 if is_money(operation, property) => outcome.money != expected.money,
                200..300 => outcome.differs(expected),
                _ => outcome.refuses(property, &value),
            };
            if read {
                return true;
            }
        }
    }
    false
}
