//! Amendments: changes of an active order, previewed as a plan, then executed.

mod book;
mod intent;
mod options;
mod plan;
mod planning;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::billing::{Schedule, Span};
use super::contract::Matched;
use super::order_credits::inherit_overages;
use super::refusal::{Refusal, Reply};
use super::store::{Line, LinePrice, Store};
use super::table::text;
use crate::Timestamp;
use book::{Book, shown};
use plan::{Plan, Step};
use planning::{Catalog, plan};

/// What a [`Book`] looks at, and owns.
struct Facts {
    schedule: Schedule,
    span: Span,
    currency: String,
}

impl Store {
    pub(super) fn amendment_options(&self, matched: &Matched) -> Reply {
        let id = amended(matched);
        let row = self.orders.find("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        let now = self.clock.now();
        match self.facts(id) {
            Ok(facts) => Ok(options::of(&self.book(id, &facts)?, version(row))),
            Err((code, reason)) => Ok(options::none(row, version(row), now, code, reason)),
        }
    }

    pub(super) fn preview_amendment(&mut self, matched: &Matched, body: &Value) -> Reply {
        let id = amended(matched);
        Ok(self.planned(id, body)?.1)
    }

    pub(super) fn execute_amendment(&mut self, matched: &Matched, body: &Value) -> Reply {
        let id = amended(matched).to_owned();
        let (plan, shown_plan) = self.planned(&id, body)?;
        // Without a hash, it is planned and executed at once.
        if body["planHash"].is_string() && shown_plan["planHash"] != body["planHash"] {
            return Err(Refusal::conflict(
                "PLAN_CONFLICT",
                "body.planHash",
                "the plan is stale; preview the amendment again",
            ));
        }
        let now = self.clock.now();
        let (created, ended) = self.carry_out(&id, plan);
        self.rolled_until.remove(&id);
        let version = body["orderVersion"].as_u64().unwrap_or_default() + 1;
        if let Some(order) = self.orders.find_mut("id", &id) {
            order.insert("version".into(), version.into());
            order.insert("updatedAt".into(), now.to_string().into());
        }
        self.open_seats(&id);
        self.note_credits(&id);
        self.settle_credits();
        Ok(json!({
            "amendmentId": self.id("amd"),
            "orderId": id,
            "version": version,
            "effectiveDate": now.to_string(),
            "createdLineIds": created,
            "endedLineIds": ended,
            "plan": shown_plan,
        }))
    }

    /// The plan, and as the API shows it.
    fn planned(&mut self, id: &str, body: &Value) -> Result<(Plan, Value), Refusal> {
        let row = self.orders.find("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        let version = version(row);
        if body["orderVersion"].as_u64() != Some(version) {
            let error = format!("the order has version {version}; preview the amendment again");
            return Err(Refusal::conflict("ORDER_VERSION_CONFLICT", "body.orderVersion", error));
        }
        let facts = self.facts(id).map_err(|(code, reason)| Refusal::conflict(code, "path.orderId", reason))?;
        // Ids are assigned beforehand: a preview does not use them up.
        let next = self.next_id();
        let book = self.book(id, &facts)?;
        let catalog = Catalog { products: &self.products, plans: &self.plans, credits: &self.credits, next };
        let plan = plan(&book, &catalog, body)?;
        if !plan.adjustments.is_empty() && self.last_posted(id).is_some() {
            let error =
                "the last invoice of the order is posted, so nothing bills the difference; use the treatment `none`";
            return Err(Refusal::conflict("NO_OPEN_INVOICE", "body.intents", error));
        }
        let shown = plan.shown(&book, version, &body["intents"]);
        Ok((plan, shown))
    }

    /// What is needed to amend an order, or a code and a reason why it cannot be.
    fn facts(&self, id: &str) -> Result<Facts, (&'static str, &'static str)> {
        const INACTIVE: (&str, &str) = ("ORDER_NOT_ACTIVE", "only an active order is amended; update a draft");
        let row = self.orders.find("id", id).ok_or(INACTIVE)?;
        match self.state_of(row) {
            "active" => {}
            "ended" => return Err(("ORDER_ENDED", "the order has ended")),
            _ => return Err(INACTIVE),
        }
        let span = self.order_span(id).ok_or(INACTIVE)?;
        if span.start > *self.clock.now() {
            return Err(("ORDER_NOT_STARTED", "the order has not begun"));
        }
        let schedule = self.schedule_of(id).ok_or(INACTIVE)?;
        let currency = text(row, "currency").unwrap_or("USD").to_owned();
        Ok(Facts { schedule, span, currency })
    }

    fn book<'a>(&'a self, id: &str, facts: &'a Facts) -> Result<Book<'a>, Refusal> {
        let order = self.orders.find("id", id).ok_or_else(|| Refusal::not_found("order", id))?;
        let lines = self.order_lines.get(id).map(Vec::as_slice).unwrap_or_default();
        let Facts { schedule, span, currency } = facts;
        Ok(Book { order, lines, schedule, span: *span, now: *self.clock.now(), currency })
    }

    /// Does what was planned. Returns the lines that it created, and those that have nothing left.
    fn carry_out(&mut self, id: &str, plan: Plan) -> (Vec<String>, Vec<String>) {
        let (mut created, mut ended) = (Vec::new(), Vec::new());
        let mut adjustments = plan.adjustments;
        // The id that was planned stands for the one that is assigned.
        let mut named = |priced: &mut LinePrice, id: String, line: Option<&str>| {
            let planned = std::mem::replace(&mut priced.id, id);
            priced.root.clone_from(&priced.id);
            for adjustment in adjustments.iter_mut().filter(|one| one.attribute == planned) {
                adjustment.attribute.clone_from(&priced.id);
                if let Some(line) = line {
                    line.clone_into(&mut adjustment.line);
                }
            }
        };
        for step in plan.steps {
            match step {
                Step::End { attribute, at } => {
                    let lines = self.order_lines.get_mut(id).into_iter().flatten();
                    for line in lines {
                        let mut was_there = false;
                        for priced in line.prices.iter_mut().filter(|priced| priced.id == attribute) {
                            priced.until = Some(at);
                            was_there = true;
                        }
                        if was_there && line.prices.iter().all(|priced| priced.until.is_some()) {
                            ended.push(line.id.clone());
                        }
                    }
                }
                Step::Replace { line, attribute, at, mut priced } => {
                    named(&mut priced, self.id("ola"), None);
                    self.seats.move_to(&attribute, &priced.id);
                    if let Some(line) = self.line_mut(id, &line) {
                        for old in line.prices.iter_mut().filter(|old| old.id == attribute) {
                            old.until = Some(at);
                            priced.root.clone_from(&old.root);
                        }
                        line.prices.push(priced);
                    }
                }
                Step::Add { line, mut priced } => {
                    named(&mut priced, self.id("ola"), None);
                    ended.retain(|ended| *ended != line);
                    if let Some(line) = self.line_mut(id, &line) {
                        line.prices.push(priced);
                    }
                }
                Step::AddLine { name, product, mut priced } => {
                    let attribute = self.id("ola");
                    let line = self.id("ol");
                    named(&mut priced, attribute, Some(&line));
                    let start = shown(*self.clock.now());
                    let shown = json!({"id": line, "productId": product, "name": name, "description": null,
                        "startDate": start, "endDate": null, "lineType": "STANDARD"});
                    let prices = vec![priced];
                    let new = Line {
                        id: line.clone(),
                        product,
                        shown,
                        prices,
                        start: Some(self.clock.now()),
                        end: None,
                        credit: false,
                    };
                    self.order_lines.entry(id.to_owned()).or_default().push(new);
                    created.push(line);
                }
                Step::LineEnd { line, end } => {
                    if let Some(line) = self.line_mut(id, &line) {
                        end_line(line, end);
                    }
                }
                Step::OrderEnd(end) => {
                    if let Some(order) = self.orders.find_mut("id", id) {
                        order.insert("endDate".into(), shown(end).into());
                    }
                }
            }
        }
        self.adjustments.extend(adjustments);
        if let Some(lines) = self.order_lines.get_mut(id) {
            inherit_overages(lines);
        }
        (created, ended)
    }

    fn line_mut(&mut self, order: &str, line: &str) -> Option<&mut Line> {
        self.order_lines.get_mut(order)?.iter_mut().find(|one| one.id == line)
    }
}

fn end_line(line: &mut Line, end: DateTime<Utc>) {
    line.end = Some(Timestamp::from(end));
    line.shown["endDate"] = shown(end).into();
}

fn amended(matched: &Matched) -> &str {
    matched.path.get("orderId").map(String::as_str).unwrap_or_default()
}

fn version(order: &crate::JsonObject) -> u64 {
    order.get("version").and_then(Value::as_u64).unwrap_or(1)
}
