//! A phone that was moved to CWMP: its file moves it there, and a changed file
//! reaches it by a connection request and a Download.

use std::sync::Arc;
use std::time::Duration;

use provost::http::client_tls;
use provost::simulate::{Blueprint, Cpe, RunnerSettings, SimEvent, start};
use provost::time::{Clock as _, SystemClock};
use serde_json::json;

use crate::lab::Lab;

const MAC: &str = "0c383e07e16c";
const SERIAL: &str = "00100400FV02001000000C383E07E16C";
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_reaches_a_phone_under_cwmp() {
    let lab = Lab::start().await;
    let site = json!({"settings": {"provost:acs": "common"}});
    let phone = json!({"vendor": "fanvil", "model": "X6", "site": "hq"});
    let account = json!({"user": "1001", "server": "pbx.example.net", "password": "secret"});
    for (path, body) in [
        ("/api/v1/sites/hq".to_owned(), site),
        (format!("/api/v1/phones/{MAC}"), phone),
        (format!("/api/v1/phones/{MAC}/accounts/1"), account),
    ] {
        let (status, answer) = lab.call("PUT", &path, &body.to_string()).await;
        assert!(status < 300, "{path}: {answer}");
    }

    let (username, password) = lab.onboarding();
    let acs = format!("http://{}/", lab.addresses().cwmp.unwrap());
    let blueprint = Blueprint::internet_gateway(SERIAL, MAC.parse().unwrap(), 2).unwrap();
    let cpe = Cpe::new(blueprint.with_acs(&acs, &username, password), SystemClock.now());
    let certificate = std::fs::read_to_string(lab.data().join("tls/ca.pem")).unwrap();
    let tls = Some(client_tls(&certificate).unwrap());
    let settings = RunnerSettings { tls, ..RunnerSettings::default() };
    let mut handle = start(cpe, settings, Arc::new(SystemClock)).await.unwrap();
    let first = handle.wait_for(LONG, |event| matches!(event, SimEvent::SessionEnded { .. })).await;
    assert!(matches!(first, Some(SimEvent::SessionEnded { failure: None, .. })), "{first:?}");

    let (_, shown) = lab.call("GET", &format!("/api/v1/phones/{MAC}"), "").await;
    let id = format!("0C383E-SimPhone-{SERIAL}");
    assert!(shown.to_string().contains(&id), "phone and device are one: {shown}");
    let path = format!("/api/v1/devices/{id}/tasks?wait=60");
    let (status, done) = lab.call("POST", &path, r#"{"action":"provision"}"#).await;
    assert_eq!((status, &done["state"]), (200, &json!("accepted")), "{done}");
    assert_eq!(done["wake"]["result"], "woken", "{done}");

    let (_, fetches) = lab.call("GET", &format!("/api/v1/phones/{MAC}/fetches"), "").await;
    let fetches = fetches.to_string();
    assert!(fetches.contains(&format!("{MAC}.cfg")) && fetches.contains("https"), "{fetches}");
}
