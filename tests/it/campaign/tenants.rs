//! Campaigns of a tenant: they are about its own devices, now and later.

use provost::config::CampaignsConfig;
use provost::device::{DeviceId, Labels, Outcome, TaskState};
use provost::profile::ProfileRecord;
use provost::rollout::{CampaignRecord, CampaignState, MemberState, Place};
use provost::store::{FileRecord, Record};
use serde_json::json;

use super::rig::{Rig, named, reboot};
use crate::api::NOW;

/// Ten devices, of which the first four are the tenant's.
async fn rig() -> Rig {
    let rig = Rig::with(10, CampaignsConfig::default()).await;
    for number in 0..10 {
        let tenant = if number < 4 { "acme" } else { "zulu" };
        give(&rig, &named(number).id, tenant, 1).await;
    }
    rig
}

async fn give(rig: &Rig, device: &DeviceId, tenant: &str, revision: u32) {
    let labels = Labels { revision, tenant: tenant.into(), ..Labels::default() };
    rig.store.commit(Record::Labels(device.clone(), labels).into()).await.unwrap();
}

#[tokio::test]
async fn a_tenants_campaign_is_about_its_own_devices_whatever_its_target_says() {
    let rig = rig().await;
    let text = reboot(&json!({})).to_string();
    assert_eq!(rig.campaigns.preview(&text, "acme").await.unwrap().devices, 4);
    assert_eq!(rig.campaigns.preview(&text, "").await.unwrap().devices, 10);
    let made = rig.campaigns.create(&text, "x", "acme").await.unwrap();
    assert_eq!((&*made.tenant, made.devices()), ("acme", 4));
    let own: Vec<_> = (0..4).map(|number| named(number).id).collect();
    let members: Vec<_> = rig.members().await.into_iter().map(|member| member.device).collect();
    assert_eq!(members, own);
    // Naming one of another's is like naming one that is not there.
    let list = |id: &str| {
        let text = reboot(&json!({"name": "d", "target": {"devices": [named(0).id, id]}}));
        let campaigns = rig.campaigns.clone();
        let id = id.to_owned();
        async move {
            let error = campaigns.create(&text.to_string(), "x", "acme").await.unwrap_err();
            error.to_string().replace(&id, "?")
        }
    };
    let (foreign, absent) = (named(7).id, named(99).id);
    assert_eq!(list(foreign.as_str()).await, list(absent.as_str()).await);
    assert!(rig.store.fleet().campaign("d").await.unwrap().is_none());
}

#[tokio::test]
async fn a_device_that_becomes_anothers_is_asked_nothing_more() {
    let rig = rig().await;
    let text = reboot(&json!({"waves": {"canary": 2}}));
    rig.campaigns.create(&text.to_string(), "x", "acme").await.unwrap();
    let later = rig.members().await.into_iter().find(|member| member.wave == 1).unwrap();
    rig.campaigns.start("c", "x").await.unwrap();
    rig.until_count(Place::AtWork, 2).await;
    let asked = rig.waiting().await;
    assert_eq!(asked.len(), 2);
    // One that was asked and has not come, and one whose turn has not come.
    give(&rig, &asked[0].device, "zulu", 2).await;
    give(&rig, &later.device, "zulu", 2).await;
    rig.until_count(Place::Skipped, 1).await;
    let withdrawn = rig.store.task(asked[0].id).await.unwrap().unwrap();
    let TaskState::Ended { outcome, .. } = withdrawn.state else { panic!("{withdrawn:?}") };
    assert_eq!(outcome, Outcome::Cancelled, "nobody carries out what others asked");
    rig.serve(|_| Outcome::Applied);
    let over = rig.until_state("finished").await;
    assert_eq!((over.count(Place::Done), over.count(Place::Skipped)), (2, 2));
    let skipped = rig.store.fleet().member("c", &later.device).await.unwrap().unwrap();
    assert_eq!(skipped.asks, 0);
    assert!(matches!(skipped.state, MemberState::Skipped { .. }), "{:?}", skipped.state);
    assert!(rig.store.open_tasks(&later.device).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_tenants_campaign_uses_its_own_files_and_profiles() {
    let rig = rig().await;
    let file = |byte: u8, version: &str, tenant: &str| {
        Record::File(FileRecord {
            sha256: format!("{byte:064x}").into(),
            name: "image.bin".into(),
            size: 1,
            file_type: "1 Firmware Upgrade Image".into(),
            version: Some(version.into()),
            uploaded_at: NOW,
            from: None,
            tenant: tenant.into(),
            shares: Vec::new(),
        })
    };
    for record in [file(1, "2.0", "acme"), file(2, "3.0", "zulu"), file(3, "4.0", "")] {
        rig.store.commit(record.into()).await.unwrap();
    }
    for (name, tenant) in [("own", "acme"), ("theirs", "zulu"), ("shared", "")] {
        let profile = ProfileRecord {
            name: name.into(),
            version: 1,
            text: json!({"match": "'campaign:c' in tags", "parameters": {}}).to_string().into(),
            enabled: true,
            at: NOW,
            by: "x".into(),
            why: "".into(),
            tenant: tenant.into(),
        };
        rig.store.commit(Record::Profile(Box::new(profile)).into()).await.unwrap();
    }
    let told = async |action: serde_json::Value| {
        let text = reboot(&json!({"action": action})).to_string();
        rig.campaigns.preview(&text, "acme").await.map_err(|error| error.to_string())
    };
    assert!(told(json!({"firmware": {"version": "2.0"}})).await.is_ok());
    assert!(told(json!({"firmware": {"file": format!("{:064x}", 1)}})).await.is_ok());
    assert!(told(json!({"profile": {"profile": "own"}})).await.is_ok());
    for version in ["3.0", "4.0", "9.0"] {
        let error = told(json!({"firmware": {"version": version}})).await.unwrap_err();
        assert!(error.contains("no firmware of version"), "{error}");
    }
    let of_file = async |byte: u8| {
        told(json!({"firmware": {"file": format!("{byte:064x}")}})).await.unwrap_err()
    };
    assert_eq!(of_file(2).await, of_file(9).await);
    assert_eq!(of_file(3).await, of_file(9).await);
    for name in ["theirs", "shared", "none"] {
        let error = told(json!({"profile": {"profile": name}})).await.unwrap_err();
        assert!(error.contains(&format!("there is no profile {name}")), "{error}");
    }
}

#[tokio::test]
async fn a_name_is_taken_whoever_has_it_and_no_tenant_has_campaigns_without_end() {
    let rig = rig().await;
    let text = reboot(&json!({})).to_string();
    let made = rig.campaigns.create(&text, "x", "acme").await.unwrap();
    let error = async |tenant| rig.campaigns.create(&text, "x", tenant).await.unwrap_err();
    assert_eq!(error("zulu").await.to_string(), "the name c is taken; choose another one");
    assert!(error("acme").await.to_string().contains("remove it"));
    assert!(error("").await.to_string().contains("remove it"));
    for number in 1..100 {
        let name = format!("c{number}").into();
        let over = CampaignState::Finished { at: NOW };
        let other = CampaignRecord { name, state: over, revision: 1, ..made.clone() };
        rig.store.commit(Record::Campaign(Box::new(other)).into()).await.unwrap();
    }
    let more = reboot(&json!({"name": "more"})).to_string();
    let error = rig.campaigns.create(&more, "x", "acme").await.unwrap_err().to_string();
    assert!(error.contains("100 campaigns already"), "{error}");
    assert!(rig.campaigns.create(&more, "x", "zulu").await.is_ok(), "others have room");
}
