//! The send window: on which days and at which hours e-mails are sent.

use std::str::FromStr;

use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

/// When e-mails are sent.
///
/// As text `always`, or days, hours and an IANA time zone: `Mon-Fri 09:00-17:00 America/New_York`,
/// `Mon,Wed,Sat-Sun 08:30-12:00 Europe/Berlin`. Hours are local time of the zone, with daylight
/// saving time. The end is exclusive; `24:00` is the end of the day, and an end before the start is
/// on the next day.
#[derive(Debug, Clone, PartialEq)]
pub enum SendWindow {
    /// At any time.
    Always,
    /// Only within these hours.
    Hours(OpeningHours),
}

/// Days of the week and hours in a time zone.
#[derive(Debug, Clone, PartialEq)]
pub struct OpeningHours {
    days: Vec<Weekday>,
    opens: Time,
    closes: Time,
    closes_next_day: bool,
    zone: TimeZone,
}

/// The text is not a send window. The operator has to correct it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSendWindow {
    /// Neither `always` nor three words.
    #[error(
        "expected always, or days, hours and zone such as Mon-Fri 09:00-17:00 America/New_York"
    )]
    Shape,
    /// Not days of the week.
    #[error("invalid days {0:?}: expected days such as Mon-Fri or Mon,Wed,Sat-Sun")]
    Days(String),
    /// Not a range of hours.
    #[error("invalid hours {0:?}: expected a range such as 09:00-17:00")]
    Hours(String),
    /// Not a time zone of the IANA database.
    #[error("invalid time zone {0:?}: expected an IANA name such as America/New_York")]
    Zone(String),
}

impl SendWindow {
    /// When the window opens next. `None`: it is open.
    pub fn opens_at(&self, as_of: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Always => None,
            Self::Hours(hours) => hours.opens_at(as_of),
        }
    }

    /// The date of `as_of` in the time zone of the window; in UTC if the window is always open.
    pub fn local_date(&self, as_of: Timestamp) -> Date {
        as_of.to_zoned_datetime(self.zone()).date()
    }

    /// When the window first opens on a later day.
    pub fn next_day_opening(&self, as_of: Timestamp) -> Timestamp {
        let tomorrow = self
            .local_date(as_of)
            .tomorrow()
            .and_then(|day| day.to_zoned_datetime(self.zone()));
        let midnight = tomorrow.map_or(Timestamp::MAX, |midnight| midnight.timestamp());
        self.opens_at(midnight).unwrap_or(midnight)
    }

    fn zone(&self) -> TimeZone {
        match self {
            Self::Always => TimeZone::UTC,
            Self::Hours(hours) => hours.zone.clone(),
        }
    }
}

impl OpeningHours {
    fn opens_at(&self, as_of: Timestamp) -> Option<Timestamp> {
        let today = as_of.to_zoned_datetime(self.zone.clone()).date();
        // Starts with yesterday, whose window may last until this morning. Ten days include every
        // day of the week.
        let days = today
            .yesterday()
            .unwrap_or(today)
            .series(jiff::Span::new().days(1))
            .take(10);
        let mut intervals = days
            .filter(|day| self.days.contains(&day.weekday()))
            .filter_map(|day| self.opening_interval(day));
        match intervals.find(|(_, closes)| as_of < *closes) {
            Some((opens, _)) => (as_of < opens).then_some(opens),
            None => Some(Timestamp::MAX),
        }
    }

    /// When the window of a day opens and closes. For a local time that daylight saving time skips,
    /// the time after the gap is used; for one that occurs twice, the first.
    fn opening_interval(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let last_day = if self.closes_next_day {
            day.tomorrow().ok()?
        } else {
            day
        };
        let to_timestamp = |day: Date, time: Time| {
            day.to_datetime(time)
                .to_zoned_datetime(self.zone.clone())
                .ok()
                .map(|zoned| zoned.timestamp())
        };
        Some((
            to_timestamp(day, self.opens)?,
            to_timestamp(last_day, self.closes)?,
        ))
    }
}

impl FromStr for SendWindow {
    type Err = InvalidSendWindow;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, hours, zone) = match words[..] {
            ["always"] => return Ok(Self::Always),
            [days, hours, zone] => (days, hours, zone),
            _ => return Err(InvalidSendWindow::Shape),
        };
        let (opens, closes, closes_next_day) =
            parse_hours(hours).ok_or_else(|| InvalidSendWindow::Hours(hours.to_owned()))?;
        Ok(Self::Hours(OpeningHours {
            days: parse_days(days).ok_or_else(|| InvalidSendWindow::Days(days.to_owned()))?,
            opens,
            closes,
            closes_next_day,
            zone: TimeZone::get(zone).map_err(|_| InvalidSendWindow::Zone(zone.to_owned()))?,
        }))
    }
}

fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let last = parse_day(last)?;
        let mut day = parse_day(first)?;
        days.push(day);
        while day != last {
            day = day.wrapping_add(1);
            days.push(day);
        }
    }
    Some(days)
}

fn parse_day(text: &str) -> Option<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    NAMES
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name))
        .map(|(_, day)| *day)
}

/// The opening time, the closing time, and whether the window closes on the next day.
fn parse_hours(text: &str) -> Option<(Time, Time, bool)> {
    let (opens, closes) = text.split_once('-')?;
    let parse = |text: &str| Time::strptime("%H:%M", text).ok();
    let opens = parse(opens)?;
    if closes == "24:00" {
        return Some((opens, Time::midnight(), true));
    }
    let closes = parse(closes)?;
    (opens != closes).then_some((opens, closes, closes < opens))
}
