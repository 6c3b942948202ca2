//! Credits that were granted, and for how long they can be spent. Pure.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// What an endless grant shows as its total. Every JSON reader holds it.
pub(super) const ENDLESS: i64 = 999_999_999_999_999;

/// Whose credits they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::emulator) struct Pool {
    pub(in crate::emulator) customer: String,
    /// The id of the credit currency.
    pub(in crate::emulator) currency: String,
    /// The id of the seat, or `None` for the whole customer.
    pub(in crate::emulator) seat: Option<String>,
}

/// How unused credits stay after their period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::emulator) struct Rollover {
    /// At most so many; `None` is all.
    pub(in crate::emulator) most: Option<Decimal>,
    /// Until when.
    pub(in crate::emulator) until: DateTime<Utc>,
}

/// Credits that can be spent in a time.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Grant {
    pub(in crate::emulator) pool: Pool,
    /// `None` is without end.
    pub(super) total: Option<Decimal>,
    pub(in crate::emulator) start: DateTime<Utc>,
    /// When they expire, but for what rolls over.
    pub(super) end: Option<DateTime<Utc>>,
    pub(super) rollover: Option<Rollover>,
    /// Whether `end` is the end of a period of an order.
    pub(super) is_of_period: bool,
    used: Decimal,
    used_after_end: Decimal,
}

impl Grant {
    pub(in crate::emulator) fn new(pool: Pool, total: Option<Decimal>, start: DateTime<Utc>) -> Self {
        Self {
            pool,
            total,
            start,
            end: None,
            rollover: None,
            is_of_period: false,
            used: Decimal::ZERO,
            used_after_end: Decimal::ZERO,
        }
    }

    /// The same, until this time, but for what rolls over.
    pub(in crate::emulator) fn until(self, end: Option<DateTime<Utc>>, rollover: Option<Rollover>) -> Self {
        Self { end, rollover, ..self }
    }

    /// The same, for a period of an order.
    pub(in crate::emulator) fn of_period(self) -> Self {
        Self { is_of_period: self.end.is_some(), ..self }
    }

    pub(in crate::emulator) fn shown_total(&self) -> Decimal {
        self.total.unwrap_or(Decimal::from(ENDLESS))
    }

    pub(in crate::emulator) fn used(&self) -> Decimal {
        self.used + self.used_after_end
    }

    pub(in crate::emulator) fn rolls_over_at(&self, at: DateTime<Utc>) -> bool {
        self.end.is_some_and(|end| at >= end) && self.rollover.is_some_and(|rollover| at < rollover.until)
    }

    /// When the last of it expires.
    pub(in crate::emulator) fn expires(&self) -> Option<DateTime<Utc>> {
        self.rollover.map(|rollover| rollover.until).or(self.end)
    }

    /// Returns true if it can be spent at this time, used up or not.
    pub(in crate::emulator) fn is_current(&self, at: DateTime<Utc>) -> bool {
        at >= self.start && self.expires().is_none_or(|end| at < end)
    }

    /// What can be spent at this time, in parts: when each is lost, and how many credits it has. Of what rolls over, the rest is
    /// lost at the end.
    pub(super) fn parts(&self, at: DateTime<Utc>) -> [(Option<DateTime<Utc>>, Decimal); 2] {
        let left = self.available(at);
        match (self.end, self.rollover) {
            (Some(end), Some(rollover)) if at < end => {
                let kept = rollover.most.map_or(left, |most| left.min(most));
                [(Some(end), left - kept), (Some(rollover.until), kept)]
            }
            _ => [(self.expires(), left), (None, Decimal::ZERO)],
        }
    }

    /// What can be spent at this time.
    pub(in crate::emulator) fn available(&self, at: DateTime<Utc>) -> Decimal {
        if !self.is_current(at) {
            return Decimal::ZERO;
        }
        let left = self.shown_total() - self.used;
        match self.rollover.filter(|_| self.rolls_over_at(at)) {
            Some(rollover) => rollover.most.map_or(left, |most| left.min(most)) - self.used_after_end,
            None => left - self.used_after_end,
        }
        .max(Decimal::ZERO)
    }

    /// Spends up to this many credits, and returns how many.
    pub(in crate::emulator) fn take(&mut self, wanted: Decimal, at: DateTime<Utc>) -> Decimal {
        let taken = wanted.min(self.available(at));
        let rolls_over = self.rolls_over_at(at);
        let used = if rolls_over { &mut self.used_after_end } else { &mut self.used };
        if self.total.is_some() {
            *used += taken;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn day(day: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 1, day, 0, 0, 0).unwrap()
    }

    fn grant(total: i64) -> Grant {
        let pool = Pool { customer: "c".into(), currency: "t".into(), seat: None };
        Grant::new(pool, Some(total.into()), day(2))
    }

    #[test]
    fn credits_are_there_from_their_start_until_they_expire() {
        let mut grant = Grant { end: Some(day(10)), ..grant(100) };
        assert_eq!(grant.take(60.into(), day(1)), Decimal::ZERO);
        assert_eq!(grant.take(60.into(), day(2)), 60.into());
        assert_eq!(grant.take(60.into(), day(9)), 40.into());
        assert_eq!((grant.available(day(9)), grant.used()), (Decimal::ZERO, 100.into()));
        assert_eq!(grant.take(1.into(), day(10)), Decimal::ZERO);
    }

    #[test]
    fn what_rolls_over_is_capped_and_ends() {
        let rollover = Some(Rollover { most: Some(30.into()), until: day(20) });
        let mut grant = Grant { end: Some(day(10)), rollover, ..grant(100) };
        assert_eq!(grant.take(50.into(), day(5)), 50.into());
        assert_eq!(grant.available(day(10)), 30.into());
        assert_eq!(grant.take(20.into(), day(11)), 20.into());
        assert_eq!((grant.available(day(19)), grant.available(day(20))), (10.into(), Decimal::ZERO));
        assert_eq!(grant.available(day(5)), 30.into(), "a late signal of the period takes what nobody took");
    }

    #[test]
    fn what_does_not_roll_over_is_lost_first() {
        let rollover = Some(Rollover { most: Some(30.into()), until: day(20) });
        let mut grant = Grant { end: Some(day(10)), rollover, ..grant(100) };
        assert_eq!(grant.parts(day(5)), [(Some(day(10)), 70.into()), (Some(day(20)), 30.into())]);
        grant.take(80.into(), day(5));
        assert_eq!(grant.parts(day(5)), [(Some(day(10)), Decimal::ZERO), (Some(day(20)), 20.into())]);
        assert_eq!(grant.parts(day(10))[0], (Some(day(20)), 20.into()));
    }

    #[test]
    fn an_endless_grant_never_runs_out() {
        let mut grant = Grant { total: None, ..grant(0) };
        assert_eq!(grant.take(1_000_000.into(), day(3)), 1_000_000.into());
        assert_eq!(grant.available(day(3)), ENDLESS.into());
    }
}
