//! Who has which credits, and what became of them. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::grant::{Grant, Pool};

/// What spends credits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::emulator) struct Origin {
    pub(in crate::emulator) event: Option<String>,
    pub(in crate::emulator) order: Option<String>,
    /// The id of the attribute of the order's line.
    pub(in crate::emulator) attribute: Option<String>,
    pub(in crate::emulator) product: Option<String>,
    pub(in crate::emulator) signal: Option<String>,
    /// The customer's unit that spends them.
    pub(in crate::emulator) unit: Option<String>,
}

/// Credits that are spent.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Spend {
    pub(in crate::emulator) customer: String,
    pub(in crate::emulator) currency: String,
    /// The seat whose credits are spent first.
    pub(in crate::emulator) seat: Option<String>,
    pub(in crate::emulator) credits: Decimal,
    pub(in crate::emulator) at: DateTime<Utc>,
    pub(in crate::emulator) recorded: DateTime<Utc>,
    pub(in crate::emulator) origin: Origin,
    /// Whether money pays for what no grant covers.
    pub(in crate::emulator) has_overage: bool,
}

/// What a transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Kind {
    Grant,
    /// A grant that waits for an invoice.
    PendingGrant,
    Spend,
}

/// A change of a balance.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Transaction {
    pub(in crate::emulator) kind: Kind,
    /// Where it comes from, such as `manual_grant` or `signal`.
    pub(in crate::emulator) code: &'static str,
    pub(in crate::emulator) customer: String,
    pub(in crate::emulator) currency: String,
    pub(in crate::emulator) credits: Decimal,
    pub(in crate::emulator) at: DateTime<Utc>,
    pub(in crate::emulator) origin: Origin,
}

/// Spent credits that no grant covered, and that cost money.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Overage {
    pub(in crate::emulator) attribute: String,
    pub(in crate::emulator) credits: Decimal,
    pub(in crate::emulator) at: DateTime<Utc>,
}

/// What a spend did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::emulator) struct Spent {
    /// What costs money.
    pub(in crate::emulator) overage: Decimal,
    /// What is no longer to be spent: covered, or costing money.
    pub(in crate::emulator) recorded: Decimal,
    /// Whether it took the last credit of the customer.
    pub(in crate::emulator) is_last: bool,
}

/// All grants and transactions.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Ledger {
    pub(in crate::emulator) grants: Vec<Grant>,
    pub(in crate::emulator) transactions: Vec<Transaction>,
    /// What waits for credits: no grant covers it.
    pub(in crate::emulator) pending: Vec<Spend>,
    pub(in crate::emulator) overages: Vec<Overage>,
    /// The places of the grants of a pool.
    by_pool: BTreeMap<Pool, Vec<usize>>,
    /// What each unit spent on each day, by customer, currency and unit.
    by_unit: BTreeMap<[String; 3], BTreeMap<NaiveDate, Decimal>>,
}

impl Ledger {
    /// What can be spent of a pool at this time.
    pub(in crate::emulator) fn available(&self, pool: &Pool, at: DateTime<Utc>) -> Decimal {
        let places = self.by_pool.get(pool).into_iter().flatten();
        places.filter_map(|at| self.grants.get(*at)).map(|grant| grant.available(at)).sum()
    }

    /// The units of a customer that spent credits of a currency, and what each spent on each day.
    pub(in crate::emulator) fn spent_by_units(
        &self,
        customer: &str,
        currency: &str,
    ) -> impl Iterator<Item = (&str, &BTreeMap<NaiveDate, Decimal>)> {
        let first = [customer.to_owned(), currency.to_owned(), String::new()];
        let of_both = self.by_unit.range(first..);
        of_both
            .take_while(move |([of, spends, _], _)| of == customer && spends == currency)
            .map(|([_, _, unit], days)| (unit.as_str(), days))
    }

    /// Adds a grant, and returns what waited for credits: it is to be spent before anything else.
    #[must_use]
    pub(in crate::emulator) fn grant(&mut self, grant: Grant, code: &'static str, order: Option<String>) -> Vec<Spend> {
        let (customer, currency) = (grant.pool.customer.clone(), grant.pool.currency.clone());
        let origin = Origin { order, ..Origin::default() };
        self.transactions.push(Transaction {
            kind: Kind::Grant,
            code,
            customer: customer.clone(),
            currency: currency.clone(),
            credits: grant.shown_total(),
            at: grant.start,
            origin,
        });
        let start = grant.start;
        self.by_pool.entry(grant.pool.clone()).or_default().push(self.grants.len());
        self.grants.push(grant);
        let is_meant = |spend: &Spend| spend.customer == customer && spend.currency == currency;
        let (meant, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending).into_iter().partition(is_meant);
        self.pending = others;
        meant.into_iter().map(|spend| Spend { at: spend.at.max(start), ..spend }).collect()
    }

    /// Takes the credits that are lost first; of a seat before those of the whole customer.
    pub(in crate::emulator) fn spend(&mut self, spend: Spend) -> Spent {
        let own = Pool { customer: spend.customer.clone(), currency: spend.currency.clone(), seat: spend.seat.clone() };
        let common = Pool { seat: None, ..own.clone() };
        let mut left = spend.credits;
        if own.seat.is_some() {
            left -= self.take(&own, left, spend.at);
        }
        let had = !self.available(&common, spend.at).is_zero();
        left -= self.take(&common, left, spend.at);
        let is_last = had && self.available(&common, spend.at).is_zero();
        self.note(&spend, spend.credits - left, "signal");
        if left.is_zero() {
            return Spent { overage: Decimal::ZERO, recorded: spend.credits, is_last };
        }
        let covered = spend.credits - left;
        let overage = match spend.origin.attribute.clone().filter(|_| spend.has_overage) {
            Some(attribute) => {
                self.note(&spend, left, "overage");
                self.overages.push(Overage { attribute, credits: left, at: spend.at });
                left
            }
            None => {
                self.pending.push(Spend { credits: left, ..spend });
                Decimal::ZERO
            }
        };
        Spent { overage, recorded: covered + overage, is_last }
    }

    fn take(&mut self, pool: &Pool, wanted: Decimal, at: DateTime<Utc>) -> Decimal {
        let Self { grants, by_pool, .. } = self;
        let mut parts = Vec::new();
        for place in by_pool.get(pool).into_iter().flatten() {
            let Some(grant) = grants.get(*place) else { continue };
            let parts_of = grant.parts(at).into_iter().filter(|(_, credits)| !credits.is_zero());
            parts.extend(parts_of.map(|(lost, credits)| (lost.is_none(), lost, grant.start, *place, credits)));
        }
        // Of those that are lost together, the oldest.
        parts.sort();
        parts.into_iter().fold(Decimal::ZERO, |taken, (.., place, credits)| {
            let wanted = credits.min(wanted - taken);
            taken + grants.get_mut(place).map_or(Decimal::ZERO, |grant| grant.take(wanted, at))
        })
    }

    fn note(&mut self, spend: &Spend, credits: Decimal, code: &'static str) {
        if credits.is_zero() {
            return;
        }
        let code = if code == "signal" && spend.origin.signal.is_none() { "seats" } else { code };
        if let Some(unit) = &spend.origin.unit {
            let of = [spend.customer.clone(), spend.currency.clone(), unit.clone()];
            *self.by_unit.entry(of).or_default().entry(spend.at.date_naive()).or_default() += credits;
        }
        self.transactions.push(Transaction {
            kind: Kind::Spend,
            code,
            customer: spend.customer.clone(),
            currency: spend.currency.clone(),
            credits,
            at: spend.at,
            origin: spend.origin.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::super::grant::Rollover;
    use super::*;

    fn day(day: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 1, day, 0, 0, 0).unwrap()
    }

    fn pool(seat: Option<&str>) -> Pool {
        Pool { customer: "c".into(), currency: "t".into(), seat: seat.map(str::to_owned) }
    }

    fn grant(total: i64, end: Option<u32>) -> Grant {
        Grant::new(pool(None), Some(total.into()), day(1)).until(end.map(day), None)
    }

    /// Grants, and spends what waited for it.
    fn give(ledger: &mut Ledger, grant: Grant) {
        for spend in ledger.grant(grant, "manual_grant", None) {
            ledger.spend(spend);
        }
    }

    fn spend(credits: i64, at: u32) -> Spend {
        Spend {
            customer: "c".into(),
            currency: "t".into(),
            seat: None,
            credits: credits.into(),
            at: day(at),
            recorded: day(at),
            origin: Origin { attribute: Some("a".into()), signal: Some("s".into()), ..Origin::default() },
            has_overage: false,
        }
    }

    #[test]
    fn what_expires_first_is_spent_first() {
        let mut ledger = Ledger::default();
        give(&mut ledger, grant(10, None));
        give(&mut ledger, grant(10, Some(20)));
        assert_eq!(ledger.spend(spend(15, 2)), Spent { recorded: 15.into(), ..Spent::default() });
        assert_eq!(ledger.grants.iter().map(Grant::used).collect::<Vec<_>>(), [5.into(), 10.into()]);
        assert!(ledger.spend(spend(5, 3)).is_last);
        assert!(!ledger.spend(spend(0, 3)).is_last, "said once");
    }

    #[test]
    fn what_is_lost_first_is_spent_first_also_of_one_grant() {
        let mut ledger = Ledger::default();
        let rollover = Some(Rollover { most: Some(4.into()), until: day(30) });
        give(&mut ledger, grant(10, None).until(Some(day(10)), rollover));
        give(&mut ledger, grant(10, Some(20)));
        let used = |ledger: &Ledger| ledger.grants.iter().map(Grant::used).collect::<Vec<_>>();
        ledger.spend(spend(8, 2));
        assert_eq!(
            used(&ledger),
            [6.into(), 2.into()],
            "6 would be lost on day 10, the others on day 20, and 4 on day 30"
        );
        ledger.spend(spend(9, 2));
        assert_eq!(used(&ledger), [7.into(), 10.into()]);
    }

    #[test]
    fn a_seat_spends_its_own_credits_first() {
        let mut ledger = Ledger::default();
        give(&mut ledger, grant(10, None));
        give(&mut ledger, Grant::new(pool(Some("seat")), Some(3.into()), day(1)));
        ledger.spend(Spend { seat: Some("seat".into()), ..spend(5, 2) });
        assert_eq!(ledger.available(&pool(Some("seat")), day(2)), Decimal::ZERO);
        assert_eq!(ledger.available(&pool(None), day(2)), 8.into());
    }

    #[test]
    fn what_no_grant_covers_waits_or_costs_money() {
        let mut ledger = Ledger::default();
        ledger.spend(spend(4, 2));
        assert_eq!(ledger.pending.iter().map(|spend| spend.credits).collect::<Vec<_>>(), [4.into()]);
        give(&mut ledger, Grant::new(pool(None), Some(3.into()), day(5)));
        assert_eq!(ledger.pending[0].credits, 1.into());
        let spent = ledger.spend(Spend { has_overage: true, ..spend(7, 6) });
        assert_eq!((spent.overage, ledger.overages[0].credits), (7.into(), 7.into()));
        let spends: Vec<_> = ledger.transactions.iter().filter(|one| one.kind == Kind::Spend).collect();
        assert_eq!(
            spends.iter().map(|one| (one.code, one.credits)).collect::<Vec<_>>(),
            [("signal", 3.into()), ("overage", 7.into())]
        );
    }
}
