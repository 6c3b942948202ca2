//! What was emitted, in little memory, and what of it was found. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fingerprint::{Content, Fingerprint, of_reference, reference};
use super::open::Open;
use super::report::{Counted, Discrepancy, Reconciliation, Tally};
use crate::Timestamp;
use crate::account::error::AccountError;
use crate::outbox::Entry;

/// How far Paid's time of a signal and that of the answer may be from each other, in milliseconds. Signals that only say the same, and
/// are farther apart, are not taken for one.
const APART: u64 = 86_400_000;

/// Names and ids that occur again and again, each once.
#[derive(Default)]
struct Words {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Words {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }
}

/// Customer, product and name of signals, each combination once.
#[derive(Default)]
struct Kinds {
    all: Vec<[u32; 3]>,
    numbers: HashMap<[u32; 3], u32>,
}

impl Kinds {
    fn number(&mut self, words: [u32; 3]) -> u32 {
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(words).or_insert(next);
        if number == next {
            self.all.push(words);
        }
        number
    }
}

struct Emitted {
    fingerprint: Fingerprint,
    without_ids: Fingerprint,
    /// Milliseconds since 1970; `i64::MIN` if it is not known.
    at: i64,
    /// The position among the entries.
    position: u32,
    key: Option<Fingerprint>,
    name: u32,
    customer: u32,
    product: u32,
    acknowledged: bool,
    is_suspect: bool,
    has_reference: bool,
    is_found: bool,
}

impl Emitted {
    /// Whether a signal with the same content that Paid has since `time` may be this one.
    fn may_be_of(&self, time: i64) -> bool {
        let is_known = self.at != i64::MIN && time != i64::MIN;
        self.has_reference || !is_known || self.at.abs_diff(time) <= APART
    }
}

struct Extra {
    without_ids: Fingerprint,
    at: Option<Timestamp>,
    id: String,
    name: u32,
    customer: u32,
    product: u32,
}

#[derive(Default)]
pub(super) struct Book {
    words: Words,
    emitted: Vec<Emitted>,
    /// The keys that were seen: a signal that was sent twice is one. Emptied when all is read.
    keys: HashMap<Fingerprint, u32>,
    /// Which of them were not found yet.
    open: Open,
    extras: Vec<Extra>,
    found: u64,
    /// What Paid listed: a signal on two pages is one.
    listed: HashSet<Fingerprint>,
    /// Those of them that were emitted here, each with its place in `kinds`.
    matched: HashMap<Fingerprint, u32>,
    kinds: Kinds,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    event_name: String,
    customer: Option<Map<String, Value>>,
    attribution: Option<Map<String, Value>>,
    data: Option<Map<String, Value>>,
    idempotency_key: Option<String>,
}

fn id<'a>(ids: Option<&'a Map<String, Value>>, keys: [&str; 2]) -> &'a str {
    let text = |key: &str| ids.and_then(|ids| ids.get(key)).and_then(Value::as_str);
    keys.into_iter().find_map(text).unwrap_or_default()
}

impl Book {
    /// What was emitted, and where it stands among the entries.
    pub(super) fn emitted(&mut self, entry: &Entry, position: usize) -> Result<(), AccountError> {
        let written: Written = serde_json::from_str(entry.signal.get())
            .map_err(|error| AccountError::unreadable("an emitted signal", error.to_string()))?;
        let customer = id(written.customer.as_ref(), ["externalCustomerId", "customerId"]);
        let product = id(written.attribution.as_ref(), ["externalProductId", "productId"]);
        let content = Content { name: &written.event_name, customer, product, data: written.data.as_ref() };
        let key = written.idempotency_key.as_deref().map(of_reference);
        if let Some(key) = key {
            let next = u32::try_from(self.emitted.len()).unwrap_or(u32::MAX);
            let known = *self.keys.entry(key).or_insert(next);
            if let Some(known) = self.emitted.get_mut(known as usize).filter(|_| known != next) {
                // A duplicate of what Paid had acknowledged is what it should be.
                known.is_suspect |= entry.is_suspect && !known.acknowledged;
                known.acknowledged |= entry.acknowledged;
                return Ok(());
            }
        }
        let reference = reference(written.data.as_ref());
        let emitted = Emitted {
            fingerprint: reference.map_or_else(|| content.fingerprint(), of_reference),
            without_ids: content.without_ids(),
            at: entry.at.map_or(i64::MIN, |at| at.timestamp_millis()),
            position: u32::try_from(position).unwrap_or(u32::MAX),
            key,
            name: self.words.number(&written.event_name),
            customer: self.words.number(customer),
            product: self.words.number(product),
            acknowledged: entry.acknowledged,
            is_suspect: entry.is_suspect,
            has_reference: reference.is_some(),
            is_found: false,
        };
        self.emitted.push(emitted);
        Ok(())
    }

    /// Everything that was emitted is known.
    pub(super) fn close(&mut self) {
        self.keys = HashMap::new();
        self.emitted.sort_by_key(|emitted| (emitted.fingerprint, emitted.at));
        self.open = Open::new(self.emitted.len());
    }

    /// How many signals Paid listed.
    pub(super) fn listed(&self) -> u64 {
        self.listed.len() as u64
    }

    fn alike(&self, fingerprint: Fingerprint) -> Range<usize> {
        let first = self.emitted.partition_point(|emitted| emitted.fingerprint < fingerprint);
        let rest = self.emitted.get(first..).unwrap_or_default();
        first..first + rest.partition_point(|emitted| emitted.fingerprint == fingerprint)
    }

    /// A signal of Paid's list.
    pub(super) fn found(&mut self, signal: &Value) {
        let text = |key: &str| signal[key].as_str().unwrap_or_default();
        if !text("id").is_empty() && !self.listed.insert(of_reference(text("id"))) {
            return;
        }
        let data = signal["data"].as_object();
        let name = text("name");
        let at = text("createdAt").parse::<Timestamp>().ok();
        let mut fingerprints = Vec::with_capacity(5);
        fingerprints.extend(reference(data).map(of_reference));
        for customer in [text("externalCustomerId"), text("customerId")] {
            for product in [text("externalProductId"), text("productId")] {
                fingerprints.push(Content { name, customer, product, data }.fingerprint());
            }
        }
        let time = at.map_or(i64::MIN, |at| at.timestamp_millis());
        for fingerprint in fingerprints {
            let alike = self.alike(fingerprint);
            let group = self.emitted.get(alike.clone()).unwrap_or_default();
            let at = alike.start + group.partition_point(|emitted| emitted.at < time);
            let nearest = self.open.around(at, &alike).into_iter().flatten();
            let nearest = nearest.min_by_key(|at| self.emitted.get(*at).map(|emitted| emitted.at.abs_diff(time)));
            let same = nearest.and_then(|at| Some((at, self.emitted.get_mut(at)?)));
            if let Some((at, emitted)) = same.filter(|(_, emitted)| emitted.may_be_of(time)) {
                emitted.is_found = true;
                let kind = self.kinds.number([emitted.customer, emitted.product, emitted.name]);
                self.matched.insert(of_reference(text("id")), kind);
                self.open.take(at);
                self.found += 1;
                return;
            }
        }
        let or = |own: &str, paids: &str| if text(own).is_empty() { text(paids) } else { text(own) };
        let customer = or("externalCustomerId", "customerId");
        let product = or("externalProductId", "productId");
        let extra = Extra {
            without_ids: Content { name, customer: "", product: "", data }.without_ids(),
            at,
            id: text("id").to_owned(),
            name: self.words.number(name),
            customer: self.words.number(customer),
            product: self.words.number(product),
        };
        self.extras.push(extra);
    }

    /// What became of everything. What was sent after `settled` may still be on its way.
    pub(super) fn report(
        mut self,
        settled: Timestamp,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Reconciliation {
        let mut report = Reconciliation { from, to, found: self.found, ..Reconciliation::default() };
        let is_meant = |at: Option<Timestamp>| {
            at.is_none_or(|at| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to))
        };
        self.extras.retain(|extra| is_meant(extra.at));
        report.counted = std::mem::take(&mut self.matched);
        for extra in &self.extras {
            let kind = self.kinds.number([extra.customer, extra.product, extra.name]);
            report.counted.insert(of_reference(&extra.id), kind);
        }
        let others: HashSet<Fingerprint> = self.extras.iter().map(|extra| extra.without_ids).collect();
        let mut tallies: BTreeMap<[u32; 3], Tally> = BTreeMap::new();
        let mut index = 0;
        while let Some(first) = self.emitted.get(index) {
            let alike = self.alike(first.fingerprint);
            let group = self.emitted.get(alike.clone()).unwrap_or_default();
            let is_partly_found = group.iter().any(|emitted| emitted.is_found);
            for emitted in group {
                let tally = tallies.entry([emitted.customer, emitted.product, emitted.name]).or_default();
                tally.emitted += 1;
                report.emitted += 1;
                let discrepancy = || Discrepancy {
                    position: emitted.position as usize,
                    key: emitted.key,
                    at: chrono::DateTime::from_timestamp_millis(emitted.at).map(Timestamp::from),
                    name: self.words.text(emitted.name).to_owned(),
                    customer: self.words.text(emitted.customer).to_owned(),
                    was_suspect: emitted.is_suspect,
                };
                if emitted.is_found {
                    tally.matched += 1;
                } else if !emitted.acknowledged {
                    tally.unacknowledged += 1;
                    report.unacknowledged.push(discrepancy());
                } else if emitted.at > settled.timestamp_millis() {
                    tally.pending += 1;
                    report.pending += 1;
                } else if !emitted.has_reference && (is_partly_found || others.contains(&emitted.without_ids)) {
                    tally.uncertain += 1;
                    report.uncertain.push(discrepancy());
                } else {
                    tally.missing += 1;
                    report.missing.push(discrepancy());
                }
            }
            index = alike.end.max(index + 1);
        }
        for extra in &self.extras {
            tallies.entry([extra.customer, extra.product, extra.name]).or_default().extra += 1;
        }
        for list in [&mut report.missing, &mut report.uncertain, &mut report.unacknowledged] {
            list.sort_by_key(|discrepancy| discrepancy.position);
        }
        report.extra = self.extras.iter().map(|extra| extra.id.clone()).collect();
        let named = |words: [u32; 3]| {
            let [customer, product, name] = words.map(|word| self.words.text(word).to_owned());
            Counted { customer, product, name }
        };
        report.tallies = tallies.into_iter().map(|(words, tally)| (named(words), tally)).collect();
        report.kinds = self.kinds.all.iter().map(|words| named(*words)).collect();
        report
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(key: &str, at: &str, data: Value) -> Entry {
        let signal = json!({ "eventName": "e", "customer": { "externalCustomerId": "acme" },
            "attribution": { "externalProductId": "p" }, "idempotencyKey": key, "data": data });
        let signal = serde_json::value::to_raw_value(&signal).unwrap();
        Entry::of(Some(at.parse().unwrap()), true, false, signal)
    }

    fn listed(id: &str, at: &str, customer: &str, data: Value) -> Value {
        json!({ "id": id, "name": "e", "createdAt": at, "externalCustomerId": customer, "customerId": "cus_1",
            "externalProductId": "p", "productId": "prod_1", "data": data })
    }

    const DAY: &str = "2026-06-01T00:00:00Z";

    fn reconciled(emitted: &[Entry], found: &[Value]) -> Reconciliation {
        let mut book = Book::default();
        for (position, entry) in emitted.iter().enumerate() {
            book.emitted(entry, position).unwrap();
        }
        book.close();
        for signal in found {
            book.found(signal);
        }
        book.report("2026-07-01T00:00:00Z".parse().unwrap(), None, None)
    }

    #[test]
    fn a_reference_is_certain_and_a_retry_is_one_signal() {
        let data = |key: &str| json!({ "same": 1, "paid_ref": key });
        let emitted = [entry("a", DAY, data("a")), entry("a", DAY, data("a")), entry("b", DAY, data("b"))];
        let report = reconciled(&emitted, &[listed("1", DAY, "other name of acme", data("b"))]);
        assert_eq!((report.emitted, report.found, report.missing.len()), (2, 1, 1));
        assert_eq!(report.missing[0].position, 0);
        assert!(report.uncertain.is_empty() && report.extra.is_empty());
    }

    #[test]
    fn which_of_several_that_are_alike_is_missing_is_uncertain() {
        let emitted = [
            entry("a", DAY, json!({})),
            entry("b", "2026-06-01T01:00:00Z", json!({})),
            entry("c", DAY, json!({"x": 1})),
        ];
        let report = reconciled(&emitted, &[listed("1", "2026-06-01T01:00:01Z", "acme", json!({}))]);
        assert_eq!(report.uncertain.len(), 1);
        assert_eq!(report.uncertain[0].at, Some(DAY.parse().unwrap()), "the nearest in time is taken for the same");
        assert_eq!(report.missing.len(), 1);
        assert_eq!(report.missing[0].position, 2);
    }

    #[test]
    fn a_signal_of_another_name_of_the_customer_is_uncertain_and_no_loss() {
        let report = reconciled(&[entry("a", DAY, json!({"x": 1}))], &[listed("1", DAY, "alias", json!({"x": 1}))]);
        assert_eq!((report.missing.len(), report.uncertain.len(), report.extra.len()), (0, 1, 1));
        let by_paids_id = json!({ "eventName": "e", "customer": { "customerId": "cus_1" }, "attribution": { "productId": "prod_1" } });
        let by_paids_id = Entry::of(None, true, false, serde_json::value::to_raw_value(&by_paids_id).unwrap());
        let report = reconciled(&[by_paids_id], &[listed("1", DAY, "acme", Value::Null)]);
        assert_eq!((report.found, report.extra.len()), (1, 0));
    }

    #[test]
    fn many_that_are_alike_are_matched_at_once_and_a_signal_on_two_pages_is_one() {
        let emitted: Vec<Entry> = (0..50_000).map(|number| entry(&number.to_string(), DAY, json!({}))).collect();
        let found: Vec<Value> = (0..49_990).map(|id| listed(&id.to_string(), DAY, "acme", json!({}))).collect();
        let twice: Vec<Value> = found.iter().chain(&found[..100]).cloned().collect();
        let report = reconciled(&emitted, &twice);
        assert_eq!((report.found, report.uncertain.len(), report.extra.len()), (49_990, 10, 0));
    }

    #[test]
    fn a_signal_that_says_the_same_on_another_day_is_uncertain() {
        let emitted = [entry("a", DAY, json!({"x": 1})), entry("b", DAY, json!({"paid_ref": "b"}))];
        let later = "2026-06-03T00:00:00Z";
        let found = [listed("1", later, "acme", json!({"x": 1})), listed("2", later, "acme", json!({"paid_ref": "b"}))];
        let report = reconciled(&emitted, &found);
        assert_eq!((report.found, report.missing.len(), report.uncertain.len(), report.extra.len()), (1, 0, 1, 1));
    }

    #[test]
    fn what_was_sent_a_moment_ago_is_pending() {
        let report = reconciled(&[entry("a", "2026-07-01T00:00:01Z", json!({}))], &[]);
        assert_eq!((report.pending, report.missing.len()), (1, 0));
    }
}
