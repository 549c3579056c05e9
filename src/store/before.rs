//! The forms that records had before their present ones. A record keeps its
//! form until it is next written, so each stays readable from here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{BulkRecord, FileRecord};
use crate::access::{Reach, Right};
use crate::device::{
    self, Action, DeviceId, DeviceIdentity, EventCode, Lessons, Sealed, Settlement, TaskId,
    TaskState,
};
use crate::news::WebhookProgress;
use crate::phone::{self, Access, Mac, Settings, Transport, Vendor};
use crate::profile::{PlanRecord, ProfileChange, ProfileRecord};
use crate::rollout::{CampaignRecord, CampaignState, Counts, HistoryLine, Tally};
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

/// A file as it was when nobody owned any.
#[derive(Serialize, Deserialize)]
struct File {
    sha256: Box<str>,
    name: Box<str>,
    size: u64,
    file_type: Box<str>,
    version: Option<Box<str>>,
    uploaded_at: Timestamp,
    from: Option<(DeviceId, TaskId)>,
}

/// A profile as it was when all were the installation's.
#[derive(Serialize, Deserialize)]
struct Profile {
    name: Box<str>,
    version: u32,
    text: Box<str>,
    enabled: bool,
    at: Timestamp,
    by: Box<str>,
    why: Box<str>,
}

/// A plan as it was when all were the installation's.
#[derive(Serialize, Deserialize)]
struct Plan {
    id: u128,
    at: Timestamp,
    by: Box<str>,
    why: Box<str>,
    base: u64,
    changes: Vec<ProfileChange>,
    rule: Box<str>,
    summary: Box<str>,
    applied: Option<(Timestamp, Box<str>)>,
}

/// A change over many devices as it was when tokens were judged at its beginning.
#[derive(Serialize, Deserialize)]
struct Bulk {
    id: u128,
    created_by: Box<str>,
    token: Box<str>,
    rights: Vec<Right>,
    reach: Reach,
    created_at: Timestamp,
    expires_at: Timestamp,
    asked: Box<str>,
    page: Option<Box<str>>,
    after: Option<DeviceId>,
    total: u64,
    done: u64,
    failed: u64,
    problems: Vec<(DeviceId, Box<str>)>,
    ended_at: Option<Timestamp>,
    cancelled: bool,
}

/// A campaign as it was when all were the installation's.
#[derive(Serialize, Deserialize)]
struct Campaign {
    name: Box<str>,
    revision: u32,
    text: Box<str>,
    at: Timestamp,
    by: Box<str>,
    why: Box<str>,
    state: CampaignState,
    started_at: Option<Timestamp>,
    approved: Option<(Timestamp, Box<str>)>,
    waves: Vec<Counts>,
    tally: Tally,
    unknown: u32,
    cannot_undo: u32,
    history: Vec<HistoryLine>,
}

/// A device as it was before anything was wanted of it.
#[derive(Serialize, Deserialize)]
struct Device {
    id: DeviceId,
    identity: DeviceIdentity,
    root: Box<str>,
    namespace: Box<str>,
    first_seen: Timestamp,
    last_inform: Timestamp,
    last_boot: Option<Timestamp>,
    last_bootstrap: Option<Timestamp>,
    last_events: Vec<EventCode>,
    address: Option<IpAddr>,
    connection_request_url: Box<str>,
    software_version: Box<str>,
    hardware_version: Box<str>,
    provisioning_code: Box<str>,
    inform_hash: u64,
    tree_read_at: Option<Timestamp>,
    parameter_count: u32,
    sessions: u64,
    lessons: Lessons,
}

/// The labels of a device when they were tags alone.
#[derive(Serialize, Deserialize)]
struct Labels {
    revision: u32,
    tags: BTreeSet<Box<str>>,
}

/// A device of the form before: it is looked at when it next comes.
pub(super) fn device(body: &[u8]) -> Option<device::Device> {
    let before: Device = postcard::from_bytes(body).ok()?;
    Some(device::Device {
        id: before.id,
        identity: before.identity,
        root: before.root,
        namespace: before.namespace,
        first_seen: before.first_seen,
        last_inform: before.last_inform,
        last_boot: before.last_boot,
        last_bootstrap: before.last_bootstrap,
        last_events: before.last_events,
        address: before.address,
        connection_request_url: before.connection_request_url,
        software_version: before.software_version,
        hardware_version: before.hardware_version,
        provisioning_code: before.provisioning_code,
        inform_hash: before.inform_hash,
        tree_read_at: before.tree_read_at,
        parameter_count: before.parameter_count,
        sessions: before.sessions,
        lessons: before.lessons,
        settlement: Settlement::default(),
    })
}

/// Labels of the form before.
pub(super) fn labels(body: &[u8]) -> Option<device::Labels> {
    let Labels { revision, tags } = postcard::from_bytes(body).ok()?;
    Some(device::Labels { revision, tags, ..device::Labels::default() })
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
    let File { sha256, name, size, file_type, version, uploaded_at, from } =
        postcard::from_bytes(body).ok()?;
    let (tenant, shares) = Default::default();
    Some(FileRecord { sha256, name, size, file_type, version, uploaded_at, from, tenant, shares })
}

/// A profile of the form before: the installation's.
pub(super) fn profile(body: &[u8]) -> Option<ProfileRecord> {
    let Profile { name, version, text, enabled, at, by, why } = postcard::from_bytes(body).ok()?;
    Some(ProfileRecord { name, version, text, enabled, at, by, why, tenant: "".into() })
}

/// A plan of the form before: the installation's.
pub(super) fn plan(body: &[u8]) -> Option<PlanRecord> {
    let Plan { id, at, by, why, base, changes, rule, summary, applied } =
        postcard::from_bytes(body).ok()?;
    let tenant = "".into();
    Some(PlanRecord { id, at, by, why, base, changes, rule, summary, applied, tenant })
}

/// A change over many devices of the form before: it left nobody out.
pub(super) fn bulk(body: &[u8]) -> Option<BulkRecord> {
    let before: Bulk = postcard::from_bytes(body).ok()?;
    Some(BulkRecord {
        id: before.id,
        created_by: before.created_by,
        token: before.token,
        rights: before.rights,
        reach: before.reach,
        created_at: before.created_at,
        expires_at: before.expires_at,
        asked: before.asked,
        page: before.page,
        after: before.after,
        total: before.total,
        done: before.done,
        failed: before.failed,
        problems: before.problems,
        ended_at: before.ended_at,
        cancelled: before.cancelled,
        left_out: 0,
        stopped: "".into(),
    })
}

/// How far a webhook is, of the form before: how its deliveries went was not kept.
pub(super) fn webhook_progress(body: &[u8]) -> Option<WebhookProgress> {
    postcard::from_bytes::<u64>(body).ok().map(WebhookProgress::from)
}

/// A campaign of the form before: the installation's.
pub(super) fn campaign(body: &[u8]) -> Option<CampaignRecord> {
    let before: Campaign = postcard::from_bytes(body).ok()?;
    Some(CampaignRecord {
        name: before.name,
        revision: before.revision,
        text: before.text,
        at: before.at,
        by: before.by,
        why: before.why,
        state: before.state,
        started_at: before.started_at,
        approved: before.approved,
        waves: before.waves,
        tally: before.tally,
        unknown: before.unknown,
        cannot_undo: before.cannot_undo,
        history: before.history,
        tenant: "".into(),
    })
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
    fn a_device_of_the_form_before_is_not_settled() {
        let at = Timestamp::from_millis;
        let old = Device {
            id: DeviceId::parse("00D09E-1").unwrap(),
            identity: DeviceIdentity::new("m", "00D09E", "", "1").unwrap(),
            root: "Device.".into(),
            namespace: "urn:dslforum-org:cwmp-1-2".into(),
            first_seen: at(1),
            last_inform: at(9),
            last_boot: None,
            last_bootstrap: Some(at(2)),
            last_events: vec![EventCode::Boot],
            address: Some("192.0.2.1".parse().unwrap()),
            connection_request_url: "".into(),
            software_version: "1.0".into(),
            hardware_version: "".into(),
            provisioning_code: "".into(),
            inform_hash: 7,
            tree_read_at: Some(at(3)),
            parameter_count: 300,
            sessions: 4,
            lessons: Lessons { silent_after_inform: 1, ..Lessons::default() },
        };
        let new = device(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((&new.id, new.parameter_count, new.sessions), (&old.id, 300, 4));
        assert_eq!((new.last_bootstrap, new.inform_hash), (Some(at(2)), 7));
        assert_eq!(new.lessons.silent_after_inform, 1);
        assert_eq!(new.settlement, Settlement::default());
    }

    #[test]
    fn a_change_over_many_devices_of_the_form_before_goes_on_where_it_was() {
        let device = DeviceId::parse("00D09E-1").unwrap();
        let old = Bulk {
            id: 7,
            created_by: "anna".into(),
            token: "t".into(),
            rights: vec![Right::TasksAsk],
            reach: Reach::of_tenant("north"),
            created_at: Timestamp::from_millis(1),
            expires_at: Timestamp::from_millis(2),
            asked: "{}".into(),
            page: Some("p".into()),
            after: Some(device.clone()),
            total: 9,
            done: 3,
            failed: 1,
            problems: vec![(device.clone(), "gone".into())],
            ended_at: None,
            cancelled: false,
        };
        let new = bulk(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((new.id, &*new.token, new.rights, new.reach), (7, "t", old.rights, old.reach));
        assert_eq!((new.page, new.after), (old.page, Some(device)));
        assert_eq!((new.total, new.done, new.failed, new.left_out), (9, 3, 1, 0));
        assert_eq!((new.problems, &*new.stopped), (old.problems, ""));
    }

    #[test]
    fn a_webhook_of_the_form_before_goes_on_where_it_was() {
        let new = webhook_progress(&postcard::to_stdvec(&41_u64).unwrap()).unwrap();
        assert_eq!(new, WebhookProgress { next: 41, ..WebhookProgress::default() });
    }

    #[test]
    fn labels_of_the_form_before_keep_their_tags() {
        let old = Labels { revision: 4, tags: ["gold".into()].into() };
        let new = labels(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((new.revision, new.tags, &*new.tenant), (4, old.tags, ""));
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
    fn a_file_of_the_form_before_is_the_installations() {
        let old = File {
            sha256: "ab".into(),
            name: "image.bin".into(),
            size: 3,
            file_type: "1 Firmware Upgrade Image".into(),
            version: None,
            uploaded_at: Timestamp::from_millis(8),
            from: None,
        };
        let new = file(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((&*new.name, new.size), ("image.bin", 3));
        assert_eq!(new.tenants().collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn profiles_and_plans_of_the_forms_before_are_the_installations() {
        let old = Profile {
            name: "wifi".into(),
            version: 3,
            text: "{}".into(),
            enabled: true,
            at: Timestamp::from_millis(1),
            by: "admin".into(),
            why: "x".into(),
        };
        let new = profile(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((&*new.name, new.version, &*new.why, &*new.tenant), ("wifi", 3, "x", ""));
        let change = ProfileChange { name: "wifi".into(), text: None, enabled: true };
        let old = Plan {
            id: 7,
            at: Timestamp::from_millis(1),
            by: "admin".into(),
            why: "".into(),
            base: 9,
            changes: vec![change],
            rule: "true".into(),
            summary: "{}".into(),
            applied: None,
        };
        let new = plan(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((new.id, new.base, new.changes.len(), &*new.tenant), (7, 9, 1, ""));
    }

    #[test]
    fn a_campaign_of_the_form_before_is_the_installations_and_stands_where_it_stood() {
        let at = Timestamp::from_millis(1);
        let old = Campaign {
            name: "fw".into(),
            revision: 5,
            text: "{}".into(),
            at,
            by: "admin".into(),
            why: "x".into(),
            state: CampaignState::Running { wave: 1, since: at, not_before: at },
            started_at: Some(at),
            approved: Some((at, "boss".into())),
            waves: vec![Counts { done: 3, ..Counts::default() }],
            tally: Tally { finished: 3, failed: 1 },
            unknown: 2,
            cannot_undo: 1,
            history: vec![HistoryLine { at, by: "admin".into(), what: "made".into() }],
        };
        let new = campaign(&postcard::to_stdvec(&old).unwrap()).unwrap();
        assert_eq!((&*new.name, new.revision, &*new.tenant), ("fw", 5, ""));
        assert_eq!((new.state, new.approved), (old.state, old.approved));
        assert_eq!((new.waves, new.tally, new.history), (old.waves, old.tally, old.history));
        assert_eq!((new.unknown, new.cannot_undo), (2, 1));
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
