//! ISC dhcpd's form: a host for each known phone, a class for each group.
//!
//! What a host declares wins over what a class does (dhcp-options(5)), so known
//! phones need not be left out of the groups.

use std::fmt::Write as _;

use super::options::DSL_FORUM;
use super::plan::{Match, Plan, Rule, Value, colons, encapsulate};

/// Declarations, for `include`.
pub(super) fn write(plan: &Plan) -> String {
    let mut out = String::from("# Written by Provost. Name it in an include statement.\n");
    let codes = plan.codes(|code| defined(code).is_none());
    for code in codes {
        let _ = writeln!(out, "option provost-{code} code {code} = text;");
    }
    for rule in plan.groups.iter().chain(&plan.devices) {
        let tests: Vec<String> = rule.matches.iter().map(test).collect();
        let _ = writeln!(out, "\nclass \"{}\" {{", rule.name);
        let _ = writeln!(out, "  match if {};", tests.join(" or "));
        options(&mut out, rule);
        out.push_str("}\n");
    }
    for (mac, rule) in &plan.phones {
        let _ = writeln!(out, "\nhost {} {{", rule.name);
        let _ = writeln!(out, "  hardware ethernet {};", colons(&mac.bytes()));
        options(&mut out, rule);
        out.push_str("}\n");
    }
    out
}

/// The name that dhcpd itself has for an option.
fn defined(code: u8) -> Option<&'static str> {
    match code {
        43 => Some("vendor-encapsulated-options"),
        66 => Some("tftp-server-name"),
        67 => Some("bootfile-name"),
        _ => None,
    }
}

fn test(known: &Match) -> String {
    match known {
        Match::Oui(oui) => format!("substring(hardware, 1, 3) = {}", colons(oui)),
        Match::ClassPrefix(text) => {
            format!("substring(option vendor-class-identifier, 0, {}) = \"{text}\"", text.len())
        }
        Match::ClassHas(text) => format!("option vendor-class-identifier ~= \"{text}\""),
    }
}

fn options(out: &mut String, rule: &Rule) {
    for value in &rule.values {
        let _ = match value {
            Value::Text(code, text) => match defined(*code) {
                Some(name) => writeln!(out, "  option {name} \"{text}\";"),
                None => writeln!(out, "  option provost-{code} \"{text}\";"),
            },
            Value::Vendor(list) => {
                let bytes = colons(&encapsulate(list));
                writeln!(out, "  option vendor-encapsulated-options {bytes};")
            }
            Value::DslForum(list) => {
                let data = encapsulate(list);
                let length = u8::try_from(data.len()).unwrap_or(u8::MAX);
                let bytes = [&DSL_FORUM.to_be_bytes()[..], &[length], &data].concat();
                writeln!(out, "  option vivso {};", colons(&bytes))
            }
        };
    }
}
