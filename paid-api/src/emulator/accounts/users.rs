//! The users of customers. A seat is assigned to a user.

use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::super::table::{Table, given, merge, text};
use super::Customers;
use crate::JsonObject;

#[derive(Debug, Default)]
pub(in crate::emulator) struct Users(Table);

impl Users {
    /// Creates the user, or changes what the request has. `id` is the id of a new one.
    pub(in crate::emulator) fn upsert(
        &mut self,
        matched: &Matched,
        body: &Value,
        customers: &Customers,
        id: String,
        time: &Value,
    ) -> Reply {
        let path = |name: &str| matched.path.get(name).map(String::as_str).unwrap_or_default();
        let (named, external) = (path("customerExternalId"), path("userExternalId"));
        let unknown = || Refusal::not_found("customer", named).at("path.customerExternalId");
        let customer = customers.find("externalId", named).ok_or_else(unknown)?;
        let customer_id = text(customer, "id").unwrap_or_default().to_owned();
        let created = self.find(&customer_id, external).is_none();
        if created {
            self.0.push(crate::object!({
                "id": id,
                "customerId": customer_id,
                "externalId": external,
                "name": null,
                "email": null,
                "status": "active",
                "metadata": given(body, "metadata", Value::Null),
                "createdAt": time,
                "updatedAt": time,
            }));
        }
        let of = |row: &JsonObject| text(row, "customerId") == Some(&customer_id);
        let row = self.0.find_mut_where(|row| of(row) && text(row, "externalId") == Some(external));
        let row = row.ok_or_else(|| Refusal::not_found("user", external))?;
        merge(row, body, time.clone());
        let mut shown = Value::Object(row.clone());
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("customerId");
        }
        shown["customerExternalId"] =
            customer.get("externalId").filter(|id| id.is_string()).cloned().unwrap_or(json!(named));
        shown["created"] = created.into();
        Ok(shown)
    }

    /// A user of a customer, by your own id of it.
    pub(in crate::emulator) fn find(&self, customer: &str, external: &str) -> Option<&JsonObject> {
        let mut rows = self.0.rows().iter();
        rows.find(|row| text(row, "customerId") == Some(customer) && text(row, "externalId") == Some(external))
    }

    /// The users of all customers.
    pub(in crate::emulator) fn rows(&self) -> &[JsonObject] {
        self.0.rows()
    }

    /// Forgets the users of a customer that is deleted.
    pub(in crate::emulator) fn forget(&mut self, customer: &str) {
        while self.0.remove("customerId", customer).is_some() {}
    }
}
