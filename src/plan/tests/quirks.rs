//! What devices cannot take, and what the planner learns from it.

use std::time::Duration;

use super::*;
use crate::cwmp::ParameterFault;
use crate::device::{Ability, Lesson, ModelKey, ModelWishes};

fn planner(situation: Situation, tree: &Tree) -> Planner {
    Planner::new(situation, !tree.is_empty(), NOW)
}

/// The next request.
fn asked(planner: &mut Planner, tree: &mut Tree) -> AcsRequest {
    match planner.next(tree, NOW) {
        Step::Rpc { request, .. } => request,
        Step::Satisfied => panic!("nothing is asked"),
    }
}

/// The outcome of the task that changed last.
fn outcome(planner: &mut Planner) -> Outcome {
    let task = planner.take_changes().pop().unwrap();
    let TaskState::Ended { outcome, .. } = task.state else { panic!("{:?}", task.state) };
    outcome
}

fn lesson<'a>(planner: &'a Planner, like: &Ability) -> &'a Lesson {
    planner.learned().own_lesson(like).expect("a lesson")
}

fn names(list: &[&str]) -> Result<CpeResponse, Fault> {
    let infos = list.iter().map(|name| ParameterInfo { name: path(name), writable: true });
    Ok(CpeResponse::GetParameterNames(infos.collect()))
}

fn values(list: &[(&str, &str)]) -> Result<CpeResponse, Fault> {
    let values = list
        .iter()
        .map(|(name, text)| ParameterValue { name: path(name), value: Value::string(*text) });
    Ok(CpeResponse::GetParameterValues(values.collect()))
}

fn wishes(abilities: Vec<Ability>) -> ModelWishes {
    let key = ModelKey::new("00D09E", "", "").unwrap();
    ModelWishes { key, revision: 1, abilities }
}

fn set(list: &[(&str, Value)]) -> Situation {
    let values = list.iter().map(|(name, value)| (path(name), value.clone())).collect();
    situation(vec![task(1, Action::Set(values))])
}

/// The text of the first value of a SetParameterValues.
fn first_text(request: &AcsRequest) -> &str {
    let AcsRequest::SetParameterValues(set) = request else { panic!("{request:?}") };
    &set.values[0].value.text
}

const SWITCH: &str = "Device.Time.Enable";

fn switch() -> Situation {
    set(&[(SWITCH, Value::new("true", ValueType::Boolean))])
}

#[test]
fn q11_a_boolean_that_is_refused_is_tried_once_in_the_other_form() {
    let mut tree = Tree::new();
    let mut planner = planner(switch(), &tree);
    assert_eq!(first_text(&asked(&mut planner, &mut tree)), "1");
    planner.answer(Err(fault(FaultCode(9007))), &mut tree, NOW);
    assert_eq!(first_text(&asked(&mut planner, &mut tree)), "true");
    planner.answer(Ok(CpeResponse::SetParameterValues(0)), &mut tree, NOW);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(values(&[(SWITCH, "true")]), &mut tree, NOW);
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    assert_eq!(outcome(&mut planner), Outcome::Applied);
    let lesson = lesson(&planner, &Ability::BooleanWords(true));
    assert_eq!(lesson.ability, Ability::BooleanWords(true));
    assert!(lesson.words.contains("fault 9007"), "{}", lesson.words);
}

#[test]
fn q11_a_boolean_that_is_refused_in_both_forms_fails_with_the_first_fault() {
    let mut tree = Tree::new();
    let mut planner = planner(switch(), &tree);
    let bad = ParameterFault { name: SWITCH.into(), code: FaultCode(9006), text: "no".into() };
    let first = Fault { parameters: vec![bad], ..fault(Code::INVALID_ARGUMENTS) };
    for answer in [first, fault(FaultCode(9001))] {
        let _ = asked(&mut planner, &mut tree);
        planner.answer(Err(answer), &mut tree, NOW);
    }
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied, "once, and not again");
    let Outcome::Failed(fault) = outcome(&mut planner) else { panic!() };
    assert_eq!((fault.code, fault.parameters[0].1), (9003, 9006));
    assert!(!planner.learned().boolean_words);
    assert!(!planner.learned().has_news());
}

#[test]
fn q11_next_level_is_asked_as_a_word_where_a_digit_is_not_understood() {
    let mut tree = Tree::new();
    let mut planner = planner(Situation { survey: true, ..situation(Vec::new()) }, &tree);
    let _ = asked(&mut planner, &mut tree);
    assert!(!planner.learned().next_level_words);
    planner.answer(Err(fault(Code::INVALID_ARGUMENTS)), &mut tree, NOW);
    let _ = asked(&mut planner, &mut tree);
    assert!(planner.learned().next_level_words, "as a word");
    planner.answer(names(&["Device.A"]), &mut tree, NOW);
    assert_eq!(
        lesson(&planner, &Ability::NextLevelWords(true)).ability,
        Ability::NextLevelWords(true)
    );
    assert!(planner.learned().names_in_one);
}

#[test]
fn q12_times_are_written_without_fractions_and_tried_without_a_zone() {
    let mut tree = Tree::new();
    let time = Value::new("2026-01-02T03:04:05.678Z", ValueType::DateTime);
    let mut planner = planner(set(&[("Device.X.Begin", time)]), &tree);
    assert_eq!(first_text(&asked(&mut planner, &mut tree)), "2026-01-02T03:04:05Z");
    planner.answer(Err(fault(FaultCode(9007))), &mut tree, NOW);
    assert_eq!(first_text(&asked(&mut planner, &mut tree)), "2026-01-02T03:04:05");
    planner.answer(Ok(CpeResponse::SetParameterValues(0)), &mut tree, NOW);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(values(&[("Device.X.Begin", "2026-01-02T03:04:05.000+00:00")]), &mut tree, NOW);
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    assert_eq!(outcome(&mut planner), Outcome::Applied, "the same moment in another form");
    assert!(!planner.learned().zoned_times);
}

#[test]
fn q13_a_clock_that_was_never_set_is_a_value_like_any_other() {
    let mut tree = Tree::new();
    let get = Action::Get(vec![path("Device.Time.CurrentLocalTime")]);
    let mut planner = planner(situation(vec![task(1, get)]), &tree);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(
        values(&[("Device.Time.CurrentLocalTime", "0001-01-01T00:00:00Z")]),
        &mut tree,
        NOW,
    );
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    assert_eq!(tree.text("Device.Time.CurrentLocalTime"), Some("0001-01-01T00:00:00Z"));
    assert_eq!(tree.get("Device.Time.CurrentLocalTime").unwrap().read_at, NOW, "our own clock");
}

#[test]
fn q29_the_root_is_found_where_the_inform_names_none() {
    let mut tree = Tree::new();
    let unknown = Situation { root: "".into(), survey: true, ..situation(Vec::new()) };
    let mut planner = planner(unknown, &tree);
    let paths: Vec<Option<String>> = [
        Err(fault(Code::INVALID_PARAMETER_NAME)), // the empty path
        names(&[]),                               // Device.
        names(&["InternetGatewayDevice.DeviceInfo."]),
    ]
    .into_iter()
    .map(|answer| {
        let AcsRequest::GetParameterNames(request) = asked(&mut planner, &mut tree) else {
            panic!()
        };
        planner.answer(answer, &mut tree, NOW);
        request.path.map(|path| path.to_string())
    })
    .collect();
    assert_eq!(
        paths,
        [None, Some("Device.".to_owned()), Some("InternetGatewayDevice.".to_owned())]
    );
    assert_eq!(planner.root(), "InternetGatewayDevice.");
    assert_eq!(
        lesson(&planner, &Ability::Root("".into())).ability,
        Ability::Root("InternetGatewayDevice.".into())
    );
    let AcsRequest::GetParameterNames(request) = asked(&mut planner, &mut tree) else { panic!() };
    assert!(!request.next_level, "and now all that lies below");
}

#[test]
fn q29_a_device_without_any_root_is_left_in_peace() {
    let mut tree = Tree::new();
    let mut planner =
        planner(Situation { root: "".into(), survey: true, ..situation(Vec::new()) }, &tree);
    for _ in 0..3 {
        let _ = asked(&mut planner, &mut tree);
        planner.answer(Err(fault(Code::INVALID_PARAMETER_NAME)), &mut tree, NOW);
    }
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    assert!(!planner.surveyed());
}

#[test]
fn q30_a_list_one_level_deep_is_gone_on_with() {
    let mut tree = Tree::new();
    let mut planner = planner(Situation { survey: true, ..situation(Vec::new()) }, &tree);
    let answers = [
        (names(&["Device.", "Device.A.", "Device.B"]), None),
        // One level too deep, this time.
        (
            names(&["Device.A.X", "Device.A.T.", "Device.A.T.1.", "Device.A.T.1.Y"]),
            Some("Device.A."),
        ),
        (names(&["Device.A.T.1."]), Some("Device.A.T.")),
        (names(&["Device.A.T.1.Y"]), Some("Device.A.T.1.")),
    ];
    for (answer, below) in answers {
        let AcsRequest::GetParameterNames(request) = asked(&mut planner, &mut tree) else {
            panic!()
        };
        if let Some(below) = below {
            assert_eq!((request.path.unwrap().as_str(), request.next_level), (below, true));
        }
        planner.answer(answer, &mut tree, NOW);
    }
    let AcsRequest::GetParameterValues(request) = asked(&mut planner, &mut tree) else { panic!() };
    let names: Vec<&str> = request.names.iter().map(ParamPath::as_str).collect();
    assert_eq!(names, ["Device.A.T.1.Y", "Device.A.X", "Device.B"]);
    assert!(!planner.learned().names_in_one);
}

#[test]
fn q30_objects_without_their_dots_are_found_out_in_one_list_and_in_a_walk() {
    for in_one in [true, false] {
        let mut tree = Tree::new();
        let mut learned = Learned::assumed(64, 64);
        learned.names_in_one = in_one;
        let mut planner =
            planner(Situation { survey: true, learned, ..situation(Vec::new()) }, &tree);
        let answers = if in_one {
            vec![names(&["Device.A", "Device.A.B", "Device.A.B.C", "Device.D"])]
        } else {
            vec![
                names(&["Device.A", "Device.D"]),
                names(&["Device.A.B"]),
                Err(fault(Code::INVALID_PARAMETER_NAME)),
                names(&["Device.A.B.C"]),
                Err(fault(Code::INVALID_PARAMETER_NAME)),
            ]
        };
        for answer in answers {
            let request = asked(&mut planner, &mut tree);
            assert!(matches!(request, AcsRequest::GetParameterNames(_)), "{request:?}");
            planner.answer(answer, &mut tree, NOW);
        }
        let AcsRequest::GetParameterValues(request) = asked(&mut planner, &mut tree) else {
            panic!()
        };
        let mut asked_for: Vec<&str> = request.names.iter().map(ParamPath::as_str).collect();
        asked_for.sort_unstable();
        assert_eq!(asked_for, ["Device.A.B.C", "Device.D"]);
        assert!(!planner.learned().dotted_objects);
    }
}

#[test]
fn q31_what_is_called_read_only_is_written_all_the_same() {
    let mut tree = Tree::new();
    tree.learn_name(&path("Device.X.Name"), false, NOW);
    let mut planner = planner(set(&[("Device.X.Name", Value::string("new"))]), &tree);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(Ok(CpeResponse::SetParameterValues(0)), &mut tree, NOW);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(values(&[("Device.X.Name", "new")]), &mut tree, NOW);
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    assert_eq!(outcome(&mut planner), Outcome::Applied);
    assert!(!planner.learned().honest_writable);
}

#[test]
fn q32_a_name_that_breaks_every_batch_does_not_make_the_batches_small() {
    let mut fake = Fake::with(200);
    let mut tree = Tree::new();
    let names: Vec<ParamPath> = fake.values.keys().map(|name| path(name)).collect();
    let bad = names[63].clone();
    let mut planner = planner(situation(vec![task(1, Action::Get(names))]), &tree);
    let mut requests = 0;
    while let Step::Rpc { request, .. } = planner.next(&mut tree, NOW) {
        requests += 1;
        let AcsRequest::GetParameterValues(asked) = &request else { panic!() };
        let answer = if asked.names.contains(&bad) {
            Err(fault(Code::INTERNAL_ERROR))
        } else {
            fake.answer(&request)
        };
        planner.answer(answer, &mut tree, NOW);
    }
    assert_eq!(planner.learned().read_batch, 64, "the name was to blame, and not the size");
    assert_eq!(tree.parameter_count(), 201);
    assert!(requests < 30, "{requests}");
}

#[test]
fn a18_values_that_nobody_asked_for_are_not_taken() {
    let mut tree = Tree::new();
    let get = Action::Get(vec![path("Device.A"), path("Device.T.")]);
    let mut planner = planner(situation(vec![task(1, get)]), &tree);
    let _ = asked(&mut planner, &mut tree);
    let flood: Vec<String> = (0..1_000_000).map(|number| format!("Device.Z{number}")).collect();
    let told = flood.iter().map(String::as_str).chain(["Device.A", "Device.T.1.X", "Device.A"]);
    let list =
        told.map(|name| ParameterValue { name: path(name), value: Value::string("x") }).collect();
    planner.answer(Ok(CpeResponse::GetParameterValues(list)), &mut tree, NOW);
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    assert_eq!(tree.len(), 2, "what was asked for, each once");
}

#[test]
fn t21_names_without_end_are_cut() {
    let mut tree = Tree::new();
    let mut planner = planner(Situation { survey: true, ..situation(Vec::new()) }, &tree);
    let _ = asked(&mut planner, &mut tree);
    let infos = (0..1_000_000)
        .map(|number| ParameterInfo { name: path(&format!("Device.Z{number}")), writable: false })
        .collect();
    planner.answer(Ok(CpeResponse::GetParameterNames(infos)), &mut tree, NOW);
    let _ = asked(&mut planner, &mut tree);
    assert_eq!(tree.len(), Tree::MAX_ENTRIES);
}

#[test]
fn q41_what_an_operator_fixed_stays_and_the_session_ends_all_the_same() {
    let (mut fake, mut tree) = (Fake { batch: 5, ..Fake::with(100) }, Tree::new());
    let fixed = wishes(vec![Ability::ReadBatch(64), Ability::WriteBatch(64)]);
    let learned = Learned::assumed(128, 128).with(None, &[], [&fixed]);
    let values = (0..20)
        .map(|number| (path(&format!("Device.X.{}.P{number}", number % 7 + 1)), Value::string("y")))
        .collect();
    let tasks = vec![task(1, Action::Set(values))];
    let ran = run(Situation { survey: true, learned, ..situation(tasks) }, &mut tree, &mut fake);
    assert_eq!(last_state(&ran, 1), "applied");
    assert_eq!((ran.planner.learned().read_batch, ran.planner.learned().write_batch), (64, 64));
    assert!(!ran.planner.learned().has_news());
    assert!(ran.requests.len() < 120, "{}", ran.requests.len());
}

#[test]
fn q47_a_slow_answer_teaches_patience() {
    let mut tree = Tree::new();
    let mut planner = planner(Situation { survey: true, ..situation(Vec::new()) }, &tree);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(names(&["Device.A"]), &mut tree, NOW.after(Duration::from_secs(45)));
    assert_eq!(planner.learned().silence, 180);
    let lesson = lesson(&planner, &Ability::Silence(30));
    assert_eq!(&*lesson.words, "an answer to GetParameterNames took 45 seconds");
}

#[test]
fn q47_silence_where_less_cannot_be_asked_gives_more_time_up_to_ten_minutes() {
    let mut learned = Learned::assumed(64, 64);
    let mut seconds = Vec::new();
    for _ in 0..6 {
        let get = Action::Get(vec![path("Device.A")]);
        let situation = Situation { learned, ..situation(vec![task(1, get)]) };
        let mut planner = planner(situation, &Tree::new());
        let _ = asked(&mut planner, &mut Tree::new());
        planner.abandon(&mut Tree::new(), NOW);
        learned = planner.learned().clone();
        seconds.push(learned.silence);
    }
    assert_eq!(seconds, [120, 240, 480, 600, 600, 600]);
}

#[test]
fn q48_trailing_blanks_are_no_difference() {
    let mut tree = Tree::new();
    let mut planner = planner(set(&[("Device.X.Name", Value::string("net"))]), &tree);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(Ok(CpeResponse::SetParameterValues(0)), &mut tree, NOW);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(values(&[("Device.X.Name", "net   ")]), &mut tree, NOW);
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    assert_eq!(outcome(&mut planner), Outcome::Applied);
}

#[test]
fn q54_what_reads_back_masked_is_no_lie() {
    let mut tree = Tree::new();
    let mut planner = planner(set(&[("Device.X_V.Pin", Value::string("1234"))]), &tree);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(Ok(CpeResponse::SetParameterValues(0)), &mut tree, NOW);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(values(&[("Device.X_V.Pin", "********")]), &mut tree, NOW);
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    assert_eq!(outcome(&mut planner), Outcome::Applied);
    assert!(planner.learned().masked_values);
}

#[test]
fn q10_c08_a_type_that_nobody_knows_is_written_back_as_it_came() {
    let mut tree = Tree::new();
    let evil = Value::new("a", ValueType::from_name("xsd:evil"));
    tree.learn_value(&path("Device.X.Y"), evil, NOW);
    let mut planner = planner(set(&[("Device.X.Y", Value::string("b"))]), &tree);
    let AcsRequest::SetParameterValues(set) = asked(&mut planner, &mut tree) else { panic!() };
    assert_eq!(set.values[0].value.kind.name(), "evil");
}

#[test]
fn c12_a_value_longer_than_the_model_takes_is_not_sent() {
    let mut tree = Tree::new();
    let fixed = wishes(vec![Ability::MaxValue(3072), Ability::MaxMessage(4096)]);
    let learned = Learned::assumed(64, 64).with(None, &[], [&fixed]);
    let long = set(&[("Device.X.Text", Value::string("x".repeat(3073)))]);
    let mut planner = Planner::new(Situation { learned: learned.clone(), ..long }, true, NOW);
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    let Outcome::Failed(fault) = outcome(&mut planner) else { panic!() };
    assert!(fault.parameters[0].2.contains("3073 bytes"), "{fault:?}");

    // Many that fit go in as many messages as it takes.
    let half = Value::string("x".repeat(1500));
    let fits = set(&[("Device.A", half.clone()), ("Device.B", half.clone()), ("Device.C", half)]);
    let mut planner = Planner::new(Situation { learned, ..fits }, true, NOW);
    let mut written = Vec::new();
    while let AcsRequest::SetParameterValues(set) = asked(&mut planner, &mut tree) {
        written.push(set.values.len());
        planner.answer(Ok(CpeResponse::SetParameterValues(0)), &mut tree, NOW);
    }
    assert_eq!(written, [1, 1, 1]);
}

#[test]
fn q56_a_method_that_is_not_there_is_remembered() {
    let mut tree = Tree::new();
    let mut planner = planner(situation(vec![task(1, Action::GetRpcMethods)]), &tree);
    let _ = asked(&mut planner, &mut tree);
    planner.answer(Err(fault(Code::METHOD_NOT_SUPPORTED)), &mut tree, NOW);
    assert!(planner.learned().lacks("GetRPCMethods"));
}
