//! Pre-provisioning: a small file for all phones sends them to the complete one.
//!
//! `000000000000.cfg` says `config_server_url`, firmware, networks and VLANs. The
//! phone then gets its complete file, and what that one does not say falls back
//! to the factory's: a phone moved to VLAN 5 by the small file leaves it when the
//! complete one is silent about VLANs. So everything of this kind must be said
//! again.

use super::xml::{Tag, XmlError, read};
use crate::provision::RenderError;

/// Whether a setting may stand in the small file.
pub(super) fn is_small(id: &str) -> bool {
    id == "config_server_url" || must_repeat(id)
}

/// Whether a setting falls back if the complete file does not repeat it.
pub fn must_repeat(id: &str) -> bool {
    id.starts_with("network_vlan_")
        || id.starts_with("pc_vlan")
        || ["pc_qos", "sip_qos", "rtp_qos", "sip_dscp", "rtp_dscp"].contains(&id)
}

/// Checks that a complete file repeats what must not fall back.
///
/// # Errors
/// [`RenderError::Incomplete`], in words: what is missing, or which of the two
/// is no file.
pub fn check_repeats(small: &str, complete: &str) -> Result<(), RenderError> {
    let told = |what: &'static str| {
        move |error: XmlError| RenderError::Incomplete(format!("{what}: {error}"))
    };
    let small = read(small, "config").map_err(told("the small file"))?;
    let complete = read(complete, "config").map_err(told("the complete file"))?;
    let wanted = settings(&small).filter(|(id, _)| must_repeat(id));
    missing(wanted, &complete)
}

/// The settings of a document, with the network that each is for.
fn settings(tags: &[Tag]) -> impl Iterator<Item = (&str, Option<&str>)> {
    let setting = |tag: &'_ &Tag| tag.name == "setting";
    tags.iter().filter(setting).filter_map(|tag| Some((tag.get("id")?, tag.get("network_id"))))
}

/// Checks that each setting stands in a document, for the same network or for
/// all.
pub(super) fn missing<'a>(
    wanted: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    complete: &[Tag],
) -> Result<(), RenderError> {
    let mut gone: Vec<String> = wanted
        .filter(|(id, network)| {
            let said = |(its, other): (&str, Option<&str>)| {
                its == *id && (other.is_none() || other == *network)
            };
            !settings(complete).any(said)
        })
        .map(|(id, network)| match network {
            Some(network) => format!("{id}@{network}"),
            None => id.to_owned(),
        })
        .collect();
    gone.sort();
    if gone.is_empty() {
        return Ok(());
    }
    Err(RenderError::Incomplete(format!(
        "the complete file must repeat {}, or the phone falls back to its factory setting and leaves its network",
        gone.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"<config>
        <setting id="config_server_url" value="http://h/"/>
        <setting id="network_vlan_discovery_mode" value="MANUAL" network_id="1"/>
        <setting id="network_vlan_id" value="5" network_id="1"/>
        <setting id="sip_qos" value="3"/>
    </config>"#;

    #[test]
    fn vlans_must_be_said_again() {
        assert_eq!(check_repeats(SMALL, SMALL), Ok(()));
        let error = check_repeats(SMALL, "<config/>").unwrap_err().to_string();
        let gone = "network_vlan_discovery_mode@1, network_vlan_id@1, sip_qos";
        assert!(error.starts_with(&format!("the complete file must repeat {gone}, or")), "{error}");
        // Another value is a choice; for all networks says it for this one too.
        let other = SMALL.replace("\"5\"", "\"6\"").replace(" network_id=\"1\"", "");
        assert_eq!(check_repeats(SMALL, &other), Ok(()));
        // For another network says nothing for this one.
        let other = SMALL.replace("network_id=\"1\"", "network_id=\"2\"");
        assert!(check_repeats(SMALL, &other).is_err());
        assert!(
            check_repeats("<confi", SMALL).unwrap_err().to_string().starts_with("the small file: ")
        );
    }
}
