//! Signals, and the trait of types that can become one. Knows nothing of delivery.

pub(crate) mod cost;
mod json;
mod key;
pub(crate) mod lane;
pub mod value;

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::Timestamp;
pub use crate::report::DataProblem;
use crate::types::{CustomerAttribution, ProductAttribution};
use crate::wire;

pub use cost::{CostAmount, CostData, CostUsage};
use json::append_text;
pub(crate) use key::IdempotencyKey;

/// A type that can be sent as a signal. `#[derive(PaidSignal)]` implements it; a manual implementation needs a name and
/// the data:
///
/// ```
/// use paid::signal::{Data, PaidSignal};
/// use paid::types::{CustomerAttribution, ExternalCustomerId};
///
/// struct EmailSent {
///     account: String,
///     words: u32,
/// }
///
/// impl PaidSignal for EmailSent {
///     const NAMES: &'static [&'static str] = &["email_sent"];
///
///     fn customer(&self) -> Option<CustomerAttribution> {
///         Some(ExternalCustomerId::from(self.account.as_str()).into())
///     }
///
///     fn write_data(&self, data: &mut Data) {
///         data.field("words", &self.words);
///     }
/// }
///
/// let signal = EmailSent { account: "acme".into(), words: 120 }.to_signal();
/// assert_eq!(signal.data().to_string(), r#"{"words":120}"#);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signal",
    label = "this is not a `PaidSignal`",
    note = "put `#[derive(PaidSignal)]` and `#[paid(signal = \"event_name\")]` on it, or name the event in the annotation"
)]
pub trait PaidSignal {
    /// The event names it can have: one for a struct, one for each variant of an enum, none if they are only known at
    /// run time.
    const NAMES: &'static [&'static str];

    /// The event name of this value.
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Self::NAMES.first().copied().unwrap_or_default())
    }

    /// Whose work it was; the scope's customer if `None`.
    fn customer(&self) -> Option<CustomerAttribution> {
        None
    }

    /// Which product did the work; the scope's product if `None`.
    fn product(&self) -> Option<ProductAttribution> {
        None
    }

    /// Your own id of the customer's unit, such as a team, that the spend counts toward. Spend without a unit counts
    /// toward no cap.
    fn unit(&self) -> Option<String> {
        None
    }

    /// The idempotency key, which identifies the event; a UUIDv7 made at emission if `None`.
    fn idempotency_key(&self) -> Option<String> {
        None
    }

    /// When the event happened; the time of emission if `None`.
    fn timestamp(&self) -> Option<Timestamp> {
        None
    }

    /// Writes the fields of the signal's data.
    fn write_data(&self, data: &mut Data);

    /// Converts to a signal, with the values above. What is `None` is set at emission.
    fn to_signal(&self) -> Signal {
        let mut signal = Signal::new(self.name());
        signal.customer = self.customer();
        signal.product = self.product();
        signal.unit = self.unit();
        signal.idempotency_key = self.idempotency_key().map(IdempotencyKey::Given);
        signal.timestamp = self.timestamp();
        self.write_data(&mut signal.data);
        signal
    }
}

impl<S: PaidSignal + ?Sized> PaidSignal for &S {
    const NAMES: &'static [&'static str] = S::NAMES;

    fn name(&self) -> Cow<'static, str> {
        S::name(self)
    }

    fn customer(&self) -> Option<CustomerAttribution> {
        S::customer(self)
    }

    fn product(&self) -> Option<ProductAttribution> {
        S::product(self)
    }

    fn unit(&self) -> Option<String> {
        S::unit(self)
    }

    fn idempotency_key(&self) -> Option<String> {
        S::idempotency_key(self)
    }

    fn timestamp(&self) -> Option<Timestamp> {
        S::timestamp(self)
    }

    fn write_data(&self, data: &mut Data) {
        S::write_data(self, data);
    }

    fn to_signal(&self) -> Signal {
        S::to_signal(self)
    }
}

/// One signal: an immutable event that Paid can price.
///
/// Created from a [`PaidSignal`], or manually if the event name is only known at run time:
///
/// ```
/// use paid::signal::Signal;
/// use paid::types::ExternalCustomerId;
///
/// let signal = Signal::new("email_sent").customer(ExternalCustomerId::from("acme")).field("words", &120);
/// assert_eq!(signal.to_json()["customer"]["externalCustomerId"], "acme");
/// ```
#[derive(Clone, Debug)]
pub struct Signal {
    pub(crate) name: Cow<'static, str>,
    pub(crate) customer: Option<CustomerAttribution>,
    pub(crate) product: Option<ProductAttribution>,
    pub(crate) unit: Option<String>,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    pub(crate) data: Data,
    /// True if the signal carries the costs of its scope.
    pub(crate) cost_attributed: bool,
    /// The id under which these costs are counted, once they belong to the signal.
    pub(crate) costs_of: Option<u32>,
}

impl Signal {
    /// Creates a signal with this event name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            customer: None,
            product: None,
            unit: None,
            timestamp: None,
            idempotency_key: None,
            data: Data::default(),
            cost_attributed: false,
            costs_of: None,
        }
    }

    /// Attributes the costs of the enclosing traced scope so far to this signal, so that Paid shows the margin. Later
    /// costs belong to the next cost-attributed signal, so use this for one signal of a piece of work. It needs feature
    /// `trace`: without a traced scope the signal is sent without costs, and this is logged.
    #[must_use]
    pub fn cost_attributed(mut self) -> Self {
        self.cost_attributed = true;
        self
    }

    /// Sets whose work it was.
    #[must_use]
    pub fn customer(mut self, customer: impl Into<CustomerAttribution>) -> Self {
        self.customer = Some(customer.into());
        self
    }

    /// Sets which product did the work.
    #[must_use]
    pub fn product(mut self, product: impl Into<ProductAttribution>) -> Self {
        self.product = Some(product.into());
        self
    }

    /// Sets your own id of the customer's unit that the spend counts toward.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Sets when the event happened.
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<Timestamp>) -> Self {
        self.timestamp = Some(timestamp.into());
        self
    }

    /// Sets the idempotency key, which identifies the event.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(IdempotencyKey::Given(key.into()));
        self
    }

    /// Adds a field to the data. If the value cannot be represented in JSON, emission reports the signal and does not
    /// send it.
    #[must_use]
    pub fn field<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.data.field(key, value);
        self
    }

    /// The event name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose work it was.
    pub fn customer_ref(&self) -> Option<&CustomerAttribution> {
        self.customer.as_ref()
    }

    /// Which product did the work.
    pub fn product_ref(&self) -> Option<&ProductAttribution> {
        self.product.as_ref()
    }

    /// Your own id of the customer's unit that the spend counts toward.
    pub fn unit_ref(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// When the event happened.
    pub fn timestamp_ref(&self) -> Option<&Timestamp> {
        self.timestamp.as_ref()
    }

    /// The idempotency key.
    pub fn idempotency_key_ref(&self) -> Option<&str> {
        self.idempotency_key.as_ref().map(IdempotencyKey::as_str)
    }

    /// The data.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The signal as JSON, in the form that `POST /signals/bulk` accepts.
    pub fn to_json(&self) -> Value {
        let mut text = Vec::new();
        self.write_json(&mut text);
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

/// A signal whose name is only known at run time.
impl PaidSignal for Signal {
    const NAMES: &'static [&'static str] = &[];

    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn write_data(&self, data: &mut Data) {
        data.clone_from(&self.data);
    }

    fn to_signal(&self) -> Signal {
        self.clone()
    }
}

/// The data of a signal: a JSON object, written field by field without an intermediate tree.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// `"key":value` pairs, separated by commas.
    text: Vec<u8>,
    problem: Option<Box<DataProblem>>,
    default_product: Option<&'static str>,
}

impl Data {
    /// Adds a field. If the value cannot be represented in JSON, the problem is kept: emission reports the signal and
    /// does not send it.
    pub fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        if let Some(path) = wire::first_non_finite(value) {
            let place = if path.is_empty() { String::new() } else { format!(" at {path}") };
            self.refuse(key, format!("is NaN or infinite{place}, which JSON cannot represent"));
            return;
        }
        let before = self.text.len();
        self.begin(key);
        if let Err(error) = serde_json::to_writer(&mut self.text, value) {
            self.text.truncate(before);
            self.refuse(key, format!("cannot be written as JSON: {error}"));
        }
    }

    /// Adds a field unless the value is `None`.
    pub fn field_unless_none<T: Serialize>(&mut self, key: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.field(key, value);
        }
    }

    /// Adds all fields of a map or struct. `key` names it in errors.
    pub fn flatten<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        if let Some(path) = wire::first_non_finite(value) {
            self.refuse(key, format!("is NaN or infinite at {path}, which JSON cannot represent"));
            return;
        }
        match serde_json::to_vec(value) {
            Ok(text) => match text.strip_prefix(b"{").and_then(|text| text.strip_suffix(b"}")) {
                Some(b"") => {}
                Some(fields) => {
                    self.separate();
                    self.text.extend_from_slice(fields);
                }
                None if text == b"null" => {}
                None => self.refuse(key, "cannot be flattened: it is not a JSON object".to_owned()),
            },
            Err(error) => self.refuse(key, format!("cannot be written as JSON: {error}")),
        }
    }

    /// Sets the catalogue's product, used if neither the signal nor the scope names one.
    #[doc(hidden)]
    pub fn product_by_default(&mut self, product: &'static str) {
        self.default_product = Some(product);
    }

    pub(crate) fn default_product(&self) -> Option<&'static str> {
        self.default_product
    }

    /// Adds the fields of another one.
    pub(crate) fn append(&mut self, other: Self) {
        if !other.text.is_empty() {
            self.separate();
            self.text.extend_from_slice(&other.text);
        }
        self.problem = self.problem.take().or(other.problem);
        self.default_product = self.default_product.or(other.default_product);
    }

    /// Appends the data as JSON, with `paid` merged into the field of that name.
    pub(crate) fn write_json_with_paid(&self, out: &mut Vec<u8>, paid: Value) {
        let mut data = self.clone();
        let own = data.take("paid");
        let merged = match (own, paid) {
            (Some(Value::Object(mut own)), Value::Object(paid)) => {
                own.extend(paid);
                Value::Object(own)
            }
            (_, paid) => paid,
        };
        data.field("paid", &merged);
        data.write_json(out);
    }

    /// Removes a field and returns it.
    fn take(&mut self, key: &str) -> Option<Value> {
        let mut quoted = Vec::new();
        append_text(&mut quoted, key);
        if !self.text.windows(quoted.len()).any(|part| part == quoted) {
            return None;
        }
        let Value::Object(mut all) = self.to_json() else { return None };
        let taken = all.remove(key)?;
        self.text.clear();
        for (key, value) in &all {
            self.field(key, value);
        }
        Some(taken)
    }

    fn separate(&mut self) {
        if !self.text.is_empty() {
            self.text.push(b',');
        }
    }

    fn begin(&mut self, key: &str) {
        // Enough for most signals, so that there is only one allocation.
        if self.text.capacity() == 0 {
            self.text.reserve(128);
        }
        self.separate();
        append_text(&mut self.text, key);
        self.text.push(b':');
    }

    /// Keeps the first problem: it is the one that is reported.
    fn refuse(&mut self, field: &str, problem: String) {
        self.problem.get_or_insert_with(|| Box::new(DataProblem::new(field, problem)));
    }

    /// The approximate size in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }

    /// Returns true if there are no fields.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Why the data cannot be sent, if it cannot.
    pub fn problem(&self) -> Option<&DataProblem> {
        self.problem.as_deref()
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        out.extend_from_slice(&self.text);
        out.push(b'}');
    }

    /// The data as a JSON value.
    pub fn to_json(&self) -> Value {
        let mut text = Vec::with_capacity(self.text.len() + 2);
        self.write_json(&mut text);
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

impl fmt::Display for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{}}}", String::from_utf8_lossy(&self.text))
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Data({self})")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flattened_maps_join_the_other_fields() {
        let mut data = Data::default();
        data.flatten("none", &None::<u8>);
        data.flatten("empty", &json!({}));
        data.field("a", &1);
        data.flatten("more", &json!({"b": 2, "c": 3}));
        data.field_unless_none("d", &None::<u8>);
        assert_eq!(data.to_json(), json!({"a": 1, "b": 2, "c": 3}));
        assert_eq!(data.problem(), None);
    }

    #[test]
    fn what_json_cannot_say_is_remembered_and_the_rest_stays_well_formed() {
        let mut data = Data::default();
        data.field("a", &1);
        data.field("b", &[1.0, f64::NAN]);
        data.field("c", &std::collections::BTreeMap::from([((1, 2), 3)]));
        data.flatten("d", &7);
        data.field("e", &true);
        assert_eq!(data.to_json(), json!({"a": 1, "e": true}));
        assert!(
            data.problem()
                .unwrap()
                .to_string()
                .starts_with("`b` is NaN or infinite at [], which JSON cannot represent")
        );
    }
}
