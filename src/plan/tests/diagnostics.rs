//! Diagnostics of devices that do not tell an object in one, that refuse usual
//! values, that fall silent, and that tell without end.

use super::*;
use crate::cwmp::SetParameterValues;
use crate::device::{Diagnostic, DiagnosticKind, MAX_RESULTS};

const PING: &str = "Device.IP.Diagnostics.IPPing.";
const ROUTE: &str = "Device.IP.Diagnostics.TraceRoute.";

fn diagnose(kind: DiagnosticKind, phase: Option<Phase>) -> Task {
    let inputs = vec![("Host".into(), "example.net".into())];
    let mut task = task(1, Action::Diagnose(Diagnostic { kind, inputs }));
    if let Some(phase) = phase {
        task.state = TaskState::Sent { at: NOW, phase };
    }
    task
}

/// A tree that shows the object with one of its usual inputs.
fn shown(object: &str) -> Tree {
    let mut tree = Tree::new();
    for name in ["DiagnosticsState", "Host", "Timeout"] {
        tree.learn_name(&path(&format!("{object}{name}")), true, NOW);
    }
    tree
}

fn told(object: &str, values: &[(&str, &str)]) -> Vec<ParameterValue> {
    let value = |(name, text): &(&str, &str)| ParameterValue {
        name: path(&format!("{object}{name}")),
        value: Value::string(*text),
    };
    values.iter().map(value).collect()
}

/// Runs a session in which `answer` is the device.
fn session(
    task: Task,
    mut tree: Tree,
    mut answer: impl FnMut(&AcsRequest) -> Result<CpeResponse, Fault>,
) -> (Task, Vec<AcsRequest>) {
    let mut planner = Planner::new(situation(vec![task.clone()]), true, NOW);
    let (mut last, mut asked) = (task, Vec::new());
    while let Step::Rpc { request, record_first } = planner.next(&mut tree, NOW) {
        last = record_first.map_or(last, |task| *task);
        asked.push(request.clone());
        assert!(asked.len() < 1000, "it goes on for ever");
        planner.answer(answer(&request), &mut tree, NOW);
        last = planner.take_changes().pop().unwrap_or(last);
    }
    (planner.take_changes().pop().unwrap_or(last), asked)
}

fn written(request: &AcsRequest) -> Vec<&str> {
    let AcsRequest::SetParameterValues(SetParameterValues { values, .. }) = request else {
        panic!("{request:?}")
    };
    values.iter().map(|value| value.name.leaf()).collect()
}

#[test]
fn case_11_usual_values_that_are_refused_are_left_out() {
    let mut refusals = 1;
    let (task, asked) = session(diagnose(DiagnosticKind::Ping, None), shown(PING), |_| {
        refusals -= 1;
        if refusals < 0 {
            Ok(CpeResponse::SetParameterValues(0))
        } else {
            Err(fault(Code::INVALID_ARGUMENTS))
        }
    });
    assert!(matches!(task.state, TaskState::Sent { phase: Phase::Diagnostics, .. }), "{task:?}");
    assert_eq!(written(&asked[0]), ["Host", "Timeout", "DiagnosticsState"], "the request last");
    assert_eq!(written(&asked[1]), ["Host", "DiagnosticsState"]);
    let (task, asked) = session(diagnose(DiagnosticKind::Ping, None), shown(PING), |_| {
        Err(fault(Code::REQUEST_DENIED))
    });
    assert_eq!((task.state.word(), asked.len()), ("failed", 2));
}

#[test]
fn case_11_an_order_without_an_answer_is_unknown_and_never_repeated() {
    let mut tree = shown(PING);
    let mut planner =
        Planner::new(situation(vec![diagnose(DiagnosticKind::Ping, None)]), true, NOW);
    let Step::Rpc { record_first, .. } = planner.next(&mut tree, NOW) else { panic!() };
    let recorded = record_first.expect("recorded before it leaves");
    assert!(matches!(recorded.state, TaskState::Sent { phase: Phase::Response, .. }));
    planner.abandon(&mut tree, NOW);
    assert_eq!(planner.take_changes().pop().unwrap().state.word(), "unknown");
}

#[test]
fn c11_results_that_are_not_told_in_one_are_read_by_name_and_capped() {
    let task = diagnose(DiagnosticKind::TraceRoute, Some(Phase::ReadBack));
    let (task, asked) = session(task, shown(ROUTE), |request| {
        let AcsRequest::GetParameterValues(asked) = request else { panic!("{request:?}") };
        if asked.names.iter().any(ParamPath::is_object) {
            return Err(fault(Code::RESOURCES_EXCEEDED));
        }
        let text = |name: &ParamPath| match name.leaf() {
            "DiagnosticsState" => "Complete",
            "RouteHopsNumberOfEntries" => "1000000",
            _ => "1",
        };
        let values = asked
            .names
            .iter()
            .map(|name| ParameterValue { name: name.clone(), value: Value::string(text(name)) });
        Ok(CpeResponse::GetParameterValues(values.collect()))
    });
    assert_eq!(task.state.word(), "applied", "{:?}", task.state);
    assert!(task.results.len() <= MAX_RESULTS && task.results.len() > 900);
    assert!(asked.len() < 50, "{}", asked.len());
    let names: Vec<&str> = task.results.iter().map(|result| &*result.name).collect();
    let first = names.iter().position(|name| name.starts_with("RouteHops.")).unwrap();
    assert_eq!(&names[first..first + 2], ["RouteHops.1.Host", "RouteHops.1.HostAddress"]);
    assert_eq!(names[first + 4], "RouteHops.2.Host");
}

#[test]
fn c11_two_hundred_thousand_values_end_in_a_thousand_results() {
    let task = diagnose(DiagnosticKind::TraceRoute, Some(Phase::ReadBack));
    let (task, _) = session(task, shown(ROUTE), |_| {
        let mut values = told(ROUTE, &[("DiagnosticsState", "Complete"), ("Host", "x")]);
        let row = |row: u32| ParameterValue {
            name: path(&format!("{ROUTE}RouteHops.{row}.Host")),
            value: Value::string("h".repeat(2000)),
        };
        let first = row(1);
        values.push(first.clone());
        values.extend(
            (2..200_000)
                .map(|number| ParameterValue { name: row(number).name, value: Value::string("h") }),
        );
        Ok(CpeResponse::GetParameterValues(values))
    });
    assert!(task.results.len() <= MAX_RESULTS);
    assert!(task.results.iter().all(|result| result.value.len() <= 1024), "texts are cut");
}

#[test]
fn case_11_the_end_of_another_diagnostic_is_not_this_ones() {
    let task = diagnose(DiagnosticKind::Ping, Some(Phase::ReadBack));
    let (task, asked) = session(task, shown(PING), |_| {
        let values = told(PING, &[("DiagnosticsState", "Requested")]);
        Ok(CpeResponse::GetParameterValues(values))
    });
    assert_eq!(asked.len(), 1);
    let waits = matches!(task.state, TaskState::Sent { at: NOW, phase: Phase::Diagnostics });
    assert!(waits, "it waits on, and its time runs on: {task:?}");
}

#[test]
fn case_11_an_old_place_is_found_where_the_tree_shows_it() {
    let old = "Device.LAN.IPPingDiagnostics.";
    let (_, asked) = session(diagnose(DiagnosticKind::Ping, None), shown(old), |_| {
        Ok(CpeResponse::SetParameterValues(0))
    });
    let AcsRequest::SetParameterValues(set) = &asked[0] else { panic!() };
    assert!(set.values.iter().all(|value| value.name.as_str().starts_with(old)));
    // A tree that shows nothing: the device is asked, and shows the newer place.
    let (task, asked) = session(diagnose(DiagnosticKind::Ping, None), Tree::new(), |request| {
        Ok(match request {
            AcsRequest::GetParameterNames(_) => {
                let info = ParameterInfo { name: path(&format!("{PING}Host")), writable: true };
                CpeResponse::GetParameterNames(vec![info])
            }
            _ => CpeResponse::SetParameterValues(0),
        })
    });
    assert_eq!((task.state.word(), asked.len()), ("sent", 2));
}
