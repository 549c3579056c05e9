//! Which file a name means.

use super::options::expand;
use crate::phone::Mac;
use crate::provision::{Kind, Subject, Wanted};

/// The longest name that is looked at, in bytes.
const LONGEST: usize = 200;

/// The name of a phone's own file as the vendor's documents spell it.
pub(super) fn own_name(mac: Mac) -> String {
    format!("{}.cfg", mac.to_string().to_ascii_uppercase())
}

/// Which file a phone means by a name.
///
/// Its own file is `<MAC>.cfg` or, encrypted, `<MAC>.cfx`; a name of which one
/// piece is the address and the others are the model, `conf` or `config`
/// (`440HD_001122334455_conf.cfg`); or a further name of the phone's, in which
/// `<MODEL>` and `<MAC>` may stand. Firmware is `<MODEL>.img`, or the name that
/// the directives give; there is none without them. Case says nothing.
pub(super) fn resolve(name: &str, subject: &Subject<'_>) -> Option<Wanted> {
    if name.len() > LONGEST {
        return None;
    }
    if let Some(mac) = subject.mac {
        let further = subject
            .names
            .iter()
            .any(|its| expand(its, subject.model, mac).eq_ignore_ascii_case(name));
        if further || is_own(name, mac, subject.model) {
            return Some(Wanted { kind: Kind::Own, name: own_name(mac).into() });
        }
    }
    image(subject).filter(|image| {
        let by_model = format!("{}.img", subject.model);
        image.name.eq_ignore_ascii_case(name)
            || (!subject.model.is_empty() && by_model.eq_ignore_ascii_case(name))
    })
}

/// The firmware image that the directives name.
pub(super) fn image(subject: &Subject<'_>) -> Option<Wanted> {
    let name = subject.directives.firmware_file.clone()?;
    Some(Wanted { kind: Kind::Image, name })
}

fn is_own(name: &str, mac: Mac, model: &str) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    if !["cfg", "cfx"].iter().any(|its| its.eq_ignore_ascii_case(ending)) {
        return false;
    }
    let mac = mac.to_string();
    let mut addresses = 0;
    let known = stem.split(['_', '-']).all(|piece| {
        let is_mac = piece.eq_ignore_ascii_case(&mac);
        addresses += usize::from(is_mac);
        is_mac
            || (!model.is_empty() && piece.eq_ignore_ascii_case(model))
            || ["conf", "config"].iter().any(|its| its.eq_ignore_ascii_case(piece))
    });
    known && addresses == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::Directives;

    #[test]
    fn names_mean_the_phones_own_file_or_its_firmware() {
        let directives =
            Directives { firmware_file: Some("440HD_3.4.8.img".into()), ..Directives::default() };
        let names = ["reception.cfg".into(), "<MODEL>/<MAC>.txt".into()];
        let mac = "00908f602aac".parse().ok();
        let subject =
            Subject { mac, model: "440HD", names: &names, template: "", directives: &directives };
        let told = |name: &str| resolve(name, &subject).map(|wanted| wanted.kind);
        for name in [
            "00908F602AAC.cfg",
            "00908f602aac.cfg",
            "00908f602AAC.CFX",
            "440HD_00908F602AAC_conf.cfg",
            "00908f602aac-440hd.cfg",
            "Reception.cfg",
            "440HD/00908F602AAC.txt",
        ] {
            assert_eq!(told(name), Some(Kind::Own), "{name}");
        }
        for name in ["440HD.img", "440hd.IMG", "440HD_3.4.8.img"] {
            assert_eq!(told(name), Some(Kind::Image), "{name}");
        }
        for name in [
            "00908F602AAD.cfg",
            "00908F602AAC",
            "00908F602AAC.txt",
            "00908F602AAC_00908F602AAC.cfg",
            "conf.cfg",
            "x_00908F602AAC.cfg",
            "450HD.img",
            ".img",
            "<MAC>.cfg",
            "000000000000.cfg",
            "",
            "../00908F602AAC.cfg",
        ] {
            assert_eq!(told(name), None, "{name}");
        }
        assert_eq!(told(&"x".repeat(1 << 20)), None);
        let nobody = Subject { mac: None, ..subject };
        assert_eq!(resolve("00908F602AAC.cfg", &nobody), None);
        assert_eq!(resolve("440HD.img", &nobody).map(|wanted| wanted.kind), Some(Kind::Image));
    }
}
