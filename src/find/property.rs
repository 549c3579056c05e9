//! Whatever way a search takes, it finds what looking at every device finds: random
//! fleets under random changes, random filters, reaches and orders, on both engines.

use std::path::Path;
use std::sync::Arc;

use super::tests::device;
use super::{Field, Filter, Finder, Found, Order, Query, Test, Value};
use crate::access::Reach;
use crate::config::{Engine, StoreConfig};
use crate::device::{Device, DeviceId, DeviceIdentity, Labels};
use crate::expr::{Rule, Subject};
use crate::param::{Extent, Param, ParamPath, Tree, Value as ParamValue};
use crate::store::{self, Batch, Change, Record, Store};
use crate::term::Index;
use crate::time::{ManualClock, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);

/// How many different devices there may be.
const DEVICES: usize = 60;

/// A small generator: the same numbers from the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

const LONG_A: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxa";
const LONG_B: &str = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXb";
const MAKERS: [&str; 4] = ["Acme", "ACME", "Ümlaut", ""];
const CLASSES: [&str; 4] = ["HG-100", "hg-100", "HG-200", ""];
const VERSIONS: [&str; 7] = ["1.0", "1.1", "2.0 beta", "2.0 BETA", "", LONG_A, LONG_B];
const ADDRESSES: [&str; 4] = ["192.0.2.1", "192.0.2.10", "2001:db8::1", "::ffff:192.0.2.1"];
const TAGS: [&str; 4] = ["gold", "Gold", "canary", "ärger"];
const TENANTS: [&str; 4] = ["", "north", "North", "south"];
const SITES: [&str; 3] = ["", "hq", "branch"];
const LOGINS: [&str; 4] = ["anna@isp", "Anna@ISP", "berta@isp", LONG_A];
const MACS: [&str; 3] = ["0C:38:3E:00:00:01", "0c-38-3e-00-00-02", "0C383E000101"];

fn serial(n: usize) -> String {
    match n % 3 {
        0 => format!("AB{n:02}"),
        1 => format!("ab{n:02}"),
        _ => format!("0C383E0001{n:02}"),
    }
}

fn id(random: &mut Random) -> DeviceId {
    new_device(random).id
}

fn new_device(random: &mut Random) -> Device {
    let n = random.below(DEVICES);
    let mut device = device("x");
    let class = CLASSES[n % 4];
    device.identity =
        DeviceIdentity::new(random.one_of(&MAKERS), ["00D09E", "ABC"][n % 2], class, &serial(n))
            .unwrap();
    device.id = device.identity.id();
    device.software_version = random.one_of(&VERSIONS).into();
    device.hardware_version = random.one_of(&VERSIONS).into();
    device.address = (!random.chance(4)).then(|| random.one_of(&ADDRESSES).parse().unwrap());
    device.last_inform = Timestamp::from_millis(i64::try_from(random.below(20)).unwrap());
    device.parameter_count = u32::try_from(random.below(9)).unwrap();
    device
}

fn new_labels(random: &mut Random, revision: u32) -> Labels {
    let mut labels = Labels { revision, ..Labels::default() };
    for _ in 0..random.below(3) {
        labels.tags.insert(random.one_of(&TAGS).into());
    }
    labels.tenant = random.one_of(&TENANTS).into();
    labels.site = random.one_of(&SITES).into();
    if random.chance(2) {
        labels.subscriber.insert("pppoe_username".into(), random.one_of(&LOGINS).into());
        labels.subscriber.insert("note".into(), random.one_of(&TAGS).into());
        labels.subscriber.insert("password".into(), random.one_of(&TAGS).into());
    }
    labels
}

fn new_tree(random: &mut Random) -> Tree {
    let mut entries = Vec::new();
    let mut put = |path: &str, text: &str| {
        let value = Some(ParamValue::string(text));
        let param = Param { value, writable: None, read_at: NOW };
        entries.push((ParamPath::parse(path).unwrap(), param));
    };
    for (path, texts) in [
        ("Device.Ethernet.Interface.1.MACAddress", &MACS[..]),
        ("Device.WiFi.SSID.1.BSSID", &MACS),
        ("Device.PPP.Interface.1.Username", &LOGINS),
        ("Device.PPP.Interface.1.IPCP.LocalIPAddress", &ADDRESSES),
        ("Device.DeviceInfo.ModelName", &CLASSES),
    ] {
        if random.chance(2) {
            put(path, random.one_of(texts));
        }
    }
    Tree::from_entries(entries)
}

/// One change of what is known.
async fn change(random: &mut Random, store: &Arc<dyn Store>) {
    let mut batch = Batch::new();
    for _ in 0..=random.below(3) {
        match random.below(9) {
            0..4 => drop(batch.put(Record::Device(Box::new(new_device(random))))),
            4..6 => {
                let id = id(random);
                let is_put = batch.changes().iter().any(
                    |change| matches!(change, Change::Put(Record::Labels(known, _)) if *known == id),
                );
                if !is_put {
                    let before = store.labels(&id).await.unwrap().map_or(0, |old| old.revision);
                    batch.put(Record::Labels(id, new_labels(random, before + 1)));
                }
            }
            6..8 => drop(batch.put(Record::Tree(id(random), Arc::new(new_tree(random))))),
            _ => {
                let alone = Batch::new();
                let before = std::mem::replace(&mut batch, alone);
                store.commit(before).await.unwrap();
                batch.push(Change::ForgetDevice(id(random)));
                if random.chance(2) {
                    batch.put(Record::Device(Box::new(new_device(random))));
                }
                // Revisions that were read before do not hold behind that.
                break;
            }
        }
    }
    store.commit(batch).await.unwrap();
}

fn text_of(random: &mut Random, field: &Field) -> String {
    let n = random.below(DEVICES);
    match field {
        Field::Id => id(random).to_string(),
        Field::Manufacturer => random.one_of(&MAKERS).to_owned(),
        Field::Oui => random.one_of(&["00d09e", "abc"]).to_owned(),
        Field::ProductClass | Field::Parameter(_) => random.one_of(&CLASSES).to_owned(),
        Field::SerialNumber => serial(n),
        Field::SoftwareVersion | Field::HardwareVersion => random.one_of(&VERSIONS).to_owned(),
        Field::Address | Field::Ip => random.one_of(&ADDRESSES).to_owned(),
        Field::Mac => random.one_of(&MACS).to_owned(),
        Field::Login => random.one_of(&LOGINS).to_owned(),
        Field::Tenant => random.one_of(&TENANTS).to_owned(),
        Field::Site => random.one_of(&SITES).to_owned(),
        _ => random.one_of(&TAGS).to_owned(),
    }
}

fn new_field(random: &mut Random) -> Field {
    match random.below(18) {
        0 => Field::Id,
        1 => Field::Manufacturer,
        2 => Field::Oui,
        3 => Field::ProductClass,
        4 => Field::SerialNumber,
        5 => Field::SoftwareVersion,
        6 => Field::HardwareVersion,
        7 => Field::Address,
        8 => Field::Ip,
        9 => Field::Mac,
        10 => Field::Login,
        11 => Field::Tag,
        12 => Field::Tenant,
        13 => Field::Site,
        14 => Field::Subscriber(None),
        15 => Field::Subscriber(Some("note".into())),
        16 => Field::LastInform,
        _ => Field::Parameter(ParamPath::parse("Device.DeviceInfo.ModelName").unwrap()),
    }
}

fn new_test(random: &mut Random, field: &Field) -> Test {
    let value = |random: &mut Random| match field {
        Field::LastInform => {
            Value::Time(Timestamp::from_millis(i64::try_from(random.below(22)).unwrap()))
        }
        _ => Value::Text(text_of(random, field).into()),
    };
    let part = |random: &mut Random| -> Box<str> {
        let text = text_of(random, field);
        let end = random.below(text.chars().count() + 1);
        text.chars().take(end).collect::<String>().to_uppercase().into()
    };
    match random.below(11) {
        0..4 => Test::Equals(value(random)),
        4 => Test::In((0..random.below(6)).map(|_| value(random)).collect()),
        5 => Test::Less(value(random)),
        6 => Test::AtMost(value(random)),
        7 => Test::Greater(value(random)),
        8 => Test::AtLeast(value(random)),
        9 => Test::Begins(part(random)),
        _ if random.chance(2) => Test::Contains(part(random)),
        _ => Test::Exists(random.chance(2)),
    }
}

fn new_filter(random: &mut Random, depth: usize) -> Filter {
    let some =
        |random: &mut Random| (0..random.below(4)).map(|_| new_filter(random, depth - 1)).collect();
    match random.below(if depth == 0 { 6 } else { 10 }) {
        0 => Filter::All,
        1 => Filter::Rule(Arc::new(
            Rule::parse("device.oui == \"ABC\" && device.product_class == \"HG-100\"").unwrap(),
        )),
        6..8 => Filter::And(some(random)),
        8 => Filter::Or(some(random)),
        9 => Filter::Not(Box::new(new_filter(random, depth - 1))),
        _ => {
            let field = new_field(random);
            let test = new_test(random, &field);
            Filter::Is(field, test)
        }
    }
}

fn new_reach(random: &mut Random) -> Reach {
    let mut reach = Reach::WHOLE;
    if random.chance(3) {
        reach.tenant = Some(random.one_of(&TENANTS).into());
    }
    for _ in 0..random.below(8).saturating_sub(5) {
        reach.sites.insert(random.one_of(&SITES).into());
    }
    reach
}

fn new_query(random: &mut Random) -> Query {
    let fields = [
        Field::Id,
        Field::SerialNumber,
        Field::ProductClass,
        Field::SoftwareVersion,
        Field::Address,
        Field::LastInform,
        Field::ParameterCount,
        Field::Tenant,
        Field::Parameter(ParamPath::parse("Device.DeviceInfo.ModelName").unwrap()),
    ];
    let field = fields[random.below(fields.len())].clone();
    let order = Order { field, descending: random.chance(2) };
    Query {
        filter: new_filter(random, 2),
        reach: new_reach(random),
        order: (!random.chance(3)).then_some(order),
        after: None,
        limit: 1 + random.below(12),
        parameters: new_extent(random),
    }
}

fn new_extent(random: &mut Random) -> Extent {
    let texts = ["Device.DeviceInfo.", "Device.PPP.Interface.1.Username", "Device.Nothing"];
    match random.below(6) {
        0 => Extent::Whole,
        1..3 => Extent::beginning(texts.into_iter().filter(|_| random.chance(2))),
        _ => Extent::Nothing,
    }
}

/// What is found by looking at every device.
async fn plainly(store: &Arc<dyn Store>, query: &Query) -> Vec<DeviceId> {
    let mut found = Vec::new();
    for device in store.devices(None, usize::MAX).await.unwrap() {
        let labels = store.labels(&device.id).await.unwrap().unwrap_or_default();
        let tree = store.tree(&device.id).await.unwrap();
        let tree = tree.as_ref();
        let subject = Subject { device: &device, labels: &labels, tree, phone: None, now: NOW };
        if query.reach.sees(&labels.tenant, &labels.site) && query.filter.matches(&subject) {
            found.push(match &query.order {
                Some(order) => order.place(&subject),
                None => Order { field: Field::Id, descending: false }.place(&subject),
            });
        }
    }
    found.sort();
    if query.order.as_ref().is_some_and(|order| order.descending) {
        found.reverse();
    }
    found.into_iter().map(|place| place.id).collect()
}

/// Whether what was asked for of a tree is there, and nothing that the tree has not.
async fn has_its_parameters(finder: &Finder, query: &Query, found: &Found) -> bool {
    let whole = finder.store.tree(&found.device.id).await.unwrap();
    if query.parameters.is_nothing() {
        return found.tree.is_none();
    }
    match (whole, &found.tree) {
        (Some(whole), Some(part)) => {
            let asked = |(path, _): &(&ParamPath, _)| query.parameters.holds(path.as_str());
            whole.iter().filter(asked).all(|(path, param)| part.get(path.as_str()) == Some(param))
                && part.iter().all(|(path, param)| whole.get(path.as_str()) == Some(param))
        }
        (whole, part) => whole.is_none() && part.is_none(),
    }
}

async fn paged(finder: &Finder, mut query: Query) -> Vec<DeviceId> {
    let mut found = Vec::new();
    loop {
        let page = finder.page(&query).await.unwrap();
        assert!(page.found.len() <= query.limit);
        for one in &page.found {
            assert!(has_its_parameters(finder, &query, one).await, "{query:#?}\n{one:#?}");
        }
        found.extend(page.found.into_iter().map(|found| found.device.id));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
}

async fn streamed(finder: &Finder, query: Query) -> Vec<DeviceId> {
    let mut matches = finder.stream(query);
    let mut found = Vec::new();
    while let Some(chunk) = matches.next().await.unwrap() {
        assert!(!chunk.is_empty());
        found.extend(chunk.into_iter().map(|found| found.device.id));
    }
    found
}

async fn ask(random: &mut Random, finder: &Finder, store: &Arc<dyn Store>) {
    let query = new_query(random);
    let expected = plainly(store, &query).await;
    assert_eq!(paged(finder, query.clone()).await, expected, "{query:#?}");
    assert_eq!(streamed(finder, query.clone()).await, expected, "{query:#?}");
    let count = finder.count(&query.filter, &query.reach).await.unwrap();
    assert_eq!(count, expected.len() as u64, "{query:#?}");
}

fn over(store: &Arc<dyn Store>) -> Finder {
    Finder::new(store.clone(), Arc::new(ManualClock::at(NOW)))
}

/// Devices that are forgotten are in no index.
async fn all_forgotten(store: &Arc<dyn Store>) {
    for device in store.devices(None, usize::MAX).await.unwrap() {
        store
            .commit({
                let mut batch = Batch::new();
                batch.push(Change::ForgetDevice(device.id));
                batch
            })
            .await
            .unwrap();
    }
    let indexes = store.indexes();
    let hot = Index::ALL.iter().filter(|index| index.is_whole() || **index == Index::SerialMac);
    for index in hot {
        let left = indexes.entries(*index, &store::TermSpan::All, None, false, 9).await.unwrap();
        assert_eq!(left, [], "{index:?}");
    }
    let all = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
    assert_eq!(indexes.count_informed(all, 9), Some(0));
}

#[tokio::test]
async fn every_way_finds_the_same_in_memory() {
    for seed in 1..=12 {
        let random = &mut Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let store = store::memory(&StoreConfig::default());
        let finder = over(&store);
        for _ in 0..50 {
            for _ in 0..random.below(6) {
                change(random, &store).await;
            }
            ask(random, &finder, &store).await;
        }
        all_forgotten(&store).await;
    }
}

async fn open(folder: &Path) -> Arc<dyn Store> {
    let config = StoreConfig { engine: Engine::Sled, cache: 1 << 20, ..StoreConfig::default() };
    store::open(&config, folder).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_finds_the_same_on_sled_and_after_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let random = &mut Random(0x5DEE_CE66_D1CE_4E5B);
    for round in 0..5 {
        let store = open(folder.path()).await;
        let finder = over(&store);
        if round % 2 == 1 {
            store.indexes().indexed().await;
        }
        for _ in 0..12 {
            ask(random, &finder, &store).await;
            for _ in 0..random.below(5) {
                change(random, &store).await;
            }
        }
        if round == 4 {
            store.indexes().indexed().await;
            all_forgotten(&store).await;
        }
        if round % 3 == 2 {
            // As after a crash: nothing is synced, and the index is caught up.
            drop((finder, store));
        } else {
            store.close().await.unwrap();
        }
    }
}
