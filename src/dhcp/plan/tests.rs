//! Golden files of the three servers, and what cannot be written.

use super::*;

fn plan() -> Plan {
    let mut plan = Plan::default();
    let fanvil = "0c383e07e16c".parse().unwrap();
    let digium = "000fd3000001".parse().unwrap();
    let audiocodes = "00908f000001".parse().unwrap();
    plan.phone(fanvil, Vendor::Fanvil, "http://192.0.2.1:7567/p/t0ken/", 66).unwrap();
    plan.phone(digium, Vendor::Digium, "https://192.0.2.1:7568/p/t1ken/", 66).unwrap();
    plan.phone(audiocodes, Vendor::AudioCodes, "http://192.0.2.1:7567/p/t2ken/;<MAC>.cfg", 66)
        .unwrap();
    for (vendor, address) in [
        (Vendor::Fanvil, "http://192.0.2.1:7567/s/hq/"),
        (Vendor::Digium, "http://192.0.2.1:7567/s/hq/"),
        (Vendor::AudioCodes, "http://192.0.2.1:7567/s/hq/;<MAC>.cfg"),
        (Vendor::AstLinux, "http://192.0.2.1:7567/s/hq/"),
    ] {
        plan.vendor(vendor, address, 66).unwrap();
    }
    plan.acs(&AcsOption {
        url: "http://192.0.2.1:7547/".to_owned(),
        provisioning_code: "site-1".to_owned(),
    })
    .unwrap();
    plan
}

#[test]
fn each_server_gets_its_form() {
    for (dialect, golden) in [
        (Dialect::Dnsmasq, include_str!("../../../tests/fixtures/dhcp/dnsmasq.conf")),
        (Dialect::Isc, include_str!("../../../tests/fixtures/dhcp/dhcpd.conf")),
        (Dialect::Kea, include_str!("../../../tests/fixtures/dhcp/kea.json")),
    ] {
        assert_eq!(plan().write(dialect), golden, "{dialect:?}");
    }
}

#[test]
fn a_fanvil_phone_may_look_at_another_option() {
    let mut plan = Plan::default();
    plan.vendor(Vendor::Fanvil, "http://h/", 130).unwrap();
    assert!(plan.write(Dialect::Dnsmasq).contains("tag:fanvil,130,\"http://h/\""));
    assert!(plan.write(Dialect::Isc).contains("option provost-130 code 130 = text;"));
    assert!(plan.write(Dialect::Kea).contains("\"provost-130\""));
    assert_eq!(plan.vendor(Vendor::Fanvil, "http://h/", 67), Err(PlanError::Number(67)));
}

#[test]
fn what_no_configuration_can_hold_is_refused() {
    let mut plan = Plan::default();
    for address in ["", "http://h/\"", "http://h/\n", "http://h/ü", "http://h/\\", "http://h/ x"] {
        let refused = plan.vendor(Vendor::Digium, address, 66);
        assert!(matches!(refused, Err(PlanError::Characters(_))), "{address:?}");
    }
    let long = format!("http://h/{}", "x".repeat(250));
    assert!(matches!(plan.vendor(Vendor::Digium, &long, 66), Err(PlanError::TooLong(_))));
    assert!(plan.groups.is_empty());
}
