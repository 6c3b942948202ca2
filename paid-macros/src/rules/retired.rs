//! Signals that should no longer be sent: `deprecated`, and `expires` of a day that has come.

use std::time::{SystemTime, UNIX_EPOCH};

use paid_catalog::{DEPRECATED_SIGNAL, EXPIRED_SIGNAL, Level};
use proc_macro2::TokenStream;

use super::{Event, warning};
use crate::diagnostics::Errors;

impl Event<'_> {
    /// Reports, at the event's name, that the signal should no longer be sent, where the catalogue denies it.
    pub(crate) fn check_retired(&self, errors: &mut Errors) {
        for (rule, message) in self.retired() {
            if self.level(rule) == Level::Deny {
                errors.at(&self.name, message);
            }
        }
    }

    /// Statements that warn of it.
    pub(crate) fn retired_warnings(&self) -> impl Iterator<Item = TokenStream> {
        let warned = self.retired().into_iter().filter(|(rule, _)| self.level(rule) == Level::Warn);
        warned.map(|(rule, message)| warning(rule, &message, self.name.span()))
    }

    fn level(&self, rule: &str) -> Level {
        self.catalog.map_or(Level::Allow, |catalog| catalog.catalog.level(rule, self.known))
    }

    /// The rules that it breaks.
    fn retired(&self) -> Vec<(&'static str, String)> {
        let deprecated = self.deprecation().map(|message| (DEPRECATED_SIGNAL, message));
        let expired = self.expiry(&today()).map(|message| (EXPIRED_SIGNAL, message));
        deprecated.into_iter().chain(expired).collect()
    }

    fn deprecation(&self) -> Option<String> {
        let deprecated = self.known?.deprecated.as_ref()?;
        let name = self.name.value();
        let mut note = match &deprecated.renamed_to {
            Some(new) => format!("signal `{name}` is deprecated: send `{new}` instead"),
            None => format!("signal `{name}` is deprecated: it should no longer be sent"),
        };
        if let Some(since) = &deprecated.since {
            note.push_str(&format!(" (since {since})"));
        }
        Some(note)
    }

    fn expiry(&self, today: &str) -> Option<String> {
        let day = self.known?.expires.as_deref().filter(|day| *day <= today)?;
        let (name, shown) = (self.name.value(), self.shown());
        Some(format!("signal `{name}` expired on {day}, says {shown}: stop sending it, or move `expires`"))
    }
}

/// The day in UTC, such as `2027-03-31`: that of the build, or of `SOURCE_DATE_EPOCH`, with which an old version is built as it was.
fn today() -> String {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse::<u64>().ok());
    let seconds = given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    day(seconds / (24 * 60 * 60))
}

/// The day that is this many days after 1970-01-01. Years begin in March here, so that a leap day is the last of its year.
fn day(since_1970: u64) -> String {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let since_year_0 = since_1970 + 719_468;
    let (eras, rest) = (since_year_0 / DAYS_OF_400_YEARS, since_year_0 % DAYS_OF_400_YEARS);
    let year = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365;
    let of_year = rest - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{of_month:02}", eras * 400 + year + next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let shown = [0, 58, 59, 11_016, 11_017, 20_784].map(day);
        assert_eq!(shown, ["1970-01-01", "1970-02-28", "1970-03-01", "2000-02-29", "2000-03-01", "2026-11-27"]);
    }

    #[test]
    fn a_signal_expires_on_its_day() {
        let catalog =
            paid_catalog::Catalog::parse("[signals.a]\ntype = \"outcome\"\nexpires = \"2027-3-9\"\n").unwrap();
        let name = syn::parse_quote!("a");
        let event = Event { name, known: catalog.signal("a"), catalog: None };
        assert_eq!(event.expiry("2027-03-08"), None);
        let said = "signal `a` expired on 2027-03-09, says the catalogue: stop sending it, or move `expires`";
        assert_eq!(event.expiry("2027-03-09").as_deref(), Some(said));
        assert_eq!(event.expiry("2027-12-01").as_deref(), Some(said));
    }
}
