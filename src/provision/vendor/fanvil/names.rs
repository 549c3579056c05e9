//! The names under which phones ask for their files.
//!
//! A common file's name says the model, but by no one rule: the C series pads
//! the number with zeroes, some models carry a hardware version, and several are
//! known under two spellings, so every known name is listed. A phone's own
//! file is `<mac>.cfg`; some builds ask for `.txt`, `.xml` or `.boot`.

use super::VersionForm;
use crate::phone::Mac;

/// The common file of one model.
#[derive(Debug, PartialEq, Eq)]
pub struct CommonFile {
    /// The model as the vendor names it.
    pub model: &'static str,
    /// How the model's firmware writes versions.
    pub form: VersionForm,
    /// Every name that it is known under; the first is the one to tell people.
    pub names: &'static [&'static str],
}

const fn four(model: &'static str, names: &'static [&'static str]) -> CommonFile {
    CommonFile { model, form: VersionForm::FourDigits, names }
}

const fn ten(model: &'static str, names: &'static [&'static str]) -> CommonFile {
    CommonFile { model, form: VersionForm::TenDigits, names }
}

/// The models of which a common file's name is known.
static COMMON_FILES: &[CommonFile] = &[
    four("C56", &["f0C005600000.cfg"]),
    four("C58", &["f0C005800000.cfg", "f0C00580000.cfg"]),
    four("C60", &["f0C006000000.cfg"]),
    four("C62", &["f0C006200000.cfg", "f0C00620000.cfg", "f00C006200000.cfg"]),
    four("A20", &["f0A20hw1.100.cfg"]),
    four("A22", &["f0A22hw1.100.cfg"]),
    four("A25", &["f0A25hw1.100.cfg"]),
    ten("A30", &["A0V0A3000000.cfg"]),
    ten("H2U-V2", &["F0V2UV200000.cfg"]),
    four("H5", &["f0H5hw1.100.cfg"]),
    ten("H6W", &["F0V2UH6W00000.cfg"]),
    ten("V61G", &["F0VV61G00000.cfg"]),
    ten("V61W", &["F0VV61W00000.cfg"]),
    ten("V62", &["F0VV6200000.cfg"]),
    ten("V62G", &["F0VV62G00000.cfg"]),
    ten("V62Pro", &["F0V0V6210000.cfg"]),
    ten("V62W", &["F0VV62W00000.cfg"]),
    ten("V63", &["F0V0V6300000.cfg"]),
    ten("V64", &["F0V0V6400000.cfg"]),
    ten("V65", &["F0V0V6500000.cfg"]),
    ten("V66", &["F0V0V6600000.cfg"]),
    ten("V66Pro", &["F0V0V6610000.cfg"]),
    ten("V67", &["F0V0V6700000.cfg"]),
    ten("W610W", &["F0V610W00000.cfg"]),
    ten("W611W", &["F0V611W00000.cfg"]),
    ten("W620W", &["F0V620W00000.cfg"]),
    four("X2", &["f0X2hw1.100.cfg", "F0V00X200000.cfg"]),
    ten("X210", &["F0V00X200000.cfg", "F0VX21000000.cfg"]),
    four("X3", &["F0V00X300000.cfg"]),
    four("X3S", &["f0X3shw1.100.cfg", "f0X3Shw1.100.cfg"]),
    ten("X3SG", &["f0X3sghw1.100.cfg"]),
    four("X4", &["f0X4hw1.100.cfg"]),
    four("X5", &["f0X5hw1.100.cfg"]),
    ten("X5S", &["F0V00X5S0000.cfg", "F0V0X5S00000.cfg"]),
    ten("X5U-V2", &["F0V5UV200000.cfg"]),
    ten("X6", &["F0V00X600000.cfg", "F0V0X6000000.cfg"]),
    ten("X6V2", &["F0000X600000.cfg"]),
    ten("X7", &["F0V00X700000.cfg"]),
    ten("X7C", &["F0V0X7C00000.cfg"]),
    ten("i10S", &["F0V10S00000.cfg"]),
    ten("i10SD", &["F0V10SD00000.cfg"]),
    ten("i10SV", &["F0V10SV00000.cfg"]),
    ten("i16S", &["F0V16S00000.cfg"]),
    ten("i16SV", &["F0V16SV00000.cfg"]),
    ten("i51W", &["F0Vi51W00000.cfg"]),
    ten("i52W", &["F0Vi52W00000.cfg"]),
    ten("i53W", &["F0Vi53W00000.cfg"]),
    ten("i61", &["F0V0i6100000.cfg"]),
    ten("i62", &["F0V0i6200000.cfg"]),
    ten("i63", &["F0V0i6300000.cfg"]),
    ten("i64", &["F0V0i6400000.cfg"]),
];

/// The firmware-check files of which the name is known: model and name.
const FIRMWARE_CHECKS: &[(&str, &str)] = &[
    ("H2U-V2", "fanvil_h2u_v2_hwv1_0.txt"),
    ("V61G", "fanvil_v61g_hwv1_0.txt"),
    ("V61W", "fanvil_v61w_hwv1_0.txt"),
    ("V62", "fanvil_v62_hwv1_0.txt"),
    ("V62W", "fanvil_v62w_hwv1_0.txt"),
    ("V62G", "fanvil_v62g_hwv1_0.txt"),
    ("V62Pro", "fanvil_v62_pro_hwv1_0.txt"),
    ("V63", "fanvil_v63_hwv1_0.txt"),
    ("V64", "fanvil_v64_hwv1_0.txt"),
    ("V65", "fanvil_v65_hwv1_0.txt"),
    ("V66", "fanvil_v66_hwv1_0.txt"),
    ("V66Pro", "fanvil_v66_pro_hwv1_0.txt"),
    ("V67", "fanvil_v67_hw1_1.txt"),
    ("W610W", "fanvil_w610w_hwv1_0.txt"),
    ("W611W", "fanvil_w611w_hwv1_0.txt"),
    ("W620W", "fanvil_w620w_hwv1_0.txt"),
    ("X210-Pro", "fanvil_x210_pro_hwv2_0.txt"),
    ("X210-V2", "fanvil_x210_v2_hwv2_0.txt"),
    ("X4U-Pro", "fanvil_x4u_pro_hwv2_0.txt"),
    ("X4U-V2", "fanvil_x4u_v2_hwv2_0.txt"),
    ("X5U-V2", "fanvil_x5u_v2_hwv2_0.txt"),
    ("i10S", "fanvil_i10s_hwv1_0.txt"),
    ("i10SD", "fanvil_i10sd_hwv1_0.txt"),
    ("i10SV", "fanvil_i10sv_hwv1_0.txt"),
    ("i16S", "fanvil_i16s_hwv1_0.txt"),
    ("i16SV", "fanvil_i16sv_hwv1_0.txt"),
    ("i51W", "fanvil_i51w_hwv1_0.txt"),
    ("i52W", "fanvil_i52w_hwv1_0.txt"),
    ("i53W", "fanvil_i53w_hwv1_0.txt"),
    ("i61", "fanvil_i61_hwv1_0.txt"),
    ("i62", "fanvil_i62_hwv1_0.txt"),
    ("i63", "fanvil_i63_hwv1_0.txt"),
    ("i64", "fanvil_i64_hwv1_0.txt"),
];

/// The name of a model's firmware-check file; `None` if it is not known.
pub(super) fn firmware_check_name(model: &str) -> Option<&'static str> {
    let found = FIRMWARE_CHECKS.iter().find(|(known, _)| same_model(known, model));
    found.map(|(_, name)| *name)
}

/// Whether a name is that of a firmware-check file, of any model and any
/// hardware: `fanvil_<model>_hw<version>.txt`.
pub(super) fn is_firmware_check(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(middle) = name.strip_prefix("fanvil_").and_then(|rest| rest.strip_suffix(".txt"))
    else {
        return false;
    };
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
    middle.len() <= 48
        && middle
            .split_once("_hw")
            .is_some_and(|(model, hardware)| !model.is_empty() && !hardware.is_empty())
        && middle.chars().all(sound)
}

/// The ending of a name that is a phone's own, in lower case.
pub(super) fn own_ending(name: &str, mac: Mac) -> Option<&'static str> {
    let (stem, ending) = name.split_once('.')?;
    let own = stem.len() == 12 && stem.parse() == Ok(mac);
    ["cfg", "txt", "xml", "boot"]
        .into_iter()
        .find(|known| own && ending.eq_ignore_ascii_case(known))
}

/// The common file of a model; case, blanks, hyphens and underscores in the
/// model's name do not matter.
pub fn common_file(model: &str) -> Option<&'static CommonFile> {
    COMMON_FILES.iter().find(|file| same_model(file.model, model))
}

/// The names of a model's common file, the usual one first; none if the model
/// is unknown.
pub fn common_names(model: &str) -> &'static [&'static str] {
    common_file(model).map_or(&[], |file| file.names)
}

/// The common file that a name is of.
///
/// Spelled exactly first, then in any case: some firmware differs from the
/// documentation in case only. A name that several models share means the
/// phone's own model if it is one of them. Another model's name is honoured: the
/// phone knows better than the inventory what it is.
pub fn common_file_named(name: &str, model: &str) -> Option<&'static CommonFile> {
    let exact = |known: &str| known == name;
    let any_case = |known: &str| known.eq_ignore_ascii_case(name);
    named(model, exact).or_else(|| named(model, any_case))
}

/// The common file with a name like this, the phone's own model first.
fn named(model: &str, like: impl Fn(&str) -> bool) -> Option<&'static CommonFile> {
    let has = |file: &&CommonFile| file.names.iter().any(|name| like(name));
    common_file(model).filter(has).or_else(|| COMMON_FILES.iter().find(has))
}

/// The model whose common file has this very name.
pub(super) fn file_named(name: &str) -> Option<&'static CommonFile> {
    named("", |known| known == name)
}

fn same_model(one: &str, two: &str) -> bool {
    meaningful(one).eq(meaningful(two))
}

fn meaningful(model: &str) -> impl Iterator<Item = char> {
    let kept = model.chars().filter(|c| !matches!(c, ' ' | '-' | '_'));
    kept.map(|c| c.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac() -> Mac {
        "0c383e07e16c".parse().unwrap()
    }

    fn common_model(name: &str, model: &str) -> Option<&'static str> {
        common_file_named(name, model).map(|file| file.model)
    }

    #[test]
    fn every_known_name_is_resolved_in_every_case() {
        for file in COMMON_FILES {
            for name in file.names {
                for spelled in [(*name).to_owned(), name.to_lowercase(), name.to_uppercase()] {
                    assert_eq!(common_model(&spelled, file.model), Some(file.model), "{spelled}");
                }
            }
        }
    }

    #[test]
    fn firmware_checks_are_known_by_name_and_by_form() {
        for (model, name) in FIRMWARE_CHECKS {
            assert_eq!(firmware_check_name(model), Some(*name));
            assert!(is_firmware_check(name) && is_firmware_check(&name.to_uppercase()), "{name}");
        }
        assert!(is_firmware_check("fanvil_x6u_hwv1_0.txt"));
        for name in
            ["fanvil_.txt", "fanvil__hw1.txt", "fanvil_x_hw.txt", "fanvil_../x_hw1.txt", "x.txt"]
        {
            assert!(!is_firmware_check(name), "{name}");
        }
    }

    #[test]
    fn a_shared_name_means_the_phones_own_model() {
        assert_eq!(common_model("F0V00X200000.cfg", "X210"), Some("X210"));
        assert_eq!(common_model("F0V00X200000.cfg", "X2"), Some("X2"));
        assert_eq!(common_model("F0V00X200000.cfg", "unheard of"), Some("X2"));
        assert_eq!(common_model("f0C006200000.cfg", "X4"), Some("C62"));
    }

    #[test]
    fn models_are_found_as_people_write_them() {
        assert_eq!(common_file("x5u v2").map(|file| file.model), Some("X5U-V2"));
        assert_eq!(common_names("C62").first(), Some(&"f0C006200000.cfg"));
        assert_eq!(common_names("X9000"), [""; 0]);
    }

    #[test]
    fn only_the_phones_own_mac_names_its_file() {
        for name in ["0c383e07e16c.cfg", "0C383E07E16C.cfg", "0c383e07E16C.CFG"] {
            assert_eq!(own_ending(name, mac()), Some("cfg"), "{name}");
        }
        assert_eq!(own_ending("0c383e07e16c.XML", mac()), Some("xml"));
        for name in [
            "0c383e07e16d.cfg",
            "0c:38:3e:07:e1:6c.cfg",
            "0c383e07e16c.cfg.cfg",
            "0c383e07e16c.xlm",
            "0c383e07e16c",
            "000000000000.cfg",
            "F00000000000.cfg",
            "../0c383e07e16c.cfg",
            "%30c383e07e16c.cfg",
            "0c383e07e16c.cfg\0",
            "",
            "..",
        ] {
            assert_eq!(own_ending(name, mac()), None, "{name}");
            assert_eq!(common_file_named(name, "X4"), None, "{name}");
        }
    }
}
