//! Telling a device of the STUN server, so that it can be woken behind a NAT
//! (TR-069 Annex G).

use std::net::IpAddr;

use crate::device::{Action, AttributeWish, Secret};
use crate::param::{ParamPath, Tree, Value};

/// Seconds between two Binding Requests at least, and at most: shorter than
/// what NATs remember UDP for.
const KEEP_ALIVE: (u32, i64) = (25, 50);

/// Notification at once, by a session of its own (TR-069 §A.3.2.4).
const ACTIVE: u8 = 2;

/// What a device is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StunSetup {
    /// `STUNServerAddress`.
    pub host: Box<str>,
    /// `STUNServerPort`.
    pub port: u16,
    /// `STUNUsername`.
    pub username: Box<str>,
    /// `STUNPassword`.
    pub password: Secret,
    /// Whether it is told even if it is not seen to be behind a NAT.
    pub everywhere: bool,
}

impl StunSetup {
    /// What to ask of a device that called from `caller`: to use the server,
    /// and to notify when its binding changes. Nothing if it knows no STUN, if
    /// it does so already, or if there is no NAT before it.
    pub fn actions(&self, root: &str, tree: &Tree, caller: IpAddr) -> Vec<Action> {
        let known = |leaf: &str| {
            let path = ParamPath::parse(&format!("{root}ManagementServer.{leaf}")).ok()?;
            tree.get(path.as_str()).is_some().then_some(path)
        };
        let text =
            |leaf: &str| tree.text(&format!("{root}ManagementServer.{leaf}")).unwrap_or_default();
        let is_on = |leaf: &str| matches!(text(leaf), "1" | "true");
        if known("STUNEnable").is_none() || !(self.everywhere || behind_nat(&text, caller)) {
            return Vec::new();
        }
        if is_on("STUNEnable")
            && text("STUNServerAddress") == &*self.host
            && text("STUNServerPort") == self.port.to_string()
            && text("STUNUsername") == &*self.username
        {
            return Vec::new();
        }
        let values = [
            ("STUNServerAddress", Value::string(self.host.clone())),
            ("STUNServerPort", Value::unsigned(u32::from(self.port))),
            ("STUNUsername", Value::string(self.username.clone())),
            ("STUNPassword", Value::string(self.password.expose())),
            ("STUNMinimumKeepAlivePeriod", Value::unsigned(KEEP_ALIVE.0)),
            (
                "STUNMaximumKeepAlivePeriod",
                Value::new(KEEP_ALIVE.1.to_string(), crate::param::ValueType::Int),
            ),
            ("STUNEnable", Value::boolean(true)),
        ];
        let values = values.into_iter().filter_map(|(leaf, value)| Some((known(leaf)?, value)));
        let wishes: Vec<_> = ["UDPConnectionRequestAddress", "NATDetected"]
            .into_iter()
            .filter_map(known)
            .map(|path| AttributeWish { path, notification: Some(ACTIVE), access_list: None })
            .collect();
        let mut actions = vec![Action::Set(values.collect())];
        if !wishes.is_empty() {
            actions.push(Action::SetAttributes(wishes));
        }
        actions
    }
}

/// Whether there is a NAT between the device and the server: it says so, or
/// listens somewhere else than it calls from.
fn behind_nat<'a>(text: &impl Fn(&str) -> &'a str, caller: IpAddr) -> bool {
    matches!(text("NATDetected"), "1" | "true")
        || host(text("ConnectionRequestURL"))
            .is_some_and(|host| host.to_canonical() != caller.to_canonical())
}

/// The address in a URL; `None` if there is a name, or nothing.
fn host(url: &str) -> Option<IpAddr> {
    let authority = url.trim().split_once("://")?.1.split(['/', '?']).next()?;
    match authority.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next()?.parse().ok(),
        None => authority.split(':').next()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn setup(everywhere: bool) -> StunSetup {
        StunSetup {
            host: "acs.example.net".into(),
            port: 3478,
            username: "00D09E-1".into(),
            password: Secret::new("secret"),
            everywhere,
        }
    }

    fn tree(values: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (leaf, text) in values {
            let path = ParamPath::parse(&format!("Device.ManagementServer.{leaf}")).unwrap();
            tree.learn_value(&path, Value::string(*text), Timestamp::from_millis(0));
        }
        tree
    }

    fn asked(everywhere: bool, values: &[(&str, &str)]) -> Vec<Action> {
        setup(everywhere).actions("Device.", &tree(values), "203.0.113.7".parse().unwrap())
    }

    #[test]
    fn a_device_behind_nat_is_told_and_no_other() {
        let stun = ("STUNEnable", "0");
        for (values, told) in [
            (vec![stun, ("ConnectionRequestURL", "http://192.168.1.1:7547/x")], true),
            (vec![stun, ("ConnectionRequestURL", "http://[fd00::1]:7547/x")], true),
            (
                vec![stun, ("ConnectionRequestURL", "http://203.0.113.7/"), ("NATDetected", "1")],
                true,
            ),
            (vec![stun, ("ConnectionRequestURL", "http://203.0.113.7:7547/x")], false),
            (vec![stun, ("ConnectionRequestURL", "http://[::ffff:203.0.113.7]/")], false),
            (vec![stun, ("ConnectionRequestURL", "http://cpe.example.net/")], false),
            (vec![stun], false),
            (vec![("ConnectionRequestURL", "http://192.168.1.1:7547/x")], false),
        ] {
            assert_eq!(!asked(false, &values).is_empty(), told, "{values:?}");
        }
        assert!(!asked(true, &[stun]).is_empty());
        assert!(asked(true, &[]).is_empty(), "it knows no STUN");
    }

    #[test]
    fn only_what_the_device_has_is_written() {
        let all = asked(true, &[("STUNEnable", "0"), ("STUNUsername", ""), ("STUNPassword", "")]);
        let [Action::Set(values)] = &all[..] else { panic!("{all:?}") };
        let names: Vec<_> = values.iter().map(|(path, _)| path.leaf()).collect();
        assert_eq!(names, ["STUNUsername", "STUNPassword", "STUNEnable"]);
        let all = asked(true, &[("STUNEnable", "0"), ("NATDetected", "0")]);
        let [Action::Set(_), Action::SetAttributes(wishes)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(wishes[0].path.as_str(), "Device.ManagementServer.NATDetected");
        assert_eq!(wishes[0].notification, Some(2));
    }

    #[test]
    fn a_device_that_does_so_already_is_left_alone() {
        let done = [
            ("STUNEnable", "true"),
            ("STUNServerAddress", "acs.example.net"),
            ("STUNServerPort", "3478"),
            ("STUNUsername", "00D09E-1"),
            ("NATDetected", "1"),
        ];
        assert!(asked(true, &done).is_empty());
        let mut other = done;
        other[2].1 = "3479";
        assert!(!asked(true, &other).is_empty());
    }
}
