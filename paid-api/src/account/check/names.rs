//! Rules about the catalogue alone: names that are too alike, signals that no price bills.

use paid_catalog::{SIMILAR_NAMES, UNBILLED_SIGNAL, is_alike};

use super::{Checked, Finding};

impl Checked {
    pub(super) fn about_names(&self) -> Vec<Finding> {
        let mut findings = self.similar_names();
        findings.extend(self.unbilled());
        findings
    }

    fn similar_names(&self) -> Vec<Finding> {
        let names: Vec<&String> = self.catalog.signals.keys().collect();
        let mut findings = Vec::new();
        for (index, one) in names.iter().enumerate() {
            for other in
                names.iter().skip(index + 1).filter(|other| is_alike(one, other) && !self.is_renamed(one, other))
            {
                // Either of them may allow it.
                let allows =
                    |name: &str| self.catalog.signal(name).is_some_and(|signal| signal.allow.contains(SIMILAR_NAMES));
                let at = if allows(one) { one } else { other };
                let message = format!("`{one}` and `{other}` are so alike that one may be a typing error");
                let fix = format!(
                    "remove the wrong one and rename its uses; or write `allow = [\"{SIMILAR_NAMES}\"]` in [signals.{at}]"
                );
                findings.push(self.found(SIMILAR_NAMES, Some(at), self.at_signal(at), message, fix));
            }
        }
        findings
    }

    /// The old name of a signal may be like the new one.
    fn is_renamed(&self, one: &str, other: &str) -> bool {
        let leads_to = |from: &str, to: &str| {
            let deprecated = self.catalog.signal(from).and_then(|signal| signal.deprecated.as_ref());
            deprecated.is_some_and(|deprecated| deprecated.renamed_to.as_deref() == Some(to))
        };
        leads_to(one, other) || leads_to(other, one)
    }

    fn unbilled(&self) -> impl Iterator<Item = Finding> {
        self.catalog.signals.iter().filter_map(|(name, signal)| {
            let objection = self.catalog.unbilled(name, signal.kind, signal.product.as_deref(), &self.shown)?;
            Some(self.unbilled_at(name, self.at_signal(name), &objection))
        })
    }

    /// What the compiler says, as message and fix.
    pub(super) fn unbilled_at(&self, name: &str, place: super::Place, objection: &str) -> Finding {
        let (message, fix) = objection.rsplit_once("; ").unwrap_or((objection, ""));
        self.found(UNBILLED_SIGNAL, Some(name), place, message.to_owned(), fix.to_owned())
    }
}
