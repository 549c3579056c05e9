//! Layers of settings, merged for one phone.

use super::directives::PREFIX;
use super::family::Family;
use crate::phone::Settings;

/// One layer, and whether vendors share it.
#[derive(Clone, Copy, Debug)]
pub struct LayerSettings<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// Whether phones of several vendors have it: then a bare name is meant for
    /// those whose grammar takes it, and `vendor:name` for one vendor.
    pub shared: bool,
}

/// The settings of a phone of a family: each layer wins over those before it.
/// Directives keep their prefix.
pub fn merge<'a>(
    family: &dyn Family,
    layers: impl IntoIterator<Item = LayerSettings<'a>>,
) -> Settings {
    let mut merged = Settings::new();
    for layer in layers {
        for (name, value) in layer.settings {
            if let Some(name) = meant(family, name, layer.shared) {
                merged.insert(name.into(), value.clone());
            }
        }
    }
    merged
}

/// The name that a setting has for phones of a family; `None` if it is not
/// meant for them.
fn meant<'a>(family: &dyn Family, name: &'a str, shared: bool) -> Option<&'a str> {
    if name.starts_with(PREFIX) {
        return Some(name);
    }
    match addressed(name) {
        Some((vendor, rest)) => (vendor == family.vendor()).then_some(rest),
        None => (!shared || family.takes(name)).then_some(name),
    }
}

/// The vendor before a colon, and the name behind it.
pub(super) fn addressed(name: &str) -> Option<(crate::phone::Vendor, &str)> {
    let (vendor, rest) = name.split_once(':')?;
    Some((vendor.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::Vendor;
    use crate::provision::family;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn later_layers_win_and_other_vendors_names_are_left_out() {
        let site = settings(&[
            ("AUTOUPDATE/Flash Mode", "1"),
            ("fanvil:SIP/SIP  Port", "5060"),
            ("audiocodes:voip/x", "1"),
            ("provost:vlan", "5"),
        ]);
        let phone = settings(&[("AUTOUPDATE/Flash Mode", "2")]);
        let layers = [
            LayerSettings { settings: &site, shared: true },
            LayerSettings { settings: &phone, shared: false },
        ];
        let merged = merge(family(Vendor::Fanvil), layers);
        let expected =
            [("AUTOUPDATE/Flash Mode", "2"), ("SIP/SIP  Port", "5060"), ("provost:vlan", "5")];
        assert_eq!(merged, settings(&expected));
    }
}
