//! What a Fanvil phone finds in its folder.

use std::sync::Arc;
use std::time::Duration;

use provost::phone::{Contact, Phone, Site};
use provost::provision::fanvil::{Profile, Text, open};
use provost::simulate::{Decode, FanvilPhone, PhoneFile, PhoneVerdict};

use super::rig::{Rig, curl};

const MAC: &str = "0c383e07e16c";

async fn rig(directives: &[(&str, &str)]) -> (Rig, String) {
    let rig = Rig::open().await;
    let mut site = Rig::site(1);
    let rows = directives.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    site.settings.extend(rows);
    let contacts =
        vec![Contact { name: "Änne & Söhne".into(), number: "1001".into(), group: "".into() }];
    rig.put_site(Site { contacts, plain_secrets: true, ..site }).await;
    let phone = rig.phone(MAC, 1);
    rig.put_phone(Phone { names: vec!["4711".into()], ..phone }).await;
    let folder = rig.url(&rig.folder(MAC.parse().unwrap(), "own"));
    (rig, folder)
}

fn decode() -> Decode {
    Arc::new(|bytes, key| {
        let text = open(Profile::default(), key, bytes).map_err(|error| error.to_string())?;
        let settings =
            text.settings().map(|(module, key, value)| (module.into(), key.into(), value.into()));
        Ok(PhoneFile { version: text.version.clone(), settings: settings.collect() })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_applies_its_files_in_every_dialect() {
    for (dialect, media, key) in [
        ("text", "text/plain", "SIP1 Phone Number"),
        ("xml", "text/xml", "SIP1 Phone Number"),
        ("sysconf", "text/xml", "SIP1 PhoneNumber"),
    ] {
        let (_rig, folder) = rig(&[("provost:dialect", dialect)]).await;
        let common = "F0V00X600000.cfg";
        let mut phone = FanvilPhone::new(MAC.parse().unwrap(), common, None, None, decode());
        for (_, outcome) in phone.provision(&folder, None, None, Duration::from_secs(30)).await {
            let first = PhoneVerdict::Applied { version: "2.0000000001".into() };
            assert_eq!(outcome.unwrap(), first, "{dialect}");
        }
        assert_eq!(phone.setting("SIP CONFIG MODULE", key), Some("1001"), "{dialect}");
        let head = curl(&["-D", "-", "-o", "/dev/null", &format!("{folder}{MAC}.cfg")]).await;
        assert!(head.to_lowercase().contains(&format!("content-type: {media}")), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_holds_every_kind_of_file() {
    let (_rig, folder) = rig(&[
        ("provost:phonebook", "on"),
        ("provost:firmware.file", "x6.z"),
        ("provost:firmware.version", "2.4.1"),
    ])
    .await;
    let get = async |name: &str| curl(&["-f", &format!("{folder}{name}")]).await;
    let read = |file: &str| Text::read_any(file.as_bytes()).unwrap();
    let own = read(&get(&format!("{MAC}.cfg")).await);
    let value = |text: &Text, module: &str, key: &str| text.value(module, key).map(str::to_owned);
    let mode = |text: &Text| value(text, "AUTOUPDATE CONFIG MODULE", "Flash Mode");
    assert_eq!(mode(&own), None, "the site's settings are in the common file");
    let by_id = read(&get("4711").await);
    assert_eq!(mode(&by_id).as_deref(), Some("1"), "a custom file is all that is fetched");
    let number = value(&by_id, "SIP CONFIG MODULE", "SIP1 Phone Number");
    assert_eq!(number.as_deref(), Some("1001"));
    assert!(get(&format!("{MAC}.xml")).await.contains("<VOIP_CONFIG_FILE>"));
    assert!(get(&format!("{MAC}.txt")).await.starts_with("<<VOIP CONFIG FILE>>"));
    let boot = get(&format!("{MAC}.boot")).await;
    assert!(boot.starts_with("Version=2.0000000001\r\nConfig=http"), "{boot}");
    let book = get("phonebook.xml").await;
    assert!(book.contains("<Name>Änne &amp; Söhne</Name>"), "{book}");
    let check = get("fanvil_x6_hwv1_0.txt").await;
    assert_eq!(check, "Version=2.4.1\r\nFirmware=x6.z\r\nInfo=TXT\r\n");
    let server = value(&own, "FIRMWARE CHECK MODULE", "Upgrade Server 1").unwrap();
    assert!(server.starts_with("http") && folder.contains(server.rsplit('/').next().unwrap()));
    for nothing in ["F00000000000.cfg", "4712", "0c383e07e16d.cfg"] {
        let url = format!("{folder}{nothing}");
        let status = curl(&["-w", "%{http_code}", "-o", "/dev/null", &url]).await;
        assert_eq!(status, "404", "{nothing}");
    }
}
