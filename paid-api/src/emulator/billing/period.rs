//! Billing periods: a frequency in months, counted from an anchor.

use chrono::{DateTime, Datelike, Days, Months, Utc};

/// How often a price is billed, in months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) struct Frequency(u32);

impl Frequency {
    /// `None` for 0 and for more than a century.
    pub(in crate::emulator) fn months(months: u32) -> Option<Self> {
        (1..=1200).contains(&months).then_some(Self(months))
    }

    pub(in crate::emulator) fn in_months(self) -> u32 {
        self.0
    }
}

/// The boundary `months` after the start of the first whole period. A day that a month lacks is its last day; later
/// boundaries are counted from the start again, so that 31 January is followed by 28 February and 31 March.
pub(super) fn boundary(first: DateTime<Utc>, day: u32, months: u32) -> Option<DateTime<Utc>> {
    let first_of_month = first.with_day(1)?.checked_add_months(Months::new(months))?;
    on_day(first_of_month, day)
}

/// The first time at or after `start` that falls on this day of a month, at the time of day of `start`.
pub(super) fn next_anchor(start: DateTime<Utc>, day: u32) -> Option<DateTime<Utc>> {
    let this = on_day(start.with_day(1)?, day)?;
    if this >= start { Some(this) } else { on_day(start.with_day(1)?.checked_add_months(Months::new(1))?, day) }
}

fn on_day(first_of_month: DateTime<Utc>, day: u32) -> Option<DateTime<Utc>> {
    let next = first_of_month.checked_add_months(Months::new(1))?;
    let last = next.checked_sub_days(Days::new(1))?.day();
    first_of_month.with_day(day.clamp(1, last))
}
