//! The way of an operator with the real binary and a simulated device: plan,
//! apply, explain, a second plan, roll back.

use provost::simulate::Blueprint;

use super::CANARY;
use crate::cli::{Run, provost};
use crate::lab::Lab;

const DEVICE: &str = "00D09E-SimGateway-HOME";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_planned_applied_explained_and_rolled_back() {
    let lab = Lab::start().await;
    let _home = lab.run(Blueprint::device2("HOME", 80).unwrap()).await;
    let data = lab.data();
    let run = async |arguments: &[&str]| -> Run {
        let mut all = vec!["--data", data.to_str().unwrap()];
        all.extend(arguments);
        provost(&data, &all, "").await
    };
    let file = data.join("time.toml");
    let text = |server: &str| {
        format!(
            "match = \"device.oui == '00D09E'\"\n\n[parameters]\n\
             \"Device.Time.NTPServer1\" = \"{server}\"\n\
             \"Device.WiFi.AccessPoint.1.Security.KeyPassphrase\" = \"{CANARY}\"\n"
        )
    };
    std::fs::write(&file, text("ntp.example.net")).unwrap();
    let file = file.to_str().unwrap();

    let planned = run(&["plan", file, "--json"]).await;
    assert_eq!(planned.code, 0, "{}", planned.err);
    let plan = planned.json();
    assert_eq!(plan["summary"]["changing"], 1, "{plan}");
    let told = run(&["plan", file]).await.out;
    assert!(told.contains("pool.ntp.org") && told.contains("ntp.example.net"), "{told}");
    assert!(told.contains("provost apply "), "{told}");
    let server = run(&["device", "get", DEVICE, "Device.Time.NTPServer1"]).await;
    assert!(server.out.contains("pool.ntp.org"), "nothing was sent: {}", server.out);

    let applied = run(&["apply", plan["id"].as_str().unwrap(), "--wake"]).await;
    assert_eq!(applied.code, 0, "{}", applied.err);
    let brought = run(&["device", "apply", DEVICE]).await;
    assert_eq!(brought.code, 0, "{}{}", brought.out, brought.err);
    let server = run(&["device", "get", DEVICE, "Device.Time.NTPServer1"]).await;
    let drift = run(&["drift", "--json"]).await.out;
    assert!(server.out.contains("ntp.example.net"), "{}{}{drift}", server.out, brought.out);

    let explained = run(&["explain", DEVICE, "Device.Time."]).await;
    assert!(explained.out.contains("time@1"), "{}{}", explained.out, explained.err);
    assert!(explained.out.contains("satisfied"), "{}", explained.out);
    let again = run(&["plan", "--json"]).await.json();
    assert_eq!(
        (&again["summary"]["changing"], &again["summary"]["satisfied"]),
        (&0.into(), &1.into()),
        "{again}"
    );
    let calm = run(&["drift"]).await;
    assert!(calm.out.contains("every device is as it is wanted"), "{}", calm.out);

    std::fs::write(file, text("other.example.net")).unwrap();
    assert_eq!(run(&["profile", "put", file, "--why", "a try"]).await.code, 0);
    assert_eq!(run(&["profile", "rollback", "time", "1"]).await.code, 0);
    let history = run(&["profile", "history", "time"]).await.out;
    assert!(history.contains("a try") && history.contains("back to version 1"), "{history}");
    let shown = run(&["profile", "show", "time"]).await.out;
    for text in [&told, &explained.out, &history, &shown, &lab.log()] {
        assert!(!text.contains(CANARY), "{text}");
    }
    let file = data.join("shown.toml");
    std::fs::write(&file, shown).unwrap();
    let same = run(&["plan", file.to_str().unwrap(), "--json"]).await.json();
    assert_eq!(same["summary"]["changing"], 0, "what was shown is what is stored: {same}");
}
