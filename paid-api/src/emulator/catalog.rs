//! Products and their prices.

use serde_json::{Value, json};

use super::billing::Price;
use super::contract::Matched;
use super::credits::{Benefit, read_benefits};
use super::pricing;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::table::{addressed, given, merge, page, passes};
use crate::JsonObject;

impl Store {
    pub(super) fn list_products(&self, matched: &Matched) -> Value {
        let rows = self.products.rows().iter().filter(|row| passes(row, matched));
        page(rows.map(|row| Value::Object(without_attributes(row))), matched)
    }

    pub(super) fn create_product(&mut self, body: &Value) -> Reply {
        if let Some(external) = body["externalId"].as_str()
            && self.products.find("externalId", external).is_some()
        {
            return Err(Refusal::invalid("body.externalId", format!("a product with external id {external:?} exists")));
        }
        let id = self.id("prod");
        let time = self.clock.shown();
        let product = json!({
            "id": id,
            "name": body["name"],
            "description": given(body, "description", Value::Null),
            "active": given(body, "active", false),
            "productCode": given(body, "productCode", Value::Null),
            "externalId": given(body, "externalId", Value::Null),
            "archivedAt": null,
            "metadata": given(body, "metadata", Value::Null),
            "createdAt": time,
            "updatedAt": time,
            "productAttributes": [],
        });
        let Value::Object(row) = product else { return Err(Refusal::not_implemented("this product")) };
        let answer = without_attributes(&row);
        self.products.push(row);
        Ok(Value::Object(answer))
    }

    pub(super) fn get_product(&self, matched: &Matched) -> Reply {
        let (key, id) = addressed(matched);
        let found = self.products.find(key, id).ok_or_else(|| Refusal::not_found("product", id))?;
        Ok(shown(found))
    }

    pub(super) fn update_product(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (key, id) = addressed(matched);
        let mut attributes = Vec::new();
        for (index, attribute) in body["productAttributes"].as_array().into_iter().flatten().enumerate() {
            let place = format!("body.productAttributes.{index}");
            let price = pricing::of_product("", &attribute["pricing"], &format!("{place}.pricing"))?;
            self.check_credits(&price, &format!("{place}.pricing"))?;
            self.check_benefits(&attribute["creditBenefits"], &format!("{place}.creditBenefits"))?;
            let fresh = uuid_like(self.id("attribute").trim_start_matches("attribute_"));
            let mut attribute = attribute.as_object().cloned().unwrap_or_default();
            attribute.entry("productAttributeId").or_insert(fresh.into());
            attribute.entry("active").or_insert(true.into());
            attributes.push(attribute);
        }
        self.products.check_free(key, id, body, "product")?;
        let product = self.products.find_mut(key, id).ok_or_else(|| Refusal::not_found("product", id))?;
        let kept = product.remove("productAttributes").unwrap_or_else(|| json!([]));
        let mut kept: Vec<Value> = kept.as_array().cloned().unwrap_or_default();
        for attribute in attributes {
            let same = |known: &Value| {
                known["productAttributeId"] == attribute["productAttributeId"] || known["name"] == attribute["name"]
            };
            match kept.iter_mut().find(|known| same(known)) {
                Some(known) => *known = Value::Object(attribute),
                None => kept.push(Value::Object(attribute)),
            }
        }
        merge(product, body, self.clock.shown());
        product.insert("productAttributes".into(), kept.into());
        Ok(shown(product))
    }

    /// The prices of a product's active attributes.
    pub(super) fn product_prices(&self, id: &str) -> Vec<(Price, Vec<Benefit>)> {
        let attributes =
            self.products.find("id", id).and_then(|product| product.get("productAttributes")).and_then(Value::as_array);
        let active = attributes.into_iter().flatten().filter(|attribute| attribute["active"] == true);
        active
            .filter_map(|attribute| {
                let price = pricing::of_product(attribute["name"].as_str()?, &attribute["pricing"], "").ok()?;
                Some((price, read_benefits(&attribute["creditBenefits"], None, "").ok()?))
            })
            .collect()
    }
}

fn uuid_like(digits: &str) -> String {
    format!("00000000-0000-4000-8000-{digits:0>12}")
}

fn without_attributes(product: &JsonObject) -> JsonObject {
    let mut product = product.clone();
    product.remove("productAttributes");
    product
}

/// A product as the API shows it: responses describe prices in another form than requests.
fn shown(product: &JsonObject) -> Value {
    let mut product = Value::Object(product.clone());
    for attribute in product["productAttributes"].as_array_mut().into_iter().flatten() {
        let Some(pricing) = attribute["pricing"].as_object_mut() else { continue };
        let kind = pricing.get("pricingType").and_then(Value::as_str).unwrap_or_default();
        let charge =
            [("Recurring", "recurring"), ("Usage", "usage"), ("OneTime", "oneTime"), ("SeatBased", "seatBased")];
        let charge = charge.iter().find(|(prefix, _)| kind.starts_with(prefix)).map_or("usage", |(_, charge)| charge);
        pricing.insert("chargeType".into(), charge.into());
        pricing.entry("pricePoints").or_insert(json!([]));
        attribute["creditBenefits"] = shown_benefits(&attribute["productAttributeId"], &attribute["creditBenefits"]);
    }
    product
}

/// Benefits as the API shows them, each with an id.
fn shown_benefits(attribute: &Value, benefits: &Value) -> Value {
    let benefits = benefits.as_array().into_iter().flatten().enumerate();
    let shown = benefits.map(|(index, benefit)| {
        json!({
            "id": format!("{}-{}", attribute.as_str().unwrap_or_default(), index + 1),
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
