//! Checkouts: created through the API; completed by the emulator's user, or expired by it or by time.

mod purchase;

use serde_json::{Value, json};

use super::attributes;
use super::contract::Matched;
use super::plans;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::table::{addressed, given, merge, page, passes, text};
use crate::{JsonObject, Timestamp};

/// The properties that a single checkout shows and a list does not.
const DETAILS: [&str; 2] = ["orderId", "selectedProduct"];

impl Store {
    pub(super) fn create_checkout(&mut self, body: &Value) -> Reply {
        self.check_offer(body)?;
        let expires = body["expiresAt"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        if expires.is_some_and(|time| time <= self.clock.now()) {
            return Err(Refusal::invalid("body.expiresAt", "is past"));
        }
        let known = self.checkout_customer(body)?;
        let of_customer = |key: &str| known.as_ref().and_then(|row| row.get(key)).cloned().unwrap_or_default();
        let currencies = self.offered_currencies(body, of_customer("id").as_str())?;
        // What the request names comes back, also if it is an alias.
        let external = given(body, "externalCustomerId", of_customer("externalId"));
        let id = self.id("chk");
        let time = self.clock.shown();
        let checkout = crate::object!({
            "id": id,
            "url": format!("https://checkout.invalid/{id}"),
            "status": "active",
            "products": body["products"],
            "successUrl": body["successUrl"],
            "cancelUrl": given(body, "cancelUrl", Value::Null),
            "allowedCurrencies": currencies,
            "collectAddress": given(body, "collectAddress", true),
            "collectPhone": given(body, "collectPhone", false),
            "customCards": given(body, "customCards", json!([])),
            "customerId": of_customer("id"),
            "externalCustomerId": external,
            "expiresAt": given(body, "expiresAt", Value::Null),
            "metadata": given(body, "metadata", Value::Null),
            "singleUse": given(body, "singleUse", true),
            "orderId": null,
            "selectedProduct": null,
            "createdAt": time,
            "updatedAt": time,
        });
        self.checkouts.push(checkout);
        self.checkout_event("billing-checkout-created", &id);
        self.checkout(&id).map(|row| Value::Object(listed(row)))
    }

    /// Every product and plan that is offered can be bought.
    fn check_offer(&self, body: &Value) -> Result<(), Refusal> {
        let products = body["products"].as_array().map(Vec::as_slice).unwrap_or_default();
        if products.is_empty() {
            return Err(Refusal::invalid("body.products", "a checkout sells at least one product"));
        }
        for (index, product) in products.iter().enumerate() {
            let place = format!("body.products.{index}");
            let id = product["id"].as_str().unwrap_or_default();
            self.products.find("id", id).ok_or_else(|| Refusal::not_found("product", id).at(format!("{place}.id")))?;
            for (at, plan) in product["plans"].as_array().into_iter().flatten().enumerate() {
                let place = format!("{place}.plans.{at}.id");
                self.sellable_plan(plan["id"].as_str().unwrap_or_default(), id, &place)?;
            }
        }
        Ok(())
    }

    /// A plan of a product that can be bought.
    fn sellable_plan(&self, id: &str, product: &str, place: &str) -> Result<&JsonObject, Refusal> {
        let plan = self.plans.find(id).ok_or_else(|| Refusal::not_found("plan", id).at(place))?;
        if text(plan, "productId") != Some(product) {
            return Err(Refusal::invalid(place, "is a plan of another product"));
        }
        match plans::is_active(plan) {
            true => Ok(plan),
            false => Err(Refusal::invalid(place, "the plan is archived")),
        }
    }

    /// The customer that a checkout is for, if it names one that is there. An external id of nobody creates the customer when
    /// the checkout is completed.
    fn checkout_customer(&self, body: &Value) -> Result<Option<JsonObject>, Refusal> {
        let external = body["externalCustomerId"].as_str();
        let is_new = external.is_some_and(|id| self.customers.find("externalId", id).is_none());
        match (is_new, external, body["customerId"].as_str()) {
            (true, Some(""), _) => Err(Refusal::invalid("body.externalCustomerId", "is empty")),
            (true, _, None) => Ok(None),
            _ => self.customers.named(body).map(Option::<&JsonObject>::cloned),
        }
    }

    /// The currencies in which a checkout sells: the one that it names, or those of everything that it offers.
    fn offered_currencies(&self, body: &Value, customer: Option<&str>) -> Result<Vec<String>, Refusal> {
        let mut offered = Vec::<String>::new();
        for product in body["products"].as_array().into_iter().flatten() {
            for plan in self.choices(product) {
                let known = self.currencies_of(product["id"].as_str().unwrap_or_default(), plan.as_deref());
                match body["currency"].as_str() {
                    Some(code) if !known.is_empty() && !known.iter().any(|own| own.eq_ignore_ascii_case(code)) => {
                        let error = format!("something that the checkout offers has no price in {code}");
                        return Err(Refusal::invalid("body.currency", error));
                    }
                    _ => offered.extend(known.into_iter().filter(|code| !offered.contains(code)).collect::<Vec<_>>()),
                }
            }
        }
        let subscribed = customer.and_then(|customer| self.subscribed_currency(customer));
        match (body["currency"].as_str().map(str::to_uppercase), subscribed) {
            (Some(code), Some(own)) if !code.eq_ignore_ascii_case(own) => {
                Err(Refusal::invalid("body.currency", format!("the customer has an active order in {own}")))
            }
            (Some(code), _) => Ok(vec![code]),
            _ if offered.is_empty() => Ok(vec!["USD".to_owned()]),
            _ => Ok(offered),
        }
    }

    /// What can be chosen of an offered product: its plans, or the product itself if it has none.
    fn choices(&self, product: &Value) -> Vec<Option<String>> {
        let id = product["id"].as_str().unwrap_or_default();
        let named = product["plans"].as_array().filter(|plans| !plans.is_empty());
        let plans: Vec<_> = match named {
            Some(plans) => plans.iter().filter_map(|plan| plan["id"].as_str()).map(str::to_owned).collect(),
            None => self.plans.offered(id).filter_map(|plan| text(plan, "id")).map(str::to_owned).collect(),
        };
        if plans.is_empty() { vec![None] } else { plans.into_iter().map(Some).collect() }
    }

    fn currencies_of(&self, product: &str, plan: Option<&str>) -> Vec<String> {
        let Some(product) = self.products.find("id", product) else { return Vec::new() };
        match plan.and_then(|plan| self.plans.find(plan)) {
            Some(plan) => plans::currencies(plan, product),
            None => attributes::currencies(&attributes::prices(product, None)),
        }
    }

    /// The currency of a customer's active order: it does not change.
    fn subscribed_currency(&self, customer: &str) -> Option<&str> {
        let is_meant = |row: &&JsonObject| text(row, "customerId") == Some(customer) && self.state_of(row) == "active";
        self.orders.rows().iter().find(is_meant).and_then(|row| text(row, "currency"))
    }

    fn checkout(&self, id: &str) -> Result<&JsonObject, Refusal> {
        self.checkouts.find("id", id).ok_or_else(|| Refusal::not_found("checkout", id))
    }

    fn checkout_event(&mut self, event: &str, id: &str) {
        if let Ok(row) = self.checkout(id) {
            let data = crate::object!({ "checkout": row.clone() });
            self.webhooks.send(event, data, false);
        }
    }

    pub(super) fn list_checkouts(&self, matched: &Matched) -> Value {
        let rows = self.checkouts.rows().iter().filter(|row| passes(row, matched));
        page(rows.map(|row| Value::Object(listed(row))), matched)
    }

    pub(super) fn get_checkout(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.checkout(id).cloned().map(Value::Object)
    }

    pub(super) fn archive_checkout(&mut self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.checkout(id)?;
        let now = self.clock.now();
        self.end_checkout(id, "archived", now);
        Ok(json!({}))
    }

    pub(super) fn expire_checkout(&mut self, id: &str) -> bool {
        let now = self.clock.now();
        self.end_checkout(id, "expired", now)
    }

    /// Lets those expire whose time has come.
    pub(super) fn expire_checkouts(&mut self) {
        let now = self.clock.now();
        let due = self.checkouts.rows().iter().filter_map(|row| {
            let expires: Timestamp = text(row, "expiresAt")?.parse().ok()?;
            (expires <= now && is_open(row)).then(|| Some((text(row, "id")?.to_owned(), expires)))?
        });
        for (id, expires) in due.collect::<Vec<_>>() {
            self.end_checkout(&id, "expired", expires);
        }
    }

    /// Ends a checkout and queues the webhook. Returns true if it was open.
    fn end_checkout(&mut self, id: &str, status: &str, at: Timestamp) -> bool {
        let Some(row) = self.checkouts.find_mut("id", id).filter(|row| is_open(row)) else { return false };
        merge(row, &json!({ "status": status }), at.to_string().into());
        if status != "archived" {
            self.checkout_event(&format!("billing-checkout-{status}"), id);
        }
        true
    }
}

fn is_open(checkout: &JsonObject) -> bool {
    text(checkout, "status") == Some("active")
}

fn listed(row: &JsonObject) -> JsonObject {
    let mut row = row.clone();
    row.retain(|key, _| !DETAILS.contains(&key.as_str()));
    row
}
