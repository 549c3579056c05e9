//! What a phone says of itself in its User-Agent.

use super::firmware::FirmwareVersion;
use crate::phone::Mac;
use crate::provision::AgentClaim;

/// Takes a User-Agent of a Digium or Sangoma phone apart; `None` if it is
/// another's.
///
/// The vendor says that it holds the model and the firmware, and the address only
/// if `send_mac_with_useragent` is set, but not in which form. So a word of each
/// form is looked for, after the vendor's name.
pub fn agent(text: &str) -> Option<AgentClaim> {
    let lower = text.get(..512).unwrap_or(text).to_ascii_lowercase();
    if !lower.contains("digium") && !lower.contains("sangoma") {
        return None;
    }
    let breaks = |c: char| c.is_whitespace() || "/();,".contains(c);
    let words = || text.split(breaks).filter(|word| !word.is_empty()).take(24);
    let model = words().find_map(model_of).unwrap_or_default();
    let firmware = words().find(|word| is_version(word)).unwrap_or_default();
    let mac: Option<Mac> = words().find_map(|word| word.parse().ok());
    Some(AgentClaim { model: model.into(), firmware: firmware.into(), mac })
}

/// The model that a word is or begins with: `D65`, `D65_2_9_27`.
fn model_of(word: &str) -> Option<&str> {
    let model = word.split(['_', '-']).next()?;
    let digits = model.strip_prefix(['D', 'P'])?;
    let sound = (2..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    sound.then_some(model)
}

fn is_version(word: &str) -> bool {
    let dotted = word.contains('.')
        && word.len() <= 32
        && word.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    dotted || FirmwareVersion::parse(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_taken_apart_as_far_as_they_can_be() {
        for (text, model, firmware, mac) in [
            ("Digium D65 2_9_27", "D65", "2_9_27", ""),
            ("Digium D40/1_4_0_0_57389 000fd3a1b2c3", "D40", "1_4_0_0_57389", "000fd3a1b2c3"),
            ("Sangoma P330 4.13.0 (00:50:58:01:02:03)", "P330", "4.13.0", "005058010203"),
            ("digium", "", "", ""),
        ] {
            let claim = agent(text).unwrap();
            assert_eq!((&*claim.model, &*claim.firmware), (model, firmware), "{text}");
            assert_eq!(claim.mac.map(|mac| mac.to_string()).unwrap_or_default(), mac, "{text}");
        }
        for other in ["", "curl/8.5.0", "Polycom D65 1.2.3", "Fanvil X4 2.10.2 0c383e07e16c"] {
            assert_eq!(agent(other), None, "{other}");
        }
    }
}
