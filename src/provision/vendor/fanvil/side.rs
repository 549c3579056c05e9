//! The small files beside the configuration: phone book, firmware check, boot.

use crate::phone::Contact;
use crate::provision::{Firmware, RenderError};

/// The name of the phone book.
pub(super) const PHONE_BOOK: &str = "phonebook.xml";
/// The most contacts that are written.
const MAX_CONTACTS: usize = 10_000;

/// A phone book in the form of the vendor's remote phone books, which
/// `Auto Pbook Url` is seen to take as well.
pub(super) fn phone_book(contacts: &[Contact]) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<FanvilIPPhoneDirectory>\r\n");
    for contact in contacts.iter().take(MAX_CONTACTS) {
        out.push_str("<DirectoryEntry>\r\n");
        for (element, text) in
            [("Name", &contact.name), ("Telephone", &contact.number), ("Group", &contact.group)]
        {
            if element == "Group" && text.is_empty() {
                continue;
            }
            for part in ["<", element, ">"] {
                out.push_str(part);
            }
            escape(&mut out, text);
            for part in ["</", element, ">\r\n"] {
                out.push_str(part);
            }
        }
        out.push_str("</DirectoryEntry>\r\n");
    }
    out.push_str("</FanvilIPPhoneDirectory>\r\n");
    out
}

/// Text of people into XML 1.0: what it cannot hold becomes a blank.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
}

/// What a phone reads to learn whether there is other firmware for it: it
/// upgrades when the version is not its own.
pub(super) fn firmware_check(firmware: Option<&Firmware>) -> Result<String, RenderError> {
    let firmware = firmware.ok_or_else(|| {
        let problem = "no firmware is named: set provost:firmware.version and firmware.file";
        RenderError::Incomplete(problem.to_owned())
    })?;
    // The name is relative to this file, so that one text serves every door.
    for word in [&firmware.version, &firmware.name] {
        if word.is_empty() || word.contains(char::is_control) {
            let problem = "the firmware's version and file are one line each, and not nothing";
            return Err(RenderError::Incomplete(problem.to_owned()));
        }
    }
    Ok(format!("Version={}\r\nFirmware={}\r\nInfo=TXT\r\n", firmware.version, firmware.name))
}

/// The line of a boot file that names the phone's own file.
pub(super) fn boot_line(folder: &str, own: &str) -> String {
    format!("Config={folder}{own}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_book_is_xml_whatever_its_names_hold() {
        let contact = |name: &str, group: &str| Contact {
            name: name.into(),
            number: "1001".into(),
            group: group.into(),
        };
        let contacts = [contact("Änne & <Söhne>\n]]>\u{0}", "Sales"), contact("Berta", "")];
        let book = phone_book(&contacts);
        let golden = include_str!("../../../../tests/fixtures/fanvil/phonebook.xml");
        assert_eq!(book, golden);
    }

    #[test]
    fn a_firmware_check_names_version_and_file() {
        let firmware = Firmware {
            version: "2.12.16.17".into(),
            name: "x5u-v2.z".into(),
            sha256: "".into(),
            size: 0,
        };
        let text = firmware_check(Some(&firmware)).unwrap();
        assert_eq!(text, "Version=2.12.16.17\r\nFirmware=x5u-v2.z\r\nInfo=TXT\r\n");
        assert!(firmware_check(None).is_err());
        let two_lines = Firmware { version: "1\r\nFirmware=http://evil/".into(), ..firmware };
        assert!(firmware_check(Some(&two_lines)).is_err());
    }
}
