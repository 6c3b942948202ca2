//! Expressions of formulas: numbers, variables, `+ - * /` and parentheses.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::fraction::Fraction;

/// The longest expression, in bytes.
const LENGTH: usize = 2_000;
/// The deepest nesting.
const DEPTH: usize = 50;

#[derive(Debug, Clone)]
pub(super) struct Expression(Node);

#[derive(Debug, Clone)]
enum Node {
    Number(Decimal),
    Name(String),
    Negated(Box<Self>),
    Binary(Operator, Box<(Self, Self)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

/// A factor of a product: a number, or the name of a variable.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Factor<'a> {
    Number(Decimal),
    Name(&'a str),
}

impl Expression {
    /// Reads an expression, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH {
            return Err(format!("is longer than {LENGTH} bytes"));
        }
        let mut reader = Reader { text, at: 0, depth: 0 };
        let node = reader.sum()?;
        match reader.peek() {
            None => Ok(Self(node)),
            Some(other) => Err(reader.unexpected(other)),
        }
    }

    /// The variables that it names.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.0.collect(&mut names);
        names
    }

    /// The value; `None` if a variable has none, or it divides by zero.
    pub(super) fn value(&self, of: &dyn Fn(&str) -> Option<Fraction>) -> Option<Fraction> {
        self.0.value(of)
    }

    /// The factors and divisors of an expression that only multiplies and divides, each with whether it divides.
    pub(super) fn product(&self) -> Option<Vec<(bool, Factor<'_>)>> {
        let mut factors = Vec::new();
        self.0.product(&mut factors).then_some(factors)
    }
}

impl Node {
    fn collect<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Number(_) => {}
            Self::Name(name) => {
                names.insert(name);
            }
            Self::Negated(inner) => inner.collect(names),
            Self::Binary(_, sides) => {
                sides.0.collect(names);
                sides.1.collect(names);
            }
        }
    }

    fn value(&self, of: &dyn Fn(&str) -> Option<Fraction>) -> Option<Fraction> {
        match self {
            Self::Number(number) => Some(Fraction::of(*number)),
            Self::Name(name) => of(name),
            Self::Negated(inner) => inner.value(of).map(Fraction::negated),
            Self::Binary(operator, sides) => {
                let (left, right) = (sides.0.value(of)?, sides.1.value(of)?);
                match operator {
                    Operator::Plus => left.plus(right),
                    Operator::Minus => left.plus(right.negated()),
                    Operator::Times => left.times(right),
                    Operator::Over => left.over(right),
                }
            }
        }
    }

    fn product<'a>(&'a self, factors: &mut Vec<(bool, Factor<'a>)>) -> bool {
        match self {
            Self::Binary(operator @ (Operator::Times | Operator::Over), sides) => {
                let leaf = sides.1.leaf();
                sides.0.product(factors)
                    && leaf.is_some_and(|leaf| {
                        factors.push((*operator == Operator::Over, leaf));
                        true
                    })
            }
            leaf => leaf.leaf().is_some_and(|leaf| {
                factors.push((false, leaf));
                true
            }),
        }
    }

    fn leaf(&self) -> Option<Factor<'_>> {
        match self {
            Self::Number(number) => Some(Factor::Number(*number)),
            Self::Name(name) => Some(Factor::Name(name)),
            _ => None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn sum(&mut self) -> Result<Node, String> {
        self.binary(Self::term, |sign| match sign {
            '+' => Some(Operator::Plus),
            '-' => Some(Operator::Minus),
            _ => None,
        })
    }

    fn term(&mut self) -> Result<Node, String> {
        self.binary(Self::leaf, |sign| match sign {
            '*' => Some(Operator::Times),
            '/' => Some(Operator::Over),
            _ => None,
        })
    }

    fn binary(
        &mut self,
        part: fn(&mut Self) -> Result<Node, String>,
        operator: fn(char) -> Option<Operator>,
    ) -> Result<Node, String> {
        let mut left = part(self)?;
        while let Some(operator) = self.peek().and_then(operator) {
            self.at += 1;
            left = Node::Binary(operator, Box::new((left, part(self)?)));
        }
        Ok(left)
    }

    fn leaf(&mut self) -> Result<Node, String> {
        match self.peek() {
            Some('-') => {
                self.at += 1;
                self.deeper(Self::leaf).map(|inner| Node::Negated(Box::new(inner)))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.deeper(Self::sum)?;
                match self.peek() {
                    Some(')') => {
                        self.at += 1;
                        Ok(inner)
                    }
                    _ => Err(format!("lacks a `)` at character {}", self.at + 1)),
                }
            }
            Some(first) if first.is_ascii_digit() => {
                let digits = self.word(|each| each.is_ascii_digit() || each == '.');
                Decimal::from_str_exact(digits).map(Node::Number).map_err(|_| format!("{digits} is no number"))
            }
            Some(first) if first.is_alphabetic() || first == '_' => {
                Ok(Node::Name(self.word(|each| each.is_alphanumeric() || each == '_').to_owned()))
            }
            Some(other) => Err(self.unexpected(other)),
            None => Err("ends too early".to_owned()),
        }
    }

    fn deeper(&mut self, part: fn(&mut Self) -> Result<Node, String>) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("is nested more than {DEPTH} times"));
        }
        let inner = part(self);
        self.depth -= 1;
        inner
    }

    fn word(&mut self, belongs: fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find(|each| !belongs(each)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn unexpected(&self, found: char) -> String {
        format!("has `{found}` at character {}; the emulator knows numbers, variables, + - * / and ( )", self.at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        let of = |name: &str| match name {
            "minutes" => Some(Fraction::of(20.into())),
            "zero" => Some(Fraction::ZERO),
            _ => None,
        };
        Some(Expression::parse(text).unwrap().value(&of)?.value().to_string())
    }

    #[test]
    fn expressions_are_calculated_exactly() {
        for (text, expected) in [
            ("1", "1"),
            ("minutes / 60 * 3", "1"),
            ("2 + 3 * 4 - 1", "13"),
            ("-(2 - 5) * 0.1", "0.3"),
            (" ( minutes ) ", "20"),
            ("10 / 4", "2.5"),
        ] {
            assert_eq!(value(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!((value("1 / zero"), value("unknown * 2")), (None, None));
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        for (text, problem) in [
            ("", "too early"),
            ("1 +", "too early"),
            ("2 ^ 3", "`^` at character 3"),
            ("(1", "lacks a `)`"),
            ("1.2.3", "1.2.3 is no number"),
            ("max(1, 2)", "`(` at character 4"),
        ] {
            let error = Expression::parse(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
        assert!(Expression::parse(&format!("{}1{}", "(".repeat(60), ")".repeat(60))).unwrap_err().contains("nested"));
    }

    #[test]
    fn products_are_taken_apart() {
        let product = Expression::parse("minutes * 2 / 60").unwrap();
        let factors =
            [(false, Factor::Name("minutes")), (false, Factor::Number(2.into())), (true, Factor::Number(60.into()))];
        assert_eq!(product.product().unwrap(), factors);
        assert!(Expression::parse("minutes + 1").unwrap().product().is_none());
        assert!(Expression::parse("minutes / (2 * 3)").unwrap().product().is_none());
    }
}
