//! What is told of AudioCodes options, row by row.

use proptest::prelude::*;

use super::super::option43::encode_url;
use super::*;

fn mac() -> Mac {
    "001122334455".parse().unwrap()
}

fn urls(options: &Options<'_>) -> Option<(String, String)> {
    let urls = Urls::from_options(options, "440HD", mac())?;
    Some((urls.firmware, urls.configuration))
}

fn pair(firmware: &str, configuration: &str) -> Option<(String, String)> {
    Some((firmware.to_owned(), configuration.to_owned()))
}

fn o160(text: &str) -> Option<(String, String)> {
    urls(&Options { o160: Some(text.as_bytes()), ..Options::default() })
}

fn o66(server: &str, names: Option<&str>) -> Option<(String, String)> {
    let o67 = names.map(str::as_bytes);
    urls(&Options { o66: Some(server.as_bytes()), o67, ..Options::default() })
}

#[test]
fn option_160_all_forms() {
    for protocol in ["ftp", "tftp", "http", "https"] {
        let form = |rest: &str| format!("{protocol}://{rest}");
        for (rest, firmware, configuration) in [
            ("h", "h/440HD.img", "h/001122334455.cfg"),
            ("h/", "h/440HD.img", "h/001122334455.cfg"),
            ("h/x.img", "h/x.img", "h/001122334455.cfg"),
            ("h/x.img;y.cfg", "h/x.img", "h/y.cfg"),
            ("h/;y.cfg", "h/440HD.img", "h/y.cfg"),
            ("h;y.cfg", "h/440HD.img", "h/y.cfg"),
            ("h:8080/a/b/x.img;y.cfg", "h:8080/a/b/x.img", "h:8080/a/b/y.cfg"),
            ("h/p/token/;<MAC>.cfg", "h/p/token/440HD.img", "h/p/token/001122334455.cfg"),
            ("h/p/token/", "h/p/token/440HD.img", "h/p/token/001122334455.cfg"),
            ("h/p/token", "h/p/token/440HD.img", "h/p/token/001122334455.cfg"),
            ("h/fw.img;<MODEL>_<MAC>_conf.cfg", "h/fw.img", "h/440HD_001122334455_conf.cfg"),
            ("h/<model>.img;<mac>.cfg", "h/440HD.img", "h/001122334455.cfg"),
            ("h/y.cfg", "h/440HD.img", "h/y.cfg"),
            ("[2001:db8::1]/", "[2001:db8::1]/440HD.img", "[2001:db8::1]/001122334455.cfg"),
        ] {
            assert_eq!(o160(&form(rest)), pair(&form(firmware), &form(configuration)), "{rest}");
        }
    }
    for none in ["", " ", "\0", "h/x.img", "gopher://h/", "http://", "http:///x.img", "http://h\n/"]
    {
        assert_eq!(o160(none), None, "{none}");
    }
}

// One test for each row of the table of options 66 and 67.

#[test]
fn row_1_without_option_66_there_is_nothing() {
    let o67: Option<&[u8]> = Some(b"abc.img;efg.cfg");
    assert_eq!(urls(&Options { o67, ..Options::default() }), None);
    assert_eq!(urls(&Options { o66: Some(b""), o67, ..Options::default() }), None);
    assert_eq!(urls(&Options { o66: Some(b"\0"), o67, ..Options::default() }), None);
}

#[test]
fn row_2_no_protocol_no_names_no_option_67() {
    for host in ["Audiocodes.com", "192.168.0.11"] {
        let (firmware, configuration) =
            (format!("tftp://{host}/440HD.img"), format!("tftp://{host}/001122334455.cfg"));
        assert_eq!(o66(host, None), pair(&firmware, &configuration));
        assert_eq!(o66(host, Some("")), pair(&firmware, &configuration));
    }
}

#[test]
fn row_3_no_protocol_no_names_and_names_in_option_67() {
    assert_eq!(
        o66("audiocodes.com", Some("abc.img;efg.cfg")),
        pair("tftp://audiocodes.com/abc.img", "tftp://audiocodes.com/efg.cfg")
    );
}

#[test]
fn row_4_a_protocol_no_names_no_option_67() {
    for host in ["http://Audiocodes.com", "http://192.168.0.11"] {
        let (firmware, configuration) =
            (format!("{host}/440HD.img"), format!("{host}/001122334455.cfg"));
        assert_eq!(o66(host, None), pair(&firmware, &configuration));
    }
}

#[test]
fn row_5_a_protocol_no_names_and_names_in_option_67() {
    assert_eq!(
        o66("http://audiocodes.com", Some("abc.img;efg.cfg")),
        pair("http://audiocodes.com/abc.img", "http://audiocodes.com/efg.cfg")
    );
}

#[test]
fn row_6_names_in_option_66_and_option_67_is_ignored() {
    for o67 in [None, Some("other.img;other.cfg"), Some("")] {
        assert_eq!(
            o66("http://audiocodes.com/abc.img;efg.cfg", o67),
            pair("http://audiocodes.com/abc.img", "http://audiocodes.com/efg.cfg")
        );
        // Any name in option 66 is enough.
        assert_eq!(
            o66("http://audiocodes.com/abc.img", o67),
            pair("http://audiocodes.com/abc.img", "http://audiocodes.com/001122334455.cfg")
        );
    }
}

#[test]
fn the_first_option_that_tells_anything_decides() {
    let o43 = encode_url(66, "http://h43/").unwrap();
    let all = Options {
        o160: Some(b"http://h160"),
        o66: Some(b"h66"),
        o67: Some(b"abc.img;efg.cfg\0"),
        o43: Some(&o43),
    };
    let from = |options: &Options<'_>| Urls::from_options(options, "440HD", mac()).unwrap();
    assert_eq!(from(&all).from, From::Option160);
    let without_160 = Options { o160: None, ..all };
    assert_eq!(from(&without_160).from, From::Option66With67);
    assert_eq!(from(&without_160).configuration, "tftp://h66/efg.cfg");
    assert_eq!(from(&Options { o160: Some(b""), ..all }).from, From::Option66With67);
    let only_43 = Options { o66: None, ..without_160 };
    assert_eq!(from(&only_43).from, From::Option43);
    assert_eq!(from(&only_43).firmware, "http://h43/440HD.img");
    assert_eq!(from(&only_43).from.to_string(), "option 43");
}

proptest! {
    #[test]
    fn no_options_make_it_panic(
        o160 in prop::option::of(prop::collection::vec(any::<u8>(), 0..60)),
        o66 in prop::option::of("[a-z:/;.<>A-Z \\PC]{0,60}"),
        o43 in prop::option::of(prop::collection::vec(any::<u8>(), 0..60)),
    ) {
        let options = Options {
            o160: o160.as_deref(),
            o66: o66.as_deref().map(str::as_bytes),
            o67: None,
            o43: o43.as_deref(),
        };
        if let Some((firmware, configuration)) = urls(&options) {
            prop_assert!(firmware.contains("://") && configuration.contains("://"));
            prop_assert!(!firmware.contains(char::is_control));
        }
    }
}
