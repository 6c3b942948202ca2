//! Reads the text of `signals.toml` into a catalogue, and reports every mistake with its line and column.

mod fields;
mod lints;
mod products;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{Catalog, Deprecated, Field, Kind, Protection, Signal, nearest_of};

/// A mistake in a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// All mistakes in a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(formatter, "{}{problem}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

type Table<'a> = DeTable<'a>;
type Value<'a> = Spanned<DeValue<'a>>;

struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

/// Reads a catalogue.
pub(crate) fn catalog(text: &str) -> Result<Catalog, Problems> {
    let mut reader = Reader { text, problems: Vec::new() };
    let parsed = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            reader.problem(error.span().unwrap_or(0..0), error.message().to_owned());
            return Err(Problems(reader.problems));
        }
    };
    let catalog = reader.catalog(parsed.get_ref());
    if reader.problems.is_empty() { Ok(catalog) } else { Err(Problems(reader.problems)) }
}

/// The header that was meant, by the first table below the one that is called otherwise.
fn as_in(near: &str, value: &Value<'_>) -> String {
    let below = value.get_ref().as_table().and_then(|table| table.iter().find(|(_, value)| value.get_ref().is_table()));
    below.map_or_else(String::new, |(name, _)| format!(", as in [{}.{}]", near.trim_matches('`'), name.get_ref()))
}

const SIGNAL_KEYS: [&str; 8] = ["type", "product", "unit", "description", "deprecated", "expires", "allow", "data"];

impl Reader<'_> {
    fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        self.problems.push(Problem { line, column, message: message.into() });
    }

    fn catalog(&mut self, root: &Table<'_>) -> Catalog {
        let mut catalog = Catalog::default();
        for (key, value) in root {
            if key.get_ref() == "lints" {
                catalog.lints = self.lints(value);
                continue;
            }
            if key.get_ref() == "products" {
                for (id, value) in self.table(value, "`products`").into_iter().flatten() {
                    let product = self.product(value);
                    catalog.products.insert(id.get_ref().to_string(), product);
                }
                continue;
            }
            if key.get_ref() != "signals" {
                let name = key.get_ref();
                let hint = nearest_of(name, ["signals", "products", "lints"].into_iter()).map_or_else(
                    || format!("write a signal as [signals.{name}]"),
                    |near| format!("did you mean {near}{}?", as_in(&near, value)),
                );
                self.problem(key.span(), format!("`{name}` is unknown here; {hint}"));
                continue;
            }
            let Some(signals) = self.table(value, "`signals`") else { continue };
            for (name, value) in signals {
                if name.get_ref().trim().is_empty() {
                    self.problem(name.span(), "a signal needs a name");
                }
                if let Some(table) = self.table(value, "a signal") {
                    let signal = self.signal(name, table);
                    catalog.signals.insert(name.get_ref().to_string(), signal);
                }
            }
        }
        self.renames(root, &catalog);
        catalog
    }

    fn table<'t, 'i>(&mut self, value: &'t Value<'i>, what: &str) -> Option<&'t Table<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.problem(value.span(), format!("{what} must be a table"));
        }
        table
    }

    fn text(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.problem(value.span(), format!("`{key}` must be text in quotes"));
        }
        text
    }

    fn unknown(&mut self, key: &str, span: Range<usize>, known: &[&str], place: &str) {
        let hint = match nearest_of(key, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it has {}", known.join(", ")),
        };
        self.problem(span, format!("{place} has no `{key}`; {hint}"));
    }

    fn signal(&mut self, name: &Spanned<std::borrow::Cow<'_, str>>, table: &Table<'_>) -> Signal {
        let mut signal = Signal {
            kind: Kind::Activity,
            product: None,
            unit_required: false,
            description: None,
            deprecated: None,
            expires: None,
            allow: BTreeSet::new(),
            data: BTreeMap::new(),
        };
        let mut kind = None;
        for (key, value) in table {
            let word = key.get_ref().as_ref();
            match word {
                "type" => kind = Some(self.kind(value)),
                "product" => signal.product = self.text(word, value),
                "unit" => signal.unit_required = self.unit(value),
                "description" => signal.description = self.text(word, value),
                "expires" => signal.expires = self.day(value),
                "allow" => signal.allow = self.allowed(value),
                "deprecated" => signal.deprecated = Some(self.deprecated(value)),
                "data" => {
                    for (field, value) in self.table(value, "`data`").into_iter().flatten() {
                        let read = self.field(value);
                        self.reserved(field.get_ref(), &read, field.span());
                        signal.data.insert(field.get_ref().to_string(), read);
                    }
                }
                _ => self.unknown(word, key.span(), &SIGNAL_KEYS, "a signal"),
            }
        }
        match kind {
            Some(known) => signal.kind = known.unwrap_or(Kind::Activity),
            None => {
                let message = format!("`{}` needs `type = \"activity\"` or `type = \"outcome\"`", name.get_ref());
                self.problem(name.span(), message);
            }
        }
        signal
    }

    fn kind(&mut self, value: &Value<'_>) -> Option<Kind> {
        match self.text("type", value)?.as_str() {
            "activity" => Some(Kind::Activity),
            "outcome" => Some(Kind::Outcome),
            other => {
                self.problem(
                    value.span(),
                    format!("a signal must be of type \"activity\" or \"outcome\", not {other:?}"),
                );
                None
            }
        }
    }

    fn unit(&mut self, value: &Value<'_>) -> bool {
        let required = value.get_ref().as_str() == Some("required");
        if !required {
            self.problem(value.span(), "`unit` must be \"required\"; leave it out if a signal may have no unit");
        }
        required
    }

    fn reserved(&mut self, field: &str, read: &Field, span: Range<usize>) {
        if field == "paid" {
            self.problem(span, "the field `paid` of a signal's data is reserved for Paid; give yours another name");
        } else if field == "quantity" && read.protection() != Protection::None {
            self.problem(span, "Paid reads the number `quantity` itself, so it cannot be hashed or secret");
        } else if field == "costData" && read.protection() != Protection::None {
            self.problem(span, "Paid reads the cost in `costData` itself, so it cannot be hashed or secret");
        }
    }

    fn day(&mut self, value: &Value<'_>) -> Option<String> {
        let text = match value.get_ref() {
            DeValue::Datetime(day) => day.to_string(),
            _ => self.text("expires", value)?,
        };
        let parts: Vec<_> = text.split('-').map(str::parse::<u16>).collect();
        let [Ok(year), Ok(month @ 1..=12), Ok(day @ 1..=31)] = parts.as_slice() else {
            self.problem(value.span(), "`expires` must be a day such as 2027-03-31");
            return None;
        };
        Some(format!("{year:04}-{month:02}-{day:02}"))
    }

    fn deprecated(&mut self, value: &Value<'_>) -> Deprecated {
        let mut deprecated = Deprecated::default();
        if value.get_ref().as_bool() == Some(true) {
            return deprecated;
        }
        for (key, value) in self.table(value, "`deprecated`").into_iter().flatten() {
            let word = key.get_ref().as_ref();
            match word {
                "since" => {
                    deprecated.since = match value.get_ref() {
                        DeValue::Datetime(day) => Some(day.to_string()),
                        _ => self.text(word, value),
                    }
                }
                "renamed_to" => deprecated.renamed_to = self.text(word, value),
                _ => self.unknown(word, key.span(), &["since", "renamed_to"], "`deprecated`"),
            }
        }
        deprecated
    }

    /// A deprecated signal names one that exists.
    fn renames(&mut self, root: &Table<'_>, catalog: &Catalog) {
        for (name, signal) in &catalog.signals {
            let Some(target) = signal.deprecated.as_ref().and_then(|deprecated| deprecated.renamed_to.as_ref()) else {
                continue;
            };
            if !catalog.signals.contains_key(target) {
                let place = root.get("signals").and_then(|signals| signals.get_ref().as_table());
                let place = place.and_then(|signals| signals.get_key_value(name.as_str()));
                let span = place.map_or(0..0, |(key, _)| key.span());
                self.problem(span, format!("`{name}` is renamed to `{target}`, which the catalogue does not have"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JsonType;

    fn problems(text: &str) -> String {
        catalog(text).unwrap_err().to_string()
    }

    #[test]
    fn everything_that_can_be_said_is_read() {
        let read = catalog(
            r#"
            [signals.meeting_booked]
            type = "outcome"
            product = "ai-sdr-001"
            unit = "required"
            description = "A prospect accepted a meeting"
            expires = 2027-03-31
            [signals.meeting_booked.data]
            lead_id = { type = "string", required = true, maxLength = 40 }
            duration_minutes = { type = ["integer", "null"], minimum = 1, maximum = 1_440 }
            channel = { enum = ["email", "phone"], format = "x" }
            email = { type = "string", pii = "hash" }
            phone = { pii = "refuse" }
            city = { pii = "allow" }
            token = { secret = true }
            [signals.meeting_made]
            type = "outcome"
            deprecated = { since = "2026-10", renamed_to = "meeting_booked" }
            [signals."Legacy Event"]
            type = "activity"
            deprecated = true
            "#,
        )
        .unwrap();
        let booked = read.signal("meeting_booked").unwrap();
        assert_eq!((booked.kind, booked.product.as_deref()), (Kind::Outcome, Some("ai-sdr-001")));
        assert_eq!(booked.expires.as_deref(), Some("2027-03-31"));
        assert_eq!(booked.required().collect::<Vec<_>>(), ["lead_id"]);
        assert_eq!(booked.data["duration_minutes"].single_type(), Some(JsonType::Integer));
        assert_eq!(booked.data["duration_minutes"].maximum, Some(1440.0));
        assert_eq!(booked.data["channel"].values.len(), 2);
        let protections = ["email", "phone", "city", "token"].map(|field| booked.data[field].protection());
        assert_eq!(protections, [Protection::Hashed, Protection::Wrapped, Protection::None, Protection::Wrapped]);
        let made = read.signal("meeting_made").unwrap().deprecated.as_ref().unwrap();
        assert_eq!(made.renamed_to.as_deref(), Some("meeting_booked"));
        assert!(read.signal("Legacy Event").is_some());
        assert_eq!((booked.unit_required, made_needs_a_unit(&read)), (true, false));
    }

    fn made_needs_a_unit(catalog: &Catalog) -> bool {
        catalog.signal("meeting_made").is_some_and(|signal| signal.unit_required)
    }

    #[test]
    fn a_unit_is_required_or_not_mentioned() {
        let shown = problems("[signals.a]\ntype = \"outcome\"\nunit = \"optional\"\n");
        assert_eq!(shown, "3:8: `unit` must be \"required\"; leave it out if a signal may have no unit");
    }

    #[test]
    fn a_class_that_cannot_hold_is_found() {
        let shown = problems(
            "[signals.a]\ntype = \"outcome\"\n[signals.a.data]\nx = { type = \"integer\", pii = \"hash\" }\ny = { secret = true, pii = \"allow\" }\nz = { pii = \"drop\" }\n[signals.a.data.quantity]\npii = \"hash\"\n[signals.a.data.costData]\nsecret = true\n",
        );
        for expected in [
            "4:5: a hash is text, so the field must be of type \"string\", or have no `type`",
            "5:5: a secret is never sent in the clear; remove `secret = true`, or write `pii = \"refuse\"`",
            "6:13: `pii` must be \"hash\", \"refuse\" or \"allow\"",
            "7:17: Paid reads the number `quantity` itself, so it cannot be hashed or secret",
            "9:17: Paid reads the cost in `costData` itself, so it cannot be hashed or secret",
        ] {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
    }

    #[test]
    fn every_problem_is_named_with_line_and_column() {
        let text = "[signals.a]\ntyp = \"outcome\"\n[signals.a.data]\nx = { type = \"integr\" }\ny = { type = \"string\", minimum = 1 }\nz = { minimum = 3, maximum = 2 }\npaid = {}\n[signals.b]\ntype = \"event\"\n[other]\n";
        let shown = problems(text);
        for expected in [
            "1:10: `a` needs `type = \"activity\"` or `type = \"outcome\"`",
            "2:1: a signal has no `typ`; did you mean `type`?",
            "4:14: JSON has no `integr`; did you mean `integer`?",
            "5:5: only a number can have bounds, and this field is not a number",
            "6:5: no number fits both bounds, 3 and 2",
            "7:1: the field `paid` of a signal's data is reserved for Paid",
            "9:8: a signal must be of type \"activity\" or \"outcome\", not \"event\"",
            "10:2: `other` is unknown here; write a signal as [signals.other]",
        ] {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
    }

    #[test]
    fn broken_toml_and_a_signal_twice_are_found_where_they_stand() {
        assert!(
            problems("[signals.a]\ntype = outcome\n").starts_with("2:8: "),
            "{}",
            problems("[signals.a]\ntype = outcome\n")
        );
        let twice = problems("[signals.a]\ntype = \"outcome\"\n[signals.a]\n");
        assert!(twice.starts_with("3:10: ") && twice.contains("duplicate key"), "{twice}");
    }

    #[test]
    fn values_that_contradict_their_own_field_are_found() {
        let shown =
            problems("[signals.a]\ntype = \"outcome\"\n[signals.a.data]\nx = { type = \"string\", enum = [1] }\n");
        assert!(shown.contains("`enum` allows 1, but the field must be of type string, not integer"), "{shown}");
        let singular = problems("[signal.a]\ntype = \"outcome\"\n");
        assert_eq!(singular, "1:2: `signal` is unknown here; did you mean `signals`, as in [signals.a]?");
        let gone = problems("[signals.a]\ntype = \"outcome\"\ndeprecated = { renamed_to = \"b\" }\n");
        assert!(gone.contains("1:10: `a` is renamed to `b`, which the catalogue does not have"), "{gone}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = catalog(&text);
        }

        #[test]
        fn no_text_like_a_catalogue_makes_it_panic(
            lines in proptest::collection::vec("(\\[signals\\.[a-c]{1,2}(\\.data)?\\]|(type|data|product|expires|deprecated|x) ?= ?(\"(outcome|activity|string)\"|[0-9]{1,3}|\\{ ?(type|enum|minimum|renamed_to) ?= ?(\"string\"|\\[1\\]|-3\\.5|true) ?\\}))", 0..12)
        ) {
            let _ = catalog(&lines.join("\n"));
        }
    }
}
