//! What phones of each vendor make of options.

use super::*;

fn options(list: &[&str]) -> Options {
    let mut options = Options::default();
    list.iter().for_each(|text| options.set_from(text).unwrap());
    options
}

fn urls(vendor: Option<Vendor>, model: &str, option: u8, list: &[&str]) -> Vec<(Role, String)> {
    let mac = "0c383e07e16c".parse().unwrap();
    let asker = Asker { vendor, model, mac, option };
    let explained = explain(&asker, &options(list));
    explained.urls.into_iter().map(|formed| (formed.role, formed.url)).collect()
}

fn told(role: Role, url: &str) -> (Role, String) {
    (role, url.to_owned())
}

#[test]
fn fanvil_takes_a_folder_a_file_or_a_host() {
    let fanvil = |option, list: &[&str]| urls(Some(Vendor::Fanvil), "X6", option, list);
    assert_eq!(
        fanvil(66, &["66=http://h/p/t"]),
        [
            told(Role::Common, "http://h/p/t/F0V00X600000.cfg"),
            told(Role::Configuration, "http://h/p/t/0c383e07e16c.cfg"),
        ]
    );
    let file = [told(Role::Configuration, "http://h/x/0c383e07e16c.cfg")];
    assert_eq!(fanvil(66, &["66=http://h/x/$mac.cfg"]), file);
    assert_eq!(fanvil(43, &["43=http://h/x/$mac.cfg", "66=tftp://other"]), file);
    let beneath = fanvil(43, &["43=hex:4209687474703a2f2f682fff"]);
    assert_eq!(beneath[1], told(Role::Configuration, "http://h/0c383e07e16c.cfg"));
    assert_eq!(fanvil(66, &["66=192.0.2.1"])[1].1, "tftp://192.0.2.1/0c383e07e16c.cfg");
    assert_eq!(fanvil(0, &["66=http://h/"]), []);
    assert_eq!(fanvil(130, &["66=http://h/"]), []);
}

#[test]
fn digium_tries_three_names_and_follows_no_sip_directive() {
    let digium = |list: &[&str]| urls(Some(Vendor::Digium), "D65", 66, list);
    let names: Vec<String> =
        digium(&["66=pbx.example.net/phones"]).into_iter().map(|(_, url)| url).collect();
    assert_eq!(
        names,
        [
            "http://pbx.example.net/phones/0c383e07e16c.cfg",
            "http://pbx.example.net/phones/0C383E07E16C.cfg",
            "http://pbx.example.net/phones/000000000000.cfg",
        ]
    );
    assert_eq!(digium(&["66=sip:proxy@192.0.2.1:5060;transport=udp"]), []);
    assert_eq!(digium(&["66=tftp://192.0.2.1/"]), []);
    assert_eq!(digium(&[]), []);
}

#[test]
fn audiocodes_prefers_160() {
    let formed = urls(
        Some(Vendor::AudioCodes),
        "450HD",
        66,
        &["160=http://h/fw.img;<MODEL>_<MAC>_conf.cfg", "66=tftp://other"],
    );
    assert_eq!(formed[0], told(Role::Firmware, "http://h/fw.img"));
    assert_eq!(formed[1].1.to_ascii_lowercase(), "http://h/450hd_0c383e07e16c_conf.cfg");
}

#[test]
fn a_device_under_tr069_finds_its_acs_in_43_or_125() {
    let acs = [told(Role::Acs, "http://acs/")];
    let in_43 = "43=hex:02037369740 10b687474703a2f2f6163732f".replace(' ', "");
    assert_eq!(urls(None, "", 66, &[&in_43]), acs);
    assert_eq!(urls(None, "", 66, &["125=hex:00000de90d0b0b687474703a2f2f6163732f"]), acs);
    assert_eq!(urls(None, "", 66, &["43=http://h/"]), []);
}
