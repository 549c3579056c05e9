//! What searches cost in a large inventory, and what the indexes add to a commit.
//!
//! `cargo bench --bench find` fills a store with a million devices on the embedded
//! engine; `cargo bench --bench find -- 100000` with so many. Told are the medians
//! of each search: the first page of 100, and a deep one.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench ends with a panic when something is missing, and tells what it measured"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use provost::access::Reach;
use provost::config::StoreConfig;
use provost::device::{Device, DeviceIdentity, EventCode, Labels, Lessons, Settlement};
use provost::find::{Field, Filter, Finder, Order, Query, Test, Value};
use provost::param::{Extent, Param, ParamPath, Tree, Value as ParamValue};
use provost::store::{self, Batch, Record, Store};
use provost::time::{SystemClock, Timestamp};

/// Searches of which the median is told.
const ROUNDS: usize = 15;

/// Pages that are turned before the deep one.
const DEEP: usize = 20;

/// Commits under way at once.
const AT_ONCE: u64 = 64;

const NOW: i64 = 1_795_205_100_000;

fn device(n: u64) -> Device {
    let makers = ["Acme", "Zyx", "Umbra"];
    let (maker, oui) = (makers[usize::try_from(n % 3).unwrap()], format!("00D0{:02X}", n % 20));
    let class = format!("HG-{}", n % 40);
    let identity = DeviceIdentity::new(maker, &oui, &class, &format!("S{n:011}")).unwrap();
    let [.., b, c, d] = n.to_be_bytes();
    let at = Timestamp::from_millis(NOW - i64::try_from(n % 86_400).unwrap() * 1000);
    Device {
        id: identity.id(),
        identity,
        root: "Device.".into(),
        namespace: "urn:dslforum-org:cwmp-1-2".into(),
        first_seen: Timestamp::from_millis(1),
        last_inform: at,
        last_boot: None,
        last_bootstrap: None,
        last_events: vec![EventCode::Periodic],
        address: Some([100, b, c, d].into()),
        connection_request_url: "http://192.0.2.1:7547/connection".into(),
        software_version: format!("{}.{}", n % 4, n % 100).into(),
        hardware_version: "A".into(),
        provisioning_code: "".into(),
        inform_hash: n,
        tree_read_at: None,
        parameter_count: 300,
        sessions: 1,
        lessons: Lessons::default(),
        settlement: Settlement::default(),
    }
}

fn labels(n: u64) -> Labels {
    let tags = [format!("tag{}", n % 1000).into(), "all".into()];
    let subscriber = [("id".into(), format!("C{n:09}").into())];
    Labels {
        revision: 1,
        tags: tags.into(),
        tenant: format!("tenant{}", n % 50).into(),
        site: format!("site{}", n % 5000).into(),
        subscriber: subscriber.into(),
    }
}

fn mac(n: u64) -> String {
    let [.., b, c, d] = n.to_be_bytes();
    format!("0C:38:3E:{b:02X}:{c:02X}:{d:02X}")
}

fn tree(n: u64) -> Tree {
    let wan = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.";
    let values = [("Username", format!("user{n}@isp")), ("MACAddress", mac(n))];
    Tree::from_entries(values.map(|(name, text)| {
        let value = Some(ParamValue::string(text));
        let param = Param { value, writable: None, read_at: Timestamp::from_millis(1) };
        (ParamPath::parse(&format!("{wan}{name}")).unwrap(), param)
    }))
}

/// CPU time of all threads of this process that are alive.
fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let nanos = tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok());
    Duration::from_nanos(nanos.sum())
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

/// Commits a batch for each of so many devices, and tells what one cost.
async fn commit_all(
    store: &Arc<dyn Store>,
    what: &str,
    count: u64,
    batch: impl Fn(u64) -> Batch + Copy + Send + Sync + 'static,
) {
    let (began, before) = (Instant::now(), cpu());
    let mut tasks = Vec::new();
    for first in 0..AT_ONCE {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut n = first;
            while n < count {
                store.commit(batch(n)).await.unwrap();
                n += AT_ONCE;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let each = (cpu() - before).as_secs_f64() * 1e6 / count as f64;
    println!(
        "{what}: {count} in {:.1?}, {each:.1} µs of CPU each, resident {} MB",
        began.elapsed(),
        resident()
    );
}

fn first_contact(n: u64) -> Batch {
    let device = device(n);
    let mut batch = Batch::from(Record::Labels(device.id.clone(), labels(n)));
    batch.put(Record::Tree(device.id.clone(), Arc::new(tree(n))));
    batch.put(Record::Device(Box::new(device)));
    batch
}

fn periodic(n: u64) -> Batch {
    let mut device = device(n);
    device.sessions = 2;
    device.last_inform = device.last_inform.after(Duration::from_millis(1));
    Record::Device(Box::new(device)).into()
}

fn moved(n: u64) -> Batch {
    let mut device = device(n);
    let [.., b, c, d] = n.to_be_bytes();
    device.address = Some([101, b, c, d].into());
    Record::Device(Box::new(device)).into()
}

fn query(filter: Filter, order: Option<Order>) -> Query {
    let parameters = Extent::Nothing;
    Query { filter, reach: Reach::WHOLE, order, after: None, limit: 100, parameters }
}

async fn median(finder: &Finder, query: &Query) -> (Duration, usize, Option<String>) {
    let mut times = Vec::new();
    let (mut count, mut next) = (0, None);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let page = finder.page(query).await.unwrap();
        times.push(began.elapsed());
        (count, next) = (page.found.len(), page.next);
    }
    times.sort();
    (times[ROUNDS / 2], count, next)
}

async fn tell(finder: &Finder, name: &str, mut query: Query) {
    let (first, count, mut next) = median(finder, &query).await;
    let mut turned = 0;
    while let Some(after) = next.take().filter(|_| turned < DEEP) {
        query.after = Some(after);
        next = finder.page(&query).await.unwrap().next;
        turned += 1;
    }
    let (deep, ..) = median(finder, &query).await;
    println!(
        "{name:44} {count:4} found  first {first:>10.2?}  page {:2} {deep:>10.2?}",
        turned + 1
    );
}

async fn search(finder: &Finder, count: u64) {
    let n = count / 2;
    let known = device(n);
    let text = |field, text: &str| Filter::equals(field, text);
    let by = |field| Some(Order { field, descending: false });
    let back = |field| Some(Order { field, descending: true });
    let since = |seconds: i64| {
        let at = Value::Time(Timestamp::from_millis(NOW - seconds * 1000));
        Filter::Is(Field::LastInform, Test::AtLeast(at))
    };
    let address = known.address.unwrap().to_string();
    let serial = &*known.identity.serial_number;
    let both = Filter::And(vec![text(Field::Tag, "tag8"), text(Field::ProductClass, "HG-8")]);
    let hardware = Filter::Is(Field::HardwareVersion, Test::Contains("Z".into()));
    let rare = Filter::Is(Field::SerialNumber, Test::Contains("777".into()));
    for (name, filter, order) in [
        ("serial number", text(Field::SerialNumber, serial), None),
        ("MAC address", text(Field::Mac, &mac(n)), None),
        ("PPP login", text(Field::Login, &format!("user{n}@isp")), None),
        ("address", text(Field::Ip, &address), None),
        ("subscriber", text(Field::Subscriber(None), &format!("C{n:09}")), None),
        ("tag of a thousandth", text(Field::Tag, "tag8"), None),
        ("tag of all", text(Field::Tag, "all"), None),
        ("model", text(Field::ProductClass, "HG-8"), None),
        ("OUI", text(Field::Oui, "00D008"), None),
        ("manufacturer", text(Field::Manufacturer, "acme"), None),
        ("software version", text(Field::SoftwareVersion, "0.8"), None),
        ("tenant", text(Field::Tenant, "tenant8"), None),
        ("site", text(Field::Site, "site8"), None),
        ("tag and model", both, None),
        (
            "serial number begins",
            Filter::Is(Field::SerialNumber, Test::Begins(serial[..9].into())),
            None,
        ),
        ("all, by last inform", Filter::All, by(Field::LastInform)),
        ("all, by last inform, latest first", Filter::All, back(Field::LastInform)),
        ("informed in the last minute", since(60), back(Field::LastInform)),
        ("model, by last inform", text(Field::ProductClass, "HG-8"), back(Field::LastInform)),
        ("all, by serial number", Filter::All, by(Field::SerialNumber)),
        ("all, by version, greatest first", Filter::All, back(Field::SoftwareVersion)),
        ("no index: part of a serial number", rare, None),
        ("no index: nothing to be found", hardware, None),
    ] {
        tell(finder, name, query(filter, order)).await;
    }
    let reach = Reach::of_tenant("tenant8");
    tell(finder, "a tenant's own", Query { reach, ..query(Filter::All, None) }).await;
    for (name, filter) in [
        ("count of a model", text(Field::ProductClass, "HG-8")),
        ("count of a tag of a thousandth", text(Field::Tag, "tag8")),
        ("count without an index", Filter::Not(Box::new(text(Field::Oui, "00D008")))),
    ] {
        let began = Instant::now();
        let found = finder.count(&filter, &Reach::WHOLE).await.unwrap();
        println!("{name:44} {found} in {:.2?}", began.elapsed());
    }
}

async fn run(count: u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = store::open(&StoreConfig::default(), folder.path()).await.unwrap();
    commit_all(&store, "first contacts", count, first_contact).await;
    commit_all(&store, "periodic commits", count.min(200_000), periodic).await;
    commit_all(&store, "commits with another address", count.min(200_000), moved).await;
    commit_all(&store, "and back", count.min(200_000), periodic).await;
    search(&Finder::new(store.clone(), Arc::new(SystemClock)), count).await;
    store.close().await.unwrap();
    drop(store);
    let began = Instant::now();
    let store = store::open(&StoreConfig::default(), folder.path()).await.unwrap();
    println!("opened again in {:.2?}", began.elapsed());
    store.indexes().indexed().await;
    println!("last informs in order after {:.2?}, resident {} MB", began.elapsed(), resident());
    store.close().await.unwrap();
}

fn main() {
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    // `cargo bench` says so; `cargo test` runs benches as well.
    let measures = std::env::args().any(|argument| argument == "--bench");
    let all = if measures { 1_000_000 } else { 3_000 };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(asked.unwrap_or(all)));
}
