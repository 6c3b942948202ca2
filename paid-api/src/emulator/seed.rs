//! What an account begins with: products with their prices, plans, customers, contacts and orders, as one object.

use axum::http::{Method, Uri};
use serde_json::{Value, json};

use super::attributes;
use super::journal::{Entry, raw};
use super::server::check;
use super::store::Store;
use crate::JsonObject;

/// What is seeded, in this order.
const PARTS: [&str; 5] = ["products", "plans", "customers", "contacts", "orders"];

impl Store {
    /// Creates what a seed names. Each object is the body of the request that creates it; where the API takes Paid's id of a
    /// customer or product, `customer` and `product` take your own, and an attribute of a plan takes the name that its product
    /// gives it as `attribute`.
    /// The requests are returned.
    pub(super) fn sow(&mut self, seed: &Value) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::new();
        let seed =
            seed.as_object().ok_or("a seed is an object with products, plans, customers, contacts and orders")?;
        if let Some(other) = seed.keys().find(|key| !PARTS.contains(&key.as_str())) {
            return Err(format!("{other}: a seed has {} only", PARTS.join(", ")));
        }
        for part in PARTS {
            let objects = match seed.get(part) {
                None | Some(Value::Null) => continue,
                Some(Value::Array(objects)) => objects,
                Some(_) => return Err(format!("{part} is a list")),
            };
            for (index, object) in objects.iter().enumerate() {
                let object = object.as_object().cloned();
                let sown = object
                    .ok_or_else(|| "is an object".to_owned())
                    .and_then(|object| self.sow_one(part, object, &mut entries));
                sown.map_err(|problem| format!("{part}[{index}]: {problem}"))?;
            }
        }
        Ok(entries)
    }

    fn sow_one(&mut self, part: &str, mut object: JsonObject, entries: &mut Vec<Entry>) -> Result<(), String> {
        let mut request = |store: &mut Self, method: &str, path: &str, body: Value| {
            let (answer, entry) = store.request(method, path, &body)?;
            entries.push(entry);
            Ok::<_, String>(answer)
        };
        match part {
            "products" => {
                let prices = object.remove("productAttributes");
                let created = request(self, "POST", "/products/", object.into())?;
                if let Some(prices) = prices {
                    request(self, "PUT", &path("products", &created)?, json!({ "productAttributes": prices }))?;
                }
            }
            "orders" => {
                self.name_by_id(&mut object, "customer")?;
                for line in object.get_mut("lines").and_then(Value::as_array_mut).into_iter().flatten() {
                    if let Some(line) = line.as_object_mut() {
                        self.name_by_id(line, "product")?;
                    }
                }
                request(self, "POST", "/orders/", object.into())?;
            }
            "plans" => {
                self.name_by_id(&mut object, "product")?;
                let product = object.get("productId").cloned().unwrap_or_default();
                for attribute in object.get_mut("attributes").and_then(Value::as_array_mut).into_iter().flatten() {
                    if let Some(attribute) = attribute.as_object_mut() {
                        self.name_attribute(attribute, product.as_str().unwrap_or_default())?;
                    }
                }
                request(self, "POST", "/plans/", object.into())?;
            }
            _ => {
                if part == "contacts" {
                    self.name_by_id(&mut object, "customer")?;
                }
                request(self, "POST", &format!("/{part}/"), object.into())?;
            }
        }
        Ok(())
    }

    /// Replaces `customer: acme` by `customerId: cus_…`.
    fn name_by_id(&self, object: &mut JsonObject, what: &str) -> Result<(), String> {
        let Some(named) = object.remove(what) else { return Ok(()) };
        let external = named.as_str().ok_or_else(|| format!("{what} is your own id of it"))?;
        let row = match what {
            "customer" => self.customers.find("externalId", external),
            _ => self.products.find("externalId", external),
        };
        let found = row.and_then(|row| row.get("id"));
        let id = found.cloned().ok_or_else(|| format!("there is no {what} {external:?} before it"))?;
        object.insert(format!("{what}Id"), id);
        Ok(())
    }

    /// Replaces `attribute: Seats` by the id of this attribute of a product.
    fn name_attribute(&self, object: &mut JsonObject, product: &str) -> Result<(), String> {
        let Some(named) = object.remove("attribute") else { return Ok(()) };
        let row = self.products.find("id", product).ok_or("name the product of the plan")?;
        let found = attributes::of(row).iter().find(|attribute| attribute["name"] == named);
        let found = found.ok_or_else(|| format!("the product has no attribute {named}"))?;
        object.insert("productAttributeId".into(), found["productAttributeId"].clone());
        Ok(())
    }

    /// As a client would request it.
    fn request(&mut self, method: &str, path: &str, body: &Value) -> Result<(Value, Entry), String> {
        let text = body.to_string();
        let target = path.parse::<Uri>().map_err(|error| error.to_string())?;
        let named = method.parse::<Method>().map_err(|error| error.to_string())?;
        let (matched, read) = check(&named, &target, text.as_bytes()).map_err(|violation| violation.to_string())?;
        let at = self.clock.now();
        self.clock.hold(Some(at));
        let answer = self.execute(&matched, &read);
        self.clock.hold(None);
        let answer = answer.map_err(|refusal| match refusal.details {
            Some(place) => format!("{place}: {}", refusal.error),
            None => refusal.error,
        })?;
        let (method, target) = (method.to_owned(), path.to_owned());
        let (operation, status) = (Some(matched.operation), matched.status);
        let ids = None;
        Ok((answer, Entry { at, method, target, operation, status, ids, body: raw(text.as_bytes()) }))
    }
}

fn path(of: &str, created: &Value) -> Result<String, String> {
    let id = created["id"].as_str().ok_or("it has no id")?;
    Ok(format!("/{of}/{id}"))
}
