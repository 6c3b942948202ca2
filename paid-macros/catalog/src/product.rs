//! A product and its prices, in the words of Paid's API: the keys are the API's, in snake_case.

use std::collections::BTreeMap;

use crate::Kind;

/// What the catalogue says about a product, by its external id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Product {
    /// The name that customers see. The external id, if it is not set.
    pub name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Whether it is sold.
    pub active: bool,
    /// By name.
    pub prices: BTreeMap<String, Price>,
}

/// A price of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Charge and model in one word, such as `UsagePerUnit`.
    pub pricing_type: String,
    /// The signals that it bills, if it bills signals.
    pub event_name: Option<String>,
    /// What these signals count.
    pub signal_type: Option<Kind>,
    /// Whether new orders get it.
    pub active: bool,
    /// Everything else that is set, by key.
    pub settings: Settings,
}

/// Settings by key.
pub type Settings = BTreeMap<String, Setting>;

/// What a price sets. An amount is an exact decimal in the currency's major unit, such as `1.50` dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Words, or one of the API's.
    Text(String),
    /// A decimal number, digit for digit.
    Decimal(String),
    /// A whole number.
    Whole(i64),
    /// `true` or `false`.
    Flag(bool),
    /// Several settings.
    Table(Settings),
    /// Several tables.
    List(Vec<Settings>),
}

/// What may stand at a key of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Words.
    Text,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A decimal number that is no amount of money, such as a factor.
    Decimal,
    /// A decimal amount of money.
    Amount,
    /// A whole number, 0 or more.
    Whole,
    /// `true` or `false`.
    Flag,
    /// A decimal amount for each currency.
    Amounts,
    /// These keys.
    Table(&'static [Key]),
    /// Any number of tables of these keys.
    List(&'static [Key]),
}

/// A key of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As the catalogue writes it.
    pub name: &'static str,
    /// What may stand there.
    pub shape: Shape,
    /// Whether it has to be there.
    pub is_required: bool,
}

const fn key(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, is_required: false }
}

const fn required(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, is_required: true }
}

/// The types of pricing of Paid's API.
pub const PRICING_TYPES: &[&str] = &[
    "OneTimePerUnit",
    "RecurringGraduated",
    "RecurringPerUnit",
    "RecurringPercentOfTotal",
    "RecurringVolume",
    "SeatBasedGraduated",
    "SeatBasedPerUnit",
    "SeatBasedPrepaidCredits",
    "SeatBasedVolume",
    "UsageBracketedPrepaidCredits",
    "UsageCostPlus",
    "UsageGraduated",
    "UsagePerUnit",
    "UsagePrepaidCredits",
    "UsageVolume",
];

const TIER: &[Key] = &[
    required("lower_bound", Shape::Whole),
    key("upper_bound", Shape::Whole),
    key("unit_amount", Shape::Amount),
    key("flat_amount", Shape::Amount),
    key("tier_billing_type", Shape::OneOf(&["flat", "perUnit"])),
];

const PRICE_POINT: &[Key] = &[
    required("currency", Shape::Text),
    required("unit_price", Shape::Amount),
    key("included_quantity", Shape::Whole),
    key("min_quantity", Shape::Whole),
    key("max_quantity", Shape::Whole),
    key("tiers", Shape::List(TIER)),
];

const BRACKET: &[Key] = &[
    required("credit_units", Shape::Decimal),
    key("credit_units_per_unit", Shape::Decimal),
    key("up_to", Shape::Whole),
];

const BENEFIT: &[Key] = &[
    required("credits_currency_id", Shape::Text),
    required("amount", Shape::Decimal),
    key("allocation_cadence", Shape::OneOf(&["monthly", "upfront"])),
    key("credit_grant_timing", Shape::OneOf(&["on_invoice_posted", "on_order_activation", "on_payment"])),
    key("is_infinite_total", Shape::Flag),
    key("overage_unit_price", Shape::Whole),
    key("recipient", Shape::OneOf(&["organization", "seat"])),
    key("rollover_amount", Shape::Decimal),
    key("rollover_duration", Shape::Whole),
    key("rollover_duration_unit", Shape::Text),
];

const PRICING_INPUT: &[Key] = &[required("kind", Shape::OneOf(&["signalQuantity"])), key("path", Shape::Text)];

/// The settings of a price, beside its type, its event name, the type of its signals and whether it is active.
pub const SETTINGS: &[Key] = &[
    key("billing_frequency", Shape::OneOf(&["Annual", "Custom", "Monthly", "Quarterly", "Semi-Annually"])),
    key("billing_frequency_custom_months", Shape::Whole),
    key("billing_type", Shape::OneOf(&["Advance", "Arrears"])),
    key("cost_plus_multiplier", Shape::Decimal),
    key("credit_benefits", Shape::List(BENEFIT)),
    key("credit_cost", Shape::Decimal),
    key("credit_rollover_amount", Shape::Decimal),
    key("credit_unit_brackets", Shape::List(BRACKET)),
    key("credits_currency_id", Shape::Text),
    key("fee_type", Shape::OneOf(&["custom", "implementation", "migration", "onboarding", "setup"])),
    key("id", Shape::Text),
    key("name", Shape::Text),
    key("overage_unit_price", Shape::Whole),
    key("percentage_value", Shape::Decimal),
    key("price", Shape::Amounts),
    key("price_points", Shape::List(PRICE_POINT)),
    key("pricing_input", Shape::Table(PRICING_INPUT)),
    key("tax_code", Shape::Text),
    key("unit_value", Shape::Decimal),
];

impl Price {
    /// Whether it bills signals of this name today.
    pub fn bills(&self, event_name: &str) -> bool {
        self.active && self.event_name.as_deref() == Some(event_name)
    }

    /// The amounts of one unit, for people: `1.50 USD`.
    pub fn amounts(&self) -> Vec<String> {
        let in_short = match self.settings.get("price") {
            Some(Setting::Table(amounts)) => amounts.iter().filter_map(|(currency, amount)| shown(currency, amount)),
            _ => return self.amounts_of_points(),
        };
        in_short.collect()
    }

    fn amounts_of_points(&self) -> Vec<String> {
        let Some(Setting::List(points)) = self.settings.get("price_points") else { return Vec::new() };
        let amount = |point: &Settings| match (point.get("currency")?, point.get("tiers"), point.get("unit_price")?) {
            (Setting::Text(currency), Some(Setting::List(tiers)), _) if !tiers.is_empty() => {
                Some(format!("{} tiers in {currency}", tiers.len()))
            }
            (Setting::Text(currency), _, amount) => shown(currency, amount),
            _ => None,
        };
        points.iter().filter_map(amount).collect()
    }
}

fn shown(currency: &str, amount: &Setting) -> Option<String> {
    match amount {
        // As money is written: 1.50 USD.
        Setting::Decimal(amount) => match amount.split_once('.') {
            Some((_, part)) if part.len() == 1 => Some(format!("{amount}0 {currency}")),
            _ => Some(format!("{amount} {currency}")),
        },
        _ => None,
    }
}
