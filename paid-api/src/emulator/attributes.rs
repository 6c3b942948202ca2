//! The attributes of products: what is priced. Products, plans and `/pricing/` all read and change these.

use serde_json::{Value, json};

use super::billing::Price;
use super::contract::Matched;
use super::credits::{Benefit, Credits, read_benefits};
use super::pricing;
use super::refusal::{Refusal, Reply};
use super::table::{Table, given};
use crate::JsonObject;

/// Checks the `pricing` and the credits of an attribute in a request.
pub(super) fn check(name: &str, attribute: &Value, credits: &Credits, place: &str) -> Result<Price, Refusal> {
    let price = pricing::of_product(name, &attribute["pricing"], &format!("{place}.pricing"))?;
    credits.check_price(&price, &format!("{place}.pricing"))?;
    let place = format!("{place}.creditBenefits");
    credits.check_benefits(&read_benefits(&attribute["creditBenefits"], None, &place)?, &place)?;
    Ok(price)
}

/// The attributes of a product.
pub(super) fn of(product: &JsonObject) -> &[Value] {
    product.get("productAttributes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// An attribute of a product, by its id.
pub(super) fn find<'a>(product: &'a JsonObject, id: &str) -> Option<&'a Value> {
    of(product).iter().find(|attribute| attribute["productAttributeId"] == id)
}

/// A price as responses show it: they describe it in another form than requests.
pub(super) fn shown_pricing(pricing: &Value) -> Value {
    let mut shown = pricing.clone();
    let Some(properties) = shown.as_object_mut() else { return shown };
    let kind = properties.get("pricingType").and_then(Value::as_str).unwrap_or_default();
    let charge = [("Recurring", "recurring"), ("Usage", "usage"), ("OneTime", "oneTime"), ("SeatBased", "seatBased")];
    let charge = charge.iter().find(|(prefix, _)| kind.starts_with(prefix)).map_or("usage", |(_, charge)| charge);
    properties.insert("chargeType".into(), (*charge).into());
    properties.entry("pricePoints").or_insert(json!([]));
    shown
}

/// An attribute as `/pricing/` shows it.
fn shown(attribute: &Value) -> Value {
    json!({
        "productAttributeId": attribute["productAttributeId"],
        "name": attribute["name"],
        "pricing": shown_pricing(&attribute["pricing"]),
        "creditBenefits": shown_benefits(attribute),
    })
}

/// Benefits as the API shows them, each with an id.
pub(super) fn shown_benefits(attribute: &Value) -> Value {
    let id = attribute["productAttributeId"].as_str().unwrap_or_default();
    let benefits = attribute["creditBenefits"].as_array().into_iter().flatten().enumerate();
    let shown = benefits.map(|(index, benefit)| {
        json!({
            "id": format!("{id}-{}", index + 1),
            "amount": benefit["amount"],
            "creditsCurrencyId": benefit["creditsCurrencyId"],
            "allocationCadence": given(benefit, "allocationCadence", "upfront"),
            "recipient": given(benefit, "recipient", "organization"),
            "isInfiniteTotal": given(benefit, "isInfiniteTotal", false),
            "creditGrantTiming": given(benefit, "creditGrantTiming", Value::Null),
            "overageUnitPrice": given(benefit, "overageUnitPrice", Value::Null),
            "rolloverAmount": given(benefit, "rolloverAmount", Value::Null),
            "rolloverDuration": given(benefit, "rolloverDuration", Value::Null),
            "rolloverDurationUnit": given(benefit, "rolloverDurationUnit", Value::Null),
        })
    });
    shown.collect()
}

/// The operations of `/pricing/`.
pub(super) fn list(products: &Table, matched: &Matched) -> Reply {
    let id = matched.query.get("productId").map(String::as_str).unwrap_or_default();
    let product = products.find("id", id).ok_or_else(|| Refusal::not_found("product", id).at("query.productId"))?;
    Ok(json!({"data": of(product).iter().map(shown).collect::<Vec<_>>()}))
}

pub(super) fn get(products: &Table, matched: &Matched) -> Reply {
    let id = path_id(matched);
    let found = products.rows().iter().find_map(|product| find(product, id));
    found.map(shown).ok_or_else(|| unknown(id))
}

pub(super) fn update(products: &mut Table, credits: &Credits, matched: &Matched, body: &Value, time: &Value) -> Reply {
    let id = path_id(matched);
    check("", body, credits, "body")?;
    let product = products.find_mut_where(|product| find(product, id).is_some()).ok_or_else(|| unknown(id))?;
    product.insert("updatedAt".into(), time.clone());
    let attributes = product.get_mut("productAttributes").and_then(Value::as_array_mut).into_iter().flatten();
    let attribute = attributes.into_iter().find(|attribute| attribute["productAttributeId"] == id);
    let attribute = attribute.ok_or_else(|| unknown(id))?;
    attribute["pricing"] = body["pricing"].clone();
    if let Some(benefits) = body.get("creditBenefits") {
        attribute["creditBenefits"] = benefits.clone();
    }
    Ok(shown(attribute))
}

fn path_id(matched: &Matched) -> &str {
    matched.path.get("productAttributeId").map(String::as_str).unwrap_or_default()
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found("product attribute", id).at("path.productAttributeId")
}

/// The prices of a product: those of its active attributes, where a plan's own price goes before the product's.
pub(super) fn prices(product: &JsonObject, plan: Option<&JsonObject>) -> Vec<(Price, Vec<Benefit>)> {
    let active = of(product).iter().filter(|attribute| attribute["active"] == true);
    active
        .filter_map(|attribute| {
            let own = plan.and_then(|plan| override_of(plan, &attribute["productAttributeId"]));
            let pricing = own.map_or(&attribute["pricing"], |own| &own["pricing"]);
            let benefits = own.map(|own| &own["creditBenefits"]).filter(|own| own.is_array());
            let benefits = benefits.unwrap_or(&attribute["creditBenefits"]);
            let price = pricing::of_product(attribute["name"].as_str()?, pricing, "").ok()?;
            Some((price, read_benefits(benefits, None, "").ok()?))
        })
        .collect()
}

/// What a plan says about an attribute of its product.
fn override_of<'a>(plan: &'a JsonObject, attribute: &Value) -> Option<&'a Value> {
    let attributes = plan.get("attributes").and_then(Value::as_array).into_iter().flatten();
    attributes.into_iter().find(|own| own["productAttributeId"] == *attribute)
}

/// The currencies in which every one of these prices can be bought.
pub(super) fn currencies(prices: &[(Price, Vec<Benefit>)]) -> Vec<String> {
    let points = prices.iter().flat_map(|(price, _)| &price.points).filter_map(|point| point.currency.as_deref());
    let mut found = Vec::<String>::new();
    for code in points.map(str::to_uppercase) {
        if !found.contains(&code) && prices.iter().all(|(price, _)| price.point(&code).is_some()) {
            found.push(code);
        }
    }
    found
}
