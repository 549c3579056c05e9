//! How much of a tree is asked for.

use std::sync::Arc;

use super::ParamPath;

/// How much of a device's parameters is asked for: what is not need not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Nothing.
    #[default]
    Nothing,
    /// Whatever begins with one of these texts, and perhaps more.
    Below(Arc<[Box<str>]>),
    /// Everything.
    Whole,
}

impl Extent {
    /// What these paths mean: each parameter, what lies below each object, and all
    /// that a path with `*` fits.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p ParamPath>) -> Self {
        let fixed = |path: &'p ParamPath| path.as_str().split('*').next().unwrap_or_default();
        Self::beginning(paths.into_iter().map(fixed))
    }

    /// Whatever begins with one of these texts.
    pub fn beginning<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::below(texts.into_iter().map(Box::from).collect())
    }

    fn below(mut beginnings: Vec<Box<str>>) -> Self {
        beginnings.sort_unstable();
        // What stands below another one comes right behind it.
        beginnings.dedup_by(|later, before| later.starts_with(&**before));
        match beginnings.as_slice() {
            [] => Self::Nothing,
            [all] if all.is_empty() => Self::Whole,
            _ => Self::Below(beginnings.into()),
        }
    }

    /// What this one or another asks for.
    pub fn with(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Whole, _) | (_, Self::Whole) => Self::Whole,
            (Self::Nothing, extent) | (extent, Self::Nothing) => extent.clone(),
            (Self::Below(one), Self::Below(two)) => {
                Self::below(one.iter().chain(two.iter()).cloned().collect())
            }
        }
    }

    /// Whether nothing is asked for.
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Whether a path is asked for.
    pub fn holds(&self, path: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Below(beginnings) => {
                beginnings.iter().any(|beginning| path.starts_with(&**beginning))
            }
            Self::Whole => true,
        }
    }

    /// Whether any path that begins so may be asked for.
    pub fn reaches(&self, beginning: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Below(beginnings) => beginnings
                .iter()
                .any(|asked| asked.starts_with(beginning) || beginning.starts_with(&**asked)),
            Self::Whole => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str]) -> Extent {
        let paths: Vec<ParamPath> =
            paths.iter().map(|path| ParamPath::parse(path).unwrap()).collect();
        Extent::of(&paths)
    }

    #[test]
    fn what_lies_below_another_is_not_named_twice() {
        let texts: [Box<str>; 2] = ["Device.A.".into(), "Device.B".into()];
        let expected = Extent::Below(texts.into());
        assert_eq!(of(&["Device.B", "Device.A.C", "Device.A.", "Device.A."]), expected);
        assert_eq!(of(&["Device.A.C"]).with(&of(&["Device.A.", "Device.B"])), expected);
        assert_eq!(of(&[]), Extent::Nothing);
        assert_eq!(of(&["Device.A"]).with(&Extent::Whole), Extent::Whole);
        assert_eq!(Extent::Nothing.with(&of(&["Device.A."])), of(&["Device.A."]));
    }

    #[test]
    fn a_path_is_asked_for_if_its_beginning_is() {
        let asked = of(&["Device.WiFi.SSID.1.SSID", "Device.IP."]);
        assert!(asked.holds("Device.WiFi.SSID.1.SSID") && asked.holds("Device.IP.Interface.1."));
        assert!(!asked.holds("Device.WiFi.SSID.1.") && !asked.holds("Device.I"));
        assert!(asked.reaches("Device.WiFi.SSID.") && asked.reaches("Device.IP.Interface."));
        assert!(!asked.reaches("Device.WiFi.Radio."));
        assert!(Extent::Whole.holds("x") && !Extent::Nothing.reaches(""));
    }
}
