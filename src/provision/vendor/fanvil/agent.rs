//! What a phone says of itself in its User-Agent.

use crate::phone::Mac;

/// The first three bytes of the vendor's addresses (IEEE).
pub(super) const OUIS: &[[u8; 3]] = &[[0x0c, 0x38, 0x3e], [0x00, 0xa8, 0x59]];

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

/// The names under which phones of this vendor say who they are: its own, and
/// OEM brands that were seen.
const BRANDS: [&str; 2] = ["fanvil", "ibratro"];

/// What a User-Agent says, if it is one of this vendor's phones: a known brand,
/// or any one word before a model, a version and an address of the vendor's.
pub(super) fn claim(text: &str) -> Option<Agent> {
    let agent = Agent::parse(text);
    let brand = text.split_whitespace().next()?;
    let known = BRANDS.iter().any(|known| brand.eq_ignore_ascii_case(known));
    let branded = brand.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let ours = agent.mac.is_some_and(|mac| OUIS.iter().any(|oui| mac.bytes().starts_with(oui)));
    let sound = is_model(&agent.model) && !agent.firmware.is_empty();
    (sound && (known || (branded && ours))).then_some(agent)
}

/// `X4`, `i10SV`, `X6U Pro`, `H2U-V2`: letters, then digits, then what tells
/// variants apart.
fn is_model(model: &str) -> bool {
    let rest = model.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = model.len() - rest.len();
    (1..=3).contains(&letters)
        && rest.starts_with(|c: char| c.is_ascii_digit())
        && model.len() <= 16
        && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '-')
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

    #[test]
    fn only_phones_of_this_vendor_are_claimed() {
        for (text, model) in [
            ("Fanvil X4 2.10.2.6887 0c383e07e16c", "X4"),
            ("Fanvil X6U Pro 0.0.10 0c383e2cd782", "X6U Pro"),
            ("Fanvil V67 2.6.6.187 0c383e2b29e6", "V67"),
            ("Fanvil i10SV 2.12.10.1 0c383e2397f4", "i10SV"),
            ("Fanvil i53W 2.12.9 0c383e10a440", "i53W"),
            ("Fanvil V65 2.12.2.4 0c383e38e123", "V65"),
            ("Fanvil H2U-V2 2.12.0 0c383e32342e", "H2U-V2"),
            ("Fanvil W620W 2.16.10 0c383e7dd216", "W620W"),
            ("Fanvil X5U-V2 2.12.16.17 0c383e557eb1", "X5U-V2"),
            ("Fanvil C58 2.3.1", "C58"),
            ("Ibratro X3S 2.12.1 0c383e000001", "X3S"),
            ("Attimo X3S 2.12.1 0c383e000001", "X3S"),
        ] {
            assert_eq!(claim(text).map(|agent| agent.model).as_deref(), Some(model), "{text}");
        }
        for text in [
            "",
            "curl/8.5.0",
            "Fanvil",
            "Fanvil X4",
            "Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37",
            "Htek UC903 2.0.4.2 00:1f:c1:1c:22:a9",
            "Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413741767)",
            "Attimo X3S 2.12.1 001565000001",
            "ALE M3-CE 2.11.01.1604 3c28a620089e",
        ] {
            assert_eq!(claim(text), None, "{text}");
        }
    }
}
