//! Where a comparison stands: the operation, who speaks, the place in both documents; and how a change is written down.

use std::collections::HashSet;

use super::effect::{Effect, Side};
use super::report::{Finding, Level};
use super::view::{NullAt, View};

/// What a schema is the schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Body,
    /// A field of an object.
    Property,
    /// An element of a list, a value of a map or a branch of a union: a property too, to oasdiff.
    Inner,
    Parameter,
    Header,
}

/// A place, by its name.
#[derive(Debug, Clone)]
pub(crate) struct At {
    pub(crate) subject: Subject,
    pub(crate) location: String,
}

impl At {
    pub(crate) fn new(subject: Subject, location: impl Into<String>) -> Self {
        Self { subject, location: location.into() }
    }

    /// A field of the object at this place.
    pub(crate) fn field(&self, name: &str) -> Self {
        Self::new(Subject::Property, format!("{}.{name}", self.location))
    }

    /// Another place inside this one.
    pub(crate) fn inner(&self, step: &str) -> Self {
        Self::new(Subject::Inner, format!("{}{step}", self.location))
    }
}

/// What was found so far, and what need not be compared again.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) findings: Vec<Finding>,
    /// Pairs of schemas that differ in nothing, down to the last.
    pub(crate) alike: HashSet<Compared>,
    /// Pairs that are the same for everybody, though documentation differs.
    pub(crate) similar: HashSet<Compared>,
    /// Pairs that are not the same for everybody.
    pub(crate) different: HashSet<Compared>,
}

/// Two schemas by their keys, and the side on which they were compared: a field that is only received counts on one side only.
pub(crate) type Compared = (Side, String, String);

/// The comparison of what one operation sends or receives.
#[derive(Debug)]
pub(crate) struct Walk<'f> {
    pub(crate) operation: String,
    pub(crate) side: Side,
    pub(crate) seen: HashSet<Compared>,
    /// Whether a pair was met again before it was compared to its end.
    pub(crate) met_again: bool,
    /// Whether it is only asked if two schemas are the same, as of branches of a union.
    pub(crate) asks: bool,
    /// Pairs that were found different while others counted as the same; only for the question that is being asked.
    pub(crate) doubtful: HashSet<Compared>,
    pub(crate) record: &'f mut Record,
}

/// What happened, before it is known where.
#[derive(Debug)]
pub(crate) struct Change {
    /// oasdiff's name for it.
    pub(crate) check: String,
    pub(crate) what: String,
    pub(crate) effect: Effect,
    /// For users of the generated client.
    pub(crate) rust: Level,
}

/// A schema in both documents, and what it is called.
#[derive(Debug)]
pub(crate) struct Pair<'v, 'a> {
    pub(crate) old: &'v View<'a>,
    pub(crate) new: &'v View<'a>,
    /// Where it is used.
    pub(crate) outer: &'v At,
    /// Where it is written down.
    pub(crate) core: &'v At,
}

impl<'f> Walk<'f> {
    pub(crate) fn new(operation: &str, side: Side, record: &'f mut Record) -> Self {
        Self {
            operation: operation.to_owned(),
            side,
            seen: HashSet::new(),
            met_again: false,
            asks: false,
            doubtful: HashSet::new(),
            record,
        }
    }

    /// oasdiff's name for a change of a schema.
    pub(crate) fn check(&self, subject: Subject, change: &str) -> String {
        let subject = match subject {
            Subject::Body => "body",
            Subject::Property | Subject::Inner => "property",
            Subject::Parameter => "parameter",
            Subject::Header => "header",
        };
        format!("{}-{subject}-{change}", self.side.name())
    }

    /// Answers to failed requests have no type in the client.
    pub(crate) fn rust(&self, level: Level) -> Level {
        if self.side == Side::Failure { Level::Documentation } else { level }
    }

    /// A change of a part that is there in one document or in both.
    pub(crate) fn note(&mut self, change: Change, location: &str, old: Option<&str>, new: Option<&str>) {
        let finding = Finding {
            check: change.check,
            what: change.what,
            wire: change.effect.on_the_wire(self.side),
            rust: self.rust(change.rust),
            location: location.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
            operation: Some(self.operation.clone()).filter(|operation| !operation.is_empty()),
        };
        self.record.findings.push(finding);
    }

    /// A change of a schema, where it is used or where it is written down.
    pub(crate) fn change(
        &mut self,
        pair: &Pair<'_, '_>,
        place: NullAt,
        name: &str,
        what: String,
        levels: (Effect, Level),
    ) {
        let (at, old, new) = match place {
            NullAt::Use => (pair.outer, &pair.old.outer, &pair.new.outer),
            NullAt::Core => (pair.core, &pair.old.core, &pair.new.core),
        };
        let change = Change { check: self.check(at.subject, name), what, effect: levels.0, rust: levels.1 };
        self.note(change, &at.location, Some(old), Some(new));
    }
}
