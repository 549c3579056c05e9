//! Options of a device and the vouchers that unlock them, both deprecated
//! (TR-069 §A.4.1.3, §A.4.1.4).

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cwmp::{FaultCode, OptionState};
use crate::time::Timestamp;

/// What can be unlocked.
const NAMES: [&str; 2] = ["SIP", "VPN"];

/// Which options are unlocked: by the serial number of the voucher, and since
/// when.
#[derive(Clone, Debug, Default)]
pub(super) struct Licences {
    unlocked: Vec<(&'static str, u32, Timestamp)>,
}

impl Licences {
    /// SetVouchers: a voucher is good if it is the name of an option in Base64.
    pub(super) fn take(
        &mut self,
        vouchers: &[Box<str>],
        now: Timestamp,
    ) -> Result<(), (FaultCode, &'static str)> {
        let mut unlocked = self.unlocked.clone();
        for voucher in vouchers {
            let bytes = STANDARD.decode(voucher.as_bytes()).unwrap_or_default();
            let name = NAMES.into_iter().find(|name| name.as_bytes() == bytes);
            let name = name.ok_or((FaultCode::INVALID_ARGUMENTS, "the voucher is no good"))?;
            if !unlocked.iter().any(|(known, ..)| *known == name) {
                let serial = u32::try_from(unlocked.len()).unwrap_or(0) + 1;
                unlocked.push((name, serial, now));
            }
        }
        self.unlocked = unlocked;
        Ok(())
    }

    /// GetOptions: one option, or all.
    pub(super) fn list(&self, name: &str) -> Result<Vec<OptionState>, (FaultCode, &'static str)> {
        let names: Vec<_> =
            NAMES.into_iter().filter(|known| name.is_empty() || *known == name).collect();
        if names.is_empty() {
            return Err((FaultCode::INVALID_ARGUMENTS, "there is no such option"));
        }
        Ok(names.into_iter().map(|name| self.state(name)).collect())
    }

    fn state(&self, name: &'static str) -> OptionState {
        let unlocked = self.unlocked.iter().find(|(known, ..)| *known == name);
        OptionState {
            option_name: name.into(),
            voucher_serial: unlocked.map_or(0, |(_, serial, _)| *serial),
            state: if unlocked.is_some() { 3 } else { 0 },
            mode: if unlocked.is_some() { 2 } else { 0 },
            start_date: unlocked
                .map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |(.., at)| at.to_string())
                .into(),
            expiration_date: None,
            is_transferable: 0,
        }
    }
}
