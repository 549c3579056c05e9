//! Firmware: a phone compares the version that its file names with the one that
//! it loaded last, as text, and loads whatever differs.
//!
//! So a version that the image does not bring makes it load for ever, and two
//! versions for one model make it load by turns. Both are refused.

use std::collections::BTreeMap;
use std::fmt;

use crate::provision::RenderError;

/// Models whose firmware Digium's and Sangoma's services name.
const MODELS: [&str; 8] = ["D40", "D45", "D50", "D60", "D62", "D65", "D70", "D80"];

/// The models that a firmware service on the local network names, as `D65File`.
pub const fn firmware_models() -> &'static [&'static str] {
    &MODELS
}

/// A version as phones write it: numbers joined by underscores, `2_9_27`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FirmwareVersion(Box<str>);

impl FirmwareVersion {
    /// Reads a version; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let sound = text.len() <= 64 && text.contains('_') && text.split('_').all(number);
        sound.then(|| Self(text.into()))
    }
}

impl fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the name of an image carries a version, and no model but this one:
/// `2_9_27_D65_firmware.eff`.
///
/// # Errors
/// What is wrong, in words.
pub fn check_image_name(name: &str, model: &str, version: &FirmwareVersion) -> Result<(), String> {
    let carried = image_version(name, model)?;
    if carried == *version {
        return Ok(());
    }
    Err(format!(
        "the image {} carries the version {carried}, not {version}; the phone would load it again at every start",
        short(name)
    ))
}

/// The version that the name of an image carries.
fn image_version(name: &str, model: &str) -> Result<FirmwareVersion, String> {
    let file = name.rsplit('/').next().unwrap_or_default();
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let stem = file.strip_suffix(".eff").ok_or("an image's name ends in .eff")?;
    let parts: Vec<&str> = stem.split('_').collect();
    let digits = |part: &&&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let numbers: Vec<&str> =
        parts.iter().skip_while(|part| !digits(part)).take_while(digits).copied().collect();
    let version = FirmwareVersion::parse(&numbers.join("_"));
    let version =
        version.ok_or("an image's name must carry the version, as 2_9_27_D65_firmware.eff")?;
    let other = parts.iter().find(|part| is_model(part) && !part.eq_ignore_ascii_case(model));
    match other {
        Some(other) => Err(format!("the image is for {other}, not for {model}")),
        None => Ok(version),
    }
}

/// Whether a URL can be that of an image for a model.
pub(super) fn is_firmware_url(url: &str, model: &str) -> Result<(), String> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !scheme.is_some_and(|its| ["http", "https", "ftp", "ftps"].contains(&its.as_str())) {
        return Err("takes a URL of http, https, ftp or ftps".to_owned());
    }
    image_version(url, model).map(drop)
}

fn is_model(part: &str) -> bool {
    let digits = part.strip_prefix(['D', 'P', 'd', 'p']).unwrap_or_default();
    (2..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn short(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().chars().take(80).collect()
}

/// Checks that each model has one version, and each image the version that is
/// said of it. Each entry is model, version, URL.
///
/// # Errors
/// [`RenderError::Incomplete`], in words.
pub fn check_firmwares<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
) -> Result<(), RenderError> {
    let mut versions: BTreeMap<&str, FirmwareVersion> = BTreeMap::new();
    for (model, version, url) in entries {
        let wrong = |problem: String| {
            let model: String = model.chars().take(16).collect();
            Err(RenderError::Incomplete(format!("firmware of {model}: {problem}")))
        };
        let Some(version) = FirmwareVersion::parse(version) else {
            return wrong("a version is needed, as 2_9_27 or 1_0_3_45441".to_owned());
        };
        if let Err(problem) = check_image_name(url, model, &version) {
            return wrong(problem);
        }
        match versions.get(model) {
            Some(other) if *other != version => {
                return wrong(format!(
                    "{other} and {version} are both named; the phone would load them by turns, so name one"
                ));
            }
            _ => {
                versions.insert(model, version);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, model: &str, version: &str) -> String {
        let version = FirmwareVersion::parse(version).unwrap();
        check_image_name(name, model, &version).err().unwrap_or_default()
    }

    #[test]
    fn versions_are_numbers_joined_by_underscores() {
        for text in ["2_9_27", "1_0_3_45441", "1_1_0_0_48178", "2_0"] {
            assert_eq!(FirmwareVersion::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "2", "2.9.27", "2_9_", "_2_9", "2__9", "2_9_27b", "2_9 "] {
            assert_eq!(FirmwareVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_image_must_carry_the_version_that_is_said_of_it() {
        assert_eq!(check("2_9_27_D65_firmware.eff", "D65", "2_9_27"), "");
        assert_eq!(check("http://h/fw/2_9_27_D65_firmware.eff", "D65", "2_9_27"), "");
        assert_eq!(check("firmware_1_0_3_45441.eff", "D40", "1_0_3_45441"), "");
        let error = check("2_9_27_D65_firmware.eff", "D65", "2_9_2");
        assert!(error.contains("carries the version 2_9_27, not 2_9_2;"), "{error}");
        assert!(check("2_9_27_D60_firmware.eff", "D65", "2_9_27").contains("for D60, not for D65"));
        assert!(check("D65_firmware.eff", "D65", "2_9_27").contains("must carry the version"));
        assert!(check("2_9_27_D65_firmware.bin", "D65", "2_9_27").contains("ends in .eff"));
    }

    #[test]
    fn one_version_for_a_model() {
        let url = |version: &str, model: &str| format!("http://h/{version}_{model}_firmware.eff");
        let (a, b, c) = (url("2_9_27", "D65"), url("2_9_28", "D65"), url("2_9_28", "D60"));
        assert_eq!(
            check_firmwares([("D65", "2_9_27", &*a), ("D60", "2_9_28", &c), ("D65", "2_9_27", &a)]),
            Ok(())
        );
        let error = check_firmwares([("D65", "2_9_27", &*a), ("D65", "2_9_28", &b)]).unwrap_err();
        assert!(error.to_string().starts_with("firmware of D65: 2_9_27 and 2_9_28 are both named"));
        let error = check_firmwares([("D65", "", &*a)]).unwrap_err().to_string();
        assert_eq!(error, "firmware of D65: a version is needed, as 2_9_27 or 1_0_3_45441");
    }
}
