//! The versions of the account's value model. The latest is active, the others are archived.

use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::super::table::page;
use super::model::Model;
use super::timeline::with_timelines;
use super::{reading, references};
use crate::Timestamp;

#[derive(Debug, Default)]
pub(in crate::emulator) struct ValueModels {
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    content: Value,
    model: Model,
    created: Timestamp,
    archived: Option<Timestamp>,
    /// Bounds of the time whose signals have value.
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl ValueModels {
    /// The active model.
    pub(in crate::emulator) fn model(&self) -> Option<&Model> {
        self.versions.last().map(|version| &version.model)
    }

    /// Returns true if the active model gives value to signals of this time.
    pub(in crate::emulator) fn is_valid_at(&self, time: Timestamp) -> bool {
        self.versions.last().is_some_and(|version| {
            version.from.is_none_or(|from| from <= time) && version.to.is_none_or(|to| time < to)
        })
    }

    /// The number of the active version; 0 if there is none.
    pub(super) fn active(&self) -> usize {
        self.versions.len()
    }

    /// The content of the active model.
    pub(super) fn content(&self) -> Result<&Value, Refusal> {
        self.versions.last().map(|version| &version.content).ok_or_else(none)
    }

    /// Uploads a model.
    pub(in crate::emulator) fn upload(&mut self, body: &Value, now: Timestamp) -> Reply {
        let time = |key: &str| match &body[key] {
            Value::Null => Ok(None),
            time => reading::time(time, &format!("body.{key}")).map(|time| Some(Timestamp::from(time))),
        };
        let (from, to) = (time("effectiveFrom")?, time("effectiveTo")?);
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            return Err(Refusal::invalid("body.effectiveTo", "is not after effectiveFrom"));
        }
        self.add(body["content"].clone(), "body.content", (from, to), now)?;
        self.current()
    }

    /// Publishes a changed content, which is valid for the same time.
    pub(super) fn publish(&mut self, content: Value, place: &str, now: Timestamp) -> Result<(), Refusal> {
        let bounds = self.versions.last().map_or((None, None), |version| (version.from, version.to));
        self.add(content, place, bounds, now)
    }

    fn add(
        &mut self,
        content: Value,
        place: &str,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let model = reading::model(&content, place)?;
        references::check(&model, place)?;
        if let Some(last) = self.versions.last_mut() {
            last.archived = Some(now);
        }
        self.versions.push(Version { content, model, created: now, archived: None, from, to });
        Ok(())
    }

    pub(in crate::emulator) fn current(&self) -> Reply {
        match self.versions.last() {
            Some(version) => Ok(version.shown(self.versions.len())),
            None => Err(none()),
        }
    }

    pub(in crate::emulator) fn get(&self, matched: &Matched) -> Reply {
        let named = matched.path.get("version").map(String::as_str).unwrap_or_default();
        let number = named.parse::<usize>().ok().filter(|number| *number > 0);
        let found = number.and_then(|number| Some((number, self.versions.get(number - 1)?)));
        let (number, version) = found.ok_or_else(|| Refusal::not_found("version of the value model", named))?;
        Ok(version.shown(number))
    }

    /// The versions, newest first.
    pub(in crate::emulator) fn list(&self, matched: &Matched) -> Value {
        let numbered = (1..).zip(&self.versions);
        let mut rows: Vec<Value> = numbered.map(|(number, version)| version.summary(number)).collect();
        rows.reverse();
        page(rows.into_iter(), matched)
    }

    /// Every value is calculated when it is read, so there is nothing to calculate again.
    pub(in crate::emulator) fn backfill(&self) -> Reply {
        let version = self.versions.len();
        if version == 0 { Err(none()) } else { Ok(json!({"valueModelId": id(version), "version": version})) }
    }
}

impl Version {
    fn shown(&self, number: usize) -> Value {
        json!({
            "id": id(number),
            "version": number,
            "content": with_timelines(&self.content, self.from),
            "activatedAt": shown(Some(self.created)),
            "createdAt": shown(Some(self.created)),
            "effectiveFrom": shown(self.from),
            "effectiveTo": shown(self.to),
        })
    }

    fn summary(&self, number: usize) -> Value {
        json!({
            "id": id(number),
            "version": number,
            "status": if self.archived.is_some() { "archived" } else { "active" },
            "activatedAt": shown(Some(self.created)),
            "archivedAt": shown(self.archived),
            "createdAt": shown(Some(self.created)),
            "effectiveFrom": shown(self.from),
            "effectiveTo": shown(self.to),
        })
    }
}

fn shown(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| time.to_string().into())
}

/// The document wants a UUID.
fn id(version: usize) -> String {
    format!("00000000-0000-4000-9000-{version:012}")
}

fn none() -> Refusal {
    let error = "there is no value model; upload one with PUT /value-models/".to_owned();
    Refusal { status: 404, error, code: "not_found", details: None, intent: None }
}
