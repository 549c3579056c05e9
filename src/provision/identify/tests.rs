//! Who is asking, by table.

use proptest::prelude::*;

use super::*;

const FANVIL: &str = "0c383e07e16c";
const OTHER: &str = "0c383e07e16d";

fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

fn ask<'a>(name: &'a str, agent: &'a str) -> Evidence<'a> {
    Evidence { name, agent, ..Evidence::default() }
}

#[test]
fn an_address_is_found_in_every_form_of_name() {
    for name in [
        "0c383e07e16c.cfg",
        "0C383E07E16C.cfg",
        "0c-38-3e-07-e1-6c.cfg",
        "0C:38:3E:07:E1:6C.CFG",
        "0c.38.3e.07.e1.6c.xml",
        "cfg0c383e07e16c.xml",
        "cfg0c383e07e16c",
        "SEP0C383E07E16C.cnf.xml",
        "snom320-0C383E07E16C.htm",
        "0c383e07e16c-phone.cfg",
        "Config0C383E07E16C.cfg",
        "config.0c383e07e16c.xml",
        "Cisco/CP-8841-3PCC/0c383e07e16c.cfg",
        "15/2/0C383E07E16C.xml",
        "phoneprov/yealink/0c383e07e16c.cfg",
        "0c383e07e16c.boot",
    ] {
        let identity = identify(&ask(name, "")).unwrap();
        assert_eq!((identity.mac, identity.proof), (Some(mac(FANVIL)), Proof::Word), "{name}");
        assert_eq!(identity.oui_vendor, Some(Vendor::Fanvil));
    }
}

#[test]
fn what_is_no_address_names_no_phone() {
    for name in [
        "000000000000.cfg",
        "y000000000000.boot",
        "y000000000044.cfg",
        "f0C005600000.cfg",
        "F0C005600000.CFG",
        "f00C006200000.cfg",
        "F0V00X600000.cfg",
        "00c383e07e16c.cfg",
        "0c383e07e16c0.cfg",
        "0c383e07e16",
        "0c-383e07e16c.cfg",
        "0c:38-3e:07-e1:6c",
        "0c38.3e07.e16c",
        "450HD.img",
        "startup.cfg",
        "",
    ] {
        let identity = identify(&ask(name, "")).unwrap();
        assert_eq!((identity.mac, identity.proof), (None, Proof::None), "{name}");
    }
}

#[test]
fn an_address_is_found_in_every_makes_user_agent() {
    for (agent, address) in [
        ("Fanvil X4 2.10.2.6887 0c383e07e16c", "0c383e07e16c"),
        ("Fanvil X6U Pro 0.0.10 0c383e2cd782", "0c383e2cd782"),
        ("Ibratro X4 2.10.2 0c383e07e16c", "0c383e07e16c"),
        ("Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37", "0015654aa937"),
        ("Yealink SIP-T38G  38.70.0.125 00:15:65:2f:c3:5e", "0015652fc35e"),
        ("Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 000413741767)", "000413741767"),
        (
            "Mozilla/4.0 (compatible; snomD785-SIP 10.1 (Feb 25 2019) 00041396D9B4 SXM:0)",
            "00041396d9b4",
        ),
        ("Grandstream Model HW GXP2135 SW 1.0.7.97 DevId 000b828aa872", "000b828aa872"),
        ("Aastra6731i MAC:00-08-5D-23-74-29 V:3.2.0.70-SIP", "00085d237429"),
        ("Panasonic_KX-UT113/01.133 (0080f0c8c381)", "0080f0c8c381"),
        ("Cisco/SPA508G-7.4.8a (0002FDFF2103)(CBT141400UK)", "0002fdff2103"),
        ("N510 IP PRO/42.258.00.000.000;7C2F806257D7", "7c2f806257d7"),
        ("SmartNode (Model:SN4112/JS/EUI; Serial:00A0BA08933C; Software)", "00a0ba08933c"),
    ] {
        let identity = identify(&ask("", agent)).unwrap();
        assert_eq!(identity.mac, Some(mac(address)), "{agent}");
    }
    for agent in ["curl/8.5.0", "", "FileTransport PolycomSoundPointIP-SPIP_335-UA/3.2.1.0078"] {
        assert_eq!(identify(&ask("", agent)).unwrap().mac, None, "{agent}");
    }
}

#[test]
fn a_token_or_a_certificate_decides() {
    for (token, certificate) in
        [(Some(FANVIL), None), (None, Some(FANVIL)), (Some(FANVIL), Some(FANVIL))]
    {
        let evidence = Evidence {
            token: token.map(mac),
            certificate: certificate.map(mac),
            name: "F0V00X600000.cfg",
            agent: "",
        };
        let identity = identify(&evidence).unwrap();
        assert_eq!((identity.mac, identity.proof), (Some(mac(FANVIL)), Proof::Proven));
    }
}

/// P10, and what is like it.
#[test]
fn what_contradicts_leads_nowhere() {
    let own = "0c383e07e16c.cfg";
    let agent_of_other = "Fanvil X6 2.4.0 0c383e07e16d";
    let token = Some(mac(FANVIL));
    for (evidence, expected) in [
        (ask(own, agent_of_other), Contradiction::Agent),
        (Evidence { token, ..ask(own, agent_of_other) }, Contradiction::Agent),
        (Evidence { certificate: token, ..ask("", agent_of_other) }, Contradiction::Agent),
        (
            Evidence { token, certificate: Some(mac(OTHER)), ..ask(own, "") },
            Contradiction::Certificate,
        ),
        (Evidence { certificate: Some(mac(OTHER)), ..ask(own, "") }, Contradiction::Name),
        (ask("0c383e07e16c/0c383e07e16d.cfg", ""), Contradiction::TwoNames),
        (ask("000fd3010203.cfg", "Fanvil X6 2.4.0 000fd3010203"), Contradiction::Vendor),
    ] {
        assert_eq!(identify(&evidence), Err(expected), "{evidence:?}");
    }
    let agreeing = identify(&ask("0c383e07e16c/0c383e07e16c.cfg", "")).unwrap();
    assert_eq!(agreeing.mac, token, "one address twice is one");
}

#[test]
fn an_id_in_a_phones_own_folder_may_look_like_an_address() {
    let evidence = Evidence { token: Some(mac(FANVIL)), ..ask("202611210001.cfg", "") };
    assert_eq!(identify(&evidence).unwrap().mac, Some(mac(FANVIL)));
}

#[test]
fn a_user_agent_fits_its_vendor_and_any_template_of_astlinux() {
    let identity = identify(&ask("", "Fanvil X6 2.4.0 0c383e07e16c")).unwrap();
    assert_eq!(identity.vendor(), Some(Vendor::Fanvil));
    let fitting = Vendor::ALL.map(|vendor| identity.fits(vendor));
    assert_eq!(fitting, [true, false, false, true]);
    let unknown = identify(&ask("", "curl/8.5.0")).unwrap();
    assert!(Vendor::ALL.into_iter().all(|vendor| unknown.fits(vendor)));
    assert_eq!(unknown.vendor(), None);
}

proptest! {
    #[test]
    fn any_text_is_only_weighed(name in ".{0,80}", agent in ".{0,80}") {
        let _ = identify(&ask(&name, &agent));
    }

    #[test]
    fn an_address_is_found_wherever_no_hex_digit_touches_it(
        bytes: [u8; 6], before in "[g-z/_ ]{0,8}", after in "[g-z._ ]{0,8}", separator in 0usize..4,
    ) {
        prop_assume!(bytes[..3] != [0; 3]);
        let separator = ["", ":", "-", "."][separator];
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let text = format!("{before}{}{after}", pairs.join(separator));
        let found: Vec<Mac> = macs(&text).collect();
        prop_assert_eq!(found, vec![Mac::try_from(bytes).unwrap()]);
    }
}
