//! Phones as they are shown.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::super::mask;
use super::super::problem::ApiError;
use super::super::settings::{Meant, shown_secret};
use super::super::state::State as Inner;
use super::super::within::Eyes;
use crate::access::Principal;
use crate::device::DeviceId;
use crate::phone::{Account, Key, KeyKind, Mac, Phone, Seen, Transport};
use crate::store::device_of;
use crate::time::Timestamp;

/// A phone.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PhoneView {
    #[schema(value_type = String, example = "0c383e07e16c")]
    mac: Mac,
    vendor: &'static str,
    model: Box<str>,
    site: Box<str>,
    /// Whether it is served at all.
    enabled: bool,
    /// The template that its own file is made with; the vendor's if empty.
    template: Box<str>,
    /// Further names under which its own file may be asked for.
    names: Vec<Box<str>>,
    /// `"set"` if there is a key for its own file; the key is never shown.
    config_key: Option<&'static str>,
    accounts: Vec<AccountView>,
    keys: Vec<KeyView>,
    /// Settings in the vendor's own names, and directives (`provost:…`); secrets
    /// are masked.
    settings: BTreeMap<String, String>,
    /// What it was last seen doing.
    seen: Option<SeenView>,
    /// The same phone as it is known over CWMP: the device whose serial number
    /// ends in the MAC.
    device: Option<DeviceOfPhone>,
    revision: u32,
}

/// A SIP account.
#[derive(Debug, Serialize, ToSchema)]
struct AccountView {
    line: u8,
    user: Box<str>,
    auth_user: Box<str>,
    /// Always `"set"`: a password is never shown.
    password: &'static str,
    display_name: Box<str>,
    server: Box<str>,
    port: u16,
    #[schema(value_type = String, example = "udp")]
    transport: Transport,
    outbound_proxy: Box<str>,
    voicemail: Box<str>,
    label: Box<str>,
}

/// A programmable key.
#[derive(Debug, Serialize, ToSchema)]
struct KeyView {
    position: u16,
    #[schema(value_type = String, example = "blf")]
    kind: KeyKind,
    /// User and password inside a URL are masked.
    value: Box<str>,
    label: Box<str>,
    line: u8,
    pickup: Box<str>,
}

/// What a phone was last seen doing.
#[derive(Debug, Serialize, ToSchema)]
struct SeenView {
    #[schema(value_type = String)]
    at: Timestamp,
    #[schema(value_type = String)]
    address: std::net::IpAddr,
    firmware: Box<str>,
    file: Box<str>,
    /// The version that it was served.
    version: Box<str>,
}

/// A phone as a CWMP device.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceOfPhone {
    #[schema(value_type = String, example = "0C383E-X4-0010040000FV02000c383e07e16c")]
    id: DeviceId,
    software_version: Box<str>,
    #[schema(value_type = String)]
    last_inform: Timestamp,
}

impl PhoneView {
    /// A phone with what else is known of it.
    pub(in crate::api) async fn load(
        state: &Inner,
        principal: &Principal,
        phone: Phone,
    ) -> Result<Self, ApiError> {
        let seen = state.store().seen(phone.mac).await?;
        let device = match device_of(state.store(), &phone).await? {
            Some(id) if Eyes::of(state, principal).of_device(&id).await? => {
                state.store().device(&id).await?
            }
            _ => None,
        };
        let device = device.map(|device| DeviceOfPhone {
            id: device.id,
            software_version: device.software_version,
            last_inform: device.last_inform,
        });
        Ok(Self {
            mac: phone.mac,
            vendor: phone.vendor.word(),
            model: phone.model,
            site: phone.site,
            enabled: phone.enabled,
            template: phone.template,
            names: phone.names,
            config_key: shown_secret(phone.config_key.as_ref()),
            accounts: phone.accounts.into_iter().map(AccountView::from).collect(),
            keys: phone.keys.into_iter().map(KeyView::from).collect(),
            settings: Meant::Vendor(phone.vendor).all_shown(&phone.settings),
            seen: seen.map(SeenView::from),
            device,
            revision: phone.revision,
        })
    }
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            line: account.line,
            user: account.user,
            auth_user: account.auth_user,
            password: "set",
            display_name: account.display_name,
            server: account.server,
            port: account.port,
            transport: account.transport,
            outbound_proxy: account.outbound_proxy,
            voicemail: account.voicemail,
            label: account.label,
        }
    }
}

impl From<Key> for KeyView {
    fn from(key: Key) -> Self {
        let Key { position, kind, value, label, line, pickup } = key;
        let value = mask::url(&value).into_owned().into();
        Self { position, kind, value, label, line, pickup }
    }
}

impl From<Seen> for SeenView {
    fn from(seen: Seen) -> Self {
        Self {
            at: seen.at,
            address: seen.address,
            firmware: seen.firmware,
            file: seen.file,
            version: seen.version,
        }
    }
}
