//! Two tenants with a thing of every kind, and a third name that has nothing.

use std::collections::BTreeMap;

use axum::http::Method;
use provost::access::{Reach, Role, TokenRecord};
use provost::device::{
    Association, Cause, ChangeSet, Compliance, DeviceBackup, DeviceId, Drift, Event, EventKind,
    Kinship, Labels, Source, TaskId, Teller, ValueChange,
};
use provost::param::{ParamPath, Tree, Value};
use provost::store::{FileRecord, OfficeRecord, Record};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::api::{Answer, NOW, Rig, device, id};

/// A name, and the keys of what has it. Keys of all names have the same length.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) tenant: &'static str,
    pub(super) device: DeviceId,
    pub(super) site: String,
    pub(super) mac: String,
    pub(super) preload: String,
    pub(super) profile: String,
    pub(super) task: String,
    pub(super) plan: String,
    pub(super) campaign: String,
    pub(super) backup: String,
    pub(super) file: String,
    pub(super) sent: String,
}

/// What a name's things are called, whether they are there or not.
fn keys(tenant: &'static str, number: u8) -> Keys {
    let uuid = |kind: u8| format!("00000000-0000-7000-8000-0000000{kind:02}0{number:02}");
    Keys {
        tenant,
        device: id(&format!("{tenant}0")),
        site: format!("{tenant}-hq"),
        mac: format!("0c383e0000{number:02}"),
        // As it is kept.
        preload: format!("{tenant}-next").to_uppercase(),
        profile: format!("{tenant}-wifi"),
        task: uuid(1),
        plan: uuid(2),
        campaign: format!("{tenant}-roll"),
        backup: uuid(3),
        file: format!("{number:064x}"),
        sent: format!("{:064x}", u64::from(number) << 8),
    }
}

impl Keys {
    /// Every text by which something of this name is known.
    pub(super) fn marks(&self) -> Vec<String> {
        let device = self.device.to_string();
        let all = [
            self.tenant,
            &device,
            &self.mac,
            &self.preload,
            &self.task,
            &self.plan,
            &self.campaign,
            &self.backup,
            &self.file,
            &self.sent,
        ];
        all.into_iter().map(str::to_owned).collect()
    }

    /// A path of the table, its keys filled in. What the path is about is the first
    /// key; the others are such as each thing has.
    pub(super) fn path(&self, path: &str) -> String {
        let key = match path {
            _ if path.contains("/tasks/") => self.task.clone(),
            _ if path.contains("/plans/") => self.plan.clone(),
            _ => self.device.to_string(),
        };
        let name = match path {
            _ if path.contains("/sites/") => &self.site,
            _ if path.contains("/profiles/") => &self.profile,
            _ if path.contains("/campaigns/") => &self.campaign,
            _ => self.tenant,
        };
        path.replace("{id}", &key)
            .replace("{name}", name)
            .replace("{mac}", &self.mac)
            .replace("{kind}/{key}", &format!("serial/{}", self.preload))
            .replace("{backup}", &self.backup)
            .replace("{sha256}", &self.file)
            .replace("{version}", "1")
            .replace("{position}", "1")
            .replace("{line}", "1")
    }
}

/// The rig, and two tenants.
pub(super) struct World {
    pub(super) rig: Rig,
    pub(super) alpha: Keys,
    pub(super) beta: Keys,
    /// A name that nothing has.
    pub(super) zeta: Keys,
}

/// The text of a token that the world made.
pub(super) fn token(name: &str) -> String {
    format!("pv_{name}-token-of-the-tests-only-0123456789")
}

/// A token that reaches so far.
pub(super) async fn give_token(rig: &Rig, name: &str, role: Role, reach: Reach) {
    let record = TokenRecord {
        id: hex::encode(&Sha256::digest(name)[..8]).into(),
        revision: 1,
        name: name.into(),
        user: None,
        hash: Sha256::digest(token(name)).into(),
        role,
        rights: None,
        reach,
        created_at: NOW,
        created_by: "test".into(),
        expires_at: None,
        revoked_at: None,
    };
    rig.put(Record::Office(OfficeRecord::Token(Box::new(record)))).await;
}

impl World {
    pub(super) async fn new() -> Self {
        let rig = Rig::open();
        let world =
            Self { rig, alpha: keys("alpha", 1), beta: keys("beta_", 2), zeta: keys("zeta_", 3) };
        let mut world = world;
        for name in ["alpha", "beta_"] {
            give_token(&world.rig, name, Role::Admin, Reach::of_tenant(name)).await;
        }
        let site = Reach { sites: ["alpha-hq".into()].into(), ..Reach::of_tenant("alpha") };
        give_token(&world.rig, "site", Role::Admin, site).await;
        world.alpha = world.people(world.alpha.clone(), world.beta.clone()).await;
        world.beta = world.people(world.beta.clone(), world.alpha.clone()).await;
        let body = json!({"profile": {"match": "true", "parameters": {"Device.X_Y.Name": "hidden-value"}}});
        let made = world.rig.put_json("/profiles/everybody", body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        world
    }

    /// A request with a token of the world.
    pub(super) async fn ask(
        &self,
        name: &str,
        method: Method,
        path: &str,
        body: Option<Json>,
    ) -> Answer {
        let bearer = format!("Bearer {}", token(name));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let path = format!("/api/v1{path}");
        self.rig.bare(method, &path, &[("authorization", &bearer)], body).await
    }

    pub(super) async fn get(&self, name: &str, path: &str) -> Answer {
        self.ask(name, Method::GET, path, None).await
    }

    async fn made(&self, name: &str, method: Method, path: &str, body: Json) -> Json {
        let answer = self.ask(name, method, path, Some(body)).await;
        assert!(matches!(answer.status, 200..=202), "{path}: {}", answer.text);
        answer.json
    }

    /// A thing of every kind, most of them made by the tenant itself.
    async fn people(&self, mut keys: Keys, other: Keys) -> Keys {
        let (rig, tenant) = (&self.rig, keys.tenant);
        records(rig, &keys, &other).await;
        let site = json!({"contacts": [{"name": format!("{tenant} desk"), "number": "1"}]});
        self.made(tenant, Method::PUT, &format!("/sites/{}", keys.site), site).await;
        let phone = json!({"model": "X4", "site": keys.site});
        self.made(tenant, Method::PUT, &format!("/phones/{}", keys.mac), phone).await;
        let expected = json!({"subscriber": {"name": format!("{tenant} Ltd")}});
        let path = format!("/preloads/serial/{}", keys.preload);
        self.made(tenant, Method::PUT, &path, expected).await;
        let layer = json!({"settings": {"provost:note": tenant}});
        let path = format!("/layers/tenant/{tenant}");
        let put = self.ask(tenant, Method::PUT, &path, Some(layer)).await;
        assert!(matches!(put.status, 200 | 201 | 400), "{}", put.text);
        let wanted = json!({"profile": {"match": "true",
            "parameters": {"Device.X_Y.Owner": format!("{tenant} says")}}});
        self.made(tenant, Method::PUT, &format!("/profiles/{}", keys.profile), wanted).await;
        let plan = self.made(tenant, Method::POST, "/plans?wait=20", json!({})).await;
        keys.plan = plan["id"].as_str().unwrap().to_owned();
        let campaign = json!({"name": keys.campaign, "why": format!("{tenant} wants it"),
            "target": {"match": "true"}, "action": {"reboot": {}}});
        let made = self.made(tenant, Method::POST, "/campaigns", campaign).await;
        assert_eq!((&made["tenant"], &made["devices"]), (&json!(tenant), &json!(1)), "{made}");
        let path = format!("/devices/{}/tasks", keys.device);
        let task = self.made(tenant, Method::POST, &path, json!({"action": "reboot"})).await;
        keys.task = task["id"].as_str().unwrap().to_owned();
        let bearer = format!("Bearer {}", token(tenant));
        let path = format!("/api/v1/files?name={tenant}.bin&version={tenant}-1");
        let content = format!("firmware of {tenant}");
        let file = rig.bare(Method::POST, &path, &[("authorization", &bearer)], content).await;
        assert_eq!(file.status, 201, "{}", file.text);
        keys.file = file.json["sha256"].as_str().unwrap().to_owned();
        keys
    }
}

/// What devices, and not people, leave behind.
async fn records(rig: &Rig, keys: &Keys, other: &Keys) {
    let (tenant, id) = (keys.tenant, keys.device.clone());
    let mut device = device(&format!("{tenant}0"));
    device.software_version = format!("{tenant}-1").into();
    rig.put_devices([device.clone()]).await;
    let labels = Labels {
        revision: 1,
        tags: [tenant.into()].into(),
        tenant: tenant.into(),
        site: keys.site.as_str().into(),
        subscriber: BTreeMap::from([("name".into(), format!("{tenant} Ltd").into())]),
    };
    rig.put(Record::Labels(id.clone(), labels)).await;
    let mut tree = Tree::new();
    let path = ParamPath::parse("Device.X_Y.Name").unwrap();
    tree.learn_value(&path, Value::string(format!("{tenant} box")), NOW);
    rig.put(Record::Tree(id.clone(), tree.into())).await;
    let kind = EventKind::Alarm(format!("{tenant} burns").into());
    rig.put(Record::Event(Event { device: id.clone(), at: NOW, kind })).await;
    let changes = vec![ValueChange {
        path: path.as_str().into(),
        before: None,
        after: Some(format!("{tenant} box").into()),
        cause: Cause::Device,
    }];
    rig.put(Record::Changes(Box::new(ChangeSet { device: id.clone(), at: NOW, changes }))).await;
    let number = uuid::Uuid::parse_str(&keys.backup).unwrap().as_u128();
    rig.put(Record::DeviceBackup(Box::new(DeviceBackup {
        id: number,
        device: id.clone(),
        at: NOW,
        by: tenant.into(),
        why: tenant.into(),
        root: device.root.clone(),
        model: ("00D09E".into(), "HG-100".into()),
        software_version: "1".into(),
        values: vec![(path.as_str().into(), Some(Value::string(tenant)))],
    })))
    .await;
    let drift = |of: &str, wanted: &str| Drift {
        path: format!("Device.X_Y.{wanted}").into(),
        wanted: wanted.into(),
        found: Some(format!("{tenant} box").into()),
        since: NOW,
        source: Source { layer: "profile".into(), name: of.into(), version: 1 },
        strayed: true,
        held: "".into(),
        digest: 1,
    };
    rig.put(Record::Compliance(Box::new(Compliance {
        device: id.clone(),
        at: NOW,
        drifts: vec![drift("everybody", "Name"), drift(&keys.profile, "Owner")],
        attempts: 0,
        retry_at: None,
        why: "".into(),
        task: None,
        software_version: "1".into(),
        firmware: None,
    })))
    .await;
    if tenant == "beta_" {
        // Its gateway says that the other's device stands behind it.
        let member = other.device.clone();
        let (teller, kinship) = (Teller::Gateway, Kinship::Associated);
        let word = Association { gateway: id.clone(), member, teller, kinship, since: NOW };
        rig.put(Record::Association(Box::new(word))).await;
    }
    rig.put(Record::File(FileRecord {
        sha256: keys.sent.as_str().into(),
        name: format!("{tenant}.cfg").into(),
        size: 3,
        file_type: "3 Vendor Configuration File".into(),
        version: None,
        uploaded_at: NOW,
        from: Some((id.clone(), TaskId(1))),
        tenant: "".into(),
        shares: Vec::new(),
    }))
    .await;
}
