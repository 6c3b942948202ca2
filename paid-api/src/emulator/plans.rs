//! Plans: a product at prices of their own. Checkouts sell them.

mod upgrade_path;

use iso_currency::Currency;
use serde_json::{Value, json};

use super::attributes;
use super::billing::Price;
use super::contract::Matched;
use super::credits::{Benefit, Credits};
use super::refusal::{Refusal, Reply};
use super::table::{Table, addressed, given, merge, page, text};
use crate::JsonObject;

/// The plans of all products.
#[derive(Debug, Default)]
pub(super) struct Plans(Table);

impl Plans {
    pub(super) fn list(&self, matched: &Matched, products: &Table) -> Reply {
        let product = wanted_product(products, matched)?;
        let with_archived = matched.query.get("includeArchived").is_none_or(|with| with != "false");
        let rows = self.0.rows().iter().filter(|row| {
            product.is_none_or(|product| text(row, "productId") == Some(product)) && (with_archived || is_active(row))
        });
        Ok(page(rows.map(|row| shown(row, products)), matched))
    }

    pub(super) fn get(&self, matched: &Matched, products: &Table) -> Reply {
        self.at(matched).map(|row| shown(row, products))
    }

    pub(super) fn create(
        &mut self,
        body: &Value,
        (products, credits): (&Table, &Credits),
        id: String,
        time: &Value,
    ) -> Reply {
        let product = product_of(body["productId"].as_str().unwrap_or_default(), products)?;
        self.0.check_free("id", "", body, "plan")?;
        let mut row = crate::object!({
            "id": id,
            "productId": product.get("id"),
            "externalId": given(body, "externalId", Value::Null),
            "name": given(body, "name", Value::Null),
            "isDefault": given(body, "isDefault", false),
            "status": "active",
            "archivedAt": null,
            "upgradePathOrder": null,
            "createdAt": time,
            "updatedAt": time,
        });
        price(&mut row, body, product, credits)?;
        self.0.push(row);
        self.only_default(&id);
        self.shown(&id, products)
    }

    /// `attributes` replace all that the plan has.
    pub(super) fn update(
        &mut self,
        matched: &Matched,
        body: &Value,
        (products, credits): (&Table, &Credits),
        time: &Value,
    ) -> Reply {
        let known = self.at(matched)?;
        let id = text(known, "id").unwrap_or_default().to_owned();
        self.0.check_free("id", &id, body, "plan")?;
        let mut row = known.clone();
        price(&mut row, body, product_of(text(known, "productId").unwrap_or_default(), products)?, credits)?;
        let properties = ["externalId", "isDefault", "name", "status"].into_iter();
        let update: JsonObject = properties.filter_map(|key| Some((key.to_owned(), body.get(key)?.clone()))).collect();
        merge(&mut row, &Value::Object(update), time.clone());
        let archived = match row.get("archivedAt").filter(|_| !is_active(&row)) {
            Some(Value::Null) => time.clone(),
            known => known.cloned().unwrap_or_default(),
        };
        row.insert("archivedAt".into(), archived);
        if let Some(known) = self.0.find_mut("id", &id) {
            *known = row;
        }
        self.only_default(&id);
        self.shown(&id, products)
    }

    /// A plan by Paid's id.
    pub(super) fn find(&self, id: &str) -> Option<&JsonObject> {
        self.0.find("id", id)
    }

    /// The plans of a product that can be bought, its default first.
    pub(super) fn offered<'a>(&'a self, product: &'a str) -> impl Iterator<Item = &'a JsonObject> {
        let is_default = |row: &&JsonObject| row.get("isDefault") == Some(&Value::Bool(true));
        let of = move || self.0.rows().iter().filter(move |row| text(row, "productId") == Some(product));
        let active = move || of().filter(|row| is_active(row));
        active().filter(is_default).chain(active().filter(move |row| !is_default(row)))
    }

    fn at(&self, matched: &Matched) -> Result<&JsonObject, Refusal> {
        let (key, id) = addressed(matched);
        self.0.find(key, id).ok_or_else(|| Refusal::not_found("plan", id).at(format!("path.{key}")))
    }

    fn shown(&self, id: &str, products: &Table) -> Reply {
        self.find(id).map(|row| shown(row, products)).ok_or_else(|| Refusal::not_found("plan", id))
    }

    /// If this plan is the default of its product, no other is.
    fn only_default(&mut self, id: &str) {
        let Some(row) = self.find(id).filter(|row| row.get("isDefault") == Some(&Value::Bool(true))) else { return };
        let product = row.get("productId").cloned();
        let is_other = |row: &JsonObject| {
            row.get("productId") == product.as_ref()
                && row.get("isDefault") == Some(&Value::Bool(true))
                && text(row, "id") != Some(id)
        };
        while let Some(other) = self.0.find_mut_where(is_other) {
            other.insert("isDefault".into(), false.into());
        }
    }
}

/// Returns true if a plan can be bought.
pub(super) fn is_active(plan: &JsonObject) -> bool {
    text(plan, "status") == Some("active")
}

/// A product by a query's `productId` or `externalProductId`, if the query has one.
fn wanted_product<'a>(products: &'a Table, matched: &Matched) -> Result<Option<&'a str>, Refusal> {
    let mut found = None;
    for (name, key) in [("productId", "id"), ("externalProductId", "externalId")] {
        let Some(id) = matched.query.get(name) else { continue };
        let product = products.find(key, id).and_then(|row| text(row, "id"));
        let product = product.ok_or_else(|| Refusal::not_found("product", id).at(format!("query.{name}")))?;
        if found.replace(product).is_some_and(|other| other != product) {
            return Err(Refusal::invalid("query.externalProductId", "names another product than productId"));
        }
    }
    Ok(found)
}

fn product_of<'a>(id: &str, products: &'a Table) -> Result<&'a JsonObject, Refusal> {
    products.find("id", id).ok_or_else(|| Refusal::not_found("product", id).at("body.productId"))
}

/// Sets the prices and the currencies of a plan as the request has them.
fn price(plan: &mut JsonObject, body: &Value, product: &JsonObject, credits: &Credits) -> Result<(), Refusal> {
    if let Some(attributes) = body["attributes"].as_array() {
        let mut own = Vec::<Value>::new();
        for (index, attribute) in attributes.iter().enumerate() {
            let place = format!("body.attributes.{index}");
            attributes::check("", attribute, credits, &place)?;
            let id = attribute["productAttributeId"].as_str().unwrap_or_default();
            let unknown =
                || Refusal::not_found("attribute of the product", id).at(format!("{place}.productAttributeId"));
            attributes::find(product, id).ok_or_else(unknown)?;
            if own.iter().any(|other| other["productAttributeId"] == *id) {
                return Err(Refusal::invalid(&format!("{place}.productAttributeId"), "is there twice"));
            }
            own.push(json!({"productAttributeId": id, "pricing": attribute["pricing"], "creditBenefits": attribute["creditBenefits"]}));
        }
        plan.insert("attributes".into(), own.into());
    }
    if body.get("attributes").is_none() && body.get("supportedCurrencies").is_none() {
        return Ok(());
    }
    let prices = attributes::prices(product, Some(plan));
    let wanted = body.get("supportedCurrencies").or_else(|| plan.get("currencies")).and_then(Value::as_array).cloned();
    for (index, code) in wanted.iter().flatten().enumerate() {
        check_currency(code.as_str().unwrap_or_default(), &prices, &format!("body.supportedCurrencies.{index}"))?;
    }
    // What a request named stays; otherwise it is what the prices have now.
    plan.extend(wanted.map(|wanted| ("currencies".to_owned(), wanted.into())));
    Ok(())
}

fn check_currency(code: &str, prices: &[(Price, Vec<Benefit>)], place: &str) -> Result<(), Refusal> {
    if Currency::from_code(&code.to_uppercase()).is_none() {
        return Err(Refusal::invalid(place, format!("{code:?} is no currency of ISO 4217")));
    }
    match prices.iter().find(|(price, _)| price.point(code).is_none()) {
        Some((price, _)) => Err(Refusal::invalid(place, format!("{:?} has no price in {code}", price.name))),
        None => Ok(()),
    }
}

/// The currencies in which a plan can be bought.
pub(super) fn currencies(plan: &JsonObject, product: &JsonObject) -> Vec<String> {
    match plan.get("currencies").and_then(Value::as_array) {
        Some(own) => own.iter().filter_map(Value::as_str).map(str::to_uppercase).collect(),
        None => attributes::currencies(&attributes::prices(product, Some(plan))),
    }
}

/// A plan as checkouts refer to it.
pub(super) fn reference(row: &JsonObject) -> Value {
    json!({"id": row.get("id"), "externalId": row.get("externalId"), "name": row.get("name")})
}

fn shown(plan: &JsonObject, products: &Table) -> Value {
    let mut shown = plan.clone();
    shown.remove("currencies");
    let product = text(plan, "productId").and_then(|id| products.find("id", id));
    let own = plan.get("attributes").and_then(Value::as_array).into_iter().flatten();
    let attributes: Value = own.filter_map(|own| shown_attribute(own, product?)).collect();
    shown.insert("attributes".into(), attributes);
    shown.insert(
        "supportedCurrencies".into(),
        json!(product.map(|product| currencies(plan, product)).unwrap_or_default()),
    );
    Value::Object(shown)
}

/// With the name and the state that the product's attribute has.
fn shown_attribute(own: &Value, product: &JsonObject) -> Option<Value> {
    let attribute = attributes::find(product, own["productAttributeId"].as_str()?)?;
    let shown = attributes::shown_pricing(&own["pricing"]);
    let kind = own["pricing"]["pricingType"].as_str().unwrap_or_default();
    let models = [("Graduated", "graduatedPricing"), ("Volume", "volumePricing")];
    let model = models.iter().find(|(end, _)| kind.ends_with(end)).map_or("perUnit", |(_, model)| model);
    let pricing = json!({
        "pricingType": shown["pricingType"],
        "chargeType": shown["chargeType"],
        "pricingModel": model,
        "pricePoints": shown["pricePoints"],
    });
    // Here they have no properties that are null, and no overage.
    let mut benefits = attributes::shown_benefits(own);
    for benefit in benefits.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        benefit.retain(|key, value| !value.is_null() && key != "overageUnitPrice");
    }
    Some(json!({
        "productAttributeId": own["productAttributeId"],
        "name": attribute["name"],
        "active": attribute["active"],
        "pricing": pricing,
        "creditBenefits": benefits,
    }))
}
