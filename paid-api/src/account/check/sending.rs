//! Rules about what the sources send.

use std::collections::BTreeSet;

use paid_catalog::{
    DEPRECATED_SIGNAL, DYNAMIC_NAME, EXPIRED_SIGNAL, Kind, OUTCOME_WITHOUT_KEY, Signal, UNKNOWN_SIGNAL, UNUSED_SIGNAL,
    nearest_of,
};

use super::{Checked, Finding};
use crate::account::sources::{Emission, Named, Sources};

impl Checked {
    pub(super) fn about_sending(&self, sources: &Sources, today: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut sent: BTreeSet<&str> = BTreeSet::new();
        for emission in sources.emissions.iter().filter(|emission| !emission.is_in_tests) {
            let Some(name) = &emission.name else {
                findings.push(self.dynamic(emission));
                continue;
            };
            sent.insert(name);
            match self.catalog.signal(name) {
                Some(signal) => findings.extend(self.about_known(emission, name, signal, today)),
                None => findings.push(self.unknown(emission, name)),
            }
        }
        findings.extend(self.unused(&sent));
        findings
    }

    fn dynamic(&self, emission: &Emission) -> Finding {
        let message = format!("the event name of this {} is computed, so nothing can check it", emission.by);
        let fix = "write the name as a literal, one place for each name".to_owned();
        self.found(DYNAMIC_NAME, None, emission.place.clone(), message, fix)
    }

    fn unknown(&self, emission: &Emission, name: &str) -> Finding {
        let message = format!("{} has no signal `{name}`", self.shown);
        let near = nearest_of(name, self.catalog.nearest(name).into_iter());
        let fix = near.map_or_else(
            || format!("add [signals.{name}]"),
            |near| format!("did you mean {near}? If it is new, add [signals.{name}]"),
        );
        self.found(UNKNOWN_SIGNAL, None, emission.place.clone(), message, fix)
    }

    fn about_known(&self, emission: &Emission, name: &str, signal: &Signal, today: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |rule, message, fix| {
            findings.push(self.found(rule, Some(name), emission.place.clone(), message, fix));
        };
        if let Some(deprecated) = &signal.deprecated {
            let since = deprecated.since.as_ref().map_or_else(String::new, |since| format!(" since {since}"));
            let fix = match &deprecated.renamed_to {
                Some(new) => format!("send `{new}` instead"),
                None => "stop sending it".to_owned(),
            };
            add(DEPRECATED_SIGNAL, format!("signal `{name}` is deprecated{since}"), fix);
        }
        if let Some(day) = signal.expires.as_deref().filter(|day| *day <= today) {
            let fix = "stop sending it, or move `expires`".to_owned();
            add(EXPIRED_SIGNAL, format!("signal `{name}` expired on {day}"), fix);
        }
        if signal.kind == Kind::Outcome && emission.has_key == Some(false) {
            let message =
                format!("outcome `{name}` has no idempotency key, so work that is done twice is billed twice");
            let fix = match emission.by {
                "#[derive(PaidSignal)]" => "put `#[paid(idempotency_key)]` on the field that identifies the event",
                "Signal::new" | "NewSignal::new" => "call `.idempotency_key(..)` with what identifies the event",
                _ => "write `idempotency_key = [..]` with what identifies the event, such as `[lead.id, day]`",
            };
            add(OUTCOME_WITHOUT_KEY, message, fix.to_owned());
        }
        // The catalogue's own product is checked once, where the catalogue names it.
        if let Named::As(product) = &emission.product
            && signal.product.as_ref() != Some(product)
            && let Some(objection) = self.catalog.unbilled(name, signal.kind, Some(product), &self.shown)
        {
            findings.push(self.unbilled_at(name, emission.place.clone(), &objection));
        }
        findings
    }

    /// A signal that should no longer be sent need not be.
    fn unused(&self, sent: &BTreeSet<&str>) -> impl Iterator<Item = Finding> {
        let unsent = self.catalog.signals.iter().filter(|(name, signal)| {
            !sent.contains(name.as_str()) && signal.deprecated.is_none() && signal.expires.is_none()
        });
        unsent.map(|(name, _)| {
            let message = format!("no source sends the signal `{name}`");
            let fix = format!(
                "send it, or remove [signals.{name}]; if another program sends it, write `allow = [\"{UNUSED_SIGNAL}\"]`"
            );
            self.found(UNUSED_SIGNAL, Some(name), self.at_signal(name), message, fix)
        })
    }
}
