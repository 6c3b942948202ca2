//! Products and their prices.

use serde_json::{Value, json};

use super::attributes;
use super::billing::Price;
use super::contract::Matched;
use super::credits::Benefit;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::table::{addressed, given, merge, page, passes};
use crate::JsonObject;

impl Store {
    pub(super) fn list_products(&self, matched: &Matched) -> Value {
        // **Assumed**: what is archived is shown to whoever asks for it.
        let asks = matched.query.iter().any(|(name, wanted)| name == "archived" && wanted == "true");
        let shown = |row: &&JsonObject| asks || row.get("archivedAt").is_none_or(Value::is_null);
        let rows = self.products.rows().iter().filter(shown).filter(|row| passes(row, matched));
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
        let mut changed = Vec::new();
        for (index, attribute) in body["productAttributes"].as_array().into_iter().flatten().enumerate() {
            attributes::check("", attribute, &self.credits, &format!("body.productAttributes.{index}"))?;
            let fresh = self.uuid();
            let mut attribute = attribute.as_object().cloned().unwrap_or_default();
            attribute.entry("active").or_insert(true.into());
            changed.push((attribute, fresh));
        }
        self.products.check_free(key, id, body, "product")?;
        let product = self.products.find_mut(key, id).ok_or_else(|| Refusal::not_found("product", id))?;
        let kept = product.remove("productAttributes").unwrap_or_else(|| json!([]));
        let mut kept: Vec<Value> = kept.as_array().cloned().unwrap_or_default();
        for (mut attribute, fresh) in changed {
            let same = |known: &&mut Value| {
                Some(&known["productAttributeId"]) == attribute.get("productAttributeId")
                    || Some(&known["name"]) == attribute.get("name")
            };
            let known = kept.iter_mut().find(same);
            // An attribute keeps its id: plans refer to it.
            let id = known.as_ref().map_or_else(|| fresh.into(), |known| known["productAttributeId"].clone());
            attribute.entry("productAttributeId").or_insert(id);
            match known {
                Some(known) => *known = Value::Object(attribute),
                None => kept.push(Value::Object(attribute)),
            }
        }
        merge(product, body, self.clock.shown());
        product.insert("productAttributes".into(), kept.into());
        Ok(shown(product))
    }

    /// Archives a product, as people do in Paid. Returns true if it is there and was not archived.
    pub(super) fn archive_product(&mut self, id: &str) -> bool {
        self.set_archived(id, true)
    }

    /// Undoes that. Returns true if it is there and was archived.
    pub(super) fn restore_product(&mut self, id: &str) -> bool {
        self.set_archived(id, false)
    }

    fn set_archived(&mut self, id: &str, archived: bool) -> bool {
        let now = self.clock.shown();
        let Some(product) = self.products.find_mut("id", id) else { return false };
        if product["archivedAt"].is_null() != archived {
            return false;
        }
        let at = if archived { now.clone() } else { Value::Null };
        merge(product, &json!({ "archivedAt": at }), now);
        true
    }

    /// The prices of a product, or of one of its plans.
    pub(super) fn product_prices(&self, id: &str, plan: Option<&str>) -> Vec<(Price, Vec<Benefit>)> {
        let plan = plan.and_then(|plan| self.plans.find(plan));
        self.products.find("id", id).map(|product| attributes::prices(product, plan)).unwrap_or_default()
    }
}

fn without_attributes(product: &JsonObject) -> JsonObject {
    let mut product = product.clone();
    product.remove("productAttributes");
    product
}

/// A product as the API shows it.
fn shown(product: &JsonObject) -> Value {
    let mut product = Value::Object(product.clone());
    for attribute in product["productAttributes"].as_array_mut().into_iter().flatten() {
        attribute["pricing"] = attributes::shown_pricing(&attribute["pricing"]);
        attribute["creditBenefits"] = attributes::shown_benefits(attribute);
    }
    product
}
