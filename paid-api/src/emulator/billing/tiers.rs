//! Tables of tiers: read in one convention, refused where they can be read in two ways.

use rust_decimal::Decimal;

/// A tier as it was written. A bound or an amount that was left out is `None`.
#[derive(Debug, Clone, Default)]
pub(in crate::emulator) struct TierInput {
    pub(in crate::emulator) lower: Option<Decimal>,
    pub(in crate::emulator) upper: Option<Decimal>,
    pub(in crate::emulator) unit: Decimal,
    pub(in crate::emulator) flat: Decimal,
    pub(in crate::emulator) kind: Option<TierKind>,
}

/// What a tier bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum TierKind {
    Flat,
    PerUnit,
}

/// Tiers without gaps: each holds the units after the last one's, up to and with `up_to`.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Tiers(Vec<Tier>);

#[derive(Debug, Clone, PartialEq)]
struct Tier {
    above: Decimal,
    up_to: Option<Decimal>,
    unit: Decimal,
    flat: Decimal,
}

impl Tiers {
    /// `most` is the largest quantity that is ever billed. The error names the tier.
    pub(in crate::emulator) fn new(inputs: &[TierInput], most: Option<Decimal>) -> Result<Self, String> {
        let first = inputs.first().ok_or("a tiered price needs at least one tier")?;
        let first_lower = first.lower.unwrap_or_default();
        if first_lower != Decimal::ZERO && first_lower != Decimal::ONE {
            return Err(format!("tiers.0: the first tier begins at {first_lower}; begin it at 0 or 1"));
        }
        let mut tiers = Vec::<Tier>::new();
        let mut step = None;
        for (index, input) in inputs.iter().enumerate() {
            let above = match tiers.last().map(|tier| tier.up_to) {
                None => Decimal::ZERO,
                Some(None) => return Err(format!("tiers.{index}: the tier before it has no upperBound")),
                Some(Some(end)) => {
                    step_between(end, input.lower.unwrap_or(end), first_lower, &mut step)
                        .map_err(|problem| format!("tiers.{index}: {problem}"))?;
                    end
                }
            };
            let up_to = input.upper.or_else(|| end_before(inputs.get(index + 1), first_lower));
            if up_to.is_some_and(|up_to| up_to <= above) {
                return Err(format!("tiers.{index}: its upperBound is not above {above}"));
            }
            let (unit, flat) = amounts(input).map_err(|problem| format!("tiers.{index}: {problem}"))?;
            tiers.push(Tier { above, up_to, unit, flat });
        }
        let end = tiers.last().and_then(|tier| tier.up_to);
        match end {
            Some(end) if most.is_none_or(|most| most > end) => Err(format!(
                "tiers.{}: units above {end} have no price; leave out its upperBound, or set maxQuantity",
                inputs.len() - 1
            )),
            _ => Ok(Self(tiers)),
        }
    }

    /// Each unit has the price of the tier that it falls into.
    pub(super) fn graduated(&self, quantity: Decimal) -> Decimal {
        self.0
            .iter()
            .filter(|tier| quantity > tier.above)
            .map(|tier| tier.unit * (tier.up_to.map_or(quantity, |up_to| quantity.min(up_to)) - tier.above) + tier.flat)
            .sum()
    }

    /// All units have the price of the tier that the last one falls into.
    pub(super) fn volume(&self, quantity: Decimal) -> Decimal {
        let holds = |tier: &&Tier| quantity > tier.above && tier.up_to.is_none_or(|up_to| quantity <= up_to);
        self.0.iter().find(holds).map_or(Decimal::ZERO, |tier| tier.unit * quantity + tier.flat)
    }
}

/// A table from 1 says where a tier ends by where the next begins.
fn end_before(next: Option<&TierInput>, first_lower: Decimal) -> Option<Decimal> {
    next?.lower.filter(|_| first_lower == Decimal::ONE).map(|lower| lower - Decimal::ONE)
}

/// A tier begins where the last ended (`0-10, 10-20`) or one above it (`1-10, 11-20`), in one table always alike.
fn step_between(end: Decimal, lower: Decimal, first: Decimal, step: &mut Option<Decimal>) -> Result<(), String> {
    let this = lower - end;
    if this > Decimal::ONE {
        return Err(format!("the units between {end} and {lower} have no price"));
    }
    if this < Decimal::ZERO {
        return Err(format!("it begins at {lower}, but the tier before it ends at {end}"));
    }
    if !(this.is_zero() || this == Decimal::ONE) || step.is_some_and(|step| step != this) {
        return Err(format!(
            "begin every tier where the last one ended, or every tier one above it; this is {lower} after {end}"
        ));
    }
    if this.is_zero() && first == Decimal::ONE {
        return Err(format!("unit {end} falls into two tiers; begin this one at {}", end + Decimal::ONE));
    }
    *step = Some(this);
    Ok(())
}

fn amounts(tier: &TierInput) -> Result<(Decimal, Decimal), &'static str> {
    match tier.kind {
        Some(TierKind::Flat) if !tier.unit.is_zero() => Err("tierBillingType flat has no unitAmount"),
        Some(TierKind::PerUnit) if !tier.flat.is_zero() => Err("tierBillingType perUnit has no flatAmount"),
        _ => Ok((tier.unit, tier.flat)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tiers at 100, 50, 25, … a unit.
    fn table(bounds: &[(i64, Option<i64>)]) -> Result<Tiers, String> {
        let tier = |(index, (lower, upper)): (usize, &(i64, Option<i64>))| TierInput {
            lower: Some((*lower).into()),
            upper: upper.map(Decimal::from),
            unit: Decimal::from(100 >> index),
            ..TierInput::default()
        };
        Tiers::new(&bounds.iter().enumerate().map(tier).collect::<Vec<_>>(), None)
    }

    #[test]
    fn tables_from_zero_and_from_one_bill_the_same() {
        let tables = [
            [(0, Some(10)), (10, None)],
            [(1, Some(10)), (11, None)],
            [(0, Some(10)), (11, None)],
            [(1, None), (11, None)],
        ];
        for bounds in tables {
            let tiers = table(&bounds).unwrap();
            assert_eq!(tiers.volume(11.into()), Decimal::from(550), "{bounds:?}");
            assert_eq!(tiers.graduated(11.into()), Decimal::from(1050), "{bounds:?}");
            assert_eq!(tiers.volume(1.into()), Decimal::from(100), "{bounds:?}");
            assert_eq!(tiers.volume(10.into()), Decimal::from(1000), "{bounds:?}");
            assert_eq!(tiers.graduated(0.into()), Decimal::ZERO, "{bounds:?}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for (bounds, part) in [
            (vec![], "at least one tier"),
            (vec![(5, None)], "begin it at 0 or 1"),
            (vec![(0, Some(10)), (12, None)], "between 10 and 12"),
            (vec![(0, Some(10)), (5, None)], "ends at 10"),
            (vec![(1, Some(10)), (10, None)], "falls into two tiers"),
            (vec![(0, Some(10)), (10, Some(20)), (21, None)], "every tier where the last one ended"),
            (vec![(0, None), (10, None)], "has no upperBound"),
            (vec![(0, Some(0))], "not above 0"),
            (vec![(0, Some(10))], "units above 10 have no price"),
        ] {
            let problem = table(&bounds).unwrap_err();
            assert!(problem.contains(part), "{bounds:?}: {problem}");
        }
    }

    #[test]
    fn a_flat_tier_has_no_price_a_unit() {
        let tier = TierInput { unit: Decimal::ONE, kind: Some(TierKind::Flat), ..TierInput::default() };
        assert!(Tiers::new(&[tier], None).unwrap_err().contains("flat has no unitAmount"));
    }
}
