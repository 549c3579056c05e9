//! An inventory with things of two tenants, and somebody of each kind who asks.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method};
use provost::access::{Reach, Right, Role, TokenRecord};
use provost::device::{DeviceBackup, DeviceId, Labels};
use provost::param::{ParamPath, Tree, Value as Text};
use provost::profile::{PlanRecord, ProfileRecord};
use provost::store::{Batch, BulkRecord, OfficeRecord, Record};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api::rig::NOW;
use crate::api::{Answer, Rig, device};

/// Where things are, and how they are called there.
#[derive(Clone, Copy)]
pub(super) struct Side {
    pub(super) tenant: &'static str,
    pub(super) site: &'static str,
    pub(super) serial: &'static str,
    pub(super) mac: &'static str,
    /// The key of its backup, and of a change over its devices.
    pub(super) key: u128,
}

/// Whose things are asked for.
pub(super) const OURS: Side =
    Side { tenant: "acme", site: "acme-hq", serial: "ACME1", mac: "0c383e00000a", key: 10 };

/// Another site of the same tenant.
pub(super) const BRANCH: Side =
    Side { tenant: "acme", site: "branch", serial: "BRANCH1", mac: "0c383e00000b", key: 11 };

/// Another tenant.
pub(super) const ZULU: Side =
    Side { tenant: "zulu", site: "zulu-hq", serial: "ZULU1", mac: "0c383e00000c", key: 12 };

impl Side {
    pub(super) fn device(self) -> DeviceId {
        device(self.serial).id
    }

    /// A second phone, to be compared with.
    pub(super) fn other_mac(self) -> String {
        self.mac.replacen("0c383e0000", "0c383e0001", 1)
    }

    /// What is called by its site: a profile, a campaign.
    pub(super) fn named(self) -> String {
        format!("{}-wants", self.site)
    }

    pub(super) fn plan(self) -> String {
        uuid::Uuid::from_u128(self.key).to_string()
    }

    /// What its tenant brought, by what is in it.
    pub(super) fn file(self) -> String {
        hex::encode(Sha256::digest(self.image()))
    }

    fn image(self) -> String {
        format!("firmware of {}", self.tenant)
    }

    pub(super) fn token(self) -> String {
        hex::encode(&Sha256::digest(self.site)[..8])
    }

    pub(super) fn reach(self) -> Reach {
        Reach { tenant: Some(self.tenant.into()), sites: [self.site.into()].into() }
    }

    /// What nobody else may read in any answer, in lower case.
    pub(super) fn marks(self) -> Vec<String> {
        let mut marks =
            vec![self.serial.to_lowercase(), self.mac.to_owned(), self.other_mac(), self.token()];
        if self.tenant != OURS.tenant {
            marks.push(self.tenant.to_owned());
            marks.push(self.file());
        }
        marks.push(self.site.to_owned());
        marks
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// Sees everything.
    Whole,
    /// Sees the tenant whose things are asked for.
    OwnTenant,
    /// Sees the site whose things are asked for.
    OwnSite,
    /// Sees another site of that tenant.
    OtherSite,
    /// Sees another tenant.
    OtherTenant,
}

impl Whose {
    pub(super) const ALL: [Self; 5] =
        [Self::Whole, Self::OwnTenant, Self::OwnSite, Self::OtherSite, Self::OtherTenant];

    pub(super) fn reach(self) -> Reach {
        match self {
            Self::Whole => Reach::WHOLE,
            Self::OwnTenant => Reach::of_tenant(OURS.tenant),
            Self::OwnSite => OURS.reach(),
            Self::OtherSite => BRANCH.reach(),
            Self::OtherTenant => Reach::of_tenant(ZULU.tenant),
        }
    }

    /// What must be in no answer.
    pub(super) fn unseen(self) -> Vec<String> {
        let sides: &[Side] = match self {
            Self::Whole => &[],
            Self::OwnTenant => &[ZULU],
            Self::OwnSite => &[ZULU, BRANCH],
            Self::OtherSite => &[ZULU, OURS],
            Self::OtherTenant => &[OURS, BRANCH],
        };
        sides.iter().flat_map(|side| side.marks()).collect()
    }
}

pub(super) struct House {
    pub(super) rig: Rig,
    /// The task of each side's device, by its site.
    pub(super) tasks: BTreeMap<&'static str, String>,
}

/// The text of the token of somebody of a role.
pub(super) fn text(role: Role, whose: Whose) -> String {
    format!("pv_of-the-matrix-{role}-{whose:?}")
}

impl House {
    pub(super) async fn build() -> Self {
        let rig = Rig::open();
        let mut batch = Batch::new();
        for role in Role::ALL {
            for whose in Whose::ALL {
                batch.put(token(&text(role, whose), role, whose.reach(), None));
            }
        }
        rig.store.commit(batch).await.unwrap();
        let mut tasks = BTreeMap::new();
        for side in [OURS, BRANCH, ZULU] {
            tasks.insert(side.site, plant(&rig, side).await);
        }
        Self { rig, tasks }
    }

    /// Asks as somebody; the path begins with `/`.
    pub(super) async fn ask(&self, token: &str, method: &Method, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        if path.ends_with("/stream") {
            return self.begin(&bearer, path).await;
        }
        let headers = [("authorization", bearer.as_str())];
        self.rig.bare(method.clone(), path, &headers, body.to_owned()).await
    }

    /// The beginning of an answer that does not end.
    async fn begin(&self, bearer: &str, path: &str) -> Answer {
        let address = self.rig.address;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {bearer}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let is_begun = |bytes: &[u8]| {
            bytes.starts_with(b"HTTP/1.1 200") && bytes.windows(4).any(|four| four == b"\r\n\r\n")
        };
        while !is_begun(&bytes) && stream.read_buf(&mut bytes).await.unwrap() > 0 {}
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            reason: None,
            headers: HeaderMap::new(),
            text: body.to_owned(),
            json: serde_json::from_str(body).unwrap_or_default(),
        }
    }
}

fn token(text: &str, role: Role, reach: Reach, id: Option<String>) -> Record {
    let hash = Sha256::digest(text.as_bytes());
    Record::Office(OfficeRecord::Token(Box::new(TokenRecord {
        id: id.unwrap_or_else(|| hex::encode(&hash[..8])).into(),
        revision: 1,
        name: "of the matrix".into(),
        user: None,
        hash: hash.into(),
        role,
        rights: None,
        reach,
        created_at: NOW,
        created_by: "the matrix".into(),
        expires_at: None,
        revoked_at: None,
    })))
}

/// Puts what belongs to a tenant as a whole into the inventory.
async fn plant_of_tenant(rig: &Rig, side: Side) {
    let name: Box<str> = side.named().into();
    let mut batch = Batch::new();
    batch.put(Record::Profile(Box::new(ProfileRecord {
        name: name.clone(),
        version: 1,
        text: json!({"name": name, "match": "true"}).to_string().into(),
        enabled: false,
        at: NOW,
        by: "the matrix".into(),
        why: "".into(),
        tenant: side.tenant.into(),
    })));
    batch.put(Record::Plan(Box::new(PlanRecord {
        id: side.key,
        at: NOW,
        by: "the matrix".into(),
        why: name.clone(),
        base: 0,
        changes: Vec::new(),
        rule: "true".into(),
        summary: "{}".into(),
        applied: None,
        tenant: side.tenant.into(),
    })));
    rig.store.commit(batch).await.unwrap();
    let campaign = json!({"name": name, "target": {"match": "true"}, "action": {"reboot": {}}});
    let made = rig.post(&format!("/campaigns?tenant={}", side.tenant), campaign).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/api/v1/files?name={0}.bin&tenant={0}", side.tenant);
    let brought = rig.raw(Method::POST, &path, &[], side.image()).await;
    assert_eq!((brought.status, &brought.json["sha256"]), (201, &json!(side.file())));
}

/// Puts everything of a side into the inventory; its task.
async fn plant(rig: &Rig, side: Side) -> String {
    let Side { tenant, site, serial, mac, key } = side;
    let put = async |path: String, body: Value| {
        let answer = rig.put_json(&path, body).await;
        assert!(answer.status < 300, "{path}: {}", answer.text);
    };
    put(format!("/tenants/{tenant}"), json!({"title": tenant})).await;
    put(format!("/sites/{site}"), json!({"tenant": tenant})).await;
    put(format!("/layers/tenant/{tenant}"), json!({"settings": {}})).await;
    put(format!("/users/{site}@{tenant}"), json!({"role": "viewer", "sites": [site]})).await;
    put(format!("/phones/{mac}"), json!({"model": "X4", "site": site})).await;
    put(format!("/phones/{}", side.other_mac()), json!({"model": "X4", "site": site})).await;
    let account = json!({"user": "20", "password": "x", "server": "pbx"});
    put(format!("/phones/{mac}/accounts/1"), account).await;
    put(format!("/phones/{mac}/keys/1"), json!({"kind": "url", "value": "http://host/"})).await;
    put(format!("/preloads/serial/{serial}-NEW"), json!({"tenant": tenant, "site": site})).await;

    let mut tree = Tree::new();
    let name = ParamPath::parse("Device.DeviceInfo.SoftwareVersion").unwrap();
    tree.learn_value(&name, Text::string("1.0"), NOW);
    let mut batch = Batch::new();
    batch.put(token(&format!("pv_{site}"), Role::Viewer, side.reach(), Some(side.token())));
    batch.put(Record::Device(Box::new(device(serial))));
    batch.put(Record::Tree(side.device(), tree.into()));
    let labels =
        Labels { revision: 1, tenant: tenant.into(), site: site.into(), ..Labels::default() };
    batch.put(Record::Labels(side.device(), labels));
    batch.put(Record::DeviceBackup(Box::new(DeviceBackup {
        id: key,
        device: side.device(),
        at: NOW,
        by: "admin".into(),
        why: "".into(),
        root: device(serial).root,
        model: ("00D09E".into(), "".into()),
        software_version: "1".into(),
        values: Vec::new(),
    })));
    batch.put(Record::Office(OfficeRecord::Bulk(Box::new(BulkRecord {
        id: key,
        created_by: "the matrix".into(),
        token: "".into(),
        rights: Right::ALL.to_vec(),
        created_at: NOW,
        expires_at: NOW,
        asked: json!({"which": {}, "ids": null, "action": {"task": {"action": "reboot"}}, "wake": false})
            .to_string()
            .into(),
        page: None,
        reach: side.reach(),
        after: None,
        total: 1,
        done: 1,
        failed: 0,
        problems: Vec::new(),
        ended_at: Some(NOW),
        cancelled: false,
        left_out: 0,
        stopped: "".into(),
    }))));
    rig.store.commit(batch).await.unwrap();
    plant_of_tenant(rig, side).await;
    let tasks = format!("/devices/{}/tasks", side.device());
    let asked = rig.post(&tasks, json!({"action": "reboot"})).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    asked.json["id"].as_str().unwrap().to_owned()
}
