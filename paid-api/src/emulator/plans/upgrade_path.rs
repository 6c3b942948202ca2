//! The order in which the plans of a product are upgraded, one path for each billing frequency.

use serde_json::{Value, json};

use super::super::refusal::{Refusal, Reply};
use super::super::table::{Table, text};
use super::{Plans, is_active, product_of, shown};
use crate::JsonObject;

/// A plan's place on its path, from 1.
struct Step {
    plan: String,
    order: usize,
}

impl Plans {
    /// Sets the whole path of a product: a plan that no group names leaves it.
    pub(in crate::emulator) fn set_upgrade_path(&mut self, body: &Value, products: &Table, time: &Value) -> Reply {
        let product = body["productId"].as_str().unwrap_or_default();
        product_of(product, products)?;
        let steps = self.steps(body, product)?;
        let of_product = |row: &JsonObject| text(row, "productId") == Some(product);
        let ids: Vec<_> =
            self.0.rows().iter().filter(|row| of_product(row)).filter_map(|row| text(row, "id")).collect();
        for id in ids.into_iter().map(str::to_owned).collect::<Vec<_>>() {
            let order = steps.iter().find(|step| step.plan == id).map(|step| step.order);
            let Some(row) = self.0.find_mut("id", &id) else { continue };
            if row.get("upgradePathOrder") != Some(&json!(order)) {
                row.insert("upgradePathOrder".into(), json!(order));
                row.insert("updatedAt".into(), time.clone());
            }
        }
        let data: Value = self.0.rows().iter().filter(|row| of_product(row)).map(|row| shown(row, products)).collect();
        Ok(json!({ "data": data }))
    }

    fn steps(&self, body: &Value, product: &str) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::<Step>::new();
        for (index, group) in body["groups"].as_array().into_iter().flatten().enumerate() {
            let frequency = frequency(group, &format!("body.groups.{index}.frequency"))?;
            let plans = group["planIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
            for (at, id) in plans.enumerate() {
                let place = format!("body.groups.{index}.planIds.{at}");
                self.check_step(id, product, frequency.as_deref(), &place)?;
                if steps.iter().any(|step| step.plan == id) {
                    return Err(Refusal::invalid(&place, "is there twice"));
                }
                steps.push(Step { plan: id.to_owned(), order: at + 1 });
            }
        }
        Ok(steps)
    }

    fn check_step(&self, id: &str, product: &str, frequency: Option<&str>, place: &str) -> Result<(), Refusal> {
        let plan = self.find(id).ok_or_else(|| Refusal::not_found("plan", id).at(place))?;
        if text(plan, "productId") != Some(product) {
            return Err(Refusal::invalid(place, "is a plan of another product"));
        }
        if !is_active(plan) {
            return Err(Refusal::invalid(place, "is archived"));
        }
        let own = frequencies(plan);
        let is_right = match frequency {
            Some(frequency) => own.iter().any(|own| own == frequency),
            None => own.is_empty(),
        };
        match is_right {
            true => Ok(()),
            false => Err(Refusal::invalid(place, "no price of the plan has the frequency of the group")),
        }
    }
}

/// The words of a frequency as requests write it, in one spelling.
fn plain(frequency: &str) -> String {
    frequency.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn frequency(group: &Value, place: &str) -> Result<Option<String>, Refusal> {
    let Some(frequency) = group["frequency"].as_str().map(plain) else { return Ok(None) };
    match ["monthly", "quarterly", "semiannually", "annual", "custom"].contains(&frequency.as_str()) {
        true => Ok(Some(frequency)),
        false => Err(Refusal::invalid(place, "is none of Monthly, Quarterly, Semi-Annually, Annual and Custom")),
    }
}

/// The billing frequencies that a plan's own prices name.
fn frequencies(plan: &JsonObject) -> Vec<String> {
    let own = plan.get("attributes").and_then(Value::as_array).into_iter().flatten();
    own.filter_map(|own| own["pricing"]["billingFrequency"].as_str()).map(plain).collect()
}
