//! What a quantity costs in credits.

use rust_decimal::Decimal;
use serde_json::Value;

/// How a usage price spends credits.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct CreditUse {
    /// The id of the credit currency.
    pub(in crate::emulator) currency: String,
    pub(in crate::emulator) cost: CreditCost,
    /// Where a signal's `data` has the quantity. Without it, or without the property, it is 1.
    pub(in crate::emulator) path: Option<Path>,
    /// What a credit costs that no grant covers, in the currency's smallest unit.
    pub(in crate::emulator) overage: Option<Decimal>,
}

/// The credits of a quantity.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) enum CreditCost {
    PerUnit(Decimal),
    Brackets(Brackets),
}

impl CreditCost {
    pub(in crate::emulator) fn of(&self, quantity: Decimal) -> Decimal {
        match self {
            Self::PerUnit(credits) => credits * quantity,
            Self::Brackets(brackets) => brackets.of(quantity),
        }
    }
}

/// A bracket as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Bracket {
    /// The largest quantity that falls into it.
    pub(in crate::emulator) up_to: Option<Decimal>,
    /// What it costs.
    pub(in crate::emulator) credits: Decimal,
    /// What each unit of the quantity costs besides.
    pub(in crate::emulator) credits_per_unit: Decimal,
}

/// Brackets that every quantity falls into.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Brackets(Vec<Bracket>);

impl Brackets {
    /// The error names the bracket.
    pub(in crate::emulator) fn new(brackets: Vec<Bracket>) -> Result<Self, String> {
        let Some((last, earlier)) = brackets.split_last() else {
            return Err("a bracketed price needs at least one bracket".to_owned());
        };
        let mut below = Decimal::ZERO;
        for (index, bracket) in earlier.iter().enumerate() {
            match bracket.up_to {
                Some(up_to) if up_to > below => below = up_to,
                Some(_) => return Err(format!("{index}: its upTo is not above {below}")),
                None => return Err(format!("{index}: only the last bracket has no upTo")),
            }
        }
        match last.up_to {
            None => Ok(Self(brackets)),
            Some(up_to) => {
                Err(format!("{}: quantities above {up_to} cost nothing; set its upTo to null", earlier.len()))
            }
        }
    }

    fn of(&self, quantity: Decimal) -> Decimal {
        let bracket = self.0.iter().find(|bracket| bracket.up_to.is_none_or(|up_to| quantity <= up_to));
        bracket.map_or(Decimal::ZERO, |bracket| bracket.credits + bracket.credits_per_unit * quantity)
    }
}

/// A path of names, such as `usage.tokens`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) struct Path(Vec<String>);

impl Path {
    /// The property `quantity`.
    pub(in crate::emulator) fn quantity() -> Self {
        Self(vec!["quantity".to_owned()])
    }

    /// `None` if it is anything but names. `$.` may stand before them.
    pub(in crate::emulator) fn new(text: &str) -> Option<Self> {
        let names: Vec<_> = text.strip_prefix("$.").unwrap_or(text).split('.').map(str::to_owned).collect();
        let is_name =
            |name: &String| !name.is_empty() && !name.contains(['[', ']', '*', '\'', '"', '?', '@', '$', ' ']);
        names.iter().all(is_name).then_some(Self(names))
    }

    pub(in crate::emulator) fn find<'a>(&self, data: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(data, |value, name| value.get(name)).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bracket(up_to: Option<i64>, credits: i64, per_unit: i64) -> Bracket {
        Bracket { up_to: up_to.map(Decimal::from), credits: credits.into(), credits_per_unit: per_unit.into() }
    }

    #[test]
    fn a_quantity_costs_what_its_bracket_says() {
        let brackets = Brackets::new(vec![bracket(Some(10), 5, 0), bracket(Some(100), 20, 0), bracket(None, 0, 2)]);
        let cost = CreditCost::Brackets(brackets.unwrap());
        for (quantity, credits) in [(0, 5), (10, 5), (11, 20), (100, 20), (101, 202)] {
            assert_eq!(cost.of(quantity.into()), credits.into(), "{quantity}");
        }
        assert_eq!(CreditCost::PerUnit(Decimal::new(25, 1)).of(3.into()), Decimal::new(75, 1));
    }

    #[test]
    fn brackets_that_leave_out_quantities_are_refused() {
        for (brackets, problem) in [
            (vec![], "at least one"),
            (vec![bracket(Some(10), 1, 0)], "0: quantities above 10"),
            (vec![bracket(None, 1, 0), bracket(None, 1, 0)], "0: only the last"),
            (vec![bracket(Some(5), 1, 0), bracket(Some(5), 1, 0), bracket(None, 1, 0)], "1: its upTo is not above 5"),
        ] {
            let error = Brackets::new(brackets).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_path_is_names_only() {
        let data = json!({"usage": {"tokens": 7, "none": null}});
        assert_eq!(Path::new("$.usage.tokens").unwrap().find(&data), Some(&json!(7)));
        assert_eq!(Path::new("usage.tokens"), Path::new("$.usage.tokens"));
        assert_eq!(Path::new("$.usage.none").unwrap().find(&data), None);
        assert_eq!(Path::new("$.missing").unwrap().find(&data), None);
        for text in ["", "$", "$.", "a[0]", "$.a[0]", "$..a", "$.a.*"] {
            assert_eq!(Path::new(text), None, "{text}");
        }
    }
}
