//! dnsmasq's form: tags set by address or class, options by tag.

use std::fmt::Write as _;

use super::options::DSL_FORUM;
use super::plan::{Match, Plan, Rule, Value, colons};

/// The tag of all phones that are known one by one; groups leave them out.
const KNOWN: &str = "provost-phone";

/// Options, for `conf-file=` or `conf-dir=`.
pub(super) fn write(plan: &Plan) -> String {
    let mut out = String::from("# Written by Provost. Include it with conf-file=.\n");
    for (mac, rule) in &plan.phones {
        let mac = colons(&mac.bytes());
        let _ = writeln!(out, "\ndhcp-mac=set:{KNOWN},{mac}");
        let _ = writeln!(out, "dhcp-mac=set:{},{mac}", rule.name);
        options(&mut out, rule, "");
    }
    let unknown = if plan.phones.is_empty() { "" } else { "tag:!provost-phone," };
    for rule in &plan.groups {
        matches(&mut out, rule);
        options(&mut out, rule, unknown);
    }
    if let Some(rule) = &plan.devices {
        matches(&mut out, rule);
        options(&mut out, rule, "");
    }
    out
}

fn matches(out: &mut String, rule: &Rule) {
    out.push('\n');
    for known in &rule.matches {
        let _ = match known {
            Match::Oui(oui) => {
                writeln!(out, "dhcp-mac=set:{},{}:*:*:*", rule.name, colons(oui))
            }
            // dnsmasq looks for the text anywhere in option 60.
            Match::ClassPrefix(text) | Match::ClassHas(text) => {
                writeln!(out, "dhcp-vendorclass=set:{},{text}", rule.name)
            }
        };
    }
}

fn options(out: &mut String, rule: &Rule, and: &str) {
    let name = &rule.name;
    for value in &rule.values {
        match value {
            Value::Text(code, text) => {
                let _ = writeln!(out, "dhcp-option=tag:{name},{and}{code},\"{text}\"");
            }
            Value::Vendor(list) => list.iter().for_each(|(code, text)| {
                let _ = writeln!(out, "dhcp-option=tag:{name},{and}encap:43,{code},\"{text}\"");
            }),
            Value::DslForum(list) => list.iter().for_each(|(code, text)| {
                let encap = format!("vi-encap:{DSL_FORUM}");
                let _ = writeln!(out, "dhcp-option=tag:{name},{and}{encap},{code},\"{text}\"");
            }),
        }
    }
}
