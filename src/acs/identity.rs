//! Who a device is, by the operator's rules, where its own word is no good
//! (Q35, Q36).

use crate::config::IdentityRule;
use crate::cwmp::Inform;
use crate::device::DeviceIdentity;

/// Puts into the Inform who the device is by the first rule that fits.
///
/// The proof of who calls is judged afterwards, against this identity.
pub(super) fn apply(rules: &[IdentityRule], inform: &mut Inform) {
    let said = &inform.device;
    let Some(rule) = rules.iter().find(|rule| fits(rule, said)) else { return };
    let serial = told(&rule.serial_from, inform).unwrap_or(&said.serial_number);
    let oui = if rule.count_as_oui.is_empty() { &said.oui } else { rule.count_as_oui.as_str() };
    let class = if rule.ignore_product_class { "" } else { &said.product_class };
    // What cannot be an identity leaves the device what it says it is.
    if let Ok(identity) = DeviceIdentity::new(&said.manufacturer, oui, class, serial) {
        inform.device = identity;
    }
}

fn fits(rule: &IdentityRule, said: &DeviceIdentity) -> bool {
    let one = |wanted: &str, said: &str| wanted.is_empty() || wanted == said;
    (rule.oui.is_empty() || rule.oui.eq_ignore_ascii_case(&said.oui))
        && one(&rule.product_class, &said.product_class)
        && one(&rule.serial_number, &said.serial_number)
}

/// The value of a parameter of the Inform, named below the root object.
fn told<'a>(below_root: &str, inform: &'a Inform) -> Option<&'a str> {
    if below_root.is_empty() {
        return None;
    }
    let parameter = inform.parameters.iter().find(|parameter| {
        let name = parameter.name.as_str();
        name.split_once('.').is_some_and(|(_, below)| below == below_root)
    })?;
    Some(parameter.value.text.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cwmp::ParameterValue;
    use crate::param::{ParamPath, Value};

    fn inform(oui: &str, class: &str, serial: &str) -> Inform {
        let mac = ParameterValue {
            name: ParamPath::parse("InternetGatewayDevice.DeviceInfo.X_MAC").unwrap(),
            value: Value::string(" 0C383E000001 "),
        };
        Inform {
            device: DeviceIdentity::new("m", oui, class, serial).unwrap(),
            events: Vec::new(),
            current_time: "".into(),
            retry_count: 0,
            parameters: vec![mac],
        }
    }

    fn id(rules: &str, oui: &str, class: &str, serial: &str) -> String {
        #[derive(serde::Deserialize)]
        struct Rules {
            rule: Vec<IdentityRule>,
        }
        let rules: Rules = toml::from_str(rules).unwrap();
        let mut inform = inform(oui, class, serial);
        apply(&rules.rule, &mut inform);
        inform.device.id().to_string()
    }

    #[test]
    fn q36_a_serial_number_that_many_have_is_replaced() {
        let rule = "[[rule]]\nserial_number = '999999999999'\nserial_from = 'DeviceInfo.X_MAC'";
        assert_eq!(id(rule, "00D09E", "HG", "999999999999"), "00D09E-HG-0C383E000001");
        assert_eq!(id(rule, "00D09E", "HG", "1"), "00D09E-HG-1");
        let missing = "[[rule]]\nserial_from = 'DeviceInfo.X_NONE'";
        assert_eq!(id(missing, "00D09E", "HG", "1"), "00D09E-HG-1");
    }

    #[test]
    fn q35_an_oui_that_flips_counts_as_one() {
        let rule = "[[rule]]\nproduct_class = 'HG'\ncount_as_oui = '00d09e'";
        for said in ["000000", "FFFFFF", "3c9066"] {
            assert_eq!(id(rule, said, "HG", "1"), "00D09E-HG-1");
        }
        assert_eq!(id(rule, "FFFFFF", "STB", "1"), "FFFFFF-STB-1");
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rules = "[[rule]]\noui = '00D09E'\nignore_product_class = true\n[[rule]]\n\
                     count_as_oui = 'AAAAAA'";
        assert_eq!(id(rules, "00d09e", "HG", "1"), "00D09E-1");
        assert_eq!(id(rules, "3C9066", "HG", "1"), "AAAAAA-HG-1");
        assert_eq!(id("rule = []", "3C9066", "HG", "1"), "3C9066-HG-1");
    }
}
