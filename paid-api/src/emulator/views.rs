//! Custom views: named statements, the page that renders what they find, and the time they are about. Knows no store and no
//! engine.

mod bundle;
mod changes;
mod period;
mod token;

pub(super) use period::ViewPeriod;
pub(super) use token::token;

use serde_json::{Value, json};

use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use super::table::given;
use crate::Timestamp;

/// The views of the account, in the order of their creation.
#[derive(Debug, Default)]
pub(super) struct CustomViews {
    views: Vec<View>,
}

/// Refuses a statement: the place in the request, and what is wrong.
pub(super) type Check<'a> = &'a dyn Fn(&Query, &str) -> Result<(), Refusal>;

#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) id: String,
    name: String,
    description: Option<String>,
    pub(super) queries: Vec<Query>,
    bundle: String,
    pub(super) period: Option<ViewPeriod>,
    /// Whether it shows all customers' data.
    pub(super) is_of_organization: bool,
    is_published: bool,
    created: Timestamp,
}

/// A named statement of a view.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) id: String,
    pub(super) sql: String,
}

impl CustomViews {
    /// Adds a view. `id` is called once the request is known to be good.
    pub(super) fn create(
        &mut self,
        body: &Value,
        check: Check<'_>,
        id: impl FnOnce() -> String,
        now: Timestamp,
    ) -> Reply {
        refuse_filters(body)?;
        let period = match body.get("period") {
            None | Some(Value::Null) => None,
            Some(period) => Some(ViewPeriod::read(period, "body.period")?),
        };
        let mut view = View {
            id: String::new(),
            name: name(body)?,
            description: body["description"].as_str().map(str::to_owned),
            queries: changes::queries(&body["queries"], "body.queries")?,
            bundle: body["renderBundle"].as_str().unwrap_or_default().to_owned(),
            period,
            is_of_organization: body["scope"] == "organization",
            is_published: false,
            created: now,
        };
        view.check(check)?;
        view.id = id();
        let shown = view.shown();
        self.views.push(view);
        Ok(shown)
    }

    /// Changes a view: all of it, or nothing.
    pub(super) fn update(&mut self, matched: &Matched, body: &Value, check: Check<'_>) -> Reply {
        let view = self.view_mut(matched)?;
        refuse_filters(body)?;
        let mut changed = view.clone();
        if body.get("name").is_some() {
            changed.name = name(body)?;
        }
        if let Some(description) = body.get("description") {
            changed.description = description.as_str().map(str::to_owned);
        }
        changes::change_queries(&mut changed.queries, body)?;
        changes::change_bundle(&mut changed.bundle, body)?;
        changed.check(check)?;
        let shown = changed.shown();
        *view = changed;
        Ok(shown)
    }

    pub(super) fn update_period(&mut self, matched: &Matched, body: &Value) -> Reply {
        let view = self.view_mut(matched)?;
        view.period = Some(ViewPeriod::read(&body["period"], "body.period")?);
        Ok(view.shown())
    }

    pub(super) fn publish(&mut self, matched: &Matched) -> Reply {
        let view = self.view_mut(matched)?;
        view.is_published = true;
        Ok(view.shown())
    }

    pub(super) fn get(&self, matched: &Matched) -> Reply {
        let view = self.view(matched)?;
        let mut shown = view.shown();
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("previewUrl");
        }
        shown["description"] = view.description.clone().into();
        shown["period"] = view.period_shown();
        shown["queryIds"] = view.queries.iter().map(|query| query.id.as_str()).collect();
        shown["renderBundle"] = view.bundle.as_str().into();
        Ok(shown)
    }

    /// The views, newest first.
    pub(super) fn list(&self) -> Value {
        let views = self.views.iter().rev().map(|view| {
            json!({
                "displayId": view.id,
                "name": view.name,
                "description": view.description,
                "scope": view.scope(),
                "status": view.status(),
                "queryCount": view.queries.len(),
                "period": view.period_shown(),
                "createdAt": view.created.to_string(),
            })
        });
        json!({"views": views.collect::<Vec<_>>()})
    }

    pub(super) fn view(&self, matched: &Matched) -> Result<&View, Refusal> {
        let id = named(matched);
        self.views.iter().find(|view| view.id == id).ok_or_else(|| Refusal::not_found("custom view", id))
    }

    fn view_mut(&mut self, matched: &Matched) -> Result<&mut View, Refusal> {
        let id = named(matched);
        self.views.iter_mut().find(|view| view.id == id).ok_or_else(|| Refusal::not_found("custom view", id))
    }
}

impl View {
    /// Refuses statements that are not allowed or lack their period, and a bundle that cannot render.
    fn check(&self, check: Check<'_>) -> Result<(), Refusal> {
        if self.queries.is_empty() {
            return Err(Refusal::invalid("body.queries", "a view has at least one query"));
        }
        for query in &self.queries {
            let place = format!("body.queries.{}.sql", query.id);
            if query.sql.contains("{filter_") {
                return Err(Refusal::not_implemented(&format!("filters of custom views ({place})")));
            }
            if query.has_period() && self.period.is_none() {
                return Err(Refusal::invalid("body.period", format!("the query {:?} needs a period", query.id)));
            }
            check(query, &place)?;
        }
        bundle::check(&self.bundle)
    }

    /// Refuses to be embedded: only what is published and about one customer is.
    pub(super) fn check_embeddable(&self) -> Result<(), Refusal> {
        let refusal = |error: &str, code| {
            let place = Some("path.displayId".to_owned());
            Err(Refusal { status: 400, error: error.to_owned(), code, details: place, intent: None })
        };
        if self.is_of_organization {
            return refusal("the view is about the organization", "ORG_SCOPED_VIEW_NOT_EMBEDDABLE");
        }
        if !self.is_published {
            return refusal("the view is a draft; publish it first", "validation_error");
        }
        Ok(())
    }

    fn shown(&self) -> Value {
        json!({
            "displayId": self.id,
            "name": self.name,
            "scope": self.scope(),
            "status": self.status(),
            // The emulator has no app to open it in.
            "previewUrl": null,
        })
    }

    fn scope(&self) -> &'static str {
        if self.is_of_organization { "organization" } else { "customer" }
    }

    fn status(&self) -> &'static str {
        if self.is_published { "PUBLISHED" } else { "DRAFT" }
    }

    fn period_shown(&self) -> Value {
        self.period.as_ref().map_or(Value::Null, ViewPeriod::shown)
    }
}

impl Query {
    /// Returns true if the statement is about a period that the view names.
    pub(super) fn has_period(&self) -> bool {
        ["{period_start:DateTime}", "{period_end:DateTime}"].iter().any(|part| self.sql.contains(part))
    }
}

fn named(matched: &Matched) -> &str {
    matched.path.get("displayId").map(String::as_str).unwrap_or_default()
}

fn name(body: &Value) -> Result<String, Refusal> {
    match given(body, "name", "").as_str().filter(|name| !name.trim().is_empty()) {
        Some(name) => Ok(name.to_owned()),
        None => Err(Refusal::invalid("body.name", "is empty")),
    }
}

/// The document has no parameter for their values.
fn refuse_filters(body: &Value) -> Result<(), Refusal> {
    if body["filters"].as_array().is_some_and(|filters| !filters.is_empty()) {
        return Err(Refusal::not_implemented("filters of custom views (body.filters)"));
    }
    Ok(())
}
