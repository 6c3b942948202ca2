//! Which invoices an order has, and what is billed on which.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::Frequency;
use super::period::{boundary, next_anchor};

/// The most invoices of one order.
const LIMIT: u32 = 1200;

/// The time from `start` until just before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) struct Span {
    pub(in crate::emulator) start: DateTime<Utc>,
    pub(in crate::emulator) end: Option<DateTime<Utc>>,
}

impl Span {
    pub(in crate::emulator) fn holds(&self, time: DateTime<Utc>) -> bool {
        time >= self.start && self.end.is_none_or(|end| time < end)
    }

    pub(in crate::emulator) fn overlaps(&self, window: &Window) -> bool {
        self.start < window.end && self.end.is_none_or(|own| window.start < own)
    }
}

/// What fixes the periods of an order.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulator) struct Term {
    pub(in crate::emulator) span: Span,
    /// The day of the month on which periods begin, 1 to 31. `None` is the day of the start.
    pub(in crate::emulator) anchor: Option<u32>,
}

/// When a price is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Timing {
    /// With the start of its line.
    Once,
    /// With the end of the window in which its line begins.
    OnceInArrears,
    /// With the start of each of its periods.
    Advance(Frequency),
    /// With the end of each of its periods.
    Arrears(Frequency),
    /// What was used, with the end of each of its periods.
    Usage(Frequency),
}

impl Timing {
    /// Returns true if it is billed once, and not with each period.
    pub(in crate::emulator) fn is_once(self) -> bool {
        matches!(self, Self::Once | Self::OnceInArrears)
    }

    fn months(self) -> Option<u32> {
        match self {
            Self::Once | Self::OnceInArrears => None,
            Self::Advance(frequency) | Self::Arrears(frequency) | Self::Usage(frequency) => Some(frequency.in_months()),
        }
    }
}

/// The billed part of a period, in days. It stays a fraction until an amount was multiplied, so that nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) struct Share {
    days: i64,
    of: i64,
}

impl Share {
    pub(in crate::emulator) const WHOLE: Self = Self { days: 1, of: 1 };

    pub(super) fn of(self, amount: Decimal) -> Decimal {
        amount * Decimal::from(self.days) / Decimal::from(self.of)
    }
}

/// The time that one invoice covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) struct Window {
    pub(in crate::emulator) start: DateTime<Utc>,
    pub(in crate::emulator) end: DateTime<Utc>,
}

/// The windows of an order until now, and which charges fall into which.
#[derive(Debug)]
pub(in crate::emulator) struct Schedule {
    term: Term,
    now: DateTime<Utc>,
    /// The start of the first whole period.
    first: DateTime<Utc>,
    day: u32,
    pub(in crate::emulator) windows: Vec<Window>,
}

impl Schedule {
    /// `None` if a date is out of range.
    pub(in crate::emulator) fn new(term: Term, timings: &[Timing], now: DateTime<Utc>) -> Option<Self> {
        let start = term.span.start;
        let day = term.anchor.unwrap_or_else(|| chrono::Datelike::day(&start));
        let first = next_anchor(start, day)?;
        // The months of one window: the largest number that divides the months of every price.
        let step = timings.iter().filter_map(|timing| timing.months()).fold(0, gcd).max(1);
        let mut schedule = Self { term, now, first, day, windows: Vec::new() };
        let mut from = start;
        let mut months = if first > start { 0 } else { step };
        while from <= now && term.span.end.is_none_or(|end| from < end) && months / step < LIMIT {
            let to = schedule.boundary(months)?;
            let end = term.span.end.map_or(to, |end| end.min(to));
            schedule.windows.push(Window { start: from, end });
            (from, months) = (to, months + step);
        }
        Some(schedule)
    }

    fn boundary(&self, months: u32) -> Option<DateTime<Utc>> {
        boundary(self.first, self.day, months)
    }

    /// The periods of a price until now, each from its start to where it would end if the order did not. The first is the
    /// one before the anchor, if there is any.
    pub(in crate::emulator) fn periods(&self, months: u32) -> Vec<Window> {
        let mut periods = Vec::new();
        let mut from = self.term.span.start;
        let mut next = if self.first > from { 0 } else { months };
        let last = self.windows.last().map(|window| window.end);
        while last.is_some_and(|last| from < last) {
            let Some(to) = self.boundary(next) else { break };
            periods.push(Window { start: from, end: to });
            (from, next) = (to, next + months);
        }
        periods
    }

    /// The window that holds this time: its start is a part of it, and its end is not.
    fn window_at(&self, time: DateTime<Utc>) -> Option<usize> {
        self.windows.iter().position(|window| time >= window.start && time < window.end)
    }

    fn window_ending(&self, time: DateTime<Utc>) -> Option<usize> {
        let end = self.term.span.end.map_or(time, |end| end.min(time));
        self.windows.iter().position(|window| window.end == end)
    }

    /// The fixed charges of a line, each with its window and the share of the period that is billed.
    /// `holds` says whether the price holds at the start of a period.
    pub(in crate::emulator) fn fixed(
        &self,
        timing: Timing,
        line: Span,
        since: Option<DateTime<Utc>>,
        holds: impl Fn(DateTime<Utc>) -> bool,
    ) -> Vec<(usize, Share)> {
        let Some(months) = timing.months() else {
            let start = line.start.max(self.term.span.start).max(since.unwrap_or(line.start));
            let is_due = |at: &usize| timing == Timing::Once || self.windows[*at].end <= self.now;
            return self
                .window_at(start)
                .filter(is_due)
                .filter(|_| line.end.is_none_or(|end| start < end))
                .map(|at| (at, Share::WHOLE))
                .into_iter()
                .collect();
        };
        let charges = self.periods(months).into_iter().filter(|period| line.overlaps(period) && holds(period.start));
        charges
            .filter_map(|Window { start, end }| {
                let window = match timing {
                    Timing::Arrears(_) => self.window_ending(end).filter(|at| self.windows[*at].end <= self.now),
                    _ => self.window_at(start),
                };
                Some((window?, self.share(start, end, months)))
            })
            .collect()
    }

    /// The part before the anchor costs its days, of the days of the whole period that ends with it.
    fn share(&self, start: DateTime<Utc>, end: DateTime<Utc>, months: u32) -> Share {
        if end != self.first || start != self.term.span.start {
            return Share::WHOLE;
        }
        let whole = chrono::Datelike::with_day(&self.first, 1)
            .and_then(|first| first.checked_sub_months(chrono::Months::new(months)))
            .and_then(|earlier| boundary(earlier, self.day, 0));
        let days = |from: DateTime<Utc>| (end.date_naive() - from.date_naive()).num_days();
        match whole.map(days) {
            Some(whole) if whole > 0 => Share { days: days(start), of: whole },
            _ => Share::WHOLE,
        }
    }

    /// The window on which a price bills the period that holds this time; `None` if it did not begin yet.
    pub(in crate::emulator) fn window_of(&self, timing: Timing, at: DateTime<Utc>) -> Option<usize> {
        let Some(months) = timing.months() else { return self.window_at(at) };
        let period = self.periods(months).into_iter().find(|period| period.start <= at && at < period.end)?;
        match timing {
            Timing::Advance(_) | Timing::Once | Timing::OnceInArrears => self.window_at(period.start),
            Timing::Arrears(_) | Timing::Usage(_) => self.window_ending(period.end),
        }
    }

    /// The days of the whole period that this one is, or is a part of.
    pub(in crate::emulator) fn whole_days(&self, period: Window, months: u32) -> i64 {
        match self.share(period.start, period.end, months) {
            Share::WHOLE => (period.end.date_naive() - period.start.date_naive()).num_days(),
            part => part.of,
        }
    }

    /// The periods of a usage price until now.
    pub(in crate::emulator) fn usage(&self, frequency: Frequency) -> Vec<Window> {
        self.periods(frequency.in_months())
    }

    /// The window on which the usage of a period is billed; `None` if it did not begin yet.
    pub(in crate::emulator) fn usage_window(&self, period: &Window) -> Option<usize> {
        self.window_ending(period.end)
    }
}

fn gcd(left: u32, right: u32) -> u32 {
    if right == 0 { left } else { gcd(right, left % right) }
}
