//! The forms that records had before their present ones. A record keeps its
//! form until it is next written, so each stays readable from here.

use serde::{Deserialize, Serialize};

use super::FileRecord;
use crate::device::{self, Action, DeviceId, Sealed, TaskId, TaskState};
use crate::phone::{self, Access, Mac, Settings, Transport, Vendor};
use crate::time::Timestamp;

/// A phone as it was when Fanvil was the one vendor.
#[derive(Serialize, Deserialize)]
struct Phone {
    mac: Mac,
    revision: u32,
    vendor: Vendor,
    model: Box<str>,
    site: Box<str>,
    token: Sealed,
    config_key: Option<Sealed>,
    accounts: Vec<Account>,
    settings: Settings,
}

#[derive(Serialize, Deserialize)]
struct Account {
    line: u8,
    user: Box<str>,
    auth_user: Box<str>,
    password: Sealed,
    display_name: Box<str>,
    server: Box<str>,
    port: u16,
}

/// A site as it was when tokens were the one way in.
#[derive(Serialize, Deserialize)]
struct Site {
    name: Box<str>,
    revision: u32,
    common_key: Option<Sealed>,
    settings: Settings,
    plain_secrets: bool,
}

/// A task as it was when it had notes and no results.
#[derive(Serialize, Deserialize)]
struct Task {
    id: TaskId,
    device: DeviceId,
    revision: u32,
    action: Action,
    created_at: Timestamp,
    created_by: Box<str>,
    expires_at: Timestamp,
    state: TaskState,
    notes: Vec<Box<str>>,
}

/// A file as it was when operators alone brought files.
#[derive(Serialize, Deserialize)]
struct File {
    sha256: Box<str>,
    name: Box<str>,
    size: u64,
    file_type: Box<str>,
    version: Option<Box<str>>,
    uploaded_at: Timestamp,
}

/// A task of the form before.
pub(super) fn task(body: &[u8]) -> Option<device::Task> {
    let before: Task = postcard::from_bytes(body).ok()?;
    let Task { id, device, revision, action, created_at, created_by, expires_at, state, notes } =
        before;
    Some(device::Task {
        id,
        device,
        revision,
        action,
        created_at,
        created_by,
        expires_at,
        state,
        notes,
        results: Vec::new(),
    })
}

/// A file of the form before.
pub(super) fn file(body: &[u8]) -> Option<FileRecord> {
    let File { sha256, name, size, file_type, version, uploaded_at } =
        postcard::from_bytes(body).ok()?;
    Some(FileRecord { sha256, name, size, file_type, version, uploaded_at, from: None })
}

/// A phone of the form before.
pub(super) fn phone(body: &[u8]) -> Option<phone::Phone> {
    let Phone { mac, revision, vendor, model, site, token, config_key, accounts, settings } =
        postcard::from_bytes(body).ok()?;
    let accounts = accounts.into_iter().map(|account| phone::Account {
        line: account.line,
        user: account.user,
        auth_user: account.auth_user,
        password: account.password,
        display_name: account.display_name,
        server: account.server,
        port: account.port,
        transport: Transport::Udp,
        outbound_proxy: "".into(),
        voicemail: "".into(),
        label: "".into(),
    });
    Some(phone::Phone {
        revision,
        config_key,
        accounts: accounts.collect(),
        settings,
        ..phone::Phone::new(mac, vendor, &model, &site, token)
    })
}

/// A site of the form before.
pub(super) fn site(body: &[u8]) -> Option<phone::Site> {
    let Site { name, revision, common_key, settings, plain_secrets } =
        postcard::from_bytes(body).ok()?;
    Some(phone::Site {
        name,
        revision,
        tenant: "".into(),
        common_key,
        settings,
        plain_secrets,
        access: Access::default(),
        contacts: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_of_the_form_before_keeps_all_it_had() {
        let account = Account {
            line: 2,
            user: "100".into(),
            auth_user: "a".into(),
            password: Sealed(vec![1]),
            display_name: "Anna".into(),
            server: "pbx".into(),
            port: 5061,
        };
        let old = Phone {
            mac: "0c383e07e16c".parse().unwrap(),
            revision: 7,
            vendor: Vendor::Fanvil,
            model: "X4".into(),
            site: "hq".into(),
            token: Sealed(vec![2]),
            config_key: Some(Sealed(vec![3])),
            accounts: vec![account],
            settings: [("A/B".into(), "c".into())].into(),
        };
        let new = phone(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((new.mac, new.revision, &*new.model, &*new.site), (old.mac, 7, "X4", "hq"));
        assert_eq!((new.token, new.config_key), (old.token, old.config_key));
        assert_eq!((&*new.accounts[0].user, new.accounts[0].port), ("100", 5061));
        assert_eq!(new.settings, old.settings);
        assert!(new.enabled);
    }

    #[test]
    fn a_task_of_the_form_before_has_no_results() {
        let old = Task {
            id: TaskId(7),
            device: DeviceId::parse("00D09E-1").unwrap(),
            revision: 3,
            action: Action::Reboot,
            created_at: Timestamp::from_millis(1),
            created_by: "admin".into(),
            expires_at: Timestamp::from_millis(2),
            state: TaskState::Queued,
            notes: vec!["x".into()],
        };
        let new = task(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((new.id, new.revision, new.action), (old.id, 3, Action::Reboot));
        assert_eq!((new.notes, new.results), (old.notes, Vec::new()));
    }

    #[test]
    fn a_file_of_the_form_before_came_from_an_operator() {
        let old = File {
            sha256: "ab".into(),
            name: "image.bin".into(),
            size: 3,
            file_type: "1 Firmware Upgrade Image".into(),
            version: None,
            uploaded_at: Timestamp::from_millis(8),
        };
        let new = file(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((&*new.name, new.size, new.from), ("image.bin", 3, None));
    }

    #[test]
    fn a_site_of_the_form_before_lets_nobody_in_without_a_token() {
        let old = Site {
            name: "hq".into(),
            revision: 3,
            common_key: None,
            settings: Settings::new(),
            plain_secrets: true,
        };
        let new = site(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((&*new.name, new.revision, new.plain_secrets), ("hq", 3, true));
        assert!(!new.access.tokenless && new.access.lock);
    }
}
