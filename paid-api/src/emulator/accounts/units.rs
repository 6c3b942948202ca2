//! Units of a customer: a tree, whose root stands for the customer. Signals name the unit that their spend counts toward.

use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::super::table::{Table, given, merge, page, passes, text};
use super::Customers;
use crate::JsonObject;

/// The most levels of a tree, with the root.
const LEVELS: usize = 10;
/// The longest key of a unit, in characters.
const LONGEST: usize = 255;

/// The units of all customers, also deleted ones, in the order in which they were created.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Units(Table);

impl Units {
    /// The root that a customer with an external id has from its start, if that id can be a key.
    pub(in crate::emulator) fn root_of_new(&mut self, customer: &str, external: Option<&str>, time: &Value) {
        if let Some(key) = external.filter(|key| problem_of_key(key).is_none()) {
            self.0.push(unit(customer, &json!({"externalId": key}), time));
        }
    }

    pub(in crate::emulator) fn list(&self, matched: &Matched, customers: &Customers) -> Reply {
        let customer = customers.id_at(matched)?;
        let mut filters = matched.clone();
        filters.query.entry("status".into()).or_insert_with(|| "ACTIVE".into());
        let rows = self.of(&customer).filter(|row| passes(row, &filters));
        Ok(page(rows.map(shown), matched))
    }

    pub(in crate::emulator) fn create(
        &mut self,
        matched: &Matched,
        body: &Value,
        customers: &Customers,
        time: &Value,
    ) -> Reply {
        let customer = customers.id_at(matched)?;
        let key = body["externalId"].as_str().unwrap_or_default();
        if let Some(problem) = problem_of_key(key) {
            return Err(Refusal::invalid("body.externalId", problem));
        }
        if self.find(&customer, key).is_some() {
            let error = format!("the customer has or had a unit {key:?}");
            return Err(Refusal::conflict("CUSTOMER_UNIT_EXISTS", "body.externalId", error));
        }
        match body["parentExternalId"].as_str() {
            Some(parent) => {
                if self.level_below(&customer, parent)? > LEVELS {
                    return Err(too_deep());
                }
            }
            None => self.check_no_root(&customer)?,
        }
        let made = unit(&customer, body, time);
        let answer = shown(&made);
        self.0.push(made);
        Ok(answer)
    }

    pub(in crate::emulator) fn get(&self, matched: &Matched, customers: &Customers) -> Reply {
        let customer = customers.id_at(matched)?;
        self.at(&customer, matched).map(shown)
    }

    pub(in crate::emulator) fn update(
        &mut self,
        matched: &Matched,
        body: &Value,
        customers: &Customers,
        time: &Value,
    ) -> Reply {
        let customer = customers.id_at(matched)?;
        let row = self.at(&customer, matched)?;
        if text(row, "status") == Some("DELETED") {
            return Err(deleted("path.externalCustomerUnitId"));
        }
        let key = text(row, "externalId").unwrap_or_default().to_owned();
        if let Some(parent) = body["parentExternalId"].as_str() {
            self.check_move(&customer, &key, parent)?;
        }
        let is_it = |row: &JsonObject| is(row, &customer, &key);
        let row = self.0.find_mut_where(is_it).ok_or_else(|| Refusal::not_found("customer unit", &key))?;
        merge(row, body, time.clone());
        Ok(shown(row))
    }

    /// Deletes a unit. It stays, as deleted.
    pub(in crate::emulator) fn delete(&mut self, matched: &Matched, customers: &Customers, time: &Value) -> Reply {
        let customer = customers.id_at(matched)?;
        let row = self.at(&customer, matched)?;
        let place = "path.externalCustomerUnitId";
        if text(row, "status") == Some("DELETED") {
            return Err(deleted(place));
        }
        let key = text(row, "externalId").unwrap_or_default().to_owned();
        if self.children(&customer, &key).next().is_some() {
            return Err(Refusal::conflict("conflict", place, "the unit has units below it; delete or move them first"));
        }
        let is_it = |row: &JsonObject| is(row, &customer, &key);
        let row = self.0.find_mut_where(is_it).ok_or_else(|| Refusal::not_found("customer unit", &key))?;
        merge(row, &json!({"status": "DELETED"}), time.clone());
        Ok(shown(row))
    }

    /// Forgets the units of a customer that is deleted.
    pub(in crate::emulator) fn forget(&mut self, customer: &str) {
        while self.0.remove("customerId", customer).is_some() {}
    }

    /// A unit of a customer, also a deleted one.
    pub(in crate::emulator) fn find(&self, customer: &str, key: &str) -> Option<&JsonObject> {
        self.0.rows().iter().find(|row| is(row, customer, key))
    }

    fn of<'a>(&'a self, customer: &'a str) -> impl Iterator<Item = &'a JsonObject> {
        self.0.rows().iter().filter(move |row| text(row, "customerId") == Some(customer))
    }

    /// The active units directly below a unit.
    fn children<'a>(&'a self, customer: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
        let below = move |row: &&JsonObject| text(row, "parentExternalId") == Some(key) && is_active(row);
        self.of(customer).filter(below).filter_map(|row| text(row, "externalId"))
    }

    fn at(&self, customer: &str, matched: &Matched) -> Result<&JsonObject, Refusal> {
        let key = matched.path.get("externalCustomerUnitId").map(String::as_str).unwrap_or_default();
        let unknown = || Refusal::not_found("customer unit", key).at("path.externalCustomerUnitId");
        self.find(customer, key).ok_or_else(unknown)
    }

    fn check_no_root(&self, customer: &str) -> Result<(), Refusal> {
        let root = self.of(customer).find(|row| is_root(row) && is_active(row)).and_then(|row| text(row, "externalId"));
        match root {
            Some(root) => {
                let error = format!("the root is {root:?}; name a unit above the new one");
                Err(Refusal::conflict("ROOT_EXISTS", "body.parentExternalId", error))
            }
            None => Ok(()),
        }
    }

    /// The level of a unit below this one; the root is on level 1.
    fn level_below(&self, customer: &str, parent: &str) -> Result<usize, Refusal> {
        let place = "body.parentExternalId";
        let Some(row) = self.find(customer, parent) else {
            let error = format!("there is no unit {parent:?}");
            return Err(Refusal::conflict("PARENT_NOT_FOUND", place, error));
        };
        if !is_active(row) {
            return Err(deleted(place));
        }
        Ok(self.path_up(customer, parent).len() + 1)
    }

    /// A unit, and those above it.
    pub(in crate::emulator) fn path_up<'a>(&'a self, customer: &'a str, key: &'a str) -> Vec<&'a str> {
        let above = |key: &&'a str| self.find(customer, key).and_then(|row| text(row, "parentExternalId"));
        std::iter::successors(Some(key), above).take(LEVELS + 1).collect()
    }

    /// The number of levels of a unit with what is below it.
    fn height(&self, customer: &str, key: &str) -> usize {
        1 + self.children(customer, key).map(|child| self.height(customer, child)).max().unwrap_or_default()
    }

    fn check_move(&self, customer: &str, key: &str, parent: &str) -> Result<(), Refusal> {
        let place = "body.parentExternalId";
        if self.find(customer, key).is_some_and(is_root) {
            return Err(Refusal::conflict("ROOT_UNIT_IMMOVABLE", place, "the root does not move"));
        }
        let level = self.level_below(customer, parent)?;
        if self.path_up(customer, parent).contains(&key) {
            return Err(Refusal::conflict("conflict", place, "a unit does not move below itself"));
        }
        if level + self.height(customer, key) - 1 > LEVELS { Err(too_deep()) } else { Ok(()) }
    }
}

fn unit(customer: &str, body: &Value, time: &Value) -> JsonObject {
    crate::object!({
        "customerId": customer,
        "externalId": body["externalId"],
        "externalType": given(body, "externalType", Value::Null),
        "name": given(body, "name", body["externalId"].clone()),
        "parentExternalId": given(body, "parentExternalId", Value::Null),
        "metadata": given(body, "metadata", Value::Null),
        "status": "ACTIVE",
        "createdAt": time,
        "updatedAt": time,
    })
}

fn shown(row: &JsonObject) -> Value {
    let mut shown = row.clone();
    shown.remove("customerId");
    shown.insert("isRoot".into(), is_root(row).into());
    Value::Object(shown)
}

fn is(row: &JsonObject, customer: &str, key: &str) -> bool {
    text(row, "customerId") == Some(customer) && text(row, "externalId") == Some(key)
}

fn is_root(row: &JsonObject) -> bool {
    text(row, "parentExternalId").is_none()
}

fn is_active(row: &JsonObject) -> bool {
    text(row, "status") == Some("ACTIVE")
}

fn problem_of_key(key: &str) -> Option<&'static str> {
    match key {
        "" => Some("is empty"),
        "." | ".." => Some("cannot be part of a path"),
        _ if key.chars().count() > LONGEST => Some("has more than 255 characters"),
        _ => None,
    }
}

fn deleted(place: &str) -> Refusal {
    Refusal::conflict("conflict", place, "the unit is deleted")
}

fn too_deep() -> Refusal {
    Refusal::conflict("conflict", "body.parentExternalId", format!("a tree has {LEVELS} levels at most"))
}
