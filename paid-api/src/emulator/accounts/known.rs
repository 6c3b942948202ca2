//! Customers as others name them: by Paid's id, by your own, or by an alias of it.

use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::super::table::{Table, addressed, given, page, text};
use crate::JsonObject;

/// The customers, and their aliases: other ids of your own that name them, too.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Customers {
    table: Table,
    aliases: Table,
}

impl Customers {
    pub(in crate::emulator) fn rows(&self) -> &[JsonObject] {
        self.table.rows()
    }

    /// By the external id `value`, an alias counts, too.
    pub(in crate::emulator) fn find(&self, key: &str, value: &str) -> Option<&JsonObject> {
        self.table.find(key, value).or_else(|| self.table.find("id", self.of_alias(key, value)?))
    }

    pub(in crate::emulator) fn find_mut(&mut self, key: &str, value: &str) -> Option<&mut JsonObject> {
        let id = self.id_of(key, value)?;
        self.table.find_mut("id", &id)
    }

    pub(in crate::emulator) fn push(&mut self, row: JsonObject) {
        self.table.push(row);
    }

    /// Removes a customer with its aliases.
    pub(in crate::emulator) fn remove(&mut self, key: &str, value: &str) -> Option<JsonObject> {
        let id = self.id_of(key, value)?;
        while self.aliases.remove("customerId", &id).is_some() {}
        self.table.remove("id", &id)
    }

    fn of_alias(&self, key: &str, value: &str) -> Option<&str> {
        let alias = (key == "externalId").then(|| self.aliases.find("alias", value)).flatten()?;
        text(alias, "customerId")
    }

    fn id_of(&self, key: &str, value: &str) -> Option<String> {
        self.find(key, value).and_then(|row| text(row, "id")).map(str::to_owned)
    }

    /// The customer that a path names.
    pub(in crate::emulator) fn at(&self, matched: &Matched) -> Result<&JsonObject, Refusal> {
        let (key, id) = addressed(matched);
        self.find(key, id).ok_or_else(|| Refusal::not_found("customer", id).at(format!("path.{key}")))
    }

    /// The id of the customer that a path names.
    pub(in crate::emulator) fn id_at(&self, matched: &Matched) -> Result<String, Refusal> {
        self.at(matched).map(|row| text(row, "id").unwrap_or_default().to_owned())
    }

    /// The customer that a body names by `customerId` or `externalCustomerId`, if it names one. Both have to name the same.
    pub(in crate::emulator) fn named(&self, body: &Value) -> Result<Option<&JsonObject>, Refusal> {
        let mut found = None;
        for (field, key) in [("customerId", "id"), ("externalCustomerId", "externalId")] {
            let Some(id) = body[field].as_str() else { continue };
            let place = format!("body.{field}");
            let customer = self.find(key, id).ok_or_else(|| Refusal::not_found("customer", id).at(place))?;
            if found.replace(customer).is_some_and(|other| text(other, "id") != text(customer, "id")) {
                return Err(Refusal::invalid("body.externalCustomerId", "names another customer than customerId"));
            }
        }
        Ok(found)
    }

    /// Like [`named`](Self::named), where a customer is needed.
    pub(in crate::emulator) fn required(&self, body: &Value) -> Result<&JsonObject, Refusal> {
        let missing = || Refusal::invalid("body.customerId", "name the customer by customerId or externalCustomerId");
        self.named(body)?.ok_or_else(missing)
    }

    /// The filters of a list, with the customer by its id: an external id of nobody finds nothing.
    pub(in crate::emulator) fn narrowed(&self, matched: &Matched) -> Matched {
        let mut narrowed = matched.clone();
        if let Some(external) = narrowed.query.remove("externalCustomerId") {
            let found = self.id_of("externalId", &external).unwrap_or_default();
            let named = narrowed.query.get("customerId").is_none_or(|id| *id == found);
            narrowed.query.insert("customerId".into(), if named { found } else { String::new() });
        }
        narrowed
    }

    /// Refuses an update that gives a customer an external id that names another, or that is an alias.
    pub(in crate::emulator) fn check_free(
        &self,
        key: &str,
        value: &str,
        update: &Value,
        what: &str,
    ) -> Result<(), Refusal> {
        let own = self.id_of(key, value).unwrap_or_default();
        self.table.check_free("id", &own, update, what)?;
        match update["externalId"].as_str() {
            Some(external) if self.aliases.find("alias", external).is_some() => {
                Err(Refusal::invalid("body.externalId", format!("{external:?} is an alias of a {what}")))
            }
            _ => Ok(()),
        }
    }
}

/// The operations on aliases.
impl Customers {
    pub(in crate::emulator) fn list_aliases(&self, matched: &Matched) -> Reply {
        let customer = self.id_at(matched)?;
        let rows = self.aliases.rows().iter().filter(|row| text(row, "customerId") == Some(&customer));
        Ok(page(rows.cloned().map(Value::Object), matched))
    }

    pub(in crate::emulator) fn create_alias(&mut self, matched: &Matched, body: &Value, time: &Value) -> Reply {
        let customer = self.id_at(matched)?;
        let alias = body["alias"].as_str().unwrap_or_default();
        if alias.trim().is_empty() {
            return Err(Refusal::invalid("body.alias", "is empty"));
        }
        if self.find("externalId", alias).is_some() {
            let error = format!("{alias:?} names a customer already");
            return Err(Refusal::conflict("conflict", "body.alias", error));
        }
        let made = json!({
            "alias": alias,
            "customerId": customer,
            "name": given(body, "name", Value::Null),
            "description": given(body, "description", Value::Null),
            "createdAt": time,
            "updatedAt": time,
        });
        self.aliases.push(made.as_object().cloned().unwrap_or_default());
        Ok(made)
    }

    pub(in crate::emulator) fn delete_alias(&mut self, matched: &Matched) -> Reply {
        let customer = self.id_at(matched)?;
        let alias = matched.path.get("alias").map(String::as_str).unwrap_or_default();
        let known = self.aliases.find("alias", alias).filter(|row| text(row, "customerId") == Some(&customer));
        known.ok_or_else(|| Refusal::not_found("alias", alias).at("path.alias"))?;
        self.aliases.remove("alias", alias);
        Ok(json!({}))
    }
}
