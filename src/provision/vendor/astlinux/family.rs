//! Phones that an AstLinux template describes, behind the seam that all vendors
//! share.
//!
//! Such a phone names its template, `astlinux/<name>.conf`; its accounts are its
//! lines: the SIP user is the extension, the display name the caller's name, and
//! the name to log in with the account. Three settings say what accounts cannot.

use std::borrow::Cow;

use super::entry::{Entry, LINES, Line};
use super::phone::{Phone, RenderError as PhoneError, Server};
use super::{Context, Template};
use crate::device::Secret;
use crate::phone::{Account, Vendor};
use crate::provision::{
    AgentClaim, Ciphers, Draft, Family, Inputs, Kind, RenderError, Subject, TemplateError,
    Versioned, Wanted,
};

/// The MAC address as `@MAC_ADDR@` shows it; with colons and in lower case if it
/// is not set.
const MAC_ADDR: &str = "mac_addr";
/// The value of `@SIP_SERVER_IPV4@`; the server of line 1 if it is not set.
const SIP_SERVER: &str = "sip_server_ipv4";
/// Followed by a line from 1 to 6: the caller's number; the SIP user if not set.
const CID_NUM: &str = "cid_num/";
/// The longest value, in bytes.
const MAX_VALUE: usize = 255;

/// The formats of phones that an AstLinux template describes.
pub static FAMILY: AstLinux = AstLinux;

/// Phones that an AstLinux template describes.
#[derive(Debug)]
pub struct AstLinux;

impl Family for AstLinux {
    fn vendor(&self) -> Vendor {
        Vendor::AstLinux
    }

    fn ouis(&self) -> &'static [[u8; 3]] {
        &[]
    }

    fn agent(&self, _user_agent: &str) -> Option<AgentClaim> {
        None
    }

    fn takes(&self, name: &str) -> bool {
        name == MAC_ADDR || name == SIP_SERVER || line_of(name).is_some()
    }

    fn check_setting(&self, name: &str, value: &str) -> Result<(), RenderError> {
        if !self.takes(name) {
            let name = name.chars().take(64).collect();
            let wanted = "mac_addr, sip_server_ipv4, or cid_num/1 to cid_num/6";
            return Err(RenderError::SettingName { name, wanted });
        }
        if value.len() > MAX_VALUE || value.contains(char::is_control) {
            let problem = format!("at most {MAX_VALUE} bytes without control characters");
            return Err(RenderError::SettingValue { name: name.to_owned(), problem });
        }
        Ok(())
    }

    fn check_account(
        &self,
        account: &Account,
        password: Option<&Secret>,
    ) -> Result<(), RenderError> {
        if !(1..=LINES).contains(&usize::from(account.line)) {
            return Err(RenderError::Line(account.line));
        }
        let words = [
            ("the user", &*account.user),
            ("the name to log in with", &*account.auth_user),
            ("the password", password.map_or("", Secret::expose)),
            ("the display name", &*account.display_name),
        ];
        for (what, word) in words {
            if word.len() > MAX_VALUE || word.contains(char::is_control) {
                let what = format!("{what} of line {}", account.line);
                let problem = "at most 255 bytes without control characters";
                return Err(RenderError::Word { what, problem });
            }
        }
        Ok(())
    }

    fn is_secret(&self, _name: &str) -> bool {
        false
    }

    /// A phone asks for `<mac>.cfg`, or for the path below the base folder that
    /// its template says, which stands among its further names.
    fn resolve(&self, name: &str, subject: &Subject<'_>) -> Option<Wanted> {
        let own = own_name(subject)?;
        let usual = format!("{}.cfg", subject.mac?);
        let same = |known: &str| {
            let file = known.rsplit('/').next().unwrap_or(known);
            known.eq_ignore_ascii_case(name) || file.eq_ignore_ascii_case(name)
        };
        let known = same(&usual) || subject.names.iter().any(|known| same(known));
        known.then_some(Wanted { kind: Kind::Own, name: own })
    }

    fn files(&self, subject: &Subject<'_>) -> Vec<Wanted> {
        own_name(subject).map(|name| Wanted { kind: Kind::Own, name }).into_iter().collect()
    }

    /// Passwords are left out if no secrets may be in it. What the template itself
    /// holds is passed on as it stands.
    fn render(&self, wanted: &Wanted, inputs: &Inputs<'_>) -> Result<Draft, RenderError> {
        let name = inputs.subject.template;
        if name.is_empty() {
            let told =
                "the phone names no template; set the name of a file templates/astlinux/NAME.conf";
            return Err(RenderError::Incomplete(told.to_owned()));
        }
        let file = format!("astlinux/{name}.conf");
        let template = Template::parse(inputs.templates.plain(&file)?.as_bytes());
        let template = template.map_err(|error| TemplateError::Fails {
            name: file,
            line: 0,
            problem: error.to_string(),
        })?;
        let (entry, server) = (entry_of(inputs)?, server_of(inputs));
        let mut body = Vec::new();
        Phone::new(&template, &entry, &server).render(Context::Phoneprov, &mut body)?;
        let withheld = !inputs.secrets && inputs.lines.iter().any(|line| line.password.is_some());
        let media = if wanted.name.ends_with(".xml") { "text/xml" } else { "text/plain" };
        Ok(Draft { body, media, versioned: Versioned::Not, withheld })
    }

    fn version(&self, _draft: &Draft, _counter: u64) -> Result<String, RenderError> {
        Ok(String::new())
    }

    fn finish(&self, draft: &Draft, _version: &str) -> Result<Vec<u8>, RenderError> {
        Ok(draft.body.clone())
    }

    fn encrypt(
        &self,
        _ciphers: &Ciphers,
        _key: &Secret,
        _plain: Vec<u8>,
    ) -> Result<Vec<u8>, RenderError> {
        Err(RenderError::Incomplete("files of AstLinux templates have no encryption".to_owned()))
    }

    fn address<'a>(&self, folder: &'a str, _subject: &Subject<'_>) -> Cow<'a, str> {
        Cow::Borrowed(folder)
    }
}

impl From<PhoneError> for RenderError {
    fn from(error: PhoneError) -> Self {
        Self::Incomplete(error.to_string())
    }
}

/// The line that a setting `cid_num/<line>` is about.
fn line_of(name: &str) -> Option<u8> {
    let line = name.strip_prefix(CID_NUM)?.parse().ok()?;
    (1..=LINES).contains(&usize::from(line)).then_some(line)
}

/// The name of a phone's own file: the path that its template says, if it is
/// known.
fn own_name(subject: &Subject<'_>) -> Option<Box<str>> {
    let mac = subject.mac?;
    Some(subject.names.first().cloned().unwrap_or_else(|| format!("{mac}.cfg").into()))
}

fn server_of(inputs: &Inputs<'_>) -> Server {
    let first = inputs.lines.iter().find(|line| line.account.line == 1);
    let usual = first.map_or("", |line| &*line.account.server);
    Server::new(inputs.settings.get(SIP_SERVER).map_or(usual, |server| server))
}

/// The phone as a mass deployment would describe it.
fn entry_of(inputs: &Inputs<'_>) -> Result<Entry, RenderError> {
    let incomplete = |told: &str| RenderError::Incomplete(told.to_owned());
    let mac = inputs.subject.mac.ok_or_else(|| incomplete("the file is that of a phone"))?;
    let line = |number: u8| {
        let line = inputs.lines.iter().find(|line| line.account.line == number)?;
        let account = line.account;
        let cid_name = Some(&account.display_name).filter(|name| !name.is_empty());
        let cid_num = inputs.settings.get(&*format!("{CID_NUM}{number}"));
        let password = if inputs.secrets { line.password.cloned() } else { None };
        Some(Line {
            ext: account.user.clone(),
            cid_name: cid_name.unwrap_or(&account.user).clone(),
            cid_num: cid_num.unwrap_or(&account.user).clone(),
            password: password.unwrap_or_default(),
            account: (!account.auth_user.is_empty()).then(|| account.auth_user.clone()),
        })
    };
    let first = line(1).ok_or(RenderError::Unfinished("the phone needs an account on line 1"))?;
    let lines = [1, 2, 3, 4, 5, 6].map(|number| match number {
        1 => first.clone(),
        number => line(number).unwrap_or_else(|| Line::like(&first)),
    });
    let typed = inputs.settings.get(MAC_ADDR).filter(|typed| !typed.is_empty());
    let usual = || mac.bytes().map(|byte| format!("{byte:02x}")).join(":").into();
    Ok(Entry {
        number: 0,
        template: inputs.subject.template.into(),
        mac: typed.cloned().unwrap_or_else(usual),
        lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Sealed;
    use crate::phone::{Settings, Transport};
    use crate::provision::astlinux::{Imported, ImportedLine, import};
    use crate::provision::{self, Directives, Folders, Templates};

    const TEMPLATE: &str = "[general]\nvendor=v\nprov_file=x-@MAC@.xml\nauto_account_prefix=a\n[phoneprov]\n\
        @MAC_ADDR@ @MAC@ @SIP_SERVER_IPV4@ @TEMPLATE@\n@EXT@ @CID_NAME@ @CID_NUM@ @PASSWORD@ @ACCOUNT@\n\
        @EXT2@ @CID_NAME2@ @CID_NUM2@ @PASSWORD2@ @ACCOUNT2@\n@EXT3@ @PASSWORD3@ @ACCOUNT3@\n#<21>mine\n";

    fn account(line: &ImportedLine) -> Account {
        Account {
            line: line.number,
            user: line.ext.clone(),
            auth_user: line.account.clone(),
            password: Sealed(Vec::new()),
            display_name: line.cid_name.clone(),
            server: "10.0.0.1".into(),
            port: 5060,
            transport: Transport::Udp,
            outbound_proxy: "".into(),
            voicemail: "".into(),
            label: "".into(),
        }
    }

    /// What an imported phone is served.
    fn served(phone: &Imported, secrets: bool) -> Result<Draft, RenderError> {
        let templates =
            Templates::with([("astlinux/t.conf".to_owned(), TEMPLATE.to_owned())]).unwrap();
        let accounts: Vec<_> = phone.lines.iter().map(account).collect();
        let lines: Vec<_> = accounts
            .iter()
            .zip(&phone.lines)
            .map(|(account, line)| provision::Line { account, password: Some(&line.password) })
            .collect();
        let names = [phone.file.as_ref().unwrap().path.clone()];
        let (directives, folders, own) =
            (Directives::default(), Folders::default(), Settings::new());
        let subject = Subject {
            mac: Some(phone.mac),
            model: "",
            names: &names,
            template: &phone.template,
            directives: &directives,
        };
        let wanted = FAMILY.resolve("X-0015650A0B01.XML", &subject).unwrap();
        assert_eq!((wanted.kind, &*wanted.name), (Kind::Own, "v/x-0015650A0b01.xml"));
        assert_eq!(FAMILY.files(&subject), std::slice::from_ref(&wanted));
        assert_eq!(FAMILY.resolve("0015650a0b01.cfg", &subject), Some(wanted.clone()));
        assert_eq!(FAMILY.resolve("0015650a0b02.cfg", &subject), None);
        let inputs = Inputs {
            subject,
            site: "s",
            settings: &phone.settings,
            own: &own,
            lines: &lines,
            keys: &[],
            contacts: &[],
            folders: &folders,
            firmware: None,
            acs: None,
            secrets,
            templates: &templates,
        };
        FAMILY.render(&wanted, &inputs)
    }

    fn imported(words: &str) -> Imported {
        let templates = [("t".into(), Template::parse(TEMPLATE.as_bytes()).unwrap())].into();
        let text = format!("t 00:15:65:0A:0b:01 {words}");
        import(text.as_bytes(), &templates, &Server::new("10.0.0.1")).unwrap().remove(0)
    }

    #[test]
    fn what_is_served_is_what_a_deployment_writes() {
        for words in
            ["21 p", "21/An_Lee<5>;22/Bo p;q acc", "21;21;23 p;q;r ;b", "21/X;21/Y<*9>;21 p"]
        {
            let phone = imported(words);
            let draft = served(&phone, true).unwrap();
            assert_eq!(draft.body, phone.file.as_ref().unwrap().body, "{words}");
            assert_eq!((draft.media, draft.withheld), ("text/xml", false));
        }
    }

    #[test]
    fn without_secrets_no_password_leaves() {
        let draft = served(&imported("21;22 hush;hush2"), false).unwrap();
        assert!(draft.withheld && !String::from_utf8_lossy(&draft.body).contains("hush"));
    }

    #[test]
    fn settings_and_accounts_are_checked() {
        for name in ["mac_addr", "sip_server_ipv4", "cid_num/1", "cid_num/6"] {
            assert!(FAMILY.check_setting(name, "1").is_ok() && FAMILY.takes(name));
            assert!(FAMILY.check_setting(name, "1\n2").is_err());
        }
        for name in ["cid_num/0", "cid_num/7", "vendor", ""] {
            assert!(FAMILY.check_setting(name, "1").is_err(), "{name}");
        }
        let mut account = account(&imported("21 p").lines[0]);
        assert!(FAMILY.check_account(&account, Some(&Secret::new("p"))).is_ok());
        assert!(FAMILY.check_account(&account, Some(&Secret::new("p\nx"))).is_err());
        account.line = 7;
        assert_eq!(FAMILY.check_account(&account, None), Err(RenderError::Line(7)));
    }

    #[test]
    fn a_phone_without_template_or_line_is_told() {
        let mut phone = imported("21 p");
        phone.lines.clear();
        assert!(served(&phone, true).unwrap_err().to_string().contains("line 1"));
        let mut phone = imported("21 p");
        phone.template = "".into();
        assert!(served(&phone, true).unwrap_err().to_string().contains("names no template"));
        phone.template = "none".into();
        assert!(
            served(&phone, true).unwrap_err().to_string().contains("no template astlinux/none")
        );
    }
}
