//! First contact at the real server.

use provost::device::EventCode;
use provost::simulate::{Blueprint, SimEvent, SimHandle};
use serde_json::{Value, json};

use crate::acs::inform;
use crate::acs::wire::Wire;
use crate::cli::{Run, provost};
use crate::lab::{Lab, PATIENCE};

async fn run(lab: &Lab, arguments: &[&str]) -> Run {
    let data = lab.data();
    let mut all = vec!["--data", data.to_str().unwrap()];
    all.extend(arguments);
    let run = provost(&data, &all, "").await;
    assert_eq!(run.code, 0, "{arguments:?}: {}{}", run.out, run.err);
    run
}

/// The device informs once more, and its session ends.
async fn comes(device: &mut SimHandle) {
    device.raise(EventCode::Periodic).await;
    let ended =
        device.wait_for(PATIENCE, |event| matches!(event, SimEvent::SessionEnded { .. })).await;
    assert!(matches!(ended, Some(SimEvent::SessionEnded { failure: None, .. })), "{ended:?}");
}

async fn get(lab: &Lab, path: &str) -> Value {
    let (status, json) = lab.call("GET", &format!("/api/v1{path}"), "").await;
    assert_eq!(status, 200, "{path}: {json}");
    json
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_from_a_table_is_given_its_labels_when_it_appears() {
    let lab = Lab::with(&["admission.unknown=quarantine"]).await;
    let table = lab.folder().join("devices.csv");
    std::fs::write(
        &table,
        "serial,tags,site,subscriber.id,subscriber.pppoe_password\nhome1,gold,hq,4711,s3cret\n",
    )
    .unwrap();
    let table = table.to_str().unwrap();
    assert!(run(&lab, &["preload", "import", table]).await.out.starts_with("new 1,"));
    let _home = lab.run(Blueprint::device2("HOME1", 40).unwrap()).await;
    let id = "00D09E-SimGateway-HOME1";
    let device = run(&lab, &["device", "show", id, "--json"]).await.json();
    assert_eq!((&device["tags"], &device["site"]), (&json!(["gold"]), &json!("hq")));
    assert_eq!(device["subscriber"], json!({"id": "4711", "pppoe_password": "***"}));
    assert!(device["parameter_count"].as_u64().unwrap() >= 40, "and it was served: {device}");
    let preload = run(&lab, &["preload", "show", "serial/home1", "--json"]).await.json();
    assert_eq!(preload["taken_by"], id);
    let labels = ["device", "label", id, "--tag", "+vip", "--tag", "-gold", "--site", ""];
    let labelled = run(&lab, &[&labels[..], &["--subscriber", "id=4712", "--json"]].concat()).await;
    assert_eq!(labelled.json()["tags"], json!(["vip"]));
    assert_eq!(labelled.json()["subscriber"]["id"], "4712");
    let listed = run(&lab, &["device", "list", "--subscriber", "4712", "--json"]).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(!lab.log().contains("s3cret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_device_waits_until_it_is_adopted() {
    let lab = Lab::with(&["admission.unknown=quarantine"]).await;
    let mut device = lab.run(Blueprint::device2("NEW1", 40).unwrap()).await;
    let id = "00D09E-SimGateway-NEW1";
    assert_eq!(get(&lab, "/devices").await["items"], json!([]), "it was asked nothing");
    let waiting = run(&lab, &["stranger", "list"]).await.out;
    assert!(waiting.contains(id) && waiting.contains("waiting"), "{waiting}");
    comes(&mut device).await;
    assert_eq!(get(&lab, "/devices").await["items"], json!([]));
    let dry = run(&lab, &["stranger", "adopt", "--match", "device.oui == '00D09E'", "--dry-run"]);
    assert!(dry.await.out.starts_with("the rule is about 1 that wait"));
    assert!(run(&lab, &["stranger", "adopt", id]).await.out.contains("when it comes next"));
    comes(&mut device).await;
    let known = get(&lab, &format!("/devices/{id}")).await;
    assert!(known["parameter_count"].as_u64().unwrap() >= 40, "{known}");
    assert_eq!(get(&lab, "/strangers").await["items"], json!([]));
    let events = get(&lab, &format!("/devices/{id}/events?kind=taken_in")).await;
    assert_eq!(events["items"][0]["text"], "adopted by admin");
}

#[tokio::test]
async fn rules_the_cap_and_denials_hold_at_the_door() {
    let rules =
        "admission.rules=[{match = \"device.serial.startsWith('BAD')\", action = \"deny\"}]";
    let sets = ["cwmp.auth=open", "admission.unknown=quarantine", "admission.cap=2", rules];
    let lab = Lab::with(&sets).await;
    let at = lab.addresses().cwmp.unwrap();
    let post = async |serial: &str| Wire::connect(at).await.post(&inform(serial).1, &[]).await;
    assert_eq!(post("BAD1").await.status, 403);
    for serial in ["1", "2"] {
        let answer = post(serial).await;
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains("InformResponse"));
    }
    let full = post("3").await;
    assert_eq!(full.status, 503);
    let seconds: u64 = full.headers("retry-after")[0].parse().unwrap();
    assert!((600..1200).contains(&seconds), "{seconds}");
    let health = get(&lab, "/health").await;
    assert_eq!(
        (&health["status"], &health["quarantine"]["waiting"]),
        (&json!("degraded"), &json!(2))
    );
    assert!(lab.log().contains("the quarantine is full"), "{}", lab.log());
    let (status, denied) = lab.call("POST", "/api/v1/strangers/00D09E-SimGateway-1/deny", "").await;
    assert_eq!((status, &denied["decision"]), (200, &json!("denied")));
    assert_eq!(post("1").await.status, 403);
    assert_eq!(post("3").await.status, 200, "there is a place again");
    assert_eq!(get(&lab, "/health").await["status"], "ok");
    let bad = provost(
        &lab.data(),
        &["check-config", "--set", &rules.replace("startsWith", "begins")],
        "",
    )
    .await;
    assert_ne!(bad.code, 0);
    assert!(bad.error().contains("admission.rules[1].match"), "{}", bad.err);
}

/// What a device that waits sends next must not be taken for the message of a
/// neighbour's session: the neighbour's secrets would go to it.
#[tokio::test]
async fn one_that_waits_hears_nothing_of_the_session_of_a_neighbour_at_its_address() {
    let lab = Lab::with(&["cwmp.auth=open", "admission.unknown=quarantine"]).await;
    let at = lab.addresses().cwmp.unwrap();
    let (status, _) = lab.call("PUT", "/api/v1/preloads/serial/HOME", "{}").await;
    assert_eq!(status, 201);
    let mut home = Wire::connect(at).await;
    let cookie = home.post(&inform("HOME").1, &[]).await.cookie();
    // On the neighbour's very connection, as behind a proxy, and on one of its own;
    // with the cookie and without.
    let mut stranger = Wire::connect(at).await;
    let own = stranger.post(&inform("STRANGER").1, &[]).await.cookie();
    assert_ne!(own, cookie);
    let mut without = Wire::connect(at).await;
    assert_eq!(without.post(b"", &[]).await.status, 204);
    assert_eq!(home.post(&inform("PROXIED").1, &[]).await.status, 200);
    assert_eq!(home.post(b"", &[]).await.status, 204);
    let mut with = Wire::connect(at).await;
    assert_eq!(with.post(b"", &[("Cookie", &own)]).await.status, 204);
    let mut again = Wire::connect(at).await;
    assert_eq!(again.post(b"", &[("Cookie", &cookie)]).await.status, 200, "home is asked");
}
