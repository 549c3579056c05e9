//! How a changed file reaches a phone that is under CWMP.

use super::{AcsMode, Directives, Kind, Subject, family};
use crate::device::ProvisionedFile;
use crate::phone::{Phone, Vendor};

/// The file type of a configuration (TR-069 §A.3.2.8).
const CONFIGURATION: &str = "3 Vendor Configuration File";

/// What a phone that is under CWMP is told to download to get its configuration:
/// its own file, in XML for a Fanvil phone that takes the server for one of the
/// `ctc` kind. `None` if its vendor's phones have no file of their own.
pub fn configuration_download(phone: &Phone, directives: &Directives) -> Option<ProvisionedFile> {
    let mac = phone.mac;
    let xml = phone.vendor == Vendor::Fanvil && directives.acs == Some(AcsMode::Ctc);
    let name = if xml {
        format!("{mac}.xml").into()
    } else {
        let subject = Subject {
            mac: Some(mac),
            model: &phone.model,
            names: &phone.names,
            template: &phone.template,
            directives,
        };
        let files = family(phone.vendor).files(&subject);
        files.into_iter().find(|file| file.kind == Kind::Own)?.name
    };
    Some(ProvisionedFile { mac: mac.bytes(), name, file_type: CONFIGURATION.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Sealed;

    #[test]
    fn a_phones_own_file_is_downloaded_in_the_form_that_it_takes() {
        let mac = "0c383e07e16c".parse().unwrap();
        let phone = Phone::new(mac, Vendor::Fanvil, "X6", "hq", Sealed(Vec::new()));
        let name = |acs| {
            let directives = Directives { acs, ..Directives::default() };
            configuration_download(&phone, &directives).unwrap().name
        };
        assert_eq!(&*name(None), "0c383e07e16c.cfg");
        assert_eq!(&*name(Some(AcsMode::Common)), "0c383e07e16c.cfg");
        assert_eq!(&*name(Some(AcsMode::Ctc)), "0c383e07e16c.xml");
    }
}
