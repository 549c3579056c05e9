//! The planner against hand-made devices: obedient ones, ones with small
//! batches, and ones that lie.

mod converge;
mod device;
mod diagnostics;
mod proof;
mod quirks;
mod rpcs;

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::cwmp::{
    AcsRequest, AddObjectResponse, CpeResponse, Fault, FaultCode, FaultCode as Code, ParameterInfo,
    ParameterValue, TransferComplete, TransferResponse,
};
use crate::device::{
    Action, DeviceId, DownloadFile, Learned, Outcome, Phase, Secret, Task, TaskId, TaskState,
};
use crate::param::{ParamPath, Tree, Value, ValueType};
use crate::simulate;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn path(text: &str) -> ParamPath {
    ParamPath::parse(text).unwrap()
}

/// A device as a table, with the ways in which it is odd.
struct Fake {
    values: BTreeMap<String, Value>,
    /// More names than this in one call are answered with 9004.
    batch: usize,
    /// Names that exist in the list of names, but fault when they are read.
    unreadable: Vec<String>,
    /// NextLevel = 0 is answered with an empty list.
    only_next_level: bool,
    /// SetParameterValues says yes and does nothing.
    lies: bool,
    next_instance: u32,
}

impl Fake {
    fn with(count: usize) -> Self {
        let mut values = BTreeMap::new();
        for number in 0..count {
            values.insert(
                format!("Device.X.{}.P{number}", number % 7 + 1),
                Value::string(format!("v{number}")),
            );
        }
        values.insert("Device.DeviceInfo.SoftwareVersion".into(), Value::string("1.0"));
        values.insert("Device.Time.Enable".into(), Value::boolean(false));
        Self {
            values,
            batch: usize::MAX,
            unreadable: Vec::new(),
            only_next_level: false,
            lies: false,
            next_instance: 1,
        }
    }

    fn answer(&mut self, request: &AcsRequest) -> Result<CpeResponse, Fault> {
        match request {
            AcsRequest::GetParameterNames(names) => {
                self.names(names.path.as_ref().map_or("", |p| p.as_str()), names.next_level)
            }
            AcsRequest::GetParameterValues(names) => self.read(&names.names),
            AcsRequest::SetParameterValues(set) => self.write(&set.values),
            AcsRequest::AddObject(_) => {
                let instance = self.next_instance;
                self.next_instance += 1;
                Ok(CpeResponse::AddObject(AddObjectResponse { instance, status: 0 }))
            }
            AcsRequest::DeleteObject(delete) => {
                if !self.lies {
                    self.values.retain(|name, _| !name.starts_with(delete.instance.as_str()));
                }
                Ok(CpeResponse::DeleteObject(0))
            }
            AcsRequest::Download(_) => Ok(CpeResponse::Download(TransferResponse {
                status: 1,
                start_time: "".into(),
                complete_time: "".into(),
            })),
            AcsRequest::Reboot(_) => Ok(CpeResponse::Reboot),
            AcsRequest::FactoryReset => Ok(CpeResponse::FactoryReset),
            _ => Err(fault(Code::METHOD_NOT_SUPPORTED)),
        }
    }

    fn names(&self, below: &str, next_level: bool) -> Result<CpeResponse, Fault> {
        if !next_level && self.only_next_level {
            return Ok(CpeResponse::GetParameterNames(Vec::new()));
        }
        let mut names: Vec<String> = Vec::new();
        for name in self.values.keys().filter(|name| name.starts_with(below)) {
            let rest = &name[below.len()..];
            let cuts: Vec<usize> =
                rest.match_indices('.').map(|(at, _)| below.len() + at + 1).collect();
            if next_level {
                names.push(name[..cuts.first().copied().unwrap_or(name.len())].to_owned());
            } else {
                names.extend(cuts.iter().map(|end| name[..*end].to_owned()));
                names.push(name.clone());
            }
        }
        names.sort();
        names.dedup();
        if names.is_empty() {
            return Err(fault(Code::INVALID_PARAMETER_NAME));
        }
        let infos =
            names.iter().map(|name| ParameterInfo { name: path(name), writable: true }).collect();
        Ok(CpeResponse::GetParameterNames(infos))
    }

    fn read(&self, names: &[ParamPath]) -> Result<CpeResponse, Fault> {
        if names.len() > self.batch {
            return Err(fault(Code::RESOURCES_EXCEEDED));
        }
        let mut values = Vec::new();
        for name in names {
            if self.unreadable.iter().any(|bad| bad == name.as_str()) {
                return Err(fault(Code::INVALID_PARAMETER_NAME));
            }
            let value = self
                .values
                .get(name.as_str())
                .ok_or_else(|| fault(Code::INVALID_PARAMETER_NAME))?;
            values.push(ParameterValue { name: name.clone(), value: value.clone() });
        }
        Ok(CpeResponse::GetParameterValues(values))
    }

    fn write(&mut self, values: &[ParameterValue]) -> Result<CpeResponse, Fault> {
        if values.len() > self.batch {
            return Err(fault(Code::RESOURCES_EXCEEDED));
        }
        if !self.lies {
            for value in values {
                self.values.insert(value.name.to_string(), value.value.clone());
            }
        }
        Ok(CpeResponse::SetParameterValues(0))
    }
}

fn fault(code: FaultCode) -> Fault {
    Fault { code, text: "no".into(), parameters: Vec::new() }
}

fn task(number: u128, action: Action) -> Task {
    Task {
        id: TaskId(number),
        device: DeviceId::parse("00D09E-1").unwrap(),
        revision: 1,
        action,
        created_at: NOW,
        created_by: "test".into(),
        expires_at: NOW.after(std::time::Duration::from_secs(60)),
        state: TaskState::Queued,
        notes: Vec::new(),
        results: Vec::new(),
    }
}

fn situation(tasks: Vec<Task>) -> Situation {
    Situation {
        root: "Device.".into(),
        learned: Learned::assumed(64, 64),
        tasks,
        version: crate::cwmp::Version::V1_2,
        links: HashMap::new(),
        onboarding: None,
        survey: false,
        written: Written::default(),
    }
}

/// What a session came to.
struct Ran {
    requests: Vec<AcsRequest>,
    /// The tasks that had to be recorded before their RPC left, with the
    /// number of requests that had been sent by then.
    recorded_first: Vec<(usize, Task)>,
    changes: Vec<Task>,
    planner: Planner,
}

fn run(situation: Situation, tree: &mut Tree, fake: &mut Fake) -> Ran {
    let mut planner = Planner::new(situation, !tree.is_empty(), NOW);
    let (mut requests, mut recorded_first, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match planner.next(tree, NOW) {
            Step::Satisfied => break,
            Step::Rpc { request, record_first } => {
                if let Some(task) = record_first {
                    recorded_first.push((requests.len(), *task));
                }
                let answer = fake.answer(&request);
                requests.push(request);
                assert!(requests.len() < 5_000, "the planner goes on for ever");
                planner.answer(answer, tree, NOW);
            }
        }
        changes.extend(planner.take_changes());
    }
    changes.extend(planner.take_changes());
    Ran { requests, recorded_first, changes, planner }
}

fn last_state(ran: &Ran, number: u128) -> &'static str {
    ran.changes
        .iter()
        .rev()
        .find(|task| task.id == TaskId(number))
        .map_or("queued", |task| task.state.word())
}

#[test]
fn a_whole_tree_is_read_in_batches() {
    let (mut fake, mut tree) = (Fake::with(300), Tree::new());
    let ran = run(Situation { survey: true, ..situation(Vec::new()) }, &mut tree, &mut fake);
    assert!(ran.planner.surveyed());
    for (name, value) in &fake.values {
        assert_eq!(tree.value(name), Some(value), "{name}");
    }
    // One for the names, and 302 names by 64.
    assert_eq!(ran.requests.len(), 1 + 5);
}

#[test]
fn a_parameter_that_is_gone_is_forgotten() {
    let (mut fake, mut tree) = (Fake::with(5), Tree::new());
    tree.learn_value(&path("Device.Gone.X"), Value::string("old"), NOW);
    let _ = run(Situation { survey: true, ..situation(Vec::new()) }, &mut tree, &mut fake);
    assert!(tree.get("Device.Gone.X").is_none());
}

#[test]
fn q30_batches_are_halved_until_the_device_takes_them() {
    let (mut fake, mut tree) = (Fake { batch: 5, ..Fake::with(100) }, Tree::new());
    let ran = run(Situation { survey: true, ..situation(Vec::new()) }, &mut tree, &mut fake);
    assert_eq!(tree.parameter_count(), 102);
    assert!(
        tree.iter().filter(|(path, _)| !path.is_object()).all(|(_, param)| param.value.is_some())
    );
    assert_eq!(ran.planner.learned().read_batch, 4);
    // Four refusals (64, 32, 16, 8), then everything by fours.
    assert_eq!(ran.requests.len(), 1 + 4 + 102_usize.div_ceil(4));
}

#[test]
fn q30_a_device_without_the_whole_list_is_walked() {
    let (mut fake, mut tree) = (Fake { only_next_level: true, ..Fake::with(30) }, Tree::new());
    let ran = run(Situation { survey: true, ..situation(Vec::new()) }, &mut tree, &mut fake);
    assert_eq!(tree.parameter_count(), 32);
    assert!(!ran.planner.learned().names_in_one, "and the next survey walks at once");
}

#[test]
fn c2_a_tree_that_never_ends_is_left() {
    let mut depth = 0;
    let mut learned = Learned::assumed(64, 64);
    learned.names_in_one = false;
    let mut planner =
        Planner::new(Situation { survey: true, learned, ..situation(Vec::new()) }, false, NOW);
    let mut tree = Tree::new();
    while let Step::Rpc { request: AcsRequest::GetParameterNames(names), .. } =
        planner.next(&mut tree, NOW)
    {
        depth += 1;
        assert!(depth < 2_000);
        let below = names.path.unwrap();
        let child = ParamPath::parse(&format!("{below}{depth}."));
        let back = ParameterInfo { name: path("Device."), writable: false };
        let infos = child
            .map(|name| ParameterInfo { name, writable: false })
            .into_iter()
            .chain([back])
            .collect();
        planner.answer(Ok(CpeResponse::GetParameterNames(infos)), &mut tree, NOW);
    }
    assert!(depth > 10);
}

#[test]
fn q32_one_bad_name_does_not_spoil_the_others() {
    let mut fake = Fake::with(40);
    fake.unreadable = vec!["Device.X.3.P9".into(), "Device.X.1.P0".into()];
    let mut tree = Tree::new();
    let names = fake.values.keys().map(|name| path(name)).collect();
    let ran = run(situation(vec![task(1, Action::Get(names))]), &mut tree, &mut fake);
    assert_eq!(last_state(&ran, 1), "applied");
    assert_eq!(tree.parameter_count(), 40);
    let notes = &ran.changes.last().unwrap().notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
}

#[test]
fn values_are_written_once_and_read_back() {
    let (mut fake, mut tree) = (Fake::with(3), Tree::new());
    tree.learn_value(&path("Device.Time.Enable"), Value::boolean(false), NOW);
    let values = vec![
        (path("Device.Time.Enable"), Value::string("true")),
        (path("Device.X.1.P0"), Value::string("new")),
    ];
    let ran = run(situation(vec![task(1, Action::Set(values))]), &mut tree, &mut fake);
    assert_eq!(last_state(&ran, 1), "applied");
    assert_eq!(ran.requests.len(), 2, "one to write, one to read back");
    let AcsRequest::SetParameterValues(set) = &ran.requests[0] else { panic!() };
    assert_eq!(
        set.values[0].value,
        Value::boolean(true),
        "in the type that the device reported, as 1 (Q11)"
    );
    assert_eq!(tree.text("Device.X.1.P0"), Some("new"));
    assert!(ran.recorded_first.is_empty(), "writing twice does no harm, so it costs no record");
}

#[test]
fn c1_a_device_that_says_yes_and_does_no_is_found_out() {
    let (mut fake, mut tree) = (Fake { lies: true, ..Fake::with(3) }, Tree::new());
    let values = vec![(path("Device.X.1.P0"), Value::string("new"))];
    let ran = run(situation(vec![task(1, Action::Set(values))]), &mut tree, &mut fake);
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } =
        &ran.changes.last().unwrap().state
    else {
        panic!()
    };
    assert_eq!(&*fault.parameters[0].0, "Device.X.1.P0");
    assert_eq!(ran.requests.len(), 2, "and not tried again and again");

    let ran = run(
        situation(vec![task(2, Action::DeleteObject(path("Device.X.1.")))]),
        &mut tree,
        &mut fake,
    );
    assert_eq!(last_state(&ran, 2), "failed");
}

#[test]
fn q42_a_fault_without_names_blames_what_was_asked() {
    let mut tree = Tree::new();
    let values = vec![(path("Device.X.1.P0"), Value::string("new"))];
    let mut planner = Planner::new(situation(vec![task(1, Action::Set(values))]), true, NOW);
    let Step::Rpc { .. } = planner.next(&mut tree, NOW) else { panic!() };
    planner.answer(Err(fault(Code::INVALID_ARGUMENTS)), &mut tree, NOW);
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    let changes = planner.take_changes();
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = &changes[0].state else {
        panic!()
    };
    assert_eq!((fault.code, fault.parameters.len()), (9003, 1));
}

#[test]
fn a_row_is_added_filled_and_read_back() {
    let (mut fake, mut tree) = (Fake::with(3), Tree::new());
    let action = Action::AddObject {
        table: path("Device.NAT.PortMapping."),
        values: vec![("ExternalPort".into(), Value::string("8080"))],
    };
    let ran = run(situation(vec![task(1, action)]), &mut tree, &mut fake);
    assert_eq!(last_state(&ran, 1), "applied");
    assert_eq!(ran.recorded_first[0].0, 0, "recorded as sent before AddObject leaves");
    let AcsRequest::SetParameterValues(set) = &ran.requests[1] else { panic!() };
    assert_eq!(set.values[0].name.as_str(), "Device.NAT.PortMapping.1.ExternalPort");
    assert_eq!(set.values[0].value.kind, ValueType::UnsignedInt, "the schema knows the type");
    let row = ran.changes.iter().find_map(|task| match &task.state {
        TaskState::Sent { phase: Phase::Row { instance }, .. } => Some(*instance),
        _ => None,
    });
    assert_eq!(row, Some(1), "the instance is known before its values are sent");
}

#[test]
fn a_row_without_values_is_looked_for() {
    let (mut fake, mut tree) = (Fake::with(3), Tree::new());
    fake.values.insert("Device.T.1.Name".into(), Value::string("there"));
    let action = Action::AddObject { table: path("Device.T."), values: Vec::new() };
    let ran = run(situation(vec![task(1, action.clone())]), &mut tree, &mut fake);
    assert_eq!((last_state(&ran, 1), ran.requests.len()), ("applied", 2));
    // The next row is promised, but never shows up.
    let ran = run(situation(vec![task(2, action)]), &mut tree, &mut fake);
    assert_eq!(last_state(&ran, 2), "failed");
}

#[test]
fn c3_an_impossible_instance_number_is_a_failure() {
    let (mut fake, mut tree) = (Fake { next_instance: 0, ..Fake::with(1) }, Tree::new());
    let action = Action::AddObject { table: path("Device.T."), values: Vec::new() };
    let ran = run(situation(vec![task(1, action)]), &mut tree, &mut fake);
    assert_eq!(last_state(&ran, 1), "failed");
}

fn download() -> Action {
    Action::Download(DownloadFile {
        sha256: "00".into(),
        file_type: "1 Firmware Upgrade Image".into(),
        name: "image.bin".into(),
        size: 3,
        version: Some("2.0".into()),
    })
}

fn complete(key: &str, code: u32) -> TransferComplete {
    TransferComplete {
        command_key: key.into(),
        fault_code: Code(code),
        fault_string: "".into(),
        start_time: "".into(),
        complete_time: "".into(),
    }
}

#[test]
fn a_download_is_recorded_sent_completed_and_read_back() {
    let (mut fake, mut tree) = (Fake::with(1), Tree::new());
    let mut first = situation(vec![task(7, download())]);
    let link =
        DownloadLink { url: "http://h/f".into(), username: "u".into(), password: Secret::new("p") };
    first.links.insert(TaskId(7), link);
    let ran = run(first, &mut tree, &mut fake);
    assert_eq!(ran.recorded_first.len(), 1);
    let waiting = ran.changes.last().unwrap().clone();
    assert!(matches!(waiting.state, TaskState::Sent { phase: Phase::Transfer, .. }));

    let mut tasks = vec![waiting];
    let key = tasks[0].command_key();
    assert_eq!(settle_transfer(&mut tasks, &complete(&key, 0), NOW), Some(0));
    fake.values.insert("Device.DeviceInfo.SoftwareVersion".into(), Value::string("2.0"));
    let ran = run(situation(tasks.clone()), &mut tree, &mut fake);
    assert_eq!(last_state(&ran, 7), "applied");
    // C4: told once more, it changes nothing.
    let mut over = vec![ran.changes.last().unwrap().clone()];
    assert_eq!(settle_transfer(&mut over, &complete(&key, 9010), NOW), None);

    fake.values.insert("Device.DeviceInfo.SoftwareVersion".into(), Value::string("1.0"));
    let ran = run(situation(tasks), &mut tree, &mut fake);
    assert_eq!(last_state(&ran, 7), "failed", "complete, but the old version runs");
}

#[test]
fn q38_a_transfer_complete_without_a_key_is_the_oldest_open_transfer() {
    let sent = TaskState::Sent { at: NOW, phase: Phase::Transfer };
    let mut tasks = vec![
        Task { state: sent.clone(), ..task(1, Action::Reboot) },
        Task { state: sent.clone(), ..task(2, download()) },
        Task { state: sent, ..task(3, download()) },
    ];
    assert_eq!(settle_transfer(&mut tasks, &complete("", 0), NOW), Some(1));
    assert_eq!(settle_transfer(&mut tasks, &complete("nonsense", 9010), NOW), Some(2));
    assert_eq!(tasks[2].state.word(), "failed");
    assert_eq!(settle_transfer(&mut tasks[..1], &complete("", 0), NOW), None);
}

#[test]
fn nothing_follows_a_reboot_in_the_same_session() {
    let (mut fake, mut tree) = (Fake::with(1), Tree::new());
    let get = Action::Get(vec![path("Device.Time.Enable")]);
    let ran = run(situation(vec![task(1, Action::Reboot), task(2, get)]), &mut tree, &mut fake);
    assert_eq!(ran.requests.len(), 1);
    assert_eq!((last_state(&ran, 1), last_state(&ran, 2)), ("sent", "queued"));
}

#[test]
fn a_task_past_its_deadline_is_never_sent() {
    let (mut fake, mut tree) = (Fake::with(1), Tree::new());
    let late = Task { expires_at: NOW, ..task(1, Action::Reboot) };
    let ran = run(situation(vec![late]), &mut tree, &mut fake);
    assert!(ran.requests.is_empty());
    assert_eq!(last_state(&ran, 1), "expired");
}

#[test]
fn a_break_after_a_once_only_rpc_leaves_it_unknown() {
    let mut tree = Tree::new();
    for (number, action) in [
        (1, Action::Reboot),
        (2, Action::FactoryReset),
        (3, Action::AddObject { table: path("Device.T."), values: Vec::new() }),
    ] {
        let mut planner = Planner::new(situation(vec![task(number, action)]), true, NOW);
        let Step::Rpc { record_first, .. } = planner.next(&mut tree, NOW) else { panic!() };
        assert_eq!(record_first.unwrap().state.word(), "sent");
        planner.abandon(&mut tree, NOW);
        assert_eq!(planner.take_changes()[0].state.word(), "unknown");
    }
    let names = (0..64).map(|number| path(&format!("Device.X.1.P{number}"))).collect();
    let mut planner = Planner::new(situation(vec![task(4, Action::Get(names))]), true, NOW);
    let _ = planner.next(&mut tree, NOW);
    planner.abandon(&mut tree, NOW);
    assert!(planner.take_changes().is_empty(), "reading can be done again");
    assert_eq!(planner.learned().read_batch, 32, "and perhaps it was too much at once");
}

proptest! {
    /// From any device and any list of tasks the planner ends, within a bound
    /// on RPCs, and a second session asks nothing for what is over.
    #[test]
    fn the_planner_ends(
        count in 1_usize..200,
        batch in 1_usize..80,
        only_next_level: bool,
        lies: bool,
        wanted in proptest::collection::vec((0_usize..250, "[a-z]{0,8}"), 1..20),
        unreadable in proptest::collection::vec(0_usize..200, 0..4),
    ) {
        let mut fake = Fake { batch, only_next_level, lies, ..Fake::with(count) };
        fake.unreadable = unreadable.iter().map(|number| format!("Device.X.{}.P{number}", number % 7 + 1)).collect();
        let values: Vec<_> = wanted
            .iter()
            .map(|(number, text)| (path(&format!("Device.X.{}.P{number}", number % 7 + 1)), Value::string(text.as_str())))
            .collect();
        let names = values.iter().map(|(name, _)| name.clone()).collect();
        let mut tree = Tree::new();
        let tasks = vec![task(1, Action::Set(values)), task(2, Action::Get(names)), task(3, Action::Reboot)];
        let ran = run(Situation { survey: true, ..situation(tasks) }, &mut tree, &mut fake);
        let bound = 40 + 8 * (count + wanted.len());
        prop_assert!(ran.requests.len() < bound, "{} of {bound}", ran.requests.len());
        prop_assert!(matches!(last_state(&ran, 1), "applied" | "failed"));
        prop_assert!(matches!(last_state(&ran, 2), "applied" | "failed"));
        prop_assert_eq!(last_state(&ran, 3), "sent");
        let open: Vec<Task> = ran.changes.iter().rev().take(1).cloned().collect();
        let again = run(situation(open), &mut tree, &mut fake);
        prop_assert!(again.requests.is_empty(), "a reboot that waits for the device is not sent again");
    }
}
