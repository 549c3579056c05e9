//! The text of a version.

use crate::class::Class;

/// How a phone's firmware writes versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionForm {
    /// `2.0000000001`: ten digits, on firmware that leaves the factory with
    /// `2.0000000000`.
    TenDigits,
    /// `2.0003`: four digits, on firmware that leaves the factory with
    /// `2.0002`, above which the first version has to be.
    FourDigits,
}

/// Which words a model's firmware has for its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Modules `GLOBAL`, `PHONE`, `AUTOUPDATE` with `Download …`: the C series, X2 to
    /// X5, H5, and Digium's A20 to A25.
    Old,
    /// Modules `PHONE FEATURE`, `DSSKEY`, `AUTOUPDATE` with `Flash …`: everything since.
    New,
}

impl Generation {
    /// The word for it in templates.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

impl From<VersionForm> for Generation {
    /// The two changed together.
    fn from(form: VersionForm) -> Self {
        match form {
            VersionForm::FourDigits => Self::Old,
            VersionForm::TenDigits => Self::New,
        }
    }
}

/// A counter no longer fits its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {counter} of the file does not fit the digits that the phone's firmware compares")]
pub struct VersionError {
    /// The counter.
    pub counter: u64,
}

impl VersionError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Unavailable
    }
}

impl VersionForm {
    /// The text of a counter. Of two counters the higher has the higher text,
    /// compared as numbers and as strings.
    ///
    /// # Errors
    /// [`VersionError`] when the digits run out, which no sane file reaches: a
    /// version that fell back to fewer would be ignored by the phone.
    pub fn text(self, counter: u64) -> Result<String, VersionError> {
        let text = match self {
            Self::TenDigits if counter <= 9_999_999_999 => format!("2.{counter:010}"),
            Self::FourDigits if counter <= 9_997 => format!("2.{:04}", counter + 2),
            _ => return Err(VersionError { counter }),
        };
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_version_is_above_the_factorys() {
        assert_eq!(VersionForm::TenDigits.text(1).unwrap(), "2.0000000001");
        assert_eq!(VersionForm::FourDigits.text(1).unwrap(), "2.0003");
    }

    #[test]
    fn digits_that_run_out_are_an_error() {
        assert_eq!(VersionForm::FourDigits.text(9_997).unwrap(), "2.9999");
        assert!(VersionForm::FourDigits.text(9_998).is_err());
        assert_eq!(VersionForm::TenDigits.text(9_999_999_999).unwrap(), "2.9999999999");
        assert!(VersionForm::TenDigits.text(10_000_000_000).is_err());
        assert!(VersionForm::TenDigits.text(u64::MAX).is_err());
    }

    proptest! {
        #[test]
        fn higher_counters_are_higher_as_numbers_and_as_strings(
            one in 0u64..=9_999_999_999,
            two in 0u64..=9_999_999_999,
        ) {
            let forms = [(VersionForm::TenDigits, u64::MAX), (VersionForm::FourDigits, 9_998)];
            for (form, cap) in forms {
                let (one, two) = (one % cap, two % cap);
                let (a, b) = (form.text(one).unwrap(), form.text(two).unwrap());
                prop_assert_eq!(a.cmp(&b), one.cmp(&two));
                let (x, y): (f64, f64) = (a.parse().unwrap(), b.parse().unwrap());
                prop_assert_eq!(x.partial_cmp(&y), Some(one.cmp(&two)));
            }
        }
    }
}
