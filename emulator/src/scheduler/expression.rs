//! `rate(…)`, `at(…)` and `cron(…)`.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

/// How far ahead a cron expression is searched; beyond, it is never due.
const HORIZON_DAYS: i32 = 366 * 8;

/// When a schedule is due.
#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Rate(SignedDuration),
    At(DateTime),
    Cron(Box<Cron>),
}

/// `cron(minutes hours day-of-month month day-of-week year)`.
#[derive(Debug, PartialEq)]
pub(super) struct Cron {
    minutes: Vec<i16>,
    hours: Vec<i16>,
    days: Days,
    months: Vec<i16>,
    years: Vec<i16>,
}

#[derive(Debug, PartialEq)]
enum Days {
    OfMonth(Vec<i16>),
    LastOfMonth,
    /// Sunday is 1.
    OfWeek(Vec<i16>),
    LastOfWeek(i16),
    /// The nth such weekday of the month.
    Nth(i16, i16),
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Expression {
    pub fn parse(text: &str) -> Result<Expression, String> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inner("rate") {
            let (value, unit) = rate.split_once(' ').ok_or("rate takes a value and a unit")?;
            let value: i64 = value.parse().map_err(|_| format!("`{value}` is no positive whole number"))?;
            let seconds = match unit.trim().trim_end_matches('s') {
                "minute" => 60,
                "hour" => 3600,
                "day" => 86_400,
                unit => return Err(format!("`{unit}` is none of minutes, hours, days")),
            };
            let total = value.checked_mul(seconds).filter(|s| *s > 0).ok_or("the rate must be positive")?;
            return Ok(Expression::Rate(SignedDuration::from_secs(total)));
        }
        if let Some(at) = inner("at") {
            return at.parse().map(Expression::At).map_err(|e| format!("`{at}` is not yyyy-mm-ddThh:mm:ss: {e}"));
        }
        match inner("cron") {
            Some(cron) => Cron::parse(cron).map(|cron| Expression::Cron(Box::new(cron))),
            None => Err("it is none of rate(…), at(…), cron(…)".to_owned()),
        }
    }

    /// The first time after `now`. A rate runs from `start`, and is due there if it never fired.
    pub fn next(
        &self,
        now: Timestamp,
        start: Timestamp,
        fired: Option<Timestamp>,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        match self {
            Expression::Rate(every) => {
                let last = fired.filter(|fired| *fired >= start);
                let Some(last) = last else { return Some(start) };
                let passed = (now.as_second() - last.as_second()).max(0) / every.as_secs();
                let steps = i32::try_from(passed + 1).ok()?;
                last.checked_add(every.checked_mul(steps)?).ok()
            }
            Expression::At(at) => {
                let at = zone.to_ambiguous_timestamp(*at).compatible().ok()?;
                (fired.is_none() && at >= start.min(now)).then_some(at)
            }
            Expression::Cron(cron) => cron.next(now.max(start), zone),
        }
    }

    /// Whether it can be due again.
    pub fn is_once(&self) -> bool {
        matches!(self, Expression::At(_))
    }
}

impl Cron {
    fn parse(text: &str) -> Result<Cron, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, of_month, months, of_week, years] = fields.as_slice() else {
            return Err(format!(
                "cron takes 6 fields (minutes hours day-of-month month day-of-week year), found {}",
                fields.len()
            ));
        };
        let days = match (of_month, of_week) {
            ("?", "?") => return Err("one of day-of-month and day-of-week must not be `?`".to_owned()),
            ("?", week) => Days::of_week(week)?,
            ("L", "?" | "*") => Days::LastOfMonth,
            (month, "?" | "*") => Days::OfMonth(set(month, 1, 31, &[])?),
            _ => return Err("one of day-of-month and day-of-week must be `?`".to_owned()),
        };
        Ok(Cron {
            minutes: set(minutes, 0, 59, &[])?,
            hours: set(hours, 0, 23, &[])?,
            days,
            months: set(months, 1, 12, &MONTHS)?,
            years: set(years, 1970, 2199, &[])?,
        })
    }

    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = after.to_zoned_datetime(zone.clone()).date();
        for _ in 0..HORIZON_DAYS {
            if self.falls_on(date) {
                for (hour, minute) in self.hours.iter().flat_map(|h| self.minutes.iter().map(move |m| (*h, *m))) {
                    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
                    let due = zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()?;
                    if due > after {
                        return Some(due);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn falls_on(&self, date: Date) -> bool {
        let weekday = i16::from(date.weekday().to_sunday_one_offset());
        let days = match &self.days {
            Days::OfMonth(days) => days.contains(&i16::from(date.day())),
            Days::LastOfMonth => date.day() == date.days_in_month(),
            Days::OfWeek(days) => days.contains(&weekday),
            Days::LastOfWeek(day) => *day == weekday && date.day() + 7 > date.days_in_month(),
            Days::Nth(day, nth) => *day == weekday && i16::from((date.day() - 1) / 7 + 1) == *nth,
        };
        days && self.months.contains(&i16::from(date.month())) && self.years.contains(&date.year())
    }
}

impl Days {
    fn of_week(text: &str) -> Result<Days, String> {
        if text == "L" {
            return Ok(Days::OfWeek(vec![i16::from(Weekday::Saturday.to_sunday_one_offset())]));
        }
        if let Some(day) = text.strip_suffix('L') {
            return number(day, 1, 7, &WEEKDAYS).map(Days::LastOfWeek);
        }
        if let Some((day, nth)) = text.split_once('#') {
            return Ok(Days::Nth(number(day, 1, 7, &WEEKDAYS)?, number(nth, 1, 5, &[])?));
        }
        set(text, 1, 7, &WEEKDAYS).map(Days::OfWeek)
    }
}

/// A field's values in order: `*`, `a`, `a-b`, `a/n`, `*/n`, and lists of these.
fn set(text: &str, low: i16, high: i16, names: &[&str]) -> Result<Vec<i16>, String> {
    let mut values = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step, 1, high.max(1), &[])?),
            None => (part, 1),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*" | "?", _) => (low, high),
            (_, Some((from, to))) => (number(from, low, high, names)?, number(to, low, high, names)?),
            (one, None) => {
                let one = number(one, low, high, names)?;
                (one, if part.contains('/') { high } else { one })
            }
        };
        if from <= to {
            values.extend((from..=to).step_by(usize::try_from(step).unwrap_or(1)));
        } else {
            values.extend((from..=high).chain(low..=to).step_by(usize::try_from(step).unwrap_or(1)));
        }
    }
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

fn number(text: &str, low: i16, high: i16, names: &[&str]) -> Result<i16, String> {
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let value = named.and_then(|i| i16::try_from(i + 1).ok()).or_else(|| text.parse().ok());
    value.filter(|n| (low..=high).contains(n)).ok_or_else(|| format!("`{text}` is not between {low} and {high}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, now: &str, zone: &str) -> Option<String> {
        let (now, zone) = (now.parse().expect("time"), TimeZone::get(zone).expect("zone"));
        let expression = Expression::parse(expression).expect(expression);
        expression.next(now, "2024-01-01T00:00:00Z".parse().expect("time"), None, &zone).map(|at| at.to_string())
    }

    #[test]
    fn cron_and_at_are_due_when_they_say() {
        for (expression, now, want) in [
            ("cron(0 * ? * * *)", "2024-03-01T10:00:00Z", Some("2024-03-01T11:00:00Z")),
            ("cron(0 8/6 ? * * *)", "2024-03-01T15:00:00Z", Some("2024-03-01T20:00:00Z")),
            ("cron(30 9 ? * MON-FRI *)", "2024-03-01T10:00:00Z", Some("2024-03-04T09:30:00Z")),
            ("cron(0 0 L * ? *)", "2024-02-10T00:00:00Z", Some("2024-02-29T00:00:00Z")),
            ("cron(0 0 ? * 6L *)", "2024-02-10T00:00:00Z", Some("2024-02-23T00:00:00Z")),
            ("cron(0 0 ? * TUE#2 *)", "2024-02-14T00:00:00Z", Some("2024-03-12T00:00:00Z")),
            ("cron(15,45 * * * ? 2024-2025)", "2024-12-31T23:50:00Z", Some("2025-01-01T00:15:00Z")),
            ("cron(0 0 1 1 ? 2020)", "2024-01-01T00:00:00Z", None),
            ("at(2024-05-01T12:00:00)", "2024-03-01T00:00:00Z", Some("2024-05-01T12:00:00Z")),
            ("at(2023-05-01T12:00:00)", "2024-03-01T00:00:00Z", None),
        ] {
            assert_eq!(next(expression, now, "UTC").as_deref(), want, "{expression} after {now}");
        }
    }

    #[test]
    fn a_rate_is_due_at_once_and_then_keeps_its_steps() {
        let at = |text: &str| text.parse::<Timestamp>().expect("time");
        let (start, rate) = (at("2024-01-01T00:00:00Z"), Expression::parse("rate(15 minutes)").expect("rate"));
        let next = |now, fired| rate.next(now, start, fired, &TimeZone::UTC);
        assert_eq!(next(at("2024-01-01T00:00:05Z"), None), Some(start));
        assert_eq!(next(at("2024-01-01T00:00:05Z"), Some(start)), Some(at("2024-01-01T00:15:00Z")));
        assert_eq!(next(at("2024-01-01T02:01:00Z"), Some(start)), Some(at("2024-01-01T02:15:00Z")));
    }

    #[test]
    fn nonsense_is_named() {
        for (text, want) in [
            ("rate(0 hours)", "positive"),
            ("rate(1 week)", "week"),
            ("cron(* * * *)", "6 fields"),
            ("cron(60 * * * ? *)", "`60`"),
            ("cron(0 0 1 * 1 *)", "must be `?`"),
            ("hourly", "none of"),
        ] {
            let error = Expression::parse(text).expect_err(text);
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
