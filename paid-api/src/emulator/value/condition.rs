//! Conditions on a signal's data, and the results that depend on them.

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::numbers::amount;
use super::super::refusal::Refusal;
use super::expression::Expression;

#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) field: String,
    operator: String,
    operand: Value,
    pub(super) result: Expression,
}

impl Condition {
    pub(super) fn read(condition: &Value, place: &str) -> Result<Self, Refusal> {
        let operator = condition["operator"].as_str().unwrap_or_default();
        let operand = &condition["value"];
        let fits = match operator {
            "eq_string" | "contains" => operand.is_string(),
            "eq_bool" => operand.is_boolean(),
            "gt" | "gte" | "lt" | "lte" => operand.is_number(),
            _ => true,
        };
        if !fits {
            return Err(Refusal::invalid(&format!("{place}.value"), format!("cannot be compared by {operator}")));
        }
        Ok(Self {
            field: condition["field"].as_str().unwrap_or_default().to_owned(),
            operator: operator.to_owned(),
            operand: operand.clone(),
            result: result(&condition["result"], &format!("{place}.result"))?,
        })
    }

    /// Returns true if it holds for a value of its field. It holds for no field that is not there, but for `neq`.
    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        let numbers = || Some((decimal(value?)?, decimal(&self.operand)?));
        let compare = |holds: fn(Decimal, Decimal) -> bool| numbers().is_some_and(|(own, other)| holds(own, other));
        match self.operator.as_str() {
            "gt" => compare(|own, other| own > other),
            "gte" => compare(|own, other| own >= other),
            "lt" => compare(|own, other| own < other),
            "lte" => compare(|own, other| own <= other),
            "neq" => !self.equals(value),
            "contains" => match (value, self.operand.as_str()) {
                (Some(Value::String(text)), Some(part)) => text.contains(part),
                (Some(Value::Array(items)), Some(_)) => items.contains(&self.operand),
                _ => false,
            },
            _ => self.equals(value),
        }
    }

    fn equals(&self, value: Option<&Value>) -> bool {
        match (value, &self.operand) {
            (Some(Value::Number(_)), Value::Number(_)) => value.and_then(decimal) == decimal(&self.operand),
            (Some(value), operand) => value == operand,
            (None, _) => false,
        }
    }

    /// The condition as `field operator value`.
    pub(super) fn label(&self) -> String {
        let operand = self.operand.as_str().map_or_else(|| self.operand.to_string(), str::to_owned);
        format!("{} {} {operand}", self.field, self.operator)
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_number().and_then(|_| amount(value))
}

/// A constant, or an expression.
pub(super) fn result(result: &Value, place: &str) -> Result<Expression, Refusal> {
    let (key, text) = match result["type"].as_str() {
        Some("constant") => ("value", decimal(&result["value"]).map(|value| value.to_string())),
        _ => ("expression", result["expression"].as_str().map(str::to_owned)),
    };
    let place = format!("{place}.{key}");
    let text = text.ok_or_else(|| Refusal::invalid(&place, "is missing"))?;
    Expression::parse(&text).map_err(|problem| Refusal::invalid(&place, problem))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(operator: &str, operand: Value, value: Option<Value>) -> bool {
        let condition = json!({"field": "f", "operator": operator, "value": operand,
            "result": {"type": "constant", "value": 1}});
        Condition::read(&condition, "body").unwrap().holds(value.as_ref())
    }

    #[test]
    fn conditions_compare_values_of_their_type() {
        for (operator, operand, value, expected) in [
            ("gt", json!(3), json!(4), true),
            ("gte", json!(3), json!(3.0), true),
            ("lt", json!(3), json!("2"), false),
            ("lte", json!(0.3), json!(0.3), true),
            ("eq", json!(1), json!(1.0), true),
            ("neq", json!(1), json!(2), true),
            ("eq_string", json!("eu"), json!("eu"), true),
            ("eq_bool", json!(true), json!(false), false),
            ("contains", json!("b"), json!("abc"), true),
            ("contains", json!("b"), json!(["a", "b"]), true),
        ] {
            assert_eq!(holds(operator, operand.clone(), Some(value.clone())), expected, "{value} {operator} {operand}");
        }
        assert!(holds("neq", json!(1), None) && !holds("eq", json!(1), None));
    }

    #[test]
    fn an_operand_of_another_type_is_refused() {
        let condition =
            json!({"field": "f", "operator": "gt", "value": "3", "result": {"type": "constant", "value": 1}});
        assert_eq!(Condition::read(&condition, "body").unwrap_err().details.as_deref(), Some("body.value"));
    }
}
