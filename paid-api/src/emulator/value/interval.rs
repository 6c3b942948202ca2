//! The intervals that delivered value is added up in.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Timelike, Utc};

use super::super::refusal::Refusal;
use super::period::{Period, last_before};

/// The most intervals of one answer.
const LIMIT: usize = 400;

/// The intervals of a period, in UTC. The first and the last are cut to it.
pub(super) fn intervals(period: Period, length: &str) -> Result<Vec<Period>, Refusal> {
    let beyond = || Refusal::invalid("query.endDate", "is beyond the times that can be written");
    let mut intervals = Vec::new();
    let mut start = floor(period.start, length).ok_or_else(beyond)?;
    while start <= period.end {
        let next = following(start, length).ok_or_else(beyond)?;
        let end = last_before(next).ok_or_else(beyond)?;
        intervals.push(Period { start: start.max(period.start), end: end.min(period.end) });
        if intervals.len() > LIMIT {
            return Err(Refusal::invalid("query.interval", format!("cuts the period into more than {LIMIT}")));
        }
        start = next;
    }
    Ok(intervals)
}

/// The start of the interval that a time is in.
fn floor(time: DateTime<Utc>, length: &str) -> Option<DateTime<Utc>> {
    let date = time.date_naive();
    let first = match length {
        "hour" => return date.and_hms_opt(time.hour(), 0, 0).map(|time| time.and_utc()),
        "week" => date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into()))?,
        "month" => date.with_day(1)?,
        "quarter" => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1)?,
        _ => date,
    };
    first.and_hms_opt(0, 0, 0).map(|time| time.and_utc())
}

fn following(start: DateTime<Utc>, length: &str) -> Option<DateTime<Utc>> {
    match length {
        "hour" => start.checked_add_signed(TimeDelta::hours(1)),
        "week" => start.checked_add_days(Days::new(7)),
        "month" => start.checked_add_months(Months::new(1)),
        "quarter" => start.checked_add_months(Months::new(3)),
        _ => start.checked_add_days(Days::new(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::period::shown;
    use super::*;
    use crate::Timestamp;

    fn cut(start: &str, end: &str, length: &str) -> Vec<(String, String)> {
        let time = |text: &str| *text.parse::<Timestamp>().unwrap();
        let period = Period::new(time(start), time(end), "").unwrap();
        let cut = intervals(period, length).unwrap();
        cut.iter().map(|each| (shown(each.start), shown(each.end))).collect()
    }

    #[test]
    fn intervals_are_those_of_the_calendar_cut_to_the_period() {
        let months = cut("2026-01-15T00:00:00Z", "2026-03-10T12:00:00Z", "month");
        assert_eq!(months.len(), 3);
        assert_eq!(months[0], ("2026-01-15T00:00:00Z".to_owned(), "2026-01-31T23:59:59.999Z".to_owned()));
        assert_eq!(months[2], ("2026-03-01T00:00:00Z".to_owned(), "2026-03-10T12:00:00Z".to_owned()));
        // The 15th of January 2026 is a Thursday.
        assert_eq!(cut("2026-01-15T00:00:00Z", "2026-01-20T00:00:00Z", "week")[1].0, "2026-01-19T00:00:00Z");
        assert_eq!(cut("2026-05-15T00:00:00Z", "2026-07-01T00:00:00Z", "quarter")[1].0, "2026-07-01T00:00:00Z");
        assert_eq!(cut("2026-05-15T10:30:00Z", "2026-05-15T12:00:00Z", "hour").len(), 3);
        assert_eq!(cut("2026-05-15T10:30:00Z", "2026-05-17T00:00:00Z", "day").len(), 3);
    }

    #[test]
    fn too_many_intervals_are_refused() {
        let time = |text: &str| *text.parse::<Timestamp>().unwrap();
        let period = Period::new(time("2026-01-01"), time("2026-12-31"), "").unwrap();
        assert_eq!(intervals(period, "hour").unwrap_err().details.as_deref(), Some("query.interval"));
    }
}
