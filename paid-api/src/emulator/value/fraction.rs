//! Quotients of decimals, so that three thirds are one.

use rust_decimal::Decimal;

/// The digits that a JSON number keeps in every reader.
const DIGITS: u32 = 15;

/// An exact quotient, as long as its parts have at most 28 digits. Its divisor is not zero.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulator) struct Fraction {
    dividend: Decimal,
    divisor: Decimal,
}

impl Fraction {
    pub(in crate::emulator) const ZERO: Self = Self { dividend: Decimal::ZERO, divisor: Decimal::ONE };

    pub(in crate::emulator) fn of(value: Decimal) -> Self {
        Self { dividend: value, divisor: Decimal::ONE }
    }

    /// `None` if the divisor is zero, or a part has too many digits.
    pub(super) fn over(self, other: Self) -> Option<Self> {
        let (dividend, divisor) =
            (self.dividend.checked_mul(other.divisor)?, self.divisor.checked_mul(other.dividend)?);
        Self::reduced(dividend, divisor)
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let (dividend, divisor) =
            (self.dividend.checked_mul(other.dividend)?, self.divisor.checked_mul(other.divisor)?);
        Self::reduced(dividend, divisor)
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        if self.divisor == other.divisor {
            return Self::reduced(self.dividend.checked_add(other.dividend)?, self.divisor);
        }
        let (own, others) = (self.dividend.checked_mul(other.divisor)?, other.dividend.checked_mul(self.divisor)?);
        Self::reduced(own.checked_add(others)?, self.divisor.checked_mul(other.divisor)?)
    }

    pub(super) fn negated(self) -> Self {
        Self { dividend: -self.dividend, divisor: self.divisor }
    }

    /// The sum; with a sum of the rounded values in place of one that has too many digits.
    pub(in crate::emulator) fn and(self, other: Self) -> Self {
        self.plus(other).unwrap_or_else(|| Self::of(self.value().saturating_add(other.value())))
    }

    fn reduced(dividend: Decimal, divisor: Decimal) -> Option<Self> {
        let rest = dividend.checked_rem(divisor)?;
        if rest.is_zero() {
            return dividend.checked_div(divisor).map(Self::of);
        }
        Some(Self { dividend, divisor })
    }

    /// The value, with 28 digits.
    pub(in crate::emulator) fn value(self) -> Decimal {
        self.dividend.checked_div(self.divisor).unwrap_or_default().normalize()
    }

    /// The value, with the digits that a JSON number keeps.
    pub(in crate::emulator) fn shown(self) -> Decimal {
        let value = self.value();
        value.round_sf(DIGITS).unwrap_or(value).normalize()
    }
}

/// A sum that ends at the largest decimal.
pub(in crate::emulator) fn total(values: impl Iterator<Item = Decimal>) -> Decimal {
    values.fold(Decimal::ZERO, Decimal::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: i64) -> Fraction {
        Fraction::of(value.into())
    }

    #[test]
    fn three_thirds_are_one() {
        let third = of(20).over(of(60)).unwrap();
        assert_eq!(third.and(third).and(third).value(), Decimal::ONE);
        assert_eq!(third.shown().to_string(), "0.333333333333333");
        let sixth = of(1).over(of(6)).unwrap();
        assert_eq!(third.and(sixth).value().to_string(), "0.5");
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert!(of(1).over(of(0)).is_none());
    }
}
