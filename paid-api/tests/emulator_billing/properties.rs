//! No property of a request is ignored: another value bills or shows something else, or is refused by name. What need not be
//! read is listed with its reason.

mod document;
mod world;

use serde_json::{Value, json};

use super::Api;
use world::{Outcome, World};

/// What need not be read, each with its reason. What is read after all must leave this list.
const HARMLESS: [(&str, &str, &str); 10] = [
    ("create-order", "lines.attributes.pricing.pricePoints.tiers.index", "the bounds order the tiers"),
    ("create-order", "lines.attributes.pricing.pricePoints.tiers.number", "the bounds order the tiers"),
    ("create-order", "lines.attributes.pricing.signalType", "activities and outcomes bill alike"),
    ("create-signals", "signals.customerUnit.externalCustomerUnitId", "units cap credits, and a cap stops nothing"),
    ("update-product-by-id", "productAttributes.pricing.unitValue", "what a credit is worth, which is shown"),
    ("create-order", "lines.attributes.pricing.creditBenefits.id", "a name for the benefit"),
    ("update-product-by-id", "productAttributes.pricing.feeType", "a label, which is shown"),
    ("update-product-by-id", "productAttributes.pricing.pricePoints.tiers.index", "the bounds order the tiers"),
    ("update-product-by-id", "productAttributes.pricing.pricePoints.tiers.number", "the bounds order the tiers"),
    ("update-product-by-id", "productAttributes.pricing.signalType", "activities and outcomes bill alike"),
];

/// What is refused as a whole, with a value: the properties below it are refused with it.
fn refused() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("create-order", "billingFrequencyOverride", json!({"frequency": "annual"})),
        ("create-order", "lines.attributes.pricing.creditRolloverAmount", json!(1)),
    ]
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
    let priced = property.contains(".pricing.") || property.ends_with("quantity") || property.ends_with("lineType");
    priced || (operation.contains("order") && OF_ORDERS.contains(&property)) || property.ends_with("attributes.active")
}

#[tokio::test]
async fn what_is_refused_as_a_whole_is_refused_with_501_and_its_name() {
    let api = Api::start().await;
    for (operation, property, value) in refused() {
        let world = World::new(&api).await;
        // Of the bases, the one in credits: what is refused goes with them.
        let mut bases = world.bases(operation);
        let in_credits = bases.iter().position(|base| base.to_string().contains("creditCost")).unwrap();
        let mut body = bases.swap_remove(in_credits);
        let name = property.rsplit('.').next().unwrap().to_owned();
        world::set(&mut body, property, value);
        let outcome = world.outcome(operation, &body).await;
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
async fn no_property_of_anything_else_is_ignored() {
    let others = document::OPERATIONS.into_iter().filter(|name| !name.contains("order") && !name.contains("product"));
    none_is_ignored(&others.collect::<Vec<_>>()).await;
}

async fn none_is_ignored(operations: &[&str]) {
    let api = Api::start().await;
    let (mut ignored, mut read_after_all) = (Vec::new(), Vec::new());
    for operation in operations {
        let mut plain = Vec::new();
        for base in World::new(&api).await.bases(operation) {
            let outcome = World::new(&api).await.outcome(operation, &base).await;
            assert!(outcome.status < 300, "{operation} {base}: {outcome:?}");
            plain.push((base, outcome));
        }
        for (property, schema) in document::properties(operation) {
            if is_refused_as_a_whole(operation, &property) {
                continue;
            }
            let read = is_read(&api, operation, &property, &schema, &plain).await;
            let listed = HARMLESS.iter().any(|(of, harmless, _)| of == operation && *harmless == property);
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

/// Returns true if a value of [`refused`] has the property, and no pricing type that bills shares it.
fn is_refused_as_a_whole(operation: &str, property: &str) -> bool {
    refused().into_iter().any(|(of, refused, value)| {
        let below = property == refused || property.starts_with(&format!("{refused}."));
        let carried = value.get("pricingType").is_none() || property.split('.').any(|part| value.get(part).is_some());
        of == operation && below && carried && !is_always_read(property)
    })
}

/// Properties that the refused pricing types share with those that bill.
fn is_always_read(property: &str) -> bool {
    let last = property.rsplit('.').next().unwrap_or_default();
    property.contains("pricePoints") || ["pricingType", "eventName", "billingFrequency"].contains(&last)
}

async fn is_read(api: &Api, operation: &str, property: &str, schema: &Value, plain: &[(Value, Outcome)]) -> bool {
    for (base, expected) in plain {
        for value in World::new(api).await.candidates(property, schema) {
            let mut body = base.clone();
            world::set(&mut body, property, value.clone());
            let outcome = World::new(api).await.outcome(operation, &body).await;
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
