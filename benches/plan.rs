//! What a plan over the whole fleet costs: devices per second, and memory.
//!
//! `cargo bench --bench plan` fills a store on disk with 100,000 devices of 300
//! parameters and plans three changes over them: one that changes every device,
//! one that is about a hundredth of them, and one that is about none. Another
//! number of devices: `cargo bench --bench plan -- 10000`. Run as a test, it plans
//! over a few.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and ends with a panic when something is missing"
)]

use std::sync::Arc;
use std::time::Instant;

use provost::config::StoreConfig;
use provost::device::{Device, DeviceIdentity, EventCode, Learned, Lessons};
use provost::expr::Rule;
use provost::fleet::{Fleet, FleetPlanner, Progress, Proposal};
use provost::param::{Param, ParamPath, Tree, Value};
use provost::profile::{Profile, ProfileRecord};
use provost::store::{self, Batch, Record, Store, Vault};
use provost::time::{SystemClock, Timestamp};

const PARAMETERS: u32 = 300;
const BATCH: u32 = 500;
const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);

fn device(number: u32) -> Device {
    let identity =
        DeviceIdentity::new("Maker", "00D09E", "Gateway", &format!("{number:09}")).unwrap();
    Device {
        settlement: provost::device::Settlement::default(),
        id: identity.id(),
        identity,
        root: "Device.".into(),
        namespace: "urn:dslforum-org:cwmp-1-2".into(),
        first_seen: NOW,
        last_inform: NOW,
        last_boot: None,
        last_bootstrap: None,
        last_events: vec![EventCode::Periodic],
        address: Some([192, 0, 2, 1].into()),
        connection_request_url: "http://192.0.2.1:7547/connection".into(),
        software_version: format!("1.0.{}", number % 100).into(),
        hardware_version: "A".into(),
        provisioning_code: "".into(),
        inform_hash: u64::from(number),
        tree_read_at: Some(NOW),
        parameter_count: PARAMETERS,
        sessions: 1,
        lessons: Lessons::default(),
    }
}

fn tree(number: u32) -> Tree {
    let mut tree = Tree::new();
    let mut put = |name: &str, value: Value| {
        let path = ParamPath::parse(name).unwrap();
        tree.insert(path, Param { value: Some(value), writable: Some(true), read_at: NOW });
    };
    put("Device.Time.NTPServer1", Value::string("old.example.net"));
    put("Device.WiFi.SSID.1.SSID", Value::string(format!("Home-{number}")));
    for n in 2..PARAMETERS {
        let name =
            format!("Device.X_EXAMPLE_Section{}.Table.{}.Leaf{}", n % 10, n / 40 + 1, n % 40);
        put(&name, Value::unsigned(n * number % 100_000));
    }
    tree
}

async fn fill(store: &Arc<dyn Store>, devices: u32) {
    for first in (0..devices).step_by(usize::try_from(BATCH).unwrap()) {
        let mut batch = Batch::new();
        for number in first..(first + BATCH).min(devices) {
            let device = device(number);
            batch.put(Record::Tree(device.id.clone(), tree(number).into()));
            batch.put(Record::Device(Box::new(device)));
        }
        store.commit(batch).await.unwrap();
    }
}

fn record(name: &str, text: &str) -> ProfileRecord {
    let profile = Profile::parse(&format!("name = \"{name}\"\n{text}")).unwrap();
    ProfileRecord {
        name: name.into(),
        version: 1,
        text: profile.to_json().into(),
        enabled: true,
        at: NOW,
        by: "bench".into(),
        why: "".into(),
        tenant: "".into(),
    }
}

/// Profiles that are in force besides: they want of a device what it has.
fn in_force() -> Vec<ProfileRecord> {
    let one = |number: u32| {
        let text = format!(
            "match = \"device.software_version == '1.0.{number}'\"\n\
             [parameters]\n\"Device.Time.NTPServer1\" = \"old.example.net\"\n"
        );
        record(&format!("version-{number}"), &text)
    };
    (0..49).map(one).collect()
}

/// Memory of this process that is resident, in MB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096 / 1_000_000
}

#[tokio::main]
async fn main() {
    // As a test it is given `--test` or nothing, as a bench `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let asked = arguments.iter().find_map(|argument| argument.parse().ok());
    let devices: u32 = asked.unwrap_or(if is_bench { 100_000 } else { 300 });
    let folder = tempfile::tempdir().unwrap();
    let store = store::open(&StoreConfig::default(), folder.path()).await.unwrap();
    fill(&store, devices).await;
    let filled = resident();
    let fleet = Fleet::new(store.clone(), &Vault::ephemeral(), Learned::assumed(128, 64));
    let planner = FleetPlanner::new(fleet, Arc::new(SystemClock));
    println!("{devices} devices of {PARAMETERS} parameters, 49 profiles in force, {filled} MB");
    let want = "[parameters]\n\"Device.Time.NTPServer1\" = \"new.example.net\"\n";
    for (what, rule) in [
        ("every device", ""),
        ("a hundredth", "match = \"device.software_version == '1.0.77'\"\n"),
        ("none", "match = \"has_tag('nobody')\"\n"),
    ] {
        let before = in_force();
        let mut after = before.clone();
        after.push(record("new", &format!("priority = 9\n{rule}{want}")));
        let rule = Rule::parse("").unwrap();
        let proposal = Arc::new(Proposal::new(&before, &after, rule).unwrap());
        let begun = Instant::now();
        let progress = Progress::default();
        let made = planner.survey(proposal, 20, &progress).await.unwrap();
        let (summary, _) = made.unwrap();
        let took = begun.elapsed().as_secs_f64();
        assert_eq!(summary.devices, u64::from(devices));
        println!(
            "a change of {what}: {} of {devices} devices change; {took:.2} s, {:.0} devices a second; {} MB resident",
            summary.changing,
            f64::from(devices) / took,
            resident(),
        );
    }
    store.close().await.unwrap();
}
