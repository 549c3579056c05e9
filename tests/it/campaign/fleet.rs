//! The real server, fifty simulated devices, and a firmware that is not what its
//! name says.

use provost::simulate::{Blueprint, SimHandle, firmware_image};
use serde_json::{Value, json};

use crate::lab::{Lab, PATIENCE};

const DEVICES: usize = 50;

async fn fleet(lab: &Lab, devices: usize) -> Vec<SimHandle> {
    let mut handles = Vec::new();
    for number in 0..devices {
        let serial = format!("FLEET{number:03}");
        handles.push(lab.run(Blueprint::device2(&serial, 40).unwrap()).await);
    }
    handles
}

/// Uploads a firmware that says it is of a version; the image may be of another.
async fn upload(lab: &Lab, says: &str, is: &str) {
    let path = lab.folder().join(format!("firmware-{says}.bin"));
    std::fs::write(&path, firmware_image(is, 4096).unwrap()).unwrap();
    let file = path.to_str().unwrap();
    let run = lab.provost(&["file", "add", file, "--version", says]).await;
    assert_eq!(run.0, 0, "{}{}", run.1, run.2);
}

async fn versions(lab: &Lab) -> Vec<String> {
    let (_, page) = lab.call("GET", "/api/v1/devices?limit=1000", "").await;
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["software_version"].as_str().unwrap().to_owned()).collect()
}

async fn until(lab: &Lab, name: &str, states: &[&str]) -> Value {
    let waiting = async {
        loop {
            let run = lab.provost(&["--json", "campaign", "show", name, "--watch"]).await;
            assert_eq!(run.0, 0, "{}", run.2);
            let campaign: Value = serde_json::from_str(&run.1).unwrap();
            if states.contains(&campaign["state"].as_str().unwrap()) {
                return campaign;
            }
        }
    };
    tokio::time::timeout(PATIENCE * 2, waiting).await.expect("the campaign does not end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_firmware_is_halted_and_rolled_back_and_a_good_one_reaches_all() {
    let lab = Lab::start().await;
    let _fleet = fleet(&lab, DEVICES).await;
    let old = versions(&lab).await[0].clone();
    upload(&lab, &old, &old).await;
    upload(&lab, "9.0.0", "8.9.9").await;
    upload(&lab, "9.1.0", "9.1.0").await;
    let campaign = |name: &str, version: &str| {
        let text = json!({
            "name": name,
            "why": "fixes the Wi-Fi",
            "target": {"match": "true"},
            "action": {"firmware": {"version": version}},
            "waves": {"canary": 5, "sizes": ["50%"]},
            "pace": {"per_minute": 60_000, "concurrency": 10},
            "attempts": {"most": 1, "patience": "1h"},
            "abort": {"failures": "10%", "minimum": 5, "rollback": "automatic"},
            "health": {"within": "5m"},
        });
        let path = lab.folder().join(format!("{name}.json"));
        std::fs::write(&path, text.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let bad = campaign("bad", "9.0.0");
    let plan = lab.provost(&["--json", "campaign", "plan", &bad]).await;
    assert_eq!(plan.0, 0, "{}", plan.2);
    let plan: Value = serde_json::from_str(&plan.1).unwrap();
    assert_eq!((&plan["devices"], &plan["waves"]), (&json!(50), &json!([5, 20, 25])), "{plan}");
    assert_eq!((&plan["cannot_undo"], &plan["state_unknown"]), (&json!(0), &json!(0)));
    let at_most = plan["at_most_harmed"].as_u64().unwrap();
    assert!(at_most < 25, "{plan}");
    for step in [["campaign", "create", &bad], ["campaign", "start", "bad"]] {
        let run = lab.provost(&step).await;
        assert_eq!(run.0, 0, "{}", run.2);
    }
    let over = until(&lab, "bad", &["rolled_back"]).await;
    let undone = over["totals"]["undone"].as_u64().unwrap();
    assert!((1..=5).contains(&undone), "the canary and no more: {over}");
    assert_eq!(over["totals"]["waiting"].as_u64().unwrap() + undone, 50, "{over}");
    assert!(versions(&lab).await.iter().all(|version| *version == old));
    let history = over["history"].to_string();
    assert!(history.contains("halted: ") && history.contains("rolls back by itself"), "{history}");
    let members = lab.provost(&["campaign", "members", "bad", "--state", "undone"]).await;
    assert_eq!(members.1.lines().count() as u64, 1 + undone, "{}", members.1);

    let good = campaign("good", "9.1.0");
    for step in [["campaign", "create", &good], ["campaign", "start", "good"]] {
        let run = lab.provost(&step).await;
        assert_eq!(run.0, 0, "{}", run.2);
    }
    let over = until(&lab, "good", &["finished", "halted", "rolled_back"]).await;
    assert_eq!((&over["state"], &over["totals"]["done"]), (&json!("finished"), &json!(50)));
    assert!(versions(&lab).await.iter().all(|version| version == "9.1.0"));
}
