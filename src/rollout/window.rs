//! The hours in which devices are asked, in a named time zone.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::spec::SpecError;
use crate::time::Timestamp;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    const fn offset(self) -> i8 {
        self as i8
    }
}

/// A window as an operator writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// The time zone by its IANA name: `Europe/Berlin`.
    pub zone: String,
    /// On which days it opens; every day if empty.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it opens, by the clock of the zone: `01:00`.
    pub from: String,
    /// When it closes; a time before `from` is one of the next day.
    pub to: String,
}

/// A window that was read.
#[derive(Clone, Debug)]
pub struct Window {
    zone: TimeZone,
    days: [bool; 7],
    from: Time,
    to: Time,
}

/// How a window stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowNow {
    /// Open until this time.
    Open(Timestamp),
    /// Closed until this time; `None` if it never opens.
    Closed(Option<Timestamp>),
}

impl Window {
    /// Reads a window.
    ///
    /// # Errors
    /// [`SpecError`] names the member.
    pub fn new(spec: &WindowSpec) -> Result<Self, SpecError> {
        let zone = TimeZone::get(&spec.zone).map_err(|_| {
            let problem = "no time zone of this name is known; give one as in Europe/Berlin or UTC";
            SpecError::new("window.zone", problem)
        })?;
        let time = |at: &str, text: &str| {
            let (hour, minute) = text.split_once(':').unwrap_or_default();
            let part = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() == 2);
            part(hour)
                .zip(part(minute))
                .and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok())
                .ok_or_else(|| SpecError::new(at, "a time of day as in 01:00"))
        };
        let (from, to) = (time("window.from", &spec.from)?, time("window.to", &spec.to)?);
        if from == to {
            let problem = "is the same as `from`; leave the window out if it is always open";
            return Err(SpecError::new("window.to", problem));
        }
        let mut days = [spec.days.is_empty(); 7];
        for day in &spec.days {
            if let Some(open) = usize::try_from(day.offset()).ok().and_then(|at| days.get_mut(at)) {
                *open = true;
            }
        }
        Ok(Self { zone, days, from, to })
    }

    /// How it stands at a time. Hours that the clock of the zone leaves out, or
    /// has twice, are as people there see them: a window that opens in the hour
    /// that is left out opens after it.
    pub fn at(&self, now: Timestamp) -> WindowNow {
        let Ok(instant) = jiff::Timestamp::from_millisecond(now.as_millis()) else {
            return WindowNow::Closed(None);
        };
        let today = self.zone.to_datetime(instant).date();
        // Yesterday's may reach past midnight; in eight days every day was there.
        let mut date = today.yesterday().unwrap_or(today);
        for _ in 0..10 {
            if let Some((opens, closes)) = self.on(date) {
                if opens <= now && now < closes {
                    return WindowNow::Open(closes);
                }
                if now < opens {
                    return WindowNow::Closed(Some(opens));
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        WindowNow::Closed(None)
    }

    /// When it opens and closes on a day; `None` if it does not open then.
    fn on(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
        if !self.days.get(day).copied().unwrap_or(false) {
            return None;
        }
        let until = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        let instant = |date: Date, time: Time| {
            let zoned = self.zone.to_ambiguous_zoned(date.to_datetime(time)).compatible().ok()?;
            Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
        };
        let (opens, closes) = (instant(date, self.from)?, instant(until, self.to)?);
        (opens < closes).then_some((opens, closes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(zone: &str, days: &[Day], from: &str, to: &str) -> Window {
        let (zone, days) = (zone.to_owned(), days.to_vec());
        Window::new(&WindowSpec { zone, days, from: from.to_owned(), to: to.to_owned() }).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_window_is_by_the_clock_of_its_zone() {
        let night = window("Europe/Berlin", &[], "01:00", "04:00");
        // Winter is one hour ahead of UTC, summer two.
        assert_eq!(
            night.at(at("2026-01-10T00:30:00Z")),
            WindowNow::Open(at("2026-01-10T03:00:00Z"))
        );
        assert_eq!(
            night.at(at("2026-07-10T00:30:00Z")),
            WindowNow::Open(at("2026-07-10T02:00:00Z"))
        );
        let next = at("2026-07-10T23:00:00Z");
        assert_eq!(night.at(at("2026-07-10T02:00:00Z")), WindowNow::Closed(Some(next)));
    }

    #[test]
    fn a_window_across_midnight_belongs_to_the_day_on_which_it_opens() {
        let window = window("UTC", &[Day::Fri], "22:00", "02:00");
        // 2026-11-20 is a Friday.
        let closes = at("2026-11-21T02:00:00Z");
        assert_eq!(window.at(at("2026-11-20T23:59:59Z")), WindowNow::Open(closes));
        assert_eq!(window.at(at("2026-11-21T01:59:59Z")), WindowNow::Open(closes));
        let next = at("2026-11-27T22:00:00Z");
        assert_eq!(window.at(closes), WindowNow::Closed(Some(next)));
        assert_eq!(window.at(at("2026-11-21T23:00:00Z")), WindowNow::Closed(Some(next)));
    }

    #[test]
    fn nights_on_which_the_clock_is_changed_have_the_hours_that_people_see() {
        let night = window("Europe/Berlin", &[], "01:30", "03:30");
        // 2026-03-29: 02:00 becomes 03:00; the window is one hour long.
        assert_eq!(
            night.at(at("2026-03-29T00:30:00Z")),
            WindowNow::Open(at("2026-03-29T01:30:00Z"))
        );
        // 2026-10-25: 03:00 becomes 02:00; the window is three hours long.
        assert_eq!(
            night.at(at("2026-10-24T23:30:00Z")),
            WindowNow::Open(at("2026-10-25T02:30:00Z"))
        );
        // A window that lies in the hour that is left out does not open.
        let gone = window("Europe/Berlin", &[], "02:15", "02:45");
        assert!(matches!(gone.at(at("2026-03-29T01:15:00Z")), WindowNow::Open(_)));
        let short = window("Europe/Berlin", &[], "02:00", "03:00");
        let next = at("2026-03-30T00:00:00Z");
        assert_eq!(short.at(at("2026-03-29T01:00:00Z")), WindowNow::Closed(Some(next)));
    }

    #[test]
    fn what_is_no_window_is_refused() {
        let spec = |zone: &str, from: &str, to: &str| WindowSpec {
            zone: zone.to_owned(),
            days: Vec::new(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        for (bad, at) in [
            (spec("Mars/Base", "01:00", "02:00"), "window.zone"),
            (spec("UTC", "1:00", "02:00"), "window.from"),
            (spec("UTC", "01:00", "24:00"), "window.to"),
            (spec("UTC", "01:00", "01:00"), "window.to"),
        ] {
            assert_eq!(Window::new(&bad).unwrap_err().at, at);
        }
    }
}
