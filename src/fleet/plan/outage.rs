//! What a change interrupts while it takes effect.
//!
//! No data model tells it, so this is a short list of what operators know. It
//! errs towards warning: what stands here may interrupt, what does not is not
//! known to.

use crate::param::ParamPath;

/// What users or the operator lose for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outage {
    /// The way to the Internet: the WAN interface, PPP, VLANs, the default route.
    Internet,
    /// Devices in the house: addresses, the DHCP server, bridges.
    Lan,
    /// Wi-Fi: stations are thrown out, and come back if they know the password.
    WiFi,
    /// Calls under way, and the registration of lines.
    Telephony,
    /// The way of the device to this server.
    Management,
}

/// What changes below an object interrupt. The path stands below the root
/// object, `*` for any segment; the first line that fits counts.
const INTERRUPTS: [(&str, Outage); 22] = [
    ("ManagementServer.URL", Outage::Management),
    ("ManagementServer.Username", Outage::Management),
    ("ManagementServer.Password", Outage::Management),
    ("ManagementServer.EnableCWMP", Outage::Management),
    ("ManagementServer.X_", Outage::Management),
    ("Services.VoiceService.", Outage::Telephony),
    ("WiFi.", Outage::WiFi),
    ("LANDevice.*.WLANConfiguration.", Outage::WiFi),
    ("LANDevice.", Outage::Lan),
    ("DHCPv4.Server.", Outage::Lan),
    ("DHCPv6.Server.", Outage::Lan),
    ("Bridging.", Outage::Lan),
    ("Layer2Bridging.", Outage::Lan),
    ("WANDevice.", Outage::Internet),
    ("PPP.", Outage::Internet),
    ("IP.Interface.", Outage::Internet),
    ("Ethernet.", Outage::Internet),
    ("DSL.", Outage::Internet),
    ("ATM.", Outage::Internet),
    ("PTM.", Outage::Internet),
    ("Optical.", Outage::Internet),
    ("DHCPv4.Client.", Outage::Internet),
];

/// Parameters that change nothing but how a thing is called.
const HARMLESS: [&str; 4] = ["Alias", "Description", "FriendlyName", "X_Comment"];

impl Outage {
    /// What a change of a parameter or a row may interrupt.
    pub fn of(path: &str) -> Option<Self> {
        let (_, below) = path.split_once('.')?;
        let leaf = ParamPath::parse(path).map(|path| HARMLESS.contains(&path.leaf()));
        if leaf.unwrap_or(false) || below.ends_with(".Stats.") {
            return None;
        }
        INTERRUPTS.iter().find(|(pattern, _)| fits(pattern, below)).map(|(_, outage)| *outage)
    }

    /// The word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Lan => "lan",
            Self::WiFi => "wifi",
            Self::Telephony => "telephony",
            Self::Management => "management",
        }
    }
}

/// Whether a path stands at or below a pattern.
fn fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('.');
    let mut wanted = pattern.split('.').peekable();
    while let Some(part) = wanted.next() {
        let is_last = wanted.peek().is_none();
        // A dot at the end stands for whatever is below.
        if is_last && part.is_empty() {
            return true;
        }
        let Some(segment) = segments.next() else { return false };
        let same =
            part == "*" || segment == part || (part.ends_with('_') && segment.starts_with(part));
        if !same {
            return false;
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_connection_interrupts_it() {
        for (path, outage) in [
            ("Device.WiFi.SSID.1.SSID", Some(Outage::WiFi)),
            ("Device.WiFi.AccessPoint.1.Security.KeyPassphrase", Some(Outage::WiFi)),
            ("InternetGatewayDevice.LANDevice.1.WLANConfiguration.2.SSID", Some(Outage::WiFi)),
            (
                "InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.MinAddress",
                Some(Outage::Lan),
            ),
            ("Device.PPP.Interface.1.Username", Some(Outage::Internet)),
            ("Device.Ethernet.VLANTermination.1.VLANID", Some(Outage::Internet)),
            ("Device.Ethernet.VLANTermination.{i}.", Some(Outage::Internet)),
            (
                "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.Password",
                Some(Outage::Internet),
            ),
            ("Device.ManagementServer.URL", Some(Outage::Management)),
            ("Device.ManagementServer.PeriodicInformInterval", None),
            (
                "Device.Services.VoiceService.1.VoiceProfile.1.Line.1.Enable",
                Some(Outage::Telephony),
            ),
            ("Device.Time.NTPServer1", None),
            ("Device.WiFi.SSID.1.Alias", None),
            ("Device.WiFiX.A", None),
            ("Device.", None),
            ("Device", None),
            ("", None),
        ] {
            assert_eq!(Outage::of(path), outage, "{path}");
        }
    }
}
