//! What the demonstration does, and how it verifies it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::error::DemoError;
use super::phones::wrong_token;
use super::process::ServerProcess;
use super::story::Story;
use super::{CliError, Global, PATIENCE};
use crate::cli::client::{Client, encode};
use crate::device::{DeviceId, Secret};
use crate::phone::Mac;
use crate::provision::fanvil::{self, ConfigKey, Profile, Row, Text};
use crate::server::{Addresses, ONBOARDING};
use crate::simulate::{
    Blueprint, Cpe, Decode, FanvilPhone, PhoneFetchError, PhoneFile, PhoneFileKind, PhoneVerdict,
    RunnerSettings, SimEvent, SimHandle, firmware_image,
};
use crate::time::{Clock, SystemClock};

/// The phone that speaks CWMP, and the one that fetches files.
const CWMP_PHONE: &str = "0c383e000001";
const FILE_PHONE: &str = "0c383e000002";
const FILE_PHONE_MODEL: &str = "X6";

/// The demonstration while it runs.
pub(super) struct Demo {
    server: ServerProcess,
    pub(super) client: Client,
    pub(super) data: PathBuf,
    parameters: usize,
    devices: Vec<Running>,
}

/// A simulated device and its key in the inventory.
struct Running {
    id: DeviceId,
    handle: SimHandle,
}

impl Demo {
    pub(super) fn new(
        server: ServerProcess,
        global: &Global,
        parameters: usize,
    ) -> Result<Self, CliError> {
        let parameters = parameters.max(Blueprint::least_parameters());
        let client = Client::new(global)?;
        Ok(Self { server, client, data: global.data.clone(), parameters, devices: Vec::new() })
    }

    pub(super) const fn addresses(&self) -> &Addresses {
        self.server.addresses()
    }

    /// All steps, each verified.
    pub(super) async fn tell(&mut self, story: &mut Story) -> Result<(), CliError> {
        self.first_contact(story).await?;
        self.set_parameters(story).await?;
        self.upgrade(story).await?;
        self.desired_state(story).await?;
        let mut phone = self.provision_phone(story).await?;
        self.families(story).await?;
        self.campaign(story).await?;
        self.northbound(story).await?;
        self.survive(story, &mut phone).await
    }

    /// Ends the devices and the server.
    pub(super) async fn end(self) -> Result<(), CliError> {
        drop(self.devices);
        Ok(self.server.end().await?)
    }

    async fn first_contact(&mut self, story: &mut Story) -> Result<(), CliError> {
        story.step("First contact: 0 BOOTSTRAP, Digest, the whole tree read in batches")?;
        let serial = format!("00100400FV0200100000{CWMP_PHONE}");
        let blueprints = [
            ("gateway", Blueprint::device2("DEMO0001", self.parameters).map_err(DemoError::from)?),
            (
                "phone with TR-069",
                Blueprint::internet_gateway(&serial, mac(CWMP_PHONE)?, 2)
                    .map_err(DemoError::from)?,
            ),
        ];
        for (name, blueprint) in blueprints {
            let (id, answered) = self.come(blueprint).await?;
            let device = self.client.get(&format!("/devices/{}", encode(id.as_str()))).await?;
            let count = device["parameter_count"].as_u64().unwrap_or(0);
            let wanted = if name == "gateway" { self.parameters as u64 } else { 1 };
            expect(count >= wanted, || {
                format!("{count} of {wanted} parameters of the {name} are known")
            })?;
            story.done(&format!(
                "{name} {id}: {count} parameters read, {answered} RPCs in one session"
            ))?;
        }
        Ok(())
    }

    /// A small gateway makes its first contact.
    pub(super) async fn join(&mut self, serial: &str) -> Result<(), CliError> {
        let least = Blueprint::least_parameters();
        let blueprint = Blueprint::device2(serial, least).map_err(DemoError::from)?;
        self.come(blueprint).await.map(|_| ())
    }

    /// A device makes its first contact, and stays: its key, and how many RPCs it
    /// answered.
    async fn come(&mut self, blueprint: Blueprint) -> Result<(DeviceId, u32), CliError> {
        let (username, password) = self.onboarding()?;
        let acs = format!("http://{}/", door(self.addresses().cwmp)?);
        let blueprint = blueprint.with_acs(&acs, &username, password);
        let id = blueprint.identity().id();
        let cpe = Cpe::new(blueprint, SystemClock.now());
        let mut handle =
            crate::simulate::start(cpe, RunnerSettings::default(), Arc::new(SystemClock))
                .await
                .map_err(DemoError::from)?;
        let answered = well_ended(&mut handle).await?;
        self.devices.push(Running { id: id.clone(), handle });
        Ok((id, answered))
    }

    async fn set_parameters(&self, story: &mut Story) -> Result<(), CliError> {
        story.step("An operator sets two parameters; a connection request wakes the device")?;
        let wanted = [
            ("Device.WiFi.SSID.1.SSID", "Provost"),
            ("Device.ManagementServer.PeriodicInformInterval", "600"),
        ];
        let values: Vec<Value> =
            wanted.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let gateway = self.device(0)?;
        let task = self.task(&gateway.id, &json!({"action": "set", "values": values})).await?;
        expect(task["wake"]["result"] == "woken", || {
            format!("the device was not woken: {}", task["wake"])
        })?;
        story.done("connection request: woken by HTTP with Digest")?;
        expect(task["state"] == "applied", || format!("the task ended as {}", task["state"]))?;
        for (name, value) in wanted {
            let read = self.parameter(&gateway.id, name).await?;
            expect(read == value, || format!("{name} reads {read:?} and not {value:?}"))?;
        }
        story.done("SetParameterValues, read back: applied")?;
        Ok(())
    }

    /// Uploads a firmware that says it is of a version; the image may be of another.
    pub(super) async fn upload_firmware(&self, says: &str, is: &str) -> Result<(), CliError> {
        let image = firmware_image(is, 4096).map_err(DemoError::from)?;
        let path = self.data.join("image.bin");
        std::fs::write(&path, &image)
            .map_err(|source| DemoError::Folder { path: path.clone(), source })?;
        let url = format!("/files?name=gateway-{says}.bin&version={says}");
        self.client.upload(&url, &path, ProgressBar::hidden()).await?;
        Ok(())
    }

    async fn upgrade(&mut self, story: &mut Story) -> Result<(), CliError> {
        story.step("A firmware image is uploaded, and a Download RPC brings it to the device")?;
        let image = firmware_image("2.0.0", 1 << 20).map_err(DemoError::from)?;
        let path = self.data.join("image.bin");
        std::fs::write(&path, &image)
            .map_err(|source| DemoError::Folder { path: path.clone(), source })?;
        let url = "/files?name=gateway-2.0.0.bin&version=2.0.0";
        let file = self.client.upload(url, &path, ProgressBar::hidden()).await?;
        let sha256 = file["sha256"].as_str().unwrap_or_default().to_owned();
        story.done(&format!(
            "uploaded {} bytes, SHA-256 {}…",
            image.len(),
            sha256.get(..12).unwrap_or_default()
        ))?;
        let id = self.device(0)?.id.clone();
        let task = self.task(&id, &json!({"action": "download", "file": sha256})).await?;
        let gateway = self.devices.first_mut().ok_or_else(no_device)?;
        let upgraded = gateway
            .handle
            .wait_for(PATIENCE, |event| matches!(event, SimEvent::Upgraded { .. }))
            .await;
        let Some(SimEvent::Upgraded { version, sha256: fetched }) = upgraded else {
            return Err(not_verified("the device never upgraded"));
        };
        expect(*fetched == *sha256, || {
            "the device fetched other bytes than were uploaded".to_owned()
        })?;
        story.done(&format!(
            "the device fetched it with the RPC's credentials; SHA-256 agrees; it runs {version}"
        ))?;
        expect(task["state"] == "applied", || format!("the task ended as {}", task["state"]))?;
        let device = self.client.get(&format!("/devices/{}", encode(id.as_str()))).await?;
        expect(device["software_version"] == "2.0.0", || {
            format!("SoftwareVersion is {}", device["software_version"])
        })?;
        story.done("1 BOOT, M Download, TransferComplete; SoftwareVersion is 2.0.0: applied")?;
        Ok(())
    }

    async fn provision_phone(&self, story: &mut Story) -> Result<Provisioned, CliError> {
        story.step(
            "A Fanvil phone fetches its common and its MAC file, each under a key of its own",
        )?;
        let (common_key, device_key) = (random_key()?, random_key()?);
        let phone_path = format!("/phones/{FILE_PHONE}");
        let put = async |path: &str, body: Value| self.client.send(Method::PUT, path, &body).await;
        put(
            "/sites/office",
            json!({"common_key": common_key.expose(), "settings": {"PHONE FEATURE/Time Zone": "4"}}),
        )
        .await?;
        put(
            &phone_path,
            json!({"vendor": "fanvil", "model": FILE_PHONE_MODEL, "site": "office", "config_key": device_key.expose()}),
        )
        .await?;
        let account = |name: &str| json!({"user": "1001", "password": "s3cret-1001", "display_name": name, "server": "pbx.example.net"});
        put(&format!("{phone_path}/accounts/1"), account("Reception")).await?;
        let url = self.client.get(&format!("{phone_path}/url")).await?;
        let base = url["url"].as_str().unwrap_or_default().to_owned();
        let common_name =
            fanvil::common_names(FILE_PHONE_MODEL).first().copied().unwrap_or("common.cfg");
        let mut phone = FanvilPhone::new(
            mac(FILE_PHONE)?,
            common_name,
            Some(common_key),
            Some(device_key),
            decoder(),
        );

        let first = fetch(&mut phone, &base).await?;
        expect(
            first.iter().all(|verdict| matches!(verdict, PhoneVerdict::Applied { .. })),
            || format!("{first:?}"),
        )?;
        expect(shown_name(&phone) == Some("Reception"), || {
            "the phone shows another name".to_owned()
        })?;
        story.done(&format!("{common_name} and {FILE_PHONE}.cfg decrypted and applied"))?;

        let again = fetch(&mut phone, &base).await?;
        expect(
            again.iter().all(|verdict| matches!(verdict, PhoneVerdict::Unchanged { .. })),
            || format!("{again:?}"),
        )?;
        story.done("fetched again: the versions are the same, the phone stops")?;

        let before =
            [PhoneFileKind::Common, PhoneFileKind::Device].map(|kind| version(&phone, kind));
        put(&format!("{phone_path}/accounts/1"), account("Front desk")).await?;
        let changed = fetch(&mut phone, &base).await?;
        let after =
            [PhoneFileKind::Common, PhoneFileKind::Device].map(|kind| version(&phone, kind));
        let sound = matches!(
            changed.as_slice(),
            [PhoneVerdict::Unchanged { .. }, PhoneVerdict::Applied { .. }]
        ) && after[0] == before[0]
            && after[1] == before[1].map(|number| number + 1);
        expect(sound, || format!("versions {before:?}, then {after:?}: {changed:?}"))?;
        expect(shown_name(&phone) == Some("Front desk"), || {
            "the phone kept the old name".to_owned()
        })?;
        story.done("an account was changed: the MAC file's version went up by one, the common file's did not")?;
        let refused = phone
            .provision(&wrong_token(&base), None, None, Duration::from_secs(10))
            .await
            .into_iter()
            .all(|(_, fetched)| {
                matches!(fetched, Err(PhoneFetchError::Refused { status: 404, .. }))
            });
        expect(refused, || "a wrong token was not answered with 404".to_owned())?;
        story.done("refused with a wrong token: 404, both files")?;
        Ok(Provisioned { phone, base })
    }

    async fn survive(
        &mut self,
        story: &mut Story,
        provisioned: &mut Provisioned,
    ) -> Result<(), CliError> {
        story.step("The server is killed with SIGKILL and started again")?;
        let paths = ["/devices", "/tasks", "/files", "/phones", "/sites"];
        let mut before = Vec::new();
        for path in paths {
            before.push(promised(self.client.get(path).await?));
        }
        self.server.kill_and_restart().await?;
        story.done("killed, and up again on the same data")?;
        for (path, before) in paths.iter().zip(&before) {
            let after = promised(self.client.get(path).await?);
            expect(after == *before, || {
                format!("{path} differs after the restart:\n{before}\n{after}")
            })?;
        }
        story.done("devices, tasks with their outcomes, files and phones are all there; the token is the same")?;
        let verdicts = fetch(&mut provisioned.phone, &provisioned.base).await?;
        let same = verdicts.iter().all(|verdict| matches!(verdict, PhoneVerdict::Unchanged { .. }));
        expect(same, || format!("{verdicts:?}"))?;
        story
            .done("the phone's URL still works, and both files have the versions that they had")?;
        let id = &self.device(0)?.id;
        let name = "Device.DeviceInfo.SoftwareVersion";
        let task = self.task(id, &json!({"action": "get", "names": [name]})).await?;
        expect(task["state"] == "applied", || format!("the task ended as {}", task["state"]))?;
        story.done(
            "the gateway is woken and comes in with the credentials that it was given before",
        )?;
        Ok(())
    }

    /// Gives a device something to do and waits for the outcome.
    pub(super) async fn task(&self, id: &DeviceId, task: &Value) -> Result<Value, CliError> {
        let path = format!("/devices/{}/tasks?wait={}", encode(id.as_str()), PATIENCE.as_secs());
        self.client.waiting(Method::POST, &path, Some(task), PATIENCE).await
    }

    pub(super) async fn parameter(&self, id: &DeviceId, name: &str) -> Result<String, CliError> {
        let path = format!("/devices/{}/parameters?path={}", encode(id.as_str()), encode(name));
        let page = self.client.get(&path).await?;
        Ok(page["items"][0]["value"].as_str().unwrap_or_default().to_owned())
    }

    /// The gateway's key.
    pub(super) fn gateway(&self) -> Result<DeviceId, CliError> {
        Ok(self.device(0)?.id.clone())
    }

    /// Changes a device as somebody in front of it would.
    pub(super) async fn change(
        &self,
        position: usize,
        name: &str,
        text: &str,
    ) -> Result<(), CliError> {
        self.device(position)?.handle.change(name, text).await;
        Ok(())
    }

    fn device(&self, position: usize) -> Result<&Running, CliError> {
        self.devices.get(position).ok_or_else(no_device)
    }

    /// The credential of new devices, as an installer would read it.
    fn onboarding(&self) -> Result<(String, Secret), CliError> {
        let path = self.data.join(ONBOARDING);
        let text =
            std::fs::read_to_string(&path).map_err(|source| DemoError::Folder { path, source })?;
        let value = |key| {
            text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned()
        };
        Ok((value("username="), Secret::new(value("password="))))
    }
}

/// The phone after it was provisioned, and the folder of its files.
pub(super) struct Provisioned {
    phone: FanvilPhone,
    base: String,
}

/// A list without what phones were last seen doing: that is written behind the
/// answer, so that the last fetch before a kill may or may not be in it.
fn promised(mut list: Value) -> Value {
    for item in list["items"].as_array_mut().into_iter().flatten() {
        item.as_object_mut().map(|item| item.remove("seen"));
    }
    list
}

/// Waits for the end of a session that ended well; returns how many RPCs the
/// device answered in it.
async fn well_ended(handle: &mut SimHandle) -> Result<u32, CliError> {
    let ended =
        handle.wait_for(PATIENCE, |event| matches!(event, SimEvent::SessionEnded { .. })).await;
    match ended {
        Some(SimEvent::SessionEnded { answered, failure: None, .. }) => Ok(answered),
        Some(SimEvent::SessionEnded { failure: Some(failure), .. }) => {
            Err(not_verified(&format!("the device's session failed: {failure:?}")))
        }
        _ => Err(not_verified("the device's session did not end")),
    }
}

async fn fetch(phone: &mut FanvilPhone, base: &str) -> Result<Vec<PhoneVerdict>, CliError> {
    let fetched = phone.provision(base, None, None, Duration::from_secs(10)).await;
    let mut verdicts = Vec::new();
    for (kind, result) in fetched {
        verdicts.push(result.map_err(|error| not_verified(&format!("{kind:?}: {error}")))?);
    }
    Ok(verdicts)
}

/// How a Fanvil phone reads its files: decrypt, then parse.
fn decoder() -> Decode {
    Arc::new(|bytes, key| {
        let words = |error: &dyn std::fmt::Display| Box::<str>::from(error.to_string());
        let plain = match key {
            Some(key) => {
                let key = ConfigKey::parse(key.expose()).map_err(|error| words(&error))?;
                let profile =
                    Profile::named("aes-256-cbc-zero-iv-pkcs7").map_err(|error| words(&error))?;
                fanvil::decrypt(profile, &key, bytes).map_err(|error| words(&error))?
            }
            None => bytes.to_vec(),
        };
        let text = Text::read(&plain).map_err(|error| words(&error))?;
        let settings = text.modules.iter().flat_map(|module| {
            module.rows.iter().filter_map(|row| match row {
                Row::Entry(key, value) => Some((module.name.clone(), key.clone(), value.clone())),
                Row::List(_) => None,
            })
        });
        Ok(PhoneFile { settings: settings.collect(), version: text.version.clone() })
    })
}

fn shown_name(phone: &FanvilPhone) -> Option<&str> {
    phone.setting("SIP CONFIG MODULE", "SIP1 Display Name")
}

/// The counter in a version, `2.0000000012` → 12.
fn version(phone: &FanvilPhone, kind: PhoneFileKind) -> Option<u64> {
    phone.version(kind)?.strip_prefix("2.")?.parse().ok()
}

fn random_key() -> Result<Secret, CliError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| not_verified(&error.to_string()))?;
    Ok(Secret::new(hex::encode(bytes)))
}

fn mac(text: &str) -> Result<Mac, CliError> {
    text.parse().map_err(|error: crate::phone::MacError| not_verified(&error.to_string()))
}

fn door(at: Option<std::net::SocketAddr>) -> Result<std::net::SocketAddr, CliError> {
    at.ok_or_else(|| not_verified("a door that the demonstration needs is shut"))
}

pub(super) fn expect(sound: bool, why: impl FnOnce() -> String) -> Result<(), CliError> {
    if sound { Ok(()) } else { Err(not_verified(&why())) }
}

pub(super) fn not_verified(why: &str) -> CliError {
    DemoError::NotVerified(why.to_owned()).into()
}

fn no_device() -> CliError {
    not_verified("the device is not there")
}
