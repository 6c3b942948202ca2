//! Customers and contacts.

use serde_json::{Value, json};

use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use super::store::Store;
use super::table::{addressed, given, merge, page, passes, text};
use crate::JsonObject;

impl Store {
    pub(super) fn list_customers(&self, matched: &Matched) -> Value {
        let mut filters = matched.clone();
        if let Some(external) = filters.query.remove("externalId") {
            // An alias names its customer here, too.
            let found = self.customers.find("externalId", &external).and_then(|row| text(row, "id"));
            filters.query.insert("id".into(), found.unwrap_or_default().to_owned());
        }
        let rows = self.customers.rows().iter().filter(|row| passes(row, &filters));
        page(rows.cloned().map(Value::Object), matched)
    }

    /// Idempotent by external id: a known one returns the customer that has it.
    pub(super) fn create_customer(&mut self, body: &Value) -> Reply {
        if let Some(known) = body["externalId"].as_str().and_then(|id| self.customers.find("externalId", id)) {
            return Ok(Value::Object(known.clone()));
        }
        let id = self.id("cus");
        let time = self.clock.shown();
        let customer = json!({
            "id": id,
            "name": body["name"],
            "legalName": given(body, "legalName", Value::Null),
            "email": given(body, "email", ""),
            "phone": given(body, "phone", ""),
            "website": given(body, "website", ""),
            "externalId": given(body, "externalId", Value::Null),
            "billingAddress": given(body, "billingAddress", json!({})),
            "creationState": given(body, "creationState", "active"),
            "status": "active",
            "churnDate": null,
            "vatNumber": given(body, "vatNumber", Value::Null),
            "metadata": given(body, "metadata", Value::Null),
            "defaultCurrency": given(body, "defaultCurrency", "USD"),
            "connections": {"stripe": {"customerId": ""}},
            "createdAt": time,
            "updatedAt": time,
        });
        if let Value::Object(row) = &customer {
            self.customers.push(row.clone());
        }
        self.units.root_of_new(&id, body["externalId"].as_str(), &time);
        Ok(customer)
    }

    pub(super) fn get_customer(&self, matched: &Matched) -> Reply {
        let (key, id) = addressed(matched);
        let found = self.customers.find(key, id).ok_or_else(|| Refusal::not_found("customer", id))?;
        Ok(Value::Object(found.clone()))
    }

    pub(super) fn update_customer(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (key, id) = addressed(matched);
        self.customers.check_free(key, id, body, "customer")?;
        let customer = self.customers.find_mut(key, id).ok_or_else(|| Refusal::not_found("customer", id))?;
        merge(customer, body, self.clock.shown());
        let churned = customer.get("churnDate").is_some_and(|date| !date.is_null());
        customer.insert("status".into(), if churned { "churned" } else { "active" }.into());
        Ok(Value::Object(customer.clone()))
    }

    pub(super) fn delete_customer(&mut self, matched: &Matched) -> Reply {
        let (key, id) = addressed(matched);
        let customer = self.customers.find(key, id).ok_or_else(|| Refusal::not_found("customer", id))?;
        let own = text(customer, "id").unwrap_or_default().to_owned();
        if self.orders.rows().iter().any(|order| text(order, "customerId") == Some(&own)) {
            return Err(Refusal::invalid("path.id", "the customer has orders; delete them first"));
        }
        if self.payments.has_any_of(&own) {
            return Err(Refusal::invalid("path.id", "the customer has payments"));
        }
        let is_open =
            |row: &&JsonObject| text(row, "customerId") == Some(&own) && text(row, "status") == Some("active");
        if let Some(checkout) = self.checkouts.rows().iter().find(is_open).and_then(|row| text(row, "id")) {
            let error = format!("the customer has an open checkout, {checkout}; archive it first");
            return Err(Refusal::invalid("path.id", error));
        }
        self.customers.remove("id", &own);
        self.groups.forget(&own);
        self.users.forget(&own);
        self.units.forget(&own);
        self.funding.forget(&own);
        self.payment_methods.forget(&own);
        while self.contacts.remove("customerId", &own).is_some() {}
        Ok(json!({}))
    }

    pub(super) fn list_contacts(&self, matched: &Matched) -> Value {
        page(self.contacts.rows().iter().cloned().map(Value::Object), matched)
    }

    pub(super) fn create_contact(&mut self, body: &Value) -> Reply {
        let customer = body["customerId"].as_str().unwrap_or_default();
        if self.customers.find("id", customer).is_none() {
            return Err(Refusal::not_found("customer", customer));
        }
        self.contacts.check_free("id", "", body, "contact")?;
        let id = self.id("con");
        let time = self.clock.shown();
        let mut contact = json!({
            "id": id,
            "customerId": customer,
            "firstName": given(body, "firstName", ""),
            "lastName": given(body, "lastName", ""),
            "email": body["email"],
            "phone": given(body, "phone", Value::Null),
            "externalId": given(body, "externalId", Value::Null),
            "roles": given(body, "roles", json!([])),
            "createdAt": time,
            "updatedAt": time,
        });
        if let Some(address) = body.get("billingAddress") {
            contact["billingAddress"] = address.clone();
        }
        if let Value::Object(row) = &contact {
            self.contacts.push(row.clone());
        }
        Ok(contact)
    }

    pub(super) fn get_contact(&self, matched: &Matched) -> Reply {
        let (key, id) = addressed(matched);
        let found = self.contacts.find(key, id).ok_or_else(|| Refusal::not_found("contact", id))?;
        Ok(Value::Object(found.clone()))
    }

    pub(super) fn update_contact(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (key, id) = addressed(matched);
        if let Some(customer) = body["customerId"].as_str()
            && self.customers.find("id", customer).is_none()
        {
            return Err(Refusal::not_found("customer", customer));
        }
        self.contacts.check_free(key, id, body, "contact")?;
        let contact = self.contacts.find_mut(key, id).ok_or_else(|| Refusal::not_found("contact", id))?;
        merge(contact, body, self.clock.shown());
        Ok(Value::Object(contact.clone()))
    }

    pub(super) fn delete_contact(&mut self, matched: &Matched) -> Reply {
        let (key, id) = addressed(matched);
        self.contacts.remove(key, id).ok_or_else(|| Refusal::not_found("contact", id))?;
        Ok(json!({}))
    }
}
