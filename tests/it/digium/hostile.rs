//! Random and cut input.

use proptest::prelude::*;

use super::survives::{setting, template};

const TEMPLATE: &str = include_str!("../../../src/provision/templates/digium/own.xml");

#[test]
fn a_template_may_be_cut_anywhere() {
    for at in (0..TEMPLATE.len()).step_by(7) {
        template(TEMPLATE.get(..at).unwrap_or_default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_setting(text in "(?s).{0,60}") {
        setting(&text);
    }

    #[test]
    fn anything_of_the_grammars_kind(
        name in "(setting-attr|network|firmware|account|contacts|codec|alert|tone|appconfig)/[0-9A-Z@]{1,4}/[a-z_/]{1,16}",
        value in "(?s).{0,30}",
    ) {
        setting(&format!("{name}\n{value}"));
    }

    #[test]
    fn any_template(source in "(?s)(<config>)?[<>/a-z{}%\"= &;!-]{0,60}(</config>)?") {
        template(&source);
    }
}
