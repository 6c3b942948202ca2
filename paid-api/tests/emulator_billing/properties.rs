//! No property of a request is ignored: another value bills or shows something else, or is refused by name. What need not be
//! read is listed with its reason.

mod document;
mod world;

use serde_json::{Value, json};

use super::Api;
use world::{Outcome, Read, World};

/// What need not be read, each with its reason. What is read after all must leave this list.
const HARMLESS: [(&str, &str, &str); 11] = [
    ("create-order", "lines.attributes.pricing.pricePoints.tiers.index", "the bounds order the tiers"),
    ("create-order", "lines.attributes.pricing.pricePoints.tiers.number", "the bounds order the tiers"),
    ("create-order", "lines.attributes.pricing.signalType", "activities and outcomes bill alike"),
    ("create-payment-method", "confirmationToken", "there is no payment processor: each token is a card of its own"),
    ("create-payment-method", "metadata", "it is the processor's, and no operation shows it"),
    ("create-payment-method", "returnUrl", "a card of the emulator is confirmed at once"),
    (
        "create-signals",
        "signals.customerUnit.externalCustomerUnitId",
        "units cap credits only, and credits are refused",
    ),
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
    let priced = |kind: &str, more: Value| {
        let mut pricing =
            json!({"pricingType": kind, "eventName": "e", "billingFrequency": "Monthly", "pricePoints": []});
        pricing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pricing
    };
    let brackets = json!([{"creditUnits": 1, "upTo": null}]);
    let input = json!({"kind": "signalQuantity"});
    let mut all = vec![
        ("create-order", "billingFrequencyOverride".to_owned(), json!({"frequency": "annual"})),
        ("create-order", "lines.attributes.pricing.creditBenefits".to_owned(), json!([{"id": "a", "amount": 1}])),
        ("create-order", "lines.attributes.pricing.creditCost".to_owned(), json!(1)),
        ("create-order", "lines.attributes.pricing.creditRolloverAmount".to_owned(), json!(1)),
        ("create-order", "lines.attributes.pricing.creditUnitBrackets".to_owned(), brackets.clone()),
        ("create-order", "lines.attributes.pricing.creditsCurrencyId".to_owned(), json!("a")),
        ("create-order", "lines.attributes.pricing.overageUnitPrice".to_owned(), json!(1)),
        ("create-order", "lines.attributes.pricing.pricingInput".to_owned(), input.clone()),
    ];
    let kinds = [
        priced("RecurringPercentOfTotal", json!({"percentageValue": 1})),
        priced("UsageCostPlus", json!({"costPlusMultiplier": 1})),
        priced("UsagePrepaidCredits", json!({"creditCost": 1, "creditsCurrencyId": "a", "unitValue": 1})),
        priced(
            "UsageBracketedPrepaidCredits",
            json!({"creditUnitBrackets": brackets, "pricingInput": input, "overageUnitPrice": 1, "creditRolloverAmount": 1}),
        ),
        priced("SeatBasedPrepaidCredits", json!({"creditCost": 1, "creditsCurrencyId": "a"})),
    ];
    for (operation, prices) in PRICES {
        let benefits = json!([{"creditsCurrencyId": "a", "amount": 1}]);
        all.push((operation, prices.replace("pricing", "creditBenefits"), benefits));
        all.extend(kinds.iter().map(|kind| (operation, prices.to_owned(), kind.clone())));
    }
    all
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
        let mut body = world.bases(operation).swap_remove(0);
        let name = value["pricingType"].as_str().or_else(|| property.rsplit('.').next()).unwrap().to_owned();
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
            if is_refused_as_a_whole(operation, &property) {
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

/// Returns true if a value of [`refused`] has the property, and no pricing type that bills shares it.
fn is_refused_as_a_whole(operation: &str, property: &str) -> bool {
    refused().into_iter().any(|(of, refused, value)| {
        let below = property == refused.as_str() || property.starts_with(&format!("{refused}."));
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
