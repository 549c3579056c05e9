//! A phone of each family: provisioned, changed, and refused with a wrong token.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::steps::{Demo, expect, not_verified};
use super::story::Story;
use super::{CliError, DemoError, PATIENCE};
use crate::provision::audiocodes;
use crate::simulate::{
    FilePhone, FilePhoneVerdict, PhoneFetchError, PhoneSettings, ReadFile, firmware_image,
};

/// The template of a mass deployment, as somebody who comes from AstLinux has it.
pub(super) const ASTLINUX_TEMPLATE: &str = "\
[general]
vendor=acme

[phoneprov]
# What the phone reads.
user=@EXT@
password=@PASSWORD@
name=@CID_NAME@
server=@SIP_SERVER_IPV4@
";

/// A family's phone in the demonstration.
struct Shown {
    title: &'static str,
    mac: &'static str,
    /// What the inventory is told of it.
    record: Value,
    /// How it fetches, and how it reads.
    phone: FilePhone,
    /// The setting in which it holds the display name.
    name: &'static str,
}

impl Demo {
    /// The families besides Fanvil.
    pub(super) async fn families(&self, story: &mut Story) -> Result<(), CliError> {
        for shown in [digium(), audiocodes(), astlinux()] {
            self.family(story, shown).await?;
        }
        Ok(())
    }

    /// A firmware image, larger than what the phone reads of it.
    async fn upload_image(&self) -> Result<(), CliError> {
        let path = self.data.join(IMAGE);
        let image = firmware_image("3.4.8", 4 << 20).map_err(DemoError::from)?;
        std::fs::write(&path, &image)
            .map_err(|source| DemoError::Folder { path: path.clone(), source })?;
        let url = format!("/files?name={IMAGE}&version=3.4.8");
        self.client.upload(&url, &path, ProgressBar::hidden()).await?;
        Ok(())
    }

    /// The early close is in the fetch log, as soon as the server has seen it.
    async fn closed_early(&self, path: &str) -> Result<(), CliError> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let log = self.client.get(&format!("{path}/fetches")).await?;
            let part = |fetch: &Value| fetch["file"] == IMAGE && fetch["ended"] == "part";
            if log["items"].as_array().is_some_and(|items| items.iter().any(part)) {
                return Ok(());
            }
            expect(tokio::time::Instant::now() < deadline, || {
                format!("the early close is not in the fetch log: {log}")
            })?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn family(&self, story: &mut Story, shown: Shown) -> Result<(), CliError> {
        let Shown { title, mac, record, mut phone, name } = shown;
        story.step(title)?;
        let path = format!("/phones/{mac}");
        let put = async |path: &str, body: &Value| self.client.send(Method::PUT, path, body).await;
        let account = |name: &str| {
            json!({"user": "1002", "password": "s3cret-1002", "display_name": name,
                "server": "192.0.2.20"})
        };
        if phone.image().is_some() {
            self.upload_image().await?;
        }
        put(&path, &record).await?;
        put(&format!("{path}/accounts/1"), &account("Workshop")).await?;
        let url = self.client.get(&format!("{path}/url")).await?;
        let base = url["url"].as_str().unwrap_or_default().to_owned();

        let file = applied(fetch(&mut phone, &base).await)?;
        expect(phone.setting(name) == Some("Workshop"), || {
            format!("{name} is {:?}", phone.setting(name))
        })?;
        story.done(&format!("{file} fetched, read and applied"))?;
        if phone.image().is_some() {
            self.closed_early(&path).await?;
            story.done(
                "its fetch log has both: the image in part, which is no error, and the file",
            )?;
        }

        put(&format!("{path}/accounts/1"), &account("Yard <1> & \"gate\"")).await?;
        applied(fetch(&mut phone, &base).await)?;
        expect(phone.setting(name) == Some("Yard <1> & \"gate\""), || {
            format!("{name} is {:?}", phone.setting(name))
        })?;
        let again = fetch(&mut phone, &base).await;
        expect(matches!(again, Ok(FilePhoneVerdict::Unchanged { .. })), || format!("{again:?}"))?;
        story.done("the account was changed, markup and quotes in it; the next fetch brought it, the one after nothing new")?;

        let refused = fetch(&mut phone, &wrong_token(&base)).await;
        expect(matches!(refused, Err(PhoneFetchError::Refused { status: 404, .. })), || {
            format!("a wrong token was answered with {refused:?}")
        })?;
        story.done("refused with a wrong token: 404")?;
        Ok(())
    }
}

/// The firmware image of the AudioCodes phone.
const IMAGE: &str = "450HD.img";

async fn fetch(phone: &mut FilePhone, base: &str) -> Result<FilePhoneVerdict, PhoneFetchError> {
    phone.provision(base, None, Duration::from_secs(10)).await
}

fn applied(fetched: Result<FilePhoneVerdict, PhoneFetchError>) -> Result<Box<str>, CliError> {
    match fetched {
        Ok(FilePhoneVerdict::Applied { name }) => Ok(name),
        other => Err(not_verified(&format!("the file was not applied: {other:?}"))),
    }
}

/// The same folder with one character of its token changed.
pub(super) fn wrong_token(base: &str) -> String {
    let (before, token) = base.trim_end_matches('/').rsplit_once('/').unwrap_or(("", base));
    let changed: String = token
        .chars()
        .enumerate()
        .map(|(at, c)| match (at, c) {
            (9, 'A') => 'B',
            (9, _) => 'A',
            (_, c) => c,
        })
        .collect();
    format!("{before}/{changed}/")
}

fn digium() -> Shown {
    let mac = "000fd3000001";
    let names = [mac.to_owned(), mac.to_uppercase(), "0".repeat(12)].map(|name| name + ".cfg");
    let read: ReadFile = Arc::new(attributes);
    Shown {
        title: "A Digium phone tries its three names and reads its XML",
        mac,
        record: json!({"vendor": "digium", "model": "D65", "site": "office"}),
        phone: FilePhone::new(names.into(), "Digium D65 2_9_27", read),
        name: "account/line_label",
    }
}

fn audiocodes() -> Shown {
    let read: ReadFile = Arc::new(|bytes| {
        let lines = audiocodes::read(bytes).map_err(|error| error.to_string())?;
        let set = lines.into_iter().filter_map(|line| match line {
            audiocodes::Line::Set { path, value } => Some((path.into(), value.into())),
            audiocodes::Line::Include(_) => None,
        });
        Ok(set.collect())
    });
    let names = vec!["00908F000001.cfg".to_owned()];
    let agent = "AUDC-IPPhone/2.2.8.61 (450HD-Rev0; 00908F000001)";
    Shown {
        title: "An AudioCodes phone looks at its firmware's header, closes, and reads its configuration",
        mac: "00908f000001",
        record: json!({"vendor": "audiocodes", "model": "450HD", "site": "office", "settings":
            {"provost:firmware.file": IMAGE, "provost:firmware.version": "3.4.8"}}),
        phone: FilePhone::new(names, agent, read).with_image(IMAGE),
        name: "voip/line/0/description",
    }
}

fn astlinux() -> Shown {
    let read: ReadFile = Arc::new(|bytes| {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let rows = text.lines().filter_map(|line| line.split_once('='));
        Ok(rows.map(|(name, value)| (name.into(), value.into())).collect())
    });
    let names = vec!["001565000001.cfg".to_owned()];
    Shown {
        title: "A phone of another vendor, by a template of an AstLinux mass deployment",
        mac: "001565000001",
        record: json!({"vendor": "astlinux", "model": "acme", "site": "office",
            "template": "desk"}),
        phone: FilePhone::new(names, "acme", read),
        name: "name",
    }
}

/// The attributes of all elements as `element/attribute`.
fn attributes(bytes: &[u8]) -> Result<PhoneSettings, Box<str>> {
    use quick_xml::events::Event;
    let words = |error: &dyn std::fmt::Display| Box::<str>::from(error.to_string());
    let text = std::str::from_utf8(bytes).map_err(|error| words(&error))?;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut found = Vec::new();
    loop {
        match reader.read_event().map_err(|error| words(&error))? {
            Event::Start(element) | Event::Empty(element) => {
                let tag = element.local_name().as_ref().to_owned();
                for attribute in element.attributes() {
                    let attribute = attribute.map_err(|error| words(&error))?;
                    let key = attribute.key.as_ref();
                    let value = quick_xml::escape::unescape(&attribute.value);
                    let value = value.map_err(|error| words(&error))?;
                    found.push((format!("{tag}/{key}").into(), value.into()));
                }
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}
