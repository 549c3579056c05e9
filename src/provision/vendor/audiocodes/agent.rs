//! What a phone says of itself in its User-Agent.

use crate::phone::Mac;
use crate::provision::AgentClaim;

/// Takes a User-Agent of an AudioCodes phone apart; `None` if it is another's.
///
/// Seen are `AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)`,
/// `AUDC-IPPhone-445HD_UC_3.4.8/1.0` and
/// `AUDC/3.4.6.604 AUDC-IPPhone-C450HD_UC_3.4.6.604/1`; those with `UC` say no
/// address.
pub fn agent(text: &str) -> Option<AgentClaim> {
    let start = text.get(..512).unwrap_or(text).find("AUDC-IPPhone")?;
    let told = text.get(start..)?.strip_prefix("AUDC-IPPhone")?;
    if let Some(rest) = told.strip_prefix('/') {
        let (firmware, rest) = rest.split_once([' ', '(']).unwrap_or((rest, ""));
        let inner = rest.trim_start_matches([' ', '(']).split(')').next().unwrap_or_default();
        let (model, mac) = inner.split_once(';').unwrap_or((inner, ""));
        let mac: Option<Mac> = mac.trim().parse().ok();
        return Some(AgentClaim { model: model_of(model), firmware: cut(firmware), mac });
    }
    let word = told.strip_prefix('-')?.split(['/', ' ']).next().unwrap_or_default();
    let mut parts = word.split('_');
    let model = parts.next().unwrap_or_default();
    let firmware = parts.find(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    Some(AgentClaim {
        model: model_of(model),
        firmware: cut(firmware.unwrap_or_default()),
        mac: None,
    })
}

/// The model as files name it: without the hardware's revision, and without the
/// G of those with a Gigabit port.
fn model_of(text: &str) -> Box<str> {
    let model = text.trim().split("-Rev").next().unwrap_or_default();
    let base = model.strip_suffix('G').filter(|base| base.ends_with("HD"));
    cut(base.unwrap_or(model))
}

/// The first 64 characters.
fn cut(text: &str) -> Box<str> {
    text.trim().chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_agents_are_taken_apart() {
        for (text, model, firmware, mac) in [
            (
                "AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)",
                "440HD",
                "2.2.8.61",
                "00908f602aac",
            ),
            (
                "AUDC-IPPhone/2.0.0_build_15 (420HD; 00908F3BBCBA)",
                "420HD",
                "2.0.0_build_15",
                "00908f3bbcba",
            ),
            ("AUDC-IPPhone-445HD_UC_3.4.8/1.0", "445HD", "3.4.8", ""),
            ("AUDC-IPPhone-430HD_UC_2.0.13.121/1.0.0000.0", "430HD", "2.0.13.121", ""),
            ("AUDC/3.4.6.604 AUDC-IPPhone-C450HD_UC_3.4.6.604/1", "C450HD", "3.4.6.604", ""),
            ("AUDC-IPPhone/2.2.2", "", "2.2.2", ""),
            ("AUDC-IPPhone/", "", "", ""),
        ] {
            let claim = agent(text).unwrap();
            assert_eq!((&*claim.model, &*claim.firmware), (model, firmware), "{text}");
            assert_eq!(claim.mac.map(|mac| mac.to_string()).unwrap_or_default(), mac, "{text}");
        }
        for other in ["", "curl/8.5.0", "Fanvil X4 2.10.2 0c383e07e16c", "AUDC", "AUDC-IPPhone"] {
            assert_eq!(agent(other), None, "{other}");
        }
    }
}
