//! Signals, and the trait of types that can become one. Knows nothing of delivery.

pub(crate) mod check;
pub(crate) mod cost;
mod data;
pub(crate) mod guard;
mod hash_key;
mod hashed;
mod json;
pub(crate) mod key;
pub(crate) mod lane;
mod time;
pub mod value;

use std::borrow::Cow;

use serde_json::Value;

use crate::Timestamp;
pub use crate::report::DataProblem;
use crate::types::{CustomerAttribution, ProductAttribution};

pub use cost::{CostAmount, CostData, CostUsage};
pub use data::Data;
pub use hash_key::HashKey;
pub use hashed::Hashed;
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

    /// What happened: the event name, as prices must spell it.
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

    /// Adds what the signal says beside its roles, key by key.
    fn write_data(&self, data: &mut Data);

    /// Whether the signal says itself whose work it was, if only by a field that is `None`. Derived; nothing is logged where the
    /// scope's customer stands in for the `None` of an implementation by hand.
    #[doc(hidden)]
    fn __paid_names_customer(&self) -> bool {
        false
    }

    /// Converts to a signal, with the values above. What is `None` is set at emission.
    fn to_signal(&self) -> Signal {
        let mut signal = Signal::new(self.name());
        signal.customer = self.customer();
        signal.customer_was_none = signal.customer.is_none() && self.__paid_names_customer();
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

    fn __paid_names_customer(&self) -> bool {
        S::__paid_names_customer(self)
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
    /// True if an annotation or a derived type gave a customer, and it was `None`.
    pub(crate) customer_was_none: bool,
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
    /// Creates a signal with this event name. To have the compiler compare it with `signals.toml`, write
    /// [`event_name!("...")`](crate::event_name); `cargo paid signals check` finds plain literals, too.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            customer: None,
            customer_was_none: false,
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

    /// Adds a field to the data, or replaces it. If the value cannot be sent, see [`Data::field`], emission reports the
    /// signal and does not send it.
    #[must_use]
    pub fn field<T: value::Json + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.data.field(key, value);
        self
    }

    /// The event name: what happened, as prices spell it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose work it was, if the signal itself says so.
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

    /// What Paid recognises a repetition by, if it was set.
    pub fn idempotency_key_ref(&self) -> Option<&str> {
        self.idempotency_key.as_ref().map(IdempotencyKey::as_str)
    }

    /// Gives what the signal says beside its roles, key by key.
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
