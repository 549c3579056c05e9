//! What a phone says of itself in its User-Agent.

use crate::phone::Mac;

/// `Fanvil X4 2.10.2.6887 0c383e07e16c`, taken apart. OEM brands put their own
/// name in front; models may hold a blank (`X6U Pro`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The model; may be empty.
    pub model: Box<str>,
    /// The firmware version; may be empty.
    pub firmware: Box<str>,
    /// The MAC address, if the last word is one.
    pub mac: Option<Mac>,
}

impl Agent {
    /// Takes a User-Agent apart as far as it can be; never fails.
    pub fn parse(text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().take(16).collect();
        let mac = words.last().and_then(|word| word.parse().ok());
        let words = words.get(..words.len() - usize::from(mac.is_some())).unwrap_or_default();
        let is_version = |word: &&str| {
            word.starts_with(|c: char| c.is_ascii_digit())
                && word.chars().all(|c| c.is_ascii_digit() || c == '.')
        };
        let firmware = words.last().copied().filter(is_version).unwrap_or_default();
        let model = words.get(1..words.len() - usize::from(!firmware.is_empty()));
        Self { model: cut(&model.unwrap_or_default().join(" ")), firmware: cut(firmware), mac }
    }
}

/// The first 64 characters.
fn cut(text: &str) -> Box<str> {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_agents_are_taken_apart() {
        for (text, model, firmware, mac) in [
            ("Fanvil X4 2.10.2.6887 0c383e07e16c", "X4", "2.10.2.6887", Some("0c383e07e16c")),
            ("Fanvil X6U Pro 0.0.10 0c383e2cd782", "X6U Pro", "0.0.10", Some("0c383e2cd782")),
            ("Ibratro V67 2.6.6.187 0c:38:3e:2b:29:e6", "V67", "2.6.6.187", Some("0c383e2b29e6")),
            ("Fanvil X4 2.10.2", "X4", "2.10.2", None),
            ("curl/8.5.0", "", "", None),
            ("0c383e07e16c", "", "", Some("0c383e07e16c")),
            ("2.1", "", "2.1", None),
            ("", "", "", None),
        ] {
            let agent = Agent::parse(text);
            assert_eq!((&*agent.model, &*agent.firmware), (model, firmware), "{text}");
            assert_eq!(agent.mac.map(|mac| mac.to_string()).as_deref(), mac, "{text}");
        }
    }
}
