//! How a personality's messages look on the wire.
//!
//! The message is written by the standard first and then changed as text, so
//! that each habit shows in its own line here. The texts that are looked for
//! are those that [`crate::cwmp::write`] makes.

use super::{Personality, WireHabit};

impl Personality {
    /// A message of the device, as this personality really sends it.
    pub(in crate::simulate) fn dress(&self, message: Vec<u8>) -> Vec<u8> {
        if self.wire.is_empty() {
            return message;
        }
        let mut text = String::from_utf8_lossy(&message).into_owned();
        for habit in self.wire {
            text = dressed(*habit, text);
        }
        let mut bytes = if self.writes(WireHabit::Latin1) {
            text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
        } else {
            text.into_bytes()
        };
        if self.writes(WireHabit::BrokenBytes) {
            break_bytes(&mut bytes);
        }
        if self.writes(WireHabit::Padded) {
            bytes.splice(0..0, [0xef, 0xbb, 0xbf]);
            bytes.extend([0; 8]);
        }
        bytes
    }
}

fn dressed(habit: WireHabit, text: String) -> String {
    match habit {
        WireHabit::NoMessageId => without_element(&text, "cwmp:ID"),
        WireHabit::EmptyMessageId => match inner(&text, "cwmp:ID") {
            Some(id) => text.replacen(&format!(">{id}</cwmp:ID>"), "></cwmp:ID>", 1),
            None => text,
        },
        WireHabit::OddWhitespace => {
            let mut odd = text;
            for name in ["OUI", "EventCode", "Name", "SerialNumber", "MaxEnvelopes"] {
                odd = odd
                    .replace(&format!("<{name}>"), &format!("<{name}>\n\t "))
                    .replace(&format!("</{name}>"), &format!(" \n</{name}>"));
            }
            format!("\r\n {odd}")
        }
        WireHabit::ForeignPrefixes => text
            .replace("soap-env:", "SOAP-ENV:")
            .replace("xmlns:soap-env=", "xmlns:SOAP-ENV=")
            .replace("soap-enc:", "soap:")
            .replace("xmlns:soap-enc=", "xmlns:soap=")
            .replace("cwmp:", "tr69:")
            .replace("xmlns:cwmp=", "xmlns:tr69="),
        WireHabit::SingleQuotes => {
            text.replace('"', "'").replace("soap/encoding/'", "soap/encoding'")
        }
        WireHabit::Namespace(_) | WireHabit::BrokenBytes | WireHabit::Padded => text,
        WireHabit::Untyped => without_types(&text),
        WireHabit::NoEmptyValues => {
            text.replace("<Value xsi:type=\"xsd:string\"/>", "").replace("<Value/>", "")
        }
        WireHabit::StrangeTypes(kind) => text.replace("xsd:string\"", &format!("xsd:{kind}\"")),
        WireHabit::WrongArraySizes => wrong_sizes(&text),
        WireHabit::LowerCaseOui => match inner(&text, "OUI") {
            Some(oui) => {
                text.replacen(&format!(">{oui}<"), &format!(">{}<", oui.to_lowercase()), 1)
            }
            None => text,
        },
        WireHabit::UnsetClock => match inner(&text, "CurrentTime") {
            Some(time) => text.replacen(&time, "1970-01-09T23:03:44.067132+00:00", 1),
            None => text,
        },
        WireHabit::NoEvents => match inner(&text, "Event") {
            Some(events) => text.replacen(&events, "", 1),
            None => text,
        },
        WireHabit::TripleEvents => match inner(&text, "Event") {
            Some(events) => text.replacen(&events, &events.repeat(3), 1),
            None => text,
        },
        WireHabit::Latin1 => text
            .replace("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\"")
            .replace("Provost Simulation", "Provost S\u{ef}mulation"),
    }
}

/// What stands inside the first element of a name, attributes or not.
fn inner(text: &str, name: &str) -> Option<String> {
    let (_, tail) = text
        .split_once(&format!("<{name}"))
        .filter(|(_, tail)| tail.starts_with('>') || tail.starts_with(' '))?;
    let (_, content) = tail.split_once('>')?;
    let (content, _) = content.split_once(&format!("</{name}>"))?;
    Some(content.to_owned())
}

fn without_element(text: &str, name: &str) -> String {
    let close = format!("</{name}>");
    match (text.find(&format!("<{name}")), text.find(&close)) {
        (Some(from), Some(to)) if from < to => {
            [text.get(..from), text.get(to + close.len()..)].into_iter().flatten().collect()
        }
        _ => text.to_owned(),
    }
}

fn without_types(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once(" xsi:type=\"") {
        out.push_str(before);
        rest = tail.split_once('"').map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// `[3]` becomes `[0004]`.
fn wrong_sizes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("Struct[") {
        out.push_str(before);
        let (size, after) = tail.split_once(']').unwrap_or(("", tail));
        let wrong = size.parse::<u64>().unwrap_or_default() + 1;
        out.push_str(&format!("Struct[{wrong:04}]"));
        rest = after;
    }
    out + rest
}

/// A control character and a byte that is no UTF-8 behind the manufacturer's
/// name.
fn break_bytes(bytes: &mut Vec<u8>) {
    let mark = b"</Manufacturer>";
    let at = bytes.windows(mark.len()).position(|window| window == mark);
    if let Some(at) = at {
        bytes.splice(at..at, [0x02, 0xff]);
    }
}
