//! Which URLs a phone forms from the options that it was given.

use serde::Serialize;

use super::options::text;
use super::{Options, sub_options};
use crate::phone::{Mac, Vendor};
use crate::provision::{audiocodes, digium, fanvil};

/// Who was given the options.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Whose phone it is; `None` for a device that speaks CWMP alone.
    pub vendor: Option<Vendor>,
    /// Its model; may be empty.
    pub model: &'a str,
    /// Its address.
    pub mac: Mac,
    /// The option that a Fanvil phone is set to look at: 66 from the factory,
    /// 43, or 128 to 254; 0 is none.
    pub option: u8,
}

/// What a phone will do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The URLs in the order in which it tries them.
    pub urls: Vec<Formed>,
    /// How they came about, and what was passed over, in sentences.
    pub notes: Vec<String>,
}

/// A URL that a phone forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Formed {
    /// What it is for.
    pub role: Role,
    /// The URL.
    pub url: String,
}

/// What a URL is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A file that phones of the model share.
    Common,
    /// The phone's configuration.
    Configuration,
    /// A firmware image.
    Firmware,
    /// The ACS.
    Acs,
}

/// Tells which URLs a phone forms.
pub fn explain(asker: &Asker<'_>, options: &Options) -> Explained {
    let mut explained = Explained::default();
    match asker.vendor {
        Some(Vendor::Fanvil) => of_fanvil(asker, options, &mut explained),
        Some(Vendor::Digium) => of_digium(asker, options, &mut explained),
        Some(Vendor::AudioCodes) => of_audiocodes(asker, options, &mut explained),
        Some(Vendor::AstLinux) => of_others(asker, options, &mut explained),
        None => {}
    }
    of_cwmp(options, &mut explained);
    if explained.urls.is_empty() {
        explained.note("no URL: the phone goes on to PnP, mDNS or what is stored in it".to_owned());
    }
    explained
}

impl Explained {
    fn add(&mut self, role: Role, url: String) {
        self.urls.push(Formed { role, url });
    }

    fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}

/// Fanvil looks at one option, and takes a whole URL, a folder or a host.
fn of_fanvil(asker: &Asker<'_>, options: &Options, explained: &mut Explained) {
    if asker.option == 0 {
        return explained.note("the phone is set to look at no option".to_owned());
    }
    let value = match asker.option {
        43 => options.bytes(43).and_then(url_in_43),
        code => options.text(code).map(std::borrow::Cow::into_owned),
    };
    let Some(value) = value else {
        return explained.note(format!(
            "option {} is absent or empty, and it is the one that the phone looks at",
            asker.option
        ));
    };
    if value.contains("$input") {
        explained.note("$input: the phone asks whoever stands before it".to_owned());
    }
    let value = value.replace("$mac", &asker.mac.to_string());
    let url = if value.contains("://") {
        value
    } else {
        explained.note("no protocol: taken to be TFTP (not confirmed by the vendor)".to_owned());
        format!("tftp://{value}")
    };
    let after_host = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let last = after_host.map_or("", |(_, path)| path.rsplit('/').next().unwrap_or(path));
    if last.contains('.') {
        explained.note("the URL names a file: the phone fetches it and no other".to_owned());
        return explained.add(Role::Configuration, url);
    }
    let folder = if url.ends_with('/') { url } else { format!("{url}/") };
    match fanvil::common_names(asker.model).first() {
        Some(name) => explained.add(Role::Common, format!("{folder}{name}")),
        None => explained.note("the common file's name of this model is not known".to_owned()),
    }
    explained.add(Role::Configuration, format!("{folder}{}.cfg", asker.mac));
}

/// Digium looks at option 66 and tries three names in it.
fn of_digium(asker: &Asker<'_>, options: &Options, explained: &mut Explained) {
    let Some(value) = options.text(66) else {
        return explained.note("option 66 is absent or empty; the phone asks by mDNS".to_owned());
    };
    match digium::Option66::parse(&value) {
        Ok(option) => match option.folder() {
            Some(folder) => {
                let mac = asker.mac.to_string();
                for name in [mac.clone(), mac.to_ascii_uppercase(), "0".repeat(12)] {
                    let role =
                        if name.starts_with("000000000000") { Role::Common } else { Role::Configuration };
                    explained.add(role, format!("{folder}{name}.cfg"));
                }
                explained.note("the first of these files that is there ends the search".to_owned());
            }
            None => explained.note(
                "a sip:proxy directive: the phone goes to DPMA or Switchvox by SIP and fetches no file"
                    .to_owned(),
            ),
        },
        Err(error) => explained.note(error.to_string()),
    }
}

/// AudioCodes looks at 160, then 66 and 67, then 43.
fn of_audiocodes(asker: &Asker<'_>, options: &Options, explained: &mut Explained) {
    let given = audiocodes::Options {
        o160: options.bytes(160),
        o66: options.bytes(66),
        o67: options.bytes(67),
        o43: options.bytes(43),
    };
    let model = if asker.model.is_empty() { "<MODEL>" } else { asker.model };
    match audiocodes::Urls::from_options(&given, model, asker.mac) {
        Some(urls) => {
            explained.note(format!("taken from {}", urls.from));
            explained.add(Role::Firmware, urls.firmware);
            explained.add(Role::Configuration, urls.configuration);
        }
        None => explained.note("options 160, 66 and 43 hold no URL".to_owned()),
    }
}

/// Whatever else takes a folder in 66, or in 43 beneath 66, or in 160.
fn of_others(asker: &Asker<'_>, options: &Options, explained: &mut Explained) {
    let beneath = options.bytes(43).and_then(url_in_43);
    let text = |code| options.text(code).map(std::borrow::Cow::into_owned);
    let Some(value) = beneath.or_else(|| text(66)).or_else(|| text(160)) else {
        return explained.note("options 43, 66 and 160 hold nothing".to_owned());
    };
    let value =
        value.replace("$mac", &asker.mac.to_string()).replace("{mac}", &asker.mac.to_string());
    explained.note("which file a phone asks for there is its vendor's affair".to_owned());
    explained.add(Role::Configuration, value);
}

/// What a device under TR-069 reads (TR-069 §3.1).
fn of_cwmp(options: &Options, explained: &mut Explained) {
    let encapsulated = options.bytes(43).and_then(sub_options).unwrap_or_default();
    let dsl_forum = options.dsl_forum();
    let sources = [(&encapsulated, 1, "option 43"), (&dsl_forum, 11, "option 125")];
    for (list, first, from) in sources {
        let find = |code| list.iter().find(|(known, _)| *known == code);
        let told = |code: u8| find(code).and_then(|(_, bytes)| text(bytes));
        let Some(url) = told(first).filter(|url| url.contains("://")) else { continue };
        explained.add(Role::Acs, url.into_owned());
        let code = told(first + 1).map(|code| format!(", provisioning code `{code}`"));
        explained.note(format!(
            "{from} names the ACS{}, for devices whose option 60 has dslforum.org",
            code.unwrap_or_default()
        ));
        return;
    }
}

/// The URL in option 43: the text itself, or the first sub-option that has one,
/// 66, 160 and 1 before others.
fn url_in_43(bytes: &[u8]) -> Option<String> {
    let list = sub_options(bytes).unwrap_or_default();
    let find = |code: u8| list.iter().find(|(known, _)| *known == code);
    let preferred = [66, 160, 1].into_iter().filter_map(find);
    let found = preferred
        .chain(&list)
        .filter_map(|(_, bytes)| text(bytes))
        .find(|text| text.contains("://"));
    let plain = || text(bytes).filter(|text| text.contains("://"));
    found.or_else(plain).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
