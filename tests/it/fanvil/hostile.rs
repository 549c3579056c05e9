//! Files cut and damaged at every place, and templates of all kinds.

use proptest::prelude::*;

use super::survives::{file, template};

const FILES: [&[u8]; 5] = [
    include_bytes!("../../fixtures/fanvil/full-x6.cfg"),
    include_bytes!("../../fixtures/fanvil/full-x6.xml"),
    include_bytes!("../../fixtures/fanvil/full-x6-sysconf.xml"),
    include_bytes!("../../fixtures/fanvil/full-x4.cfg"),
    include_bytes!("../../fixtures/fanvil/full-x4.xml"),
];

#[test]
fn every_file_survives_being_cut_anywhere() {
    for whole in FILES {
        for cut in 0..whole.len() {
            file(&whole[..cut]);
        }
        file(whole);
    }
}

#[test]
fn markup_in_every_place_is_read_or_refused() {
    for whole in FILES {
        for (at, byte) in (0..whole.len()).step_by(5).zip(b"<>&:/\"]!\r\n\0\xff".iter().cycle()) {
            let mut damaged = whole.to_vec();
            damaged[at] = *byte;
            file(&damaged);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_file_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        file(&bytes);
    }

    #[test]
    fn any_elements_are_a_file_or_none(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<sysConf>", "<Version>2.1</Version>", "</sysConf>", "<VOIP_CONFIG_FILE>",
            "<version>2.0002</version>", "</VOIP_CONFIG_FILE>", "<sip>", "</sip>", "<ID>SIP1</ID>",
            "<line index=\"1\">", "</line>", "<A_Entry>", "</A_Entry>", "<Type>1</Type>", "<B/>",
            "<internal index=\"2\">", "</internal>", "<Fkey index=\"3\">", "</Fkey>", "<pnp>",
            "</pnp>", "&lt;", "<![CDATA[x]]>", "<!-- -->", "<<END OF FILE>>", "<dsskey>", "</dsskey>",
        ]), 0..24),
    ) {
        file(parts.concat().as_bytes());
    }

    #[test]
    fn any_template_is_refused_or_makes_a_file(
        parts in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "A/B=1\n", "A/--L--/F1 B=2\n", "\n", "=", "/", "{{ site }}", "{{ model }}", "{% if mac %}",
                "{% endif %}", "{% for a in range(3) %}", "{% endfor %}", "{{ a }}", "MMI/Password=",
                "{{ directives.admin_password }}", "<<END OF FILE>>", "{% include \"shipped/fanvil/own.rows\" %}",
            ]).prop_map(str::to_owned),
            "\\PC{0,5}",
        ], 0..12),
    ) {
        template(&parts.concat());
    }
}
