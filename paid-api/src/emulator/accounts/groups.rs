//! Groups of customers. A customer is in one group at most.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::super::table::{Table, given, merge, page, text};
use super::Customers;
use crate::JsonObject;

/// A group shows so many members and no more.
const SHOWN: usize = 500;

#[derive(Debug, Default)]
pub(in crate::emulator) struct Groups {
    table: Table,
    /// The group of a customer, by the customer's id.
    members: BTreeMap<String, String>,
}

impl Groups {
    pub(in crate::emulator) fn list(&self, matched: &Matched) -> Value {
        page(self.table.rows().iter().map(|row| Value::Object(self.summary(row))), matched)
    }

    pub(in crate::emulator) fn create(&mut self, body: &Value, id: String, time: &Value) -> Reply {
        self.check_name(body, None)?;
        let group = json!({
            "id": id,
            "name": body["name"],
            "description": given(body, "description", Value::Null),
            "createdAt": time,
            "updatedAt": time,
        });
        let row = group.as_object().cloned().unwrap_or_default();
        let shown = self.detail(&row, &Customers::default());
        self.table.push(row);
        Ok(shown)
    }

    pub(in crate::emulator) fn get(&self, matched: &Matched, customers: &Customers) -> Reply {
        Ok(self.detail(self.at(matched)?, customers))
    }

    pub(in crate::emulator) fn update(
        &mut self,
        matched: &Matched,
        body: &Value,
        customers: &Customers,
        time: &Value,
    ) -> Reply {
        let id = self.id_at(matched)?;
        self.check_name(body, Some(&id))?;
        if let Some(row) = self.table.find_mut("id", &id) {
            merge(row, body, time.clone());
        }
        self.get(matched, customers)
    }

    pub(in crate::emulator) fn delete(&mut self, matched: &Matched) -> Reply {
        let id = self.id_at(matched)?;
        let before = self.members.len();
        self.members.retain(|_, group| *group != id);
        self.table.remove("id", &id);
        Ok(json!({"deletedGroupId": id, "unboundCustomerCount": before - self.members.len()}))
    }

    /// A member of another group moves.
    pub(in crate::emulator) fn add_members(
        &mut self,
        matched: &Matched,
        body: &Value,
        customers: &Customers,
        time: &Value,
    ) -> Reply {
        let change = |groups: &mut Self, group: &str, customer: String| {
            groups.members.insert(customer, group.to_owned()).as_deref() != Some(group)
        };
        let (added, skipped) = self.change_members(matched, (body, customers), time, change)?;
        Ok(json!({"added": added, "skipped": skipped.len(), "skippedIds": skipped}))
    }

    pub(in crate::emulator) fn remove_members(
        &mut self,
        matched: &Matched,
        body: &Value,
        customers: &Customers,
        time: &Value,
    ) -> Reply {
        let change = |groups: &mut Self, group: &str, customer: String| {
            groups.holds(group, &customer) && groups.members.remove(&customer).is_some()
        };
        let (removed, skipped) = self.change_members(matched, (body, customers), time, change)?;
        Ok(json!({"removed": removed, "skipped": skipped.len(), "skippedIds": skipped}))
    }

    /// Changes each customer of a list. Returns how many changed, and the ids that did not, or are nobody's.
    fn change_members(
        &mut self,
        matched: &Matched,
        (body, customers): (&Value, &Customers),
        time: &Value,
        change: impl Fn(&mut Self, &str, String) -> bool,
    ) -> Result<(usize, Vec<String>), Refusal> {
        let group = self.id_at(matched)?;
        let (mut changed, mut skipped) = (0, Vec::new());
        for (external, customer) in named(body, customers) {
            if customer.is_some_and(|customer| change(self, &group, customer)) {
                changed += 1;
            } else {
                skipped.push(external);
            }
        }
        self.touch(&group, time);
        Ok((changed, skipped))
    }

    /// The list is all members: others leave, and an id of nobody is skipped.
    pub(in crate::emulator) fn set_members(
        &mut self,
        matched: &Matched,
        body: &Value,
        customers: &Customers,
        time: &Value,
    ) -> Reply {
        let group = self.id_at(matched)?;
        let all: Vec<_> = named(body, customers).collect();
        let skipped: Vec<_> =
            all.iter().filter(|(_, customer)| customer.is_none()).map(|(external, _)| external.clone()).collect();
        let wanted: std::collections::BTreeSet<_> = all.into_iter().filter_map(|(_, customer)| customer).collect();
        let before = self.members.len();
        self.members.retain(|customer, of| *of != group || wanted.contains(customer));
        let removed = before - self.members.len();
        let mut added = 0;
        for customer in wanted {
            if self.members.insert(customer, group.clone()).as_ref() != Some(&group) {
                added += 1;
            }
        }
        self.touch(&group, time);
        Ok(json!({"added": added, "removed": removed, "skipped": skipped.len(), "skippedIds": skipped}))
    }

    /// The id of a customer's group.
    pub(in crate::emulator) fn of(&self, customer: &str) -> Option<&str> {
        self.members.get(customer).map(String::as_str)
    }

    /// Forgets a customer that is deleted.
    pub(in crate::emulator) fn forget(&mut self, customer: &str) {
        self.members.remove(customer);
    }

    fn at(&self, matched: &Matched) -> Result<&JsonObject, Refusal> {
        let id = matched.path.get("id").map(String::as_str).unwrap_or_default();
        self.table.find("id", id).ok_or_else(|| Refusal::not_found("customer group", id).at("path.id"))
    }

    fn id_at(&self, matched: &Matched) -> Result<String, Refusal> {
        self.at(matched).map(|row| text(row, "id").unwrap_or_default().to_owned())
    }

    fn check_name(&self, body: &Value, own: Option<&str>) -> Result<(), Refusal> {
        let Some(name) = body["name"].as_str() else { return Ok(()) };
        if name.trim().is_empty() {
            return Err(Refusal::invalid("body.name", "is empty"));
        }
        match self.table.find("name", name).filter(|other| text(other, "id") != own) {
            Some(_) => {
                Err(Refusal::conflict("conflict", "body.name", format!("another customer group is named {name:?}")))
            }
            None => Ok(()),
        }
    }

    fn holds(&self, group: &str, customer: &str) -> bool {
        self.members.get(customer).is_some_and(|of| of == group)
    }

    fn touch(&mut self, group: &str, time: &Value) {
        if let Some(row) = self.table.find_mut("id", group) {
            row.insert("updatedAt".into(), time.clone());
        }
    }

    fn summary(&self, row: &JsonObject) -> JsonObject {
        let id = text(row, "id").unwrap_or_default();
        let mut shown = row.clone();
        let count = self.members.values().filter(|group| *group == id).count();
        shown.insert("customerCount".into(), count.into());
        shown
    }

    fn detail(&self, row: &JsonObject, customers: &Customers) -> Value {
        let id = text(row, "id").unwrap_or_default();
        let of_group = |row: &&JsonObject| text(row, "id").is_some_and(|customer| self.holds(id, customer));
        let members = customers.rows().iter().filter(of_group).take(SHOWN);
        let members: Value = members
            .map(|row| json!({"id": row.get("id"), "externalId": row.get("externalId"), "name": row.get("name")}))
            .collect();
        let mut shown = self.summary(row);
        shown.insert("customers".into(), members);
        Value::Object(shown)
    }
}

/// Your own ids in a request, each with the id of its customer.
fn named(body: &Value, customers: &Customers) -> impl Iterator<Item = (String, Option<String>)> {
    let ids = body["customerIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    ids.map(|external| {
        let customer = customers.find("externalId", external).and_then(|row| text(row, "id"));
        (external.to_owned(), customer.map(str::to_owned))
    })
}
